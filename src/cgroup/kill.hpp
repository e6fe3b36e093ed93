// SPDX-License-Identifier: LGPL-2.1-or-later
// Ending all processes of a subtree. The loop is given what it works with as functions, so that it serves the kernel's
// own files as well as a client that lists and freezes through a daemon.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/deadline.hpp"
#include "base/error.hpp"
#include "base/process.hpp"
#include "cgroup/cgroup.hpp"

namespace cgm::cgroup {

/// What kill() works with. All but `list` may be null.
struct KillTarget {
  /// Ids of all tasks in the subtree, of processes or threads; 0 stands for those outside our pid namespace. A thread
  /// means its whole process, as in v1's cgroup.procs.
  std::function<Result<std::vector<pid_t>>()> list;
  /// Stops the subtree until the deadline, or leaves it as it was; lets it run, what is frozen inside it too.
  std::function<Result<void>(Deadline)> freeze, thaw;
  /// Sends SIGKILL to all at one stroke; false where that cannot be done here.
  std::function<Result<bool>()> at_once;
  /// The right on one process; an error is why not. Null: what the kernel says. With it there is no `at_once`.
  std::function<Result<void>(const Process&)> may;
  /// Signals a pinned process. Null: by its pidfd, with our own rights.
  std::function<Result<void>(const Process&, int signal)> signal;
};

/// The kernel's own files: `cgroups` (kept by reference) are the places of one group in several hierarchies, whose
/// processes are taken together. cgroup.kill (Linux 5.14, v2) serves where all have it and we may write it.
KillTarget direct_target(std::span<const Cgroup> cgroups);

/// A process that is in the subtree still.
struct LeftProcess {
  pid_t pid = 0;
  std::string command;  ///< as /proc/PID/comm has it
  std::string why;
};

struct KillOutcome {
  std::vector<LeftProcess> left;  ///< by pid
  bool unseen = false;            ///< tasks are left that our pid namespace does not show
  bool is_empty() const { return left.empty() && !unseen; }
};

/// Sends `signal` once to every process of the target, those that come meanwhile too, and waits until none is left; at
/// least one round is made, however near the deadline. A process is pinned, seen to be listed still, and only then
/// signalled, so a reused pid hits nobody. Left alone and reported: those that `may` or the kernel refuses, pid 1,
/// kernel threads, ourselves. The subtree is frozen for the first round where it can be, and thawed afterwards,
/// whatever it was before: on v1 what is frozen does not even die of SIGKILL. Errors: invalid (the target holds this
/// very process, and nothing was done), what `list` says.
Result<KillOutcome> kill(const KillTarget& target, int signal, Deadline deadline);

}  // namespace cgm::cgroup
