// SPDX-License-Identifier: LGPL-2.1-or-later
// Starting a program inside its cgroups, the fast way: the parent has everything open, one clone3 puts the child into
// its v2 cgroup, and the child enters the v1 ones by writing "0" to descriptors that it inherits. No pid is written to
// cgroup.procs, so nobody waits for an RCU grace period. Where the starter has not the right to that, the child waits
// at a gate until somebody else has moved it.
#pragma once

#include <signal.h>

#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "cgroup/cgroup.hpp"

namespace cgm::cgroup {

/// The ways into cgroups that a starting process takes by itself.
class Entrance final {
 public:
  /// Adds a cgroup. Errors: denied, where we may not put a child of ours there; it is then somebody else's to move.
  Result<void> add(const Cgroup& cgroup);
  std::span<const Fd> tasks() const { return tasks_; }
  int unified() const { return unified_.get(); }
  /// Takes the v2 cgroup out again, where clone3 into it was refused.
  void drop_unified() { unified_.reset(); }

 private:
  std::vector<Fd> tasks_;  // v1 `tasks`, for writing
  Fd unified_;             // v2 directory
};

/// What is to run: argv (not empty; argv[0] is looked up in $PATH where it has no slash), with our environment.
struct Program {
  std::vector<std::string> argv;
  sigset_t mask{};     ///< the signal mask that it begins with
  bool gated = false;  ///< wait for release() before exec
};

/// A child that has been started. Not reaped here.
class StartedChild final {
 public:
  pid_t pid() const { return pid_; }
  int pidfd() const { return pidfd_.get(); }
  /// Opens the gate. Once.
  Result<void> release();
  /// Waits until the program runs; the error says which step failed in the child and why (kind not_found where there is
  /// no such program). The child is then dead and still to be reaped.
  Result<void> wait_for_exec();

 private:
  friend Result<StartedChild> start(const Entrance&, const Program&);
  pid_t pid_ = -1;
  Fd pidfd_, gate_, report_;
};

/// Starts a program. Errors of kind denied or busy with a v2 cgroup in the entrance: the kernel does not let us start a
/// child there (it asks for the common ancestor); drop it and have the child moved.
Result<StartedChild> start(const Entrance& entrance, const Program& program);

}  // namespace cgm::cgroup
