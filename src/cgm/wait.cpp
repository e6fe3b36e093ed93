// SPDX-License-Identifier: LGPL-2.1-or-later
// cgm wait: until a cgroup has no task any more.
#include <poll.h>

#include "base/sys.hpp"
#include "cgm/group.hpp"
#include "cgm/verb.hpp"

namespace cgm::cli {

namespace {

constexpr int kLookAgainMs = 500;  // what was moved away, or came, is seen this late

/// Waits for the end of one of the tasks, or a while.
void wait_for_one(const std::vector<int32_t>& tasks, int64_t milliseconds) {
  for (int32_t task : tasks) {
    auto pidfd = sys::pidfd_open(task);
    if (!pidfd) continue;  // a thread's id, or gone
    pollfd poll{pidfd->get(), POLLIN, 0};
    ::poll(&poll, 1, static_cast<int>(milliseconds));
    return;
  }
  ::poll(nullptr, 0, static_cast<int>(std::min<int64_t>(milliseconds, 20)));
}

}  // namespace

int run_wait(Invocation& invocation) {
  std::string path;
  double seconds = -1;
  Verb verb(invocation, "wait [OPTIONS] CGROUP", "Waits until a cgroup and those below it have no task.",
            "Exit status 1 where the time has passed, or the cgroup is not there.\n");
  verb.app()
      .add_option("--timeout", seconds, "how long to wait at most (for ever)")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.0, 1e9));
  verb.app().add_option("cgroup", path, "the cgroup, counted from the caller's own")->type_name("CGROUP")->required();
  if (auto status = verb.parse()) return *status;
  auto session = open_session(invocation);
  if (!session) return kFailed;
  auto group = Group::open(*session, path);
  if (!group) return failed(group.error());
  int64_t deadline = seconds < 0 ? INT64_MAX : sys::monotonic_ns() + static_cast<int64_t>(seconds * 1e9);
  for (;;) {
    auto tasks = group->tasks();
    if (!tasks && Group::open(*session, path)) return failed(tasks.error());
    if (!tasks || tasks->empty()) return 0;  // also where it was removed meanwhile
    int64_t left = (deadline - sys::monotonic_ns()) / 1'000'000;
    if (left <= 0) {
      complain("cgroup '" + path + "' still has " + std::to_string(tasks->size()) + " tasks");
      return kFailed;
    }
    wait_for_one(*tasks, std::min<int64_t>(left, kLookAgainMs));
  }
}

}  // namespace cgm::cli
