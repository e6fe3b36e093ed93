// SPDX-License-Identifier: LGPL-2.1-or-later
// The leaf rule: a v2 cgroup may hold both tasks and children here as on v1, because the tasks of an inner cgroup live
// in a child of their own, `.cgm_leaf`, that bears our mark. A cgroup is emptied into it *before* a controller is
// enabled below it: the kernel would not refuse, it would turn the cgroup threaded (cgroup-v2.rst, "Threads").
// Several threads and processes of ours may work on one cgroup at a time: what one undoes another does again.
#pragma once

#include <sys/types.h>

#include <string_view>

#include "base/error.hpp"
#include "cgroup/cgroup.hpp"

namespace cgm::cgroup {

/// True for the root of the whole v2 tree, to which the rule does not apply.
bool is_true_root(const Cgroup& cgroup);

/// Opens a cgroup's leaf. Errors: not_found where it has none; denied where somebody planted a directory of that name:
/// one that does not bear our note `leaf` (note.hpp).
Result<Cgroup> open_leaf(const Cgroup& cgroup);

/// Where a task that joins `cgroup` has to go: the cgroup itself, or its leaf, made on demand where controllers are
/// enabled below. The leaf's cgroup.procs and cgroup.threads get the cgroup's owner; kill and freeze stay root's.
/// Errors: busy (threaded, so it can hold no leaf), denied, gone.
Result<Cgroup> home_of_tasks(const Cgroup& cgroup);

/// Enables `controller` for the children of `cgroup`, after moving its tasks to the leaf, and notes that it was us.
/// Nothing is done where it is enabled. What failed leaves the tasks where they were. Errors: busy (threaded, kernel
/// threads, tasks of another pid namespace, or a fork storm that outruns us), unsupported (the controller is not
/// available here), denied, gone.
Result<void> enable_controller(const Cgroup& cgroup, std::string_view controller);

/// For when the last child of `cgroup` is gone: disables below it what enable_controller() has enabled, and nothing
/// that somebody else did; where nothing stays enabled the tasks move back from the leaf and that is removed. Nothing
/// is done while it has children. A child that is made meanwhile keeps its controllers if whoever makes it enables them
/// *after* making it. Errors: busy (tasks that cannot be moved back; nothing has changed then), denied, gone.
Result<void> dissolve_leaf(const Cgroup& cgroup);

}  // namespace cgm::cgroup
