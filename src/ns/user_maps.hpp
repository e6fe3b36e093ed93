// SPDX-License-Identifier: LGPL-2.1-or-later
// Giving a new user namespace its id maps: directly where we may, else by newuidmap(1) and newgidmap(1).
#pragma once

#include <optional>

#include "base/error.hpp"
#include "ns/id_map.hpp"

namespace cgm::ns {

enum class Setgroups { unchanged, allow, deny };

/// What a user asks for.
struct MapRequest {
  std::optional<uint32_t> user, group;  ///< the caller's own ids appear as these inside
  IdRanges users, groups;               ///< further ranges
  bool automatic = false;               ///< and a block from 0 on, of the caller's subordinate ids
  Setgroups setgroups = Setgroups::unchanged;
  bool empty() const { return !user && !group && users.empty() && groups.empty() && !automatic; }
};

struct UserMaps {
  IdRanges users, groups;
  Setgroups setgroups = Setgroups::unchanged;
  bool empty() const { return users.empty() && groups.empty() && setgroups == Setgroups::unchanged; }
};

/// The maps for the calling process' effective ids. Errors: invalid (check()); not_found, naming the file that gives
/// the caller no subordinate ids.
Result<UserMaps> plan_maps(const MapRequest& request);

/// True if they map nothing, or the caller's own ids alone: what a process may write for itself.
bool is_own_map(const UserMaps& maps);

/// Writes them for a process that has just been made in a new user namespace, and that waits: its /proc entry and pid.
/// Errors: denied, naming the file and the ids that lack in it; not_found, where newuidmap is missing.
Result<void> write_maps(int proc_entry, pid_t pid, const UserMaps& maps);

}  // namespace cgm::ns
