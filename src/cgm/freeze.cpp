// SPDX-License-Identifier: LGPL-2.1-or-later
// cgm freeze and cgm thaw: stops and goes on with all tasks of a cgroup, and waits until they are.
#include <poll.h>

#include "base/sys.hpp"
#include "cgm/group.hpp"
#include "cgm/verb.hpp"

namespace cgm::cli {

namespace {

constexpr int kLongestPauseMs = 50;

Result<std::string> state_of(Session& session, const Group& group) {
  api::Request get = group.request(api::Method::get_value, "freezer");
  get.key = "freezer.state";
  return session.ask<std::string>(get);
}

Result<void> set_state(Session& session, const Group& group, const char* state) {
  api::Request set = group.request(api::Method::set_value, "freezer");
  set.key = "freezer.state";
  set.value = state;
  TRY_VOID(session.call(set));
  return {};
}

/// Sets the state and waits for it; what was before is put back where it does not come in time.
Result<void> change_state(Session& session, const Group& group, const char* state, double seconds) {
  std::string before = TRY(state_of(session, group));
  TRY_VOID(set_state(session, group, state));
  int64_t deadline = sys::monotonic_ns() + static_cast<int64_t>(seconds * 1e9);
  for (int pause_ms = 1;; pause_ms = std::min(pause_ms * 2, kLongestPauseMs)) {
    if (TRY(state_of(session, group)) == state) return {};
    if (sys::monotonic_ns() > deadline) break;
    ::poll(nullptr, 0, pause_ms);
    // A v1 freezer gives up on a task that it met at a bad time; told again, it tries again.
    TRY_VOID(set_state(session, group, state));
  }
  (void)set_state(session, group, before == "THAWED" ? "THAWED" : "FROZEN");
  return fail(ErrorKind::timeout, "cgroup '" + group.path() + "' did not become " + state + " in time");
}

int run(Invocation& invocation, const char* usage, const char* summary, const char* state) {
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
  auto changed = change_state(*session, *group, state, seconds);
  return changed ? 0 : failed(changed.error());
}

}  // namespace

int run_freeze(Invocation& invocation) {
  return run(invocation, "freeze [OPTIONS] CGROUP",
             "Stops all tasks of a cgroup and below, and waits until they are stopped.", "FROZEN");
}

int run_thaw(Invocation& invocation) {
  return run(invocation, "thaw [OPTIONS] CGROUP", "Lets the tasks of a frozen cgroup go on.", "THAWED");
}

}  // namespace cgm::cli
