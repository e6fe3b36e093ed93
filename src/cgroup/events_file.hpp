// SPDX-License-Identifier: LGPL-2.1-or-later
// cgroup.events, the one file by which a v2 cgroup says that its state changed (cgroup-v2.rst, "Core Interface Files").
#pragma once

#include <string_view>

#include "base/deadline.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"
#include "cgroup/cgroup.hpp"

namespace cgm::cgroup {

struct Events {
  bool populated = false;  ///< a live process is in the cgroup or below it
  bool frozen = false;     ///< every task of the subtree is frozen
  bool operator==(const Events&) const = default;
};

/// Parses cgroup.events; keys that are not ours are passed over. Errors: protocol (no `populated`, or no flag). Pure.
Result<Events> parse_events(std::string_view text);

/// An open cgroup.events that can be waited on.
class EventsFile final {
 public:
  /// Errors: unsupported for the root, which has no such file; not_found, denied.
  static Result<EventsFile> open(const Cgroup& cgroup);

  /// What it says now; a later change ends wait(). Errors: gone (the cgroup was removed).
  Result<Events> read() const;
  /// Waits for a change since the last read(), until the deadline; false where that passed. The kernel may announce a
  /// change that is not to be seen.
  Result<bool> wait(Deadline deadline) const;

 private:
  explicit EventsFile(Fd file) : file_(std::move(file)) {}
  Fd file_;
};

}  // namespace cgm::cgroup
