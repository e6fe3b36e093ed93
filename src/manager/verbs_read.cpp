// SPDX-License-Identifier: LGPL-2.1-or-later
// Verbs that read.
#include <dirent.h>

#include "base/sys.hpp"
#include "cgroup/leaf.hpp"
#include "cgroup/tasks.hpp"
#include "manager/resolve.hpp"
#include "manager/values.hpp"
#include "manager/verbs.hpp"

namespace cgm::manager {

using cgroup::Cgroup;

namespace {

/// The cgroup of a reading request, with read permission on its directory.
Result<Cgroup> open_readable(const Context& context, const Requestor& r, const Choice& choice, std::string_view path) {
  return open_for(context.directories, r.subject(), *choice.hierarchy, TRY(readable_path(r, *choice.hierarchy, path)),
                  kRead);
}

/// Adds the tasks of a subtree; directories that r may not read are left out (rule 10).
Result<void> collect_tasks(const Subject& subject, const Cgroup& cgroup, std::vector<pid_t>& ids,
                           size_t levels = kDeepest) {
  if (levels == 0) return too_deep(cgroup);
  std::vector<pid_t> own = TRY(cgroup::tasks_of(cgroup));
  ids.insert(ids.end(), own.begin(), own.end());
  for (const std::string& name : TRY(cgroup.children())) {
    auto child = cgroup.child(name);
    if (!child) continue;  // gone meanwhile
    if (!judge_directory(subject, *child, kRead | kSearch)) continue;
    auto below = collect_tasks(subject, *child, ids, levels - 1);
    if (!below && below.error().kind() != ErrorKind::gone && below.error().kind() != ErrorKind::not_found) return below;
  }
  return {};
}

}  // namespace

Result<api::Answer> get_value(const Context& context, const Requestor& r, const Choice& choice,
                              const api::Request& request) {
  Cgroup cgroup = TRY(open_readable(context, r, choice, request.cgroup));
  return TRY(read_value(r.subject(), cgroup, request.key));
}

Result<api::Answer> get_tasks(const Context& context, const Requestor& r, const Choice& choice,
                              const api::Request& request) {
  Cgroup cgroup = TRY(open_readable(context, r, choice, request.cgroup));
  return TRY(cgroup::tasks_of(cgroup));
}

Result<api::Answer> get_tasks_recursive(const Context& context, const Requestor& r, const Choice& choice,
                                        const api::Request& request) {
  Cgroup cgroup = TRY(open_readable(context, r, choice, request.cgroup));
  std::vector<pid_t> ids;
  TRY_VOID(collect_tasks(r.subject(), cgroup, ids));
  cgroup::sort_ids(ids);
  return ids;
}

Result<api::Answer> list_children(const Context& context, const Requestor& r, const Choice& choice,
                                  const api::Request& request) {
  return TRY(TRY(open_readable(context, r, choice, request.cgroup)).children());
}

Result<api::Answer> list_keys(const Context& context, const Requestor& r, const Choice& choice,
                              const api::Request& request) {
  Cgroup cgroup = TRY(open_readable(context, r, choice, request.cgroup));
  std::vector<api::Key> keys;
  for (sys::DirEntry& entry : TRY(sys::list_dir(cgroup.dir()))) {
    if (entry.type != DT_REG) continue;
    auto st = sys::fstatat(cgroup.dir(), entry.name, AT_SYMLINK_NOFOLLOW);
    if (st) keys.push_back({std::move(entry.name), st->st_uid, st->st_gid, st->st_mode});
  }
  return keys;
}

}  // namespace cgm::manager
