// SPDX-License-Identifier: LGPL-2.1-or-later
// Ending what runs in a group.
#pragma once

#include "base/deadline.hpp"
#include "cgm/group.hpp"
#include "cgroup/kill.hpp"

namespace cgm::cli {

/// Signals every process of the group and below (cgroup/kill.hpp), with our own rights, and waits until none is left. A
/// direct session works on the kernel's files, and by cgroup.kill where we may; one through the daemon has the daemon
/// list and freeze. Errors: invalid (we are in the group ourselves).
Result<cgroup::KillOutcome> kill_group(Session& session, const Group& group, int signal, Deadline deadline);

/// One line for each process that is left, `process 17 (sleep) has not ended`; the last of many counts the rest.
std::vector<std::string> describe_left(const cgroup::KillOutcome& outcome);

}  // namespace cgm::cli
