// SPDX-License-Identifier: LGPL-2.1-or-later
// Killing by the kernel's own files.
#include "cgroup/freeze.hpp"
#include "cgroup/kill.hpp"
#include "cgroup/tasks.hpp"
#include "cgroup/walk.hpp"

namespace cgm::cgroup {

namespace {

/// Thaws all that is set frozen, in it and below, also where an ancestor keeps it from running: nothing is to stay
/// frozen by our doing.
Result<void> thaw_all(const Cgroup& top, Deadline deadline) {
  TRY_VOID(walk(top, [](const Cgroup& cgroup) -> Result<void> {
    auto set = is_set_frozen(cgroup);
    auto thawed = set && *set ? set_frozen(cgroup, false) : Result<void>();
    if (!thawed && !went_away(thawed.error())) return thawed;
    return {};
  }));
  auto thawed = thaw(top, deadline);
  if (!thawed && went_away(thawed.error())) return {};
  return thawed;
}

Result<void> freeze_all(std::span<const Cgroup> cgroups, Deadline deadline) {
  for (const Cgroup& cgroup : cgroups) {
    if (!has_freezer(cgroup)) continue;
    auto is = is_frozen(cgroup);
    if (is && *is) continue;
    auto frozen = freeze(cgroup, deadline);
    if (!frozen && !went_away(frozen.error())) return frozen;
  }
  return {};
}

/// True where every one of the cgroups was killed by its cgroup.kill.
Result<bool> kill_each_at_once(std::span<const Cgroup> cgroups) {
  bool all = true;
  for (const Cgroup& cgroup : cgroups) {
    // v1 has no such file.
    if (!cgroup.write("cgroup.kill", "1")) all = false;
  }
  return all;
}

}  // namespace

KillTarget direct_target(std::span<const Cgroup> cgroups) {
  KillTarget target;
  target.list = [cgroups]() -> Result<std::vector<pid_t>> {
    std::vector<pid_t> ids;
    for (const Cgroup& cgroup : cgroups) {
      std::vector<pid_t> own = TRY(processes_below(cgroup));
      ids.insert(ids.end(), own.begin(), own.end());
    }
    return ids;
  };
  target.at_once = [cgroups] { return kill_each_at_once(cgroups); };
  for (const Cgroup& cgroup : cgroups) {
    if (!has_freezer(cgroup)) continue;
    target.freeze = [cgroups](Deadline deadline) { return freeze_all(cgroups, deadline); };
    target.thaw = [cgroups](Deadline deadline) -> Result<void> {
      Result<void> first;
      for (const Cgroup& one : cgroups) {
        if (!has_freezer(one)) continue;
        auto thawed = thaw_all(one, deadline);
        if (!thawed && first) first = std::move(thawed);
      }
      return first;
    };
  }
  return target;
}

}  // namespace cgm::cgroup
