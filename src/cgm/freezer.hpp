// SPDX-License-Identifier: LGPL-2.1-or-later
// Freezing and thawing a group through a session, the daemon's or our own.
#pragma once

#include "base/deadline.hpp"
#include "cgm/group.hpp"

namespace cgm::cli {

/// True where the group is in a hierarchy that freezes.
Result<bool> has_freezer(Session& session, const Group& group);

Result<bool> is_frozen(Session& session, const Group& group);

/// Stops all tasks of the group and below, or lets them go on, and waits until it is so. Where it does not come in
/// time, what was set before is put back. Errors: timeout, denied, what the daemon says.
Result<void> set_frozen(Session& session, const Group& group, bool frozen, Deadline deadline);

/// Lets the group run, and every cgroup below that is frozen itself. The first failure is told at the end.
Result<void> thaw_all(Session& session, const Group& group, Deadline deadline);

}  // namespace cgm::cli
