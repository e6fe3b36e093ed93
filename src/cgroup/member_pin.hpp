// SPDX-License-Identifier: LGPL-2.1-or-later
// One task of a v1 cgroup, held by a descriptor that becomes readable when the task ends: v1 announces no exits, so
// whoever waits for the last one waits for one after the other.
#pragma once

#include "base/error.hpp"
#include "base/fd.hpp"
#include "cgroup/cgroup.hpp"

namespace cgm::cgroup {

struct MemberPin {
  enum class Found {
    none,    ///< the cgroup has no task
    pinned,  ///< `task` becomes readable when one of its tasks ends
    hidden,  ///< it has tasks, but only such as our pid namespace does not show
    missed,  ///< it has tasks, and those that were tried ended, or left it, meanwhile
  };
  Found found = Found::none;
  pid_t id = 0;
  /// A pidfd: of the thread (Linux 6.9), before that of its process, so that there a thread which ends before its
  /// process is not noticed.
  Fd task = {};
};

/// Pins a task that is in `cgroup`, not below it. `proc` is an open /proc. Takes time with the number of tasks: the
/// kernel makes a list of them all. Errors: gone or not_found (the cgroup was removed), quota (no descriptor is left).
Result<MemberPin> pin_member(int proc, const Cgroup& cgroup);

/// True if the task with this id is in `cgroup`, not below it. Says nothing of a pinned task but while that lives.
bool is_member(int proc, pid_t id, const Cgroup& cgroup);

}  // namespace cgm::cgroup
