// SPDX-License-Identifier: LGPL-2.1-or-later
// Making, handing over and removing cgroups. Who may is decided elsewhere.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "cgroup/cgroup.hpp"

namespace cgm::cgroup {

/// Makes a child directory (0755) and opens it; a fresh v1 cpuset gets its parent's cpus and mems, without which it
/// takes no task. Errors: exists, denied, invalid, quota.
Result<Cgroup> make_child(const Cgroup& parent, std::string_view name);

/// Gives the directory and every file in it to uid:gid.
Result<void> hand_over(const Cgroup& cgroup, uid_t uid, gid_t gid);

/// Gives away what the kernel lists in /sys/kernel/cgroup/delegate (v1: tasks and cgroup.procs) and the directory, so
/// that the new owner makes and fills children and does not raise the limits. -1 leaves an id unchanged. A leaf's files
/// too.
Result<void> delegate(const Cgroup& cgroup, uid_t uid, gid_t gid);

/// Gives the files of a v2 controller that has just been enabled below `parent` to those who own their cgroups whole:
/// the kernel makes them ours, in children that had been handed over (hand_over) as in any other.
Result<void> hand_over_new_files(const Cgroup& parent, std::string_view controller);

/// Removes one empty cgroup, its own leaf first. Errors: busy (tasks or children), not_found.
Result<void> remove_child(const Cgroup& parent, std::string_view name);

/// The limits that bind v1's children only by being copied into them: keys of blkio.throttle.*, net_cls, net_prio and
/// memory without use_hierarchy, as far as `cgroup` has them.
std::vector<std::string> uninherited_keys(const Cgroup& cgroup);

}  // namespace cgm::cgroup
