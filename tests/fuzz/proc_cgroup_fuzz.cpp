// SPDX-License-Identifier: LGPL-2.1-or-later
// /proc/PID/cgroup, and where the paths in it lie below mounts of several roots.
#include <algorithm>

#include "base/number.hpp"
#include "base/procfs.hpp"
#include "cgroup/hierarchy.hpp"
#include "fuzz/fuzz.hpp"
#include "manager/identity.hpp"

namespace {

using cgm::cgroup::CgroupPath;
using cgm::cgroup::Hierarchy;
using cgm::cgroup::Version;
using cgm::procfs::CgroupLine;
using cgm::test::promise;

std::vector<Hierarchy> hierarchies() {
  std::vector<Hierarchy> all;
  for (const char* root : {"/", "/docker/a", "/..", "/../b"}) {
    all.emplace_back(cgm::cgroup::FoundHierarchy{Version::v1, {"cpu", "cpuacct"}, "", root}, cgm::Fd());
    all.emplace_back(cgm::cgroup::FoundHierarchy{Version::v1, {"name=systemd"}, "", root}, cgm::Fd());
    all.emplace_back(cgm::cgroup::FoundHierarchy{Version::v2, {}, "", root}, cgm::Fd());
  }
  return all;
}

/// What Hierarchy::is_in has to say of the line's text.
bool names(const CgroupLine& line, const Hierarchy& hierarchy) {
  if (hierarchy.is_v2()) return line.hierarchy == 0 && line.controllers.empty();
  const std::string& first = hierarchy.controllers().front();
  return std::find(line.controllers.begin(), line.controllers.end(), first) != line.controllers.end();
}

void locates(const Hierarchy& hierarchy, const std::string& path) {
  auto located = hierarchy.locate(path);
  if (!located) return;
  std::string_view root = hierarchy.mount_root();
  while (root.ends_with('/')) root.remove_suffix(1);
  promise(path.starts_with(root), "a path below the mount begins with the mount's root");
  auto rest = CgroupPath::from_kernel(std::string_view(path).substr(root.size()));
  promise(rest && *rest == *located, "a path below the mount is what follows the mount's root");
  for (std::string_view component : located->components()) promise(component != "..", "no path climbs");
}

}  // namespace

FUZZ(text) {
  static const std::vector<Hierarchy> all = hierarchies();
  // Of text that is malformed further down, the lines before are taken as they are.
  for (const Hierarchy& hierarchy : all) (void)cgm::manager::cgroup_in(text, hierarchy);
  auto lines = cgm::procfs::parse_cgroup(text);
  if (!lines) return;
  std::string_view rest = text;
  for (const CgroupLine& line : *lines) {
    std::string_view as_text;
    while (as_text.empty()) as_text = cgm::take_until(rest, '\n');
    auto alone = cgm::procfs::parse_cgroup_line(as_text);
    promise(alone && alone->hierarchy == line.hierarchy && alone->controllers == line.controllers &&
                alone->path == line.path && alone->deleted == line.deleted,
            "a line means alone what it means among others");
    for (const Hierarchy& hierarchy : all) {
      promise(names(line, hierarchy) == hierarchy.is_in(as_text), "a line and its text belong to the same hierarchy");
      locates(hierarchy, line.path);
    }
  }
  for (const Hierarchy& hierarchy : all) {
    auto first = std::find_if(lines->begin(), lines->end(), [&](const auto& line) { return names(line, hierarchy); });
    auto path = cgm::manager::cgroup_in(text, hierarchy);
    promise(!path || first != lines->end(), "a cgroup comes from a line of its hierarchy");
    if (first == lines->end() || first->deleted) continue;
    auto located = hierarchy.locate(first->path);
    promise(located.has_value() == path.has_value() && (!path || *path == *located),
            "the first line of a hierarchy decides");
  }
}
