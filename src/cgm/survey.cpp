// SPDX-License-Identifier: LGPL-2.1-or-later
// Surveys.
#include "cgm/survey.hpp"

#include <unistd.h>

#include <algorithm>

#include "base/sys.hpp"
#include "cgm/group.hpp"

namespace cgm::cli {

namespace {

/// Tries it: a cgroup of its own that is removed at once.
bool can_create(Session& session, const cgroup::Hierarchy& hierarchy) {
  api::Request request;
  request.method = api::Method::create;
  // On v2 the tree itself: asking for a controller would enable it.
  request.controller = hierarchy.is_v2() ? "unified" : Group::name_of(hierarchy);
  request.cgroup = "cgm-try-" + std::to_string(::getpid());
  auto existed = session.ask<int32_t>(request);
  if (!existed) return false;
  request.method = api::Method::remove;
  request.first = 0;
  (void)session.call(request);
  return true;
}

}  // namespace

Result<std::vector<HierarchyView>> survey(Session& session) {
  const cgroup::Hierarchies& all = *TRY(session.hierarchies());
  cgroup::Hierarchies local = TRY(cgroup::Hierarchies::discover());
  std::vector<HierarchyView> views;
  for (const cgroup::Hierarchy& hierarchy : all.all()) {
    HierarchyView view{.label = hierarchy.label(),
                       .version = hierarchy.version(),
                       .controllers = hierarchy.controllers(),
                       .mount_point = {},
                       .own_cgroup = {}};
    api::Request where;
    where.method = api::Method::get_pid_cgroup_abs;
    where.controller = Group::name_of(hierarchy);
    where.first = ::getpid();
    if (auto own = session.ask<std::string>(where)) view.own_cgroup = *own;
    const cgroup::Hierarchy* here = local.find(Group::name_of(hierarchy));
    if (here) {
      view.mount_point = here->mount_point();
      auto path = cgroup::CgroupPath::from_kernel(view.own_cgroup);
      auto cgroup = path ? cgroup::Cgroup::open(*here, *path) : Result<cgroup::Cgroup>(fail(ErrorKind::not_found, ""));
      auto st = cgroup ? sys::fstat(cgroup->dir()) : Result<struct stat>(fail(ErrorKind::not_found, ""));
      view.owner_known = st.has_value();
      if (st) view.owner = st->st_uid;
    }
    view.may_create = can_create(session, hierarchy);
    views.push_back(std::move(view));
  }
  return views;
}

std::string mode_of(const std::vector<HierarchyView>& hierarchies) {
  auto any = [&](cgroup::Version version) {
    return std::any_of(hierarchies.begin(), hierarchies.end(),
                       [&](const HierarchyView& view) { return view.version == version; });
  };
  if (!any(cgroup::Version::v1)) return any(cgroup::Version::v2) ? "v2" : "none";
  return any(cgroup::Version::v2) ? "hybrid" : "v1";
}

}  // namespace cgm::cli
