// SPDX-License-Identifier: LGPL-2.1-or-later
// The ground of tests about cgroups of the v2 tree that hold both tasks and children: a sandbox whose children can have
// controllers enabled below them, and short ways to look at what became of one.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cgroup/cgroup.hpp"
#include "support/sandbox.hpp"

namespace cgm::test {

/// A uid that owns nothing but what a test gives it.
inline constexpr uid_t kSomebody = 64001;

/// Skips where the host has no v2 tree with a controller that the sandbox's children may use.
class InnerCgroup : public testing::Test {
 protected:
  void SetUp() override;

  cgroup::Cgroup at(std::string_view below) const { return sandbox_.at("unified", below); }
  /// Controllers that can be enabled below the sandbox's children; at least one.
  const std::vector<std::string>& controllers() const { return controllers_; }
  /// One that the kernel refuses (`domain`), or does not refuse (`threaded`), to enable below a cgroup with tasks:
  /// cgroup-v2.rst, "Threads". Empty where there is none.
  std::string domain_controller() const { return one_that(false); }
  std::string threaded_controller() const { return one_that(true); }

 private:
  std::string one_that(bool is_threaded) const;
  Sandbox sandbox_;
  std::vector<std::string> controllers_;
};

/// A file's text, or the error's, so that a comparison shows either.
std::string text_of(const cgroup::Cgroup& cgroup, std::string_view key);

/// The tasks of a cgroup, its leaf's included; a failure of the test, and nobody, where they cannot be read.
std::vector<pid_t> seen_in(const cgroup::Cgroup& cgroup);

/// Makes the directory of a cgroup's leaf as anybody could who may write to the cgroup: without our mark.
cgroup::Cgroup plant_leaf(const cgroup::Cgroup& cgroup);

/// That a cgroup is an ordinary one, below which nothing is enabled, and holds these tasks itself.
void expect_own_tasks(const cgroup::Cgroup& cgroup, const std::vector<Child>& tasks);

/// `count` sleepers in `cgroup`.
std::vector<Child> sleepers_in(const cgroup::Cgroup& cgroup, int count);
/// Their pids, ascending.
std::vector<pid_t> pids_of(const std::vector<Child>& children);

/// Runs `body` in a child process of that uid and gid, without groups and capabilities; its exit status.
int as_user(uid_t uid, const std::function<int()>& body);

}  // namespace cgm::test
