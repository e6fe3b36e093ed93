// SPDX-License-Identifier: LGPL-2.1-or-later
// cgm limit: shows or changes the limits of a cgroup, in human units.
#include <cstdio>

#include "cgm/describe.hpp"
#include "cgm/group.hpp"
#include "cgm/limit_options.hpp"
#include "cgm/verb.hpp"
#include "cgroup/apply.hpp"

namespace cgm::cli {

int run_limit(Invocation& invocation) {
  LimitOptions options;
  std::string path;
  bool force = false;
  Verb verb(
      invocation, "limit [OPTIONS] CGROUP",
      "Shows the limits of a cgroup, or changes those that are given: all of them, or none where one is refused.",
      "A memory limit below present use is refused, unless --force is given: the kernel then kills. --force works on\n"
      "the cgroup files, as --direct does.\n\n"
      "Examples:\n  cgm limit job\n  cgm limit job --memory 1G --cpus 1.5\n  cgm limit job --io /dev/sda:wbps=10M\n");
  options.add_to(verb.app());
  verb.app().add_flag("--force", force, "set a memory limit below present use all the same");
  verb.app()
      .add_option("cgroup", path, "the cgroup, counted from the caller's own; '' is that itself")
      ->type_name("CGROUP")
      ->required();
  if (auto status = verb.parse()) return *status;
  auto limits = options.limits();
  auto raw = options.raw();
  if (!limits || !raw) return usage_error("limit", limits ? raw.error().text() : limits.error().text());
  invocation.session.force = force;
  auto session = open_session(invocation);
  if (!session) return kFailed;
  auto group = Group::open(*session, path);
  if (!group) return failed(group.error());
  if (!options.empty()) {
    auto set = group->set_limits(*limits, *raw, force);
    return set ? 0 : failed(set.error());
  }
  auto present = cgroup::read_limits(group->files());
  if (!present) return failed(present.error());
  if (invocation.json)
    print_json(to_json(*present));
  else
    std::fputs(table_of(*present).c_str(), stdout);
  return 0;
}

}  // namespace cgm::cli
