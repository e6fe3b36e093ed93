// SPDX-License-Identifier: LGPL-2.1-or-later
// The leaf rule: a v2 cgroup may hold both tasks and children here as on v1, because the tasks of an inner cgroup live
// in a child of their own, `.cgm_leaf`, that bears our mark. A cgroup is emptied into it *before* a controller is
// enabled below it: the kernel would not refuse, it would turn the cgroup threaded (cgroup-v2.rst, "Threads").
#pragma once

#include <string_view>

#include "base/error.hpp"
#include "cgroup/cgroup.hpp"

namespace cgm::cgroup {

/// The extended attribute that marks a leaf as ours; trusted.* needs CAP_SYS_ADMIN in the initial user namespace, where
/// we do not have that the user.* one counts, on a leaf that our own uid owns.
inline constexpr const char* kLeafMark = "trusted.cgmanager.leaf";
inline constexpr const char* kLeafMarkUser = "user.cgmanager.leaf";

/// True for the root of the whole v2 tree, to which the rule does not apply.
bool is_true_root(const Cgroup& cgroup);

/// Opens a cgroup's leaf. Errors: not_found where it has none; denied where somebody planted a directory of that name.
Result<Cgroup> open_leaf(const Cgroup& cgroup);

/// Where a task that joins `cgroup` has to go: the cgroup itself, or its leaf, made on demand where controllers are
/// enabled below. The leaf's cgroup.procs and cgroup.threads get the cgroup's owner; kill and freeze stay root's.
Result<Cgroup> home_of_tasks(const Cgroup& cgroup);

/// Enables `controller` for the children of `cgroup`, after moving its tasks to the leaf. Nothing is done where it is
/// enabled. Errors: busy (threaded, kernel threads, tasks of another pid namespace, or a fork storm that outruns us),
/// unsupported (the controller is not available here), denied.
Result<void> enable_controller(const Cgroup& cgroup, std::string_view controller);

/// Moves the tasks of `cgroup` back from its leaf and removes that, where no controller is enabled below any more and
/// no children are left; nothing is done where it has no leaf.
Result<void> remove_leaf(const Cgroup& cgroup);

}  // namespace cgm::cgroup
