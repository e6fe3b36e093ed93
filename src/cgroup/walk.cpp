// SPDX-License-Identifier: LGPL-2.1-or-later
// Walks.
#include "cgroup/walk.hpp"

#include <dirent.h>

#include <string>
#include <vector>

#include "base/sys.hpp"

namespace cgm::cgroup {

namespace {

/// One directory on the way down: its identity, and the children that are still to be visited.
struct Level {
  ino_t inode = 0;
  std::vector<std::string> names;
};

Result<Level> look_into(const Cgroup& cgroup) {
  Level level{.inode = TRY(sys::fstat(cgroup.dir())).st_ino, .names = {}};
  auto entries = sys::list_dir(cgroup.dir());
  if (!entries && went_away(entries.error())) return level;
  if (!entries) return fail(std::move(entries.error()).with(shown(cgroup)));
  for (sys::DirEntry& entry : *entries)
    if (entry.type == DT_DIR) level.names.push_back(std::move(entry.name));
  return level;
}

/// The directory above, which `..` names reliably: a cgroup never changes its parent.
Result<Cgroup> parent_of(const Cgroup& cgroup, ino_t expected) {
  Fd dir = TRY(sys::openat(cgroup.dir(), "..", O_PATH | O_DIRECTORY));
  if (TRY(sys::fstat(dir.get())).st_ino != expected)
    return fail(ErrorKind::gone, shown(cgroup) + " is no longer where it was");
  return Cgroup(cgroup.hierarchy(), cgroup.path().parent(), std::move(dir));
}

}  // namespace

Result<void> walk(const Cgroup& top, const std::function<Result<void>(const Cgroup&)>& visit) {
  TRY_VOID(visit(top));
  std::vector<Level> levels;
  levels.push_back(TRY(look_into(top)));
  Cgroup here(top.hierarchy(), top.path(), TRY(sys::dup(top.dir())));
  for (;;) {
    if (levels.back().names.empty()) {
      levels.pop_back();
      if (levels.empty()) return {};
      here = TRY(parent_of(here, levels.back().inode));
      continue;
    }
    std::string name = std::move(levels.back().names.back());
    levels.back().names.pop_back();
    auto child = here.child(name);
    if (!child && went_away(child.error())) continue;
    if (!child) return fail(std::move(child.error()));
    TRY_VOID(visit(*child));
    levels.push_back(TRY(look_into(*child)));
    here = std::move(*child);
  }
}

}  // namespace cgm::cgroup
