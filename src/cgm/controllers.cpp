// SPDX-License-Identifier: LGPL-2.1-or-later
// cgm controllers: which there are, where, and who may use them.
#include <fmt/format.h>

#include <cstdio>

#include "cgm/json.hpp"
#include "cgm/survey.hpp"
#include "cgm/verb.hpp"

namespace cgm::cli {

int run_controllers(Invocation& invocation) {
  Verb verb(invocation, "controllers [OPTIONS]",
            "Shows the hierarchies of this host: version, mount, your own cgroup, its owner, and whether you may make "
            "cgroups in it.",
            "That is found out by making one, which is removed at once.\n\n"
            "Examples:\n  cgm controllers\n  cgm controllers --direct --json\n");
  if (auto status = verb.parse()) return *status;
  auto session = open_session(invocation);
  if (!session) return kFailed;
  auto views = survey(*session);
  if (!views) return failed(views.error());
  if (invocation.json) {
    Json list = Json::array();
    for (const HierarchyView& view : *views) {
      Json one = {{"controllers", view.controllers},
                  {"version", view.version == cgroup::Version::v1 ? 1 : 2},
                  {"mount", view.mount_point},
                  {"cgroup", view.own_cgroup}};
      if (view.owner_known) one["owner"] = view.owner;
      one["may_create"] = view.may_create;
      list.push_back(std::move(one));
    }
    print_json({{"mode", mode_of(*views)}, {"hierarchies", std::move(list)}});
    return 0;
  }
  fmt::print("{:<24} {:<3} {:<28} {:<6} {:<7} {}\n", "CONTROLLERS", "VER", "MOUNT", "OWNER", "CREATE", "CGROUP");
  for (const HierarchyView& view : *views)
    fmt::print("{:<24} {:<3} {:<28} {:<6} {:<7} {}\n", view.label, view.version == cgroup::Version::v1 ? "v1" : "v2",
               view.mount_point.empty() ? "(the daemon's own)" : view.mount_point,
               view.owner_known ? std::to_string(view.owner) : "-", view.may_create ? "yes" : "no",
               view.own_cgroup.empty() ? "-" : view.own_cgroup);
  return 0;
}

}  // namespace cgm::cli
