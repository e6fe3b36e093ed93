// SPDX-License-Identifier: LGPL-2.1-or-later
// Child processes with one trait that a test needs: one that answers as long as it runs, one that nothing can freeze,
// one that forks without end. All are killed and reaped, or found by the sandbox that they were put into.
#pragma once

#include <optional>

#include "base/fd.hpp"
#include "support/sandbox.hpp"

namespace cgm::test {

/// Puts `pid` into a cgroup by cgroup.procs; aborts where that fails.
void put(const cgroup::Cgroup& cgroup, pid_t pid);

/// True once `pid` ignores `signal`.
bool ignores(pid_t pid, int signal);

/// A cgroup at `below` the sandbox on v1's freezer hierarchy or on the v2 tree; nothing where the host lacks it.
std::optional<cgroup::Cgroup> freezer_place(const Sandbox& sandbox, cgroup::Version version, std::string_view below);

/// Thaws a cgroup when it dies. Declared behind the children that a test puts there: what v1 has frozen does not die of
/// SIGKILL, and whoever waits for it waits for ever.
class ThawAtEnd final {
 public:
  explicit ThawAtEnd(const cgroup::Cgroup& cgroup) : cgroup_(cgroup) {}
  ~ThawAtEnd();
  ThawAtEnd(const ThawAtEnd&) = delete;
  ThawAtEnd& operator=(const ThawAtEnd&) = delete;

 private:
  const cgroup::Cgroup& cgroup_;
};

/// Answers each byte that it is sent.
class Echo final {
 public:
  Echo();
  pid_t pid() const { return child_.pid(); }
  const Child& child() const { return child_; }
  /// Sends a byte and says whether the answer came within `ms`. An answer that came too late is not taken for one.
  bool answers(int ms);

 private:
  explicit Echo(std::pair<Fd, Fd> ends);
  Fd ours_, theirs_;
  Child child_;
  char last_ = 0;
};

/// Waits in the kernel for a page that nobody supplies (userfaultfd(2)), uninterruptible to all but SIGKILL: no freezer
/// stops it. Returns when it waits; nothing where the kernel has no userfaultfd.
std::optional<Child> unfreezable();

/// Stays in `cgroup` (moved there by itself) as a chain of processes: each forks the next and exits, `links` times or
/// until it is killed. Returns when the chain runs.
Child fork_chain(const cgroup::Cgroup& cgroup, int links);

}  // namespace cgm::test
