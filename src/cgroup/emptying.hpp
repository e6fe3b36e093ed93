// SPDX-License-Identifier: LGPL-2.1-or-later
// Moving every task of one v2 cgroup to another while they go on forking. Which cgroups and why is leaf.hpp's affair.
#pragma once

#include "base/error.hpp"
#include "cgroup/cgroup.hpp"

namespace cgm::cgroup {

/// Moves all processes of `from` (not those below it) to `to`, pass by pass, until `from` reads empty. What can never
/// be moved is found before anything is. A process is pinned by a pidfd and seen in `from` once more before its number
/// is written, so that a number that was reused moves nobody else.
/// Errors: busy (kernel threads, tasks of another pid namespace, a fork storm that outruns us; `to` has controllers
/// enabled), gone (either cgroup was removed), denied. Some tasks may have been moved then.
Result<void> empty_into(const Cgroup& from, const Cgroup& to);

}  // namespace cgm::cgroup
