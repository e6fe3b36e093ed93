// SPDX-License-Identifier: LGPL-2.1-or-later
// cgm stat: what a cgroup uses.
#include <cstdio>

#include "cgm/describe.hpp"
#include "cgm/group.hpp"
#include "cgm/verb.hpp"
#include "cgroup/stats.hpp"

namespace cgm::cli {

int run_stat(Invocation& invocation) {
  std::string path;
  Verb verb(invocation, "stat [OPTIONS] [CGROUP]", "Shows what a cgroup uses, of all controllers that it has.",
            "Examples:\n  cgm stat job\n  cgm stat --json job\n");
  verb.app()
      .add_option("cgroup", path, "the cgroup, counted from the caller's own (default: that itself)")
      ->type_name("CGROUP");
  if (auto status = verb.parse()) return *status;
  auto session = open_session(invocation);
  if (!session) return kFailed;
  auto group = Group::open(*session, path);
  if (!group) return failed(group.error());
  auto stats = cgroup::read_stats(group->files());
  if (!stats) return failed(stats.error());
  if (invocation.json)
    print_json(to_json(*stats));
  else
    std::fputs(table_of(*stats).c_str(), stdout);
  return 0;
}

}  // namespace cgm::cli
