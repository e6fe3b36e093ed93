// SPDX-License-Identifier: LGPL-2.1-or-later
// From the words of a request to opened and judged objects: what is judged here is the descriptor that is then used.
#pragma once

#include <string_view>

#include "cgroup/cgroup.hpp"
#include "manager/access.hpp"
#include "manager/directories.hpp"
#include "manager/identity.hpp"

namespace cgm::manager {

/// Opens a cgroup that lies at or below the hierarchy's root, with search permission on each component (rule 8).
Result<cgroup::Cgroup> open_for(const Subject& subject, const cgroup::Hierarchy& hierarchy,
                                const cgroup::CgroupPath& path);

/// The same, by directories that are kept open: one look-up, and the rights read anew from each directory; `want` on
/// the cgroup's own is judged too.
Result<cgroup::Cgroup> open_for(Directories& directories, const Subject& subject, const cgroup::Hierarchy& hierarchy,
                                const cgroup::CgroupPath& path, unsigned want = 0);
/// The same, for who needs those above the cgroup as well.
Result<DirectoryPtr> directory_for(Directories& directories, const Subject& subject, const cgroup::Hierarchy& hierarchy,
                                   const cgroup::CgroupPath& path, unsigned want);
/// The cgroup of a directory that is kept open.
cgroup::Cgroup cgroup_at(const cgroup::Hierarchy& hierarchy, cgroup::CgroupPath path, DirectoryPtr directory);

/// Refuses unless `subject` has `want` on the cgroup's directory.
Result<void> judge_directory(const Subject& subject, const cgroup::Cgroup& cgroup, unsigned want);

/// Opens a file of the cgroup with `flags` and judges it on that descriptor. The error does not name the cgroup.
Result<Fd> open_judged(const Subject& subject, const cgroup::Cgroup& cgroup, std::string_view key, int flags,
                       unsigned want);

/// Refuses unless `subject` may enable controllers below a v2 cgroup: write on cgroup.subtree_control and, as the leaf
/// rule may move its tasks, on cgroup.procs. The error does not name the cgroup.
Result<void> may_enable_below(const Subject& subject, const cgroup::Cgroup& cgroup);

/// Enables a controller below a v2 cgroup as the leaf rule wants it, and gives its files to the owners of the children.
Result<void> enable_below(const cgroup::Cgroup& cgroup, std::string_view controller);

/// A path that means a cgroup below C(r), whatever slash it begins with.
Result<cgroup::CgroupPath> below_caller(const Requestor& r, const cgroup::Hierarchy& hierarchy, std::string_view path);

/// A path of a method that reads or writes values: relative to C(r), or absolute from the hierarchy's root and then to
/// lie at or below C(r).
Result<cgroup::CgroupPath> readable_path(const Requestor& r, const cgroup::Hierarchy& hierarchy, std::string_view path);

/// Levels that a request goes down at most, however deep somebody has made the tree: each takes a descriptor and some
/// stack.
inline constexpr size_t kDeepest = 256;
/// The refusal to go further down, kind quota.
std::unexpected<Error> too_deep(const cgroup::Cgroup& cgroup);

/// `cgroup '/a/b' of memory`, for errors.
std::string name_of(const cgroup::Hierarchy& hierarchy, const cgroup::CgroupPath& path);

}  // namespace cgm::manager
