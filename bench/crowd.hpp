// SPDX-License-Identifier: LGPL-2.1-or-later
// Many sleeping tasks in one cgroup, at the price of a kernel stack each.
#pragma once

#include "base/error.hpp"
#include "cgroup/cgroup.hpp"
#include "support/sandbox.hpp"

namespace cgm::bench {

/// Starts `tasks` tasks in `cgroup`, and waits until they are there. On v1 they are the threads of one process, on v2,
/// whose list tells processes alone, processes that share one memory. They end with the returned child.
Result<test::Child> start_crowd(const cgroup::Cgroup& cgroup, unsigned tasks);

}  // namespace cgm::bench
