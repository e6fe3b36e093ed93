// SPDX-License-Identifier: LGPL-2.1-or-later
// Opening and judging.
#include "manager/resolve.hpp"

#include "base/path.hpp"
#include "base/sys.hpp"
#include "cgroup/leaf.hpp"
#include "cgroup/tree.hpp"

namespace cgm::manager {

using cgroup::Cgroup;
using cgroup::CgroupPath;
using cgroup::Hierarchy;

namespace {

std::string_view wanted(unsigned want) {
  if ((want & kWrite) != 0) return "write";
  return (want & kRead) != 0 ? "read" : "search";
}

std::unexpected<Error> no_permission(const Hierarchy& hierarchy, const CgroupPath& path, unsigned want) {
  return fail(ErrorKind::denied, name_of(hierarchy, path) + ": no " + std::string(wanted(want)) + " permission");
}

/// Refuses unless `subject` may search each directory above `directory`, from the root down.
Result<void> judge_above(const Subject& subject, const Hierarchy& hierarchy, const CgroupPath& path,
                         const Directory& directory) {
  std::vector<const Directory*> above;
  for (const Directory* here = directory.above.get(); here; here = here->above.get()) above.push_back(here);
  for (size_t up = above.size(); up-- > 0;) {
    if (may(subject, Object::of(TRY(sys::fstat(above[up]->fd.get()))), kSearch)) continue;
    CgroupPath where = path;
    for (size_t i = 0; i <= up; i++) where = where.parent();
    return no_permission(hierarchy, where, kSearch);
  }
  return {};
}

}  // namespace

std::string name_of(const Hierarchy& hierarchy, const CgroupPath& path) {
  return "cgroup '" + path.absolute() + "' of " + hierarchy.label();
}

std::unexpected<Error> too_deep(const Cgroup& cgroup) {
  return fail(ErrorKind::quota, name_of(cgroup.hierarchy(), cgroup.path()) + ": a request goes " +
                                    std::to_string(kDeepest) + " levels down and no further");
}

Result<Cgroup> open_for(const Subject& subject, const Hierarchy& hierarchy, const CgroupPath& path) {
  auto opened = [&]() -> Result<Cgroup> {
    if (subject.host_root) return Cgroup::open(hierarchy, path);
    Cgroup here = TRY(Cgroup::open(hierarchy, CgroupPath()));
    for (std::string_view component : path.components()) {
      TRY_VOID(judge_directory(subject, here, kSearch));
      here = TRY(here.child(component));
    }
    return here;
  }();
  if (opened || opened.error().kind() == ErrorKind::denied) return opened;
  if (opened.error().kind() == ErrorKind::not_found)
    return fail(Error(ErrorKind::not_found, opened.error().code(), name_of(hierarchy, path) + ": no such cgroup"));
  return with(std::move(opened), name_of(hierarchy, path));
}

Result<DirectoryPtr> directory_for(Directories& directories, const Subject& subject, const Hierarchy& hierarchy,
                                   const CgroupPath& path, unsigned want) {
  auto found = directories.at(hierarchy, path);
  if (!found) {
    // Why not is told by a walk, which stops where the caller may not search.
    TRY_VOID(open_for(subject, hierarchy, path));
    return fail(std::move(found.error()));
  }
  if (!subject.host_root) {
    TRY_VOID(judge_above(subject, hierarchy, path, *found->directory));
    if (!may(subject, Object::of(found->now), want)) return no_permission(hierarchy, path, want);
  }
  return std::move(found->directory);
}

Result<Cgroup> open_for(Directories& directories, const Subject& subject, const Hierarchy& hierarchy,
                        const CgroupPath& path, unsigned want) {
  return cgroup_at(hierarchy, path, TRY(directory_for(directories, subject, hierarchy, path, want)));
}

Cgroup cgroup_at(const Hierarchy& hierarchy, CgroupPath path, DirectoryPtr directory) {
  int fd = directory->fd.get();
  return Cgroup(hierarchy, std::move(path), fd, std::move(directory));
}

Result<void> judge_directory(const Subject& subject, const Cgroup& cgroup, unsigned want) {
  if (subject.host_root) return {};
  if (may(subject, Object::of(TRY(sys::fstat(cgroup.dir()))), want)) return {};
  return no_permission(cgroup.hierarchy(), cgroup.path(), want);
}

Result<Fd> open_judged(const Subject& subject, const Cgroup& cgroup, std::string_view key, int flags, unsigned want) {
  Fd file = TRY(cgroup.open_file(key, flags));
  struct stat st = TRY(sys::fstat(file.get()));
  if (!S_ISREG(st.st_mode)) return fail(ErrorKind::invalid, "'" + std::string(key) + "' is no file of a cgroup");
  if (may(subject, Object::of(st), want)) return file;
  return fail(ErrorKind::denied, "no " + std::string(wanted(want)) + " permission on '" + std::string(key) + "'");
}

Result<void> may_enable_below(const Subject& subject, const Cgroup& cgroup) {
  TRY_VOID(open_judged(subject, cgroup, "cgroup.subtree_control", O_WRONLY, kWrite));
  if (!cgroup::is_true_root(cgroup)) TRY_VOID(open_judged(subject, cgroup, "cgroup.procs", O_WRONLY, kWrite));
  return {};
}

Result<void> enable_below(const Cgroup& cgroup, std::string_view controller) {
  TRY_VOID(cgroup::enable_controller(cgroup, controller));
  return cgroup::hand_over_new_files(cgroup, controller);
}

Result<CgroupPath> below_caller(const Requestor& r, const Hierarchy& hierarchy, std::string_view path) {
  CgroupPath below = TRY(CgroupPath::parse(path));
  CgroupPath full = TRY(r.cgroup(hierarchy)) / below;
  if (full.text().size() > CgroupPath::kMaxLength) return fail(ErrorKind::invalid, "path is longer than 4095 bytes");
  return full;
}

Result<CgroupPath> readable_path(const Requestor& r, const Hierarchy& hierarchy, std::string_view path) {
  if (!path.starts_with('/')) return below_caller(r, hierarchy, path);
  CgroupPath absolute = TRY(CgroupPath::parse(path));
  if (!TRY(r.cgroup(hierarchy)).contains(absolute))
    return fail(ErrorKind::denied, "'" + absolute.absolute() + "' does not lie below your own cgroup");
  return absolute;
}

}  // namespace cgm::manager
