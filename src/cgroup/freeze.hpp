// SPDX-License-Identifier: LGPL-2.1-or-later
// Stopping all tasks of a subtree where they stand, and letting them go on: v1's freezer.state (freezer-subsystem.rst)
// and v2's cgroup.freeze (cgroup-v2.rst, 5.2), with the wait until it is so.
#pragma once

#include <optional>
#include <string_view>

#include "base/deadline.hpp"
#include "base/error.hpp"
#include "cgroup/cgroup.hpp"

namespace cgm::cgroup {

enum class FreezerState { thawed, freezing, frozen };

/// Parses v1's freezer.state; nothing for any other word. Pure.
std::optional<FreezerState> parse_freezer_state(std::string_view text);

/// True where this cgroup can be frozen: a v2 cgroup, or one of a v1 freezer hierarchy; never a root.
bool has_freezer(const Cgroup& cgroup);

/// True if every task of the subtree is frozen now, whether by this cgroup's setting or an ancestor's; a root never is.
/// Errors: unsupported (no freezer).
Result<bool> is_frozen(const Cgroup& cgroup);

/// True if the cgroup itself is set to be frozen, whatever its ancestors are. Errors: unsupported (no freezer).
Result<bool> is_set_frozen(const Cgroup& cgroup);

/// Asks for a state and does not wait for it. Errors: not_found (no freezer), denied.
Result<void> set_frozen(const Cgroup& cgroup, bool frozen);

/// Freezes the subtree and waits until every task has stopped. On failure the setting is what it was before. Errors:
/// timeout (a task cannot be stopped, by its uninterruptible sleep for one), invalid (we would stop ourselves),
/// unsupported (no freezer), gone, denied.
Result<void> freeze(const Cgroup& cgroup, Deadline deadline);

/// Lets the subtree run and waits until it does; cgroups below that are set frozen themselves stay so. On failure the
/// setting is what it was before. Errors: busy (an ancestor is frozen), timeout, unsupported (no freezer), gone,
/// denied.
Result<void> thaw(const Cgroup& cgroup, Deadline deadline);

}  // namespace cgm::cgroup
