// SPDX-License-Identifier: LGPL-2.1-or-later
// cgm freeze and cgm thaw: stops and goes on with all tasks of a cgroup, and waits until they are.
#include "cgm/freezer.hpp"
#include "cgm/verb.hpp"

namespace cgm::cli {

namespace {

int run(Invocation& invocation, const char* usage, const char* summary, bool frozen) {
  std::string path;
  double seconds = 10;
  Verb verb(invocation, usage, summary, "");
  verb.app()
      .add_option("--timeout", seconds, "how long to wait for it (10)")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.0, 86400.0));
  verb.app().add_option("cgroup", path, "the cgroup, counted from the caller's own")->type_name("CGROUP")->required();
  if (auto status = verb.parse()) return *status;
  auto session = open_session(invocation);
  if (!session) return kFailed;
  auto group = Group::open(*session, path);
  if (!group) return failed(group.error());
  auto changed = set_frozen(*session, *group, frozen, Deadline::after(to_span(seconds)));
  return changed ? 0 : failed(changed.error());
}

}  // namespace

int run_freeze(Invocation& invocation) {
  return run(invocation, "freeze [OPTIONS] CGROUP",
             "Stops all tasks of a cgroup and below, and waits until they are stopped.", true);
}

int run_thaw(Invocation& invocation) {
  return run(invocation, "thaw [OPTIONS] CGROUP", "Lets the tasks of a frozen cgroup go on.", false);
}

}  // namespace cgm::cli
