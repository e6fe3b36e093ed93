// SPDX-License-Identifier: LGPL-2.1-or-later
// What this host offers to this caller, hierarchy by hierarchy: for `controllers` and `doctor`.
#pragma once

#include <string>
#include <vector>

#include "cgm/session.hpp"

namespace cgm::cli {

/// One hierarchy as the session has it and as this process sees it.
struct HierarchyView {
  std::string label;
  cgroup::Version version = cgroup::Version::v1;
  std::vector<std::string> controllers;
  std::string mount_point;  ///< empty: mounted for the daemon alone
  std::string own_cgroup;   ///< from the root; empty: not known
  uid_t owner = 0;          ///< of the own cgroup's directory, where it is seen
  bool owner_known = false;
  bool may_create = false;  ///< in the own cgroup, through the session
};
Result<std::vector<HierarchyView>> survey(Session& session);

/// `v1`, `v2` or `hybrid`.
std::string mode_of(const std::vector<HierarchyView>& hierarchies);

}  // namespace cgm::cli
