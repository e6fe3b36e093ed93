// SPDX-License-Identifier: LGPL-2.1-or-later
// Pins: namespaces kept alive by bind mounts, under a name. A pin is a directory with one file for each kind.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "ns/namespace.hpp"

namespace cgm::ns {

/// Where the caller's pins are: root's below /run, a user's below $XDG_RUNTIME_DIR. Every directory on the way has
/// to be the owner's alone to write; no symbolic link is followed.
class Pins final {
 public:
  /// Errors: not_found (a user without a runtime directory); denied (somebody else may write there).
  static Result<Pins> open();
  /// The same; directories that are missing are made, where a pin is to be added.
  static Result<Pins> make();

  /// Keeps them under `name`. Errors: invalid (a name that is none), exists, denied (mounting needs CAP_SYS_ADMIN), os
  /// (a full or read-only file system); nothing is left then.
  Result<void> add(const std::string& name, std::span<const Namespace> namespaces) const;
  /// The namespaces of a pin. Errors: not_found, invalid.
  Result<std::vector<Namespace>> find(const std::string& name) const;
  /// Lets them go. Errors: not_found, denied.
  Result<void> remove(const std::string& name) const;

 private:
  static Result<Pins> open(bool make);
  Pins(Fd directory, std::string path) : directory_(std::move(directory)), path_(std::move(path)) {}
  Fd directory_;  // none where it is not there: there is no pin then
  std::string path_;
};

}  // namespace cgm::ns
