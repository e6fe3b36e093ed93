// SPDX-License-Identifier: LGPL-2.1-or-later
// Homes and spots.
#include "setting.hpp"

#include "cgroup/cgroup.hpp"
#include "cgroup/tree.hpp"

namespace cgm::bench {

namespace {

/// Keys to measure with, in order of preference, by the names of either version.
struct Candidate {
  const char* controller;
  const char* v1_key;
  const char* v1_text;
  const char* v2_key;
  const char* v2_text;
};
constexpr Candidate kMemory = {"memory", "memory.limit_in_bytes", "1073741824", "memory.max", "1073741824"};
constexpr Candidate kPids = {"pids", "pids.max", "1000", "pids.max", "1000"};
constexpr Candidate kFreezer = {"freezer", "freezer.state", "THAWED", "cgroup.freeze", "0"};

Value first_usable(const test::Sandbox& sandbox, std::initializer_list<Candidate> candidates) {
  for (const Candidate& one : candidates) {
    if (!sandbox.usable(one.controller)) continue;
    bool v2 = sandbox.hierarchy(one.controller)->is_v2();
    return {one.controller, v2 ? one.v2_key : one.v1_key, v2 ? one.v2_text : one.v1_text};
  }
  return {};
}

}  // namespace

std::string controller_of(const cgroup::Hierarchy& hierarchy) {
  return hierarchy.is_v2() ? "unified" : hierarchy.controllers().front();
}

Result<void> make_home(const test::Sandbox& sandbox, const std::string& place, uid_t uid) {
  for (const cgroup::Hierarchy& hierarchy : sandbox.hierarchies().all()) {
    cgroup::Cgroup home = sandbox.at(controller_of(hierarchy), place);
    if (uid != 0) TRY_VOID(cgroup::delegate(home, uid, uid));
  }
  return {};
}

std::string directory_of(const test::Sandbox& sandbox, const std::string& controller, const std::string& below) {
  const cgroup::Hierarchy& hierarchy = *sandbox.hierarchy(controller);
  return hierarchy.mount_point() + sandbox.path(controller).absolute() + "/" + below;
}

Spot spot_at(const test::Sandbox& sandbox, const std::string& place, uid_t uid, const std::string& tag) {
  Spot spot;
  spot.uid = uid;
  spot.tag = tag;
  spot.value = first_usable(sandbox, {kMemory, kPids, kFreezer});
  spot.pids = first_usable(sandbox, {kPids, kFreezer});
  spot.tree = "freezer";
  spot.tasks_file = cgroup::tasks_file(sandbox.hierarchy("freezer")->version());
  spot.value_directory = directory_of(sandbox, spot.value.controller, place);
  spot.pids_directory = directory_of(sandbox, spot.pids.controller, place);
  spot.tree_directory = directory_of(sandbox, "freezer", place);
  return spot;
}

}  // namespace cgm::bench
