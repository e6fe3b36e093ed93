// SPDX-License-Identifier: LGPL-2.1-or-later
// An open namespace: a file of the namespace file system, from a /proc link, a pin, or any path that leads to one. The
// descriptor keeps the namespace alive.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "ns/kind.hpp"

namespace cgm::ns {

class Namespace final {
 public:
  /// Opens the namespace that `path`, from `dirfd`, leads to. Errors: not_found; invalid, where the file is no
  /// namespace; denied, where the process that it belongs to may not be looked at.
  static Result<Namespace> open(int dirfd, const std::string& path);
  /// Takes over a descriptor. Errors: invalid.
  static Result<Namespace> adopt(Fd fd);

  int fd() const { return fd_.get(); }
  Kind kind() const { return kind_; }
  /// Its number; equal numbers mean the same namespace.
  uint64_t inode() const { return inode_; }

  /// The user namespace that owns it; of a user namespace its parent. None where that is out of our sight.
  std::optional<Namespace> owner() const;
  /// Of a pid or user namespace the one that it was made in; none where there is none or it is out of sight.
  std::optional<Namespace> parent() const;
  /// Who made a user namespace, as we see that user. Errors: invalid, for other kinds.
  Result<uid_t> owner_uid() const;

 private:
  Namespace(Fd fd, Kind kind, uint64_t inode) : fd_(std::move(fd)), kind_(kind), inode_(inode) {}
  Fd fd_;
  Kind kind_;
  uint64_t inode_;
};

}  // namespace cgm::ns
