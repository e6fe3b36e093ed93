// SPDX-License-Identifier: LGPL-2.1-or-later
// Starting a program: everything is prepared and open before one clone3, and the child takes a list of steps on its way
// to exec. It allocates nothing, so that what it does is what was decided before. What the steps are about (cgroups,
// namespaces, mounts) is not known here.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"

namespace cgm {

/// Something that the child does: system calls on memory that was prepared. False where it fails, errno says why.
struct ChildStep {
  std::string what;  ///< as an error names it: `mount "/proc"`
  std::function<bool()> run;
};

/// What is to run, and how it gets there.
struct Launch {
  std::vector<std::string> argv;         ///< not empty; argv[0] is looked up in $PATH where it has no slash
  std::vector<std::string> environment;  ///< KEY=VALUE
  sigset_t mask{};                       ///< the signal mask that it begins with
  uint64_t clone_flags = 0;              ///< CLONE_NEW* of the child
  int into_cgroup = -1;                  ///< v2 directory that the child is made in; not owned
  std::vector<ChildStep> before_gate;
  bool gated = false;  ///< the child waits for release() here
  std::vector<ChildStep> after_gate;
  /// A step is refused to who shares memory with another process: entering a time namespace (EUSERS).
  bool own_memory = false;
  /// Killed when the thread that started it ends (PR_SET_PDEATHSIG); a set-user-id program escapes that.
  int death_signal = 0;
};

/// Our own environment, as Launch has it.
std::vector<std::string> own_environment();

/// A child that has been started. Not reaped here.
class StartedChild final {
 public:
  pid_t pid() const { return pid_; }
  int pidfd() const { return pidfd_.get(); }
  /// Waits until the child is at its gate, all steps before it taken. Errors: which of them failed and why.
  Result<void> wait_for_gate();
  /// Opens the gate. Once.
  Result<void> release();
  /// Waits until the program runs; the error says which step failed in the child and why (kind not_found where there is
  /// no such program). The child is then dead and still to be reaped.
  Result<void> wait_for_exec();
  /// Kills and reaps it, where it cannot be released. Returns what the child told, if it had failed itself by then,
  /// else `why`.
  Error abandon(Error why);

 private:
  friend Result<StartedChild> launch(const Launch&);
  pid_t pid_ = -1;
  Fd pidfd_, gate_, report_;
  std::vector<std::string> steps_;  // names, by what the child reports
};

/// Starts a program. Errors: denied, busy, unsupported, quota as clone3(2) has them; with a cgroup, also where the
/// kernel does not let us start a child there (it asks for the common ancestor).
Result<StartedChild> launch(const Launch& launch);

/// Takes the steps in this process and executes the program in its place; returns only what failed. Nothing is cloned:
/// clone_flags, into_cgroup and the gate have no meaning.
Error execute(const Launch& launch);

}  // namespace cgm
