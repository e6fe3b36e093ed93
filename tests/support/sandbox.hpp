// SPDX-License-Identifier: LGPL-2.1-or-later
// Where a test may work: one cgroup of its own in every hierarchy, below the cgroup that the test was started in, gone
// when the test ends, also when it fails. What is not below it is never touched.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "cgroup/cgroup.hpp"
#include "cgroup/hierarchy.hpp"

namespace cgm::test {

class Sandbox final {
 public:
  /// Makes a cgroup `cgmt-PID-N` in each hierarchy; on v2 with all available controllers enabled for its children,
  /// where the kernel lets us. Aborts the test program where it cannot.
  Sandbox();
  /// Kills the processes below it, all of them ours, and removes everything.
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  const cgroup::Hierarchies& hierarchies() const { return hierarchies_; }
  /// The hierarchy that serves `controller`, or null.
  const cgroup::Hierarchy* hierarchy(std::string_view controller) const { return hierarchies_.find(controller); }
  /// True where `controller` can be used in children of the sandbox (on v2: it is enabled there).
  bool usable(std::string_view controller) const;
  /// The sandbox's path in the controller's hierarchy, from the root of the mount.
  cgroup::CgroupPath path(std::string_view controller) const;
  /// A cgroup at `below` the sandbox, made (parents too) where it is missing; opened.
  cgroup::Cgroup at(std::string_view controller, std::string_view below = "") const;
  const std::string& name() const { return name_; }

 private:
  cgroup::Hierarchies hierarchies_;
  std::string name_;
};

/// A child process that does what it is told and is killed and reaped when this object dies.
class Child final {
 public:
  /// Forks and runs `body` there; its return value is the exit status.
  explicit Child(const std::function<int()>& body);
  /// Sleeps until it is killed.
  static Child sleeper();
  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  Child& operator=(Child&&) = delete;
  ~Child();

  pid_t pid() const { return pid_; }
  /// Waits for its end; the exit status, or 128 + signal.
  int wait();
  void kill(int signal) const;

 private:
  pid_t pid_;
};

/// Polls `condition` until it holds or `seconds` have passed (generous: these machines are slow); returns whether it
/// held.
bool eventually(const std::function<bool()>& condition, int seconds = 30);

}  // namespace cgm::test
