// SPDX-License-Identifier: LGPL-2.1-or-later
// Which tasks are in a cgroup. The leaf's tasks count as the cgroup's own.
#pragma once

#include <sys/types.h>

#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "cgroup/cgroup.hpp"

namespace cgm::cgroup {

/// Parses a `tasks` or `cgroup.procs` file: one id a line; 0 stands for a task outside our pid namespace. Pure.
Result<std::vector<pid_t>> parse_ids(std::string_view text);

/// Sorts ascending and drops duplicates and zeros.
void sort_ids(std::vector<pid_t>& ids);

/// Ids as the classic GetTasks tells them: v1 thread ids, v2 process ids, the leaf's included; ascending, each once.
Result<std::vector<pid_t>> tasks_of(const Cgroup& cgroup);

/// The ids in a file that lists them (`tasks`, `cgroup.procs`, `cgroup.threads`), the leaf's included; ascending, each
/// once.
Result<std::vector<pid_t>> ids_in(const Cgroup& cgroup, std::string_view file);

/// Process ids in the whole subtree, leaves included; ascending, each once. A leading 0 stands for all tasks outside
/// our pid namespace. What goes away meanwhile is left out. Errors: unsupported for a threaded cgroup, whose threads
/// are parts of processes above it.
Result<std::vector<pid_t>> processes_below(const Cgroup& cgroup);

/// True if the calling thread, or the leader of its process, is in the cgroup or below it.
Result<bool> contains_self(const Cgroup& cgroup);

}  // namespace cgm::cgroup
