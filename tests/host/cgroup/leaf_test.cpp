// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cgroup/leaf.hpp"

#include <gtest/gtest.h>

#include "cgroup/tasks.hpp"
#include "cgroup/tree.hpp"
#include "support/sandbox.hpp"

namespace cgm::cgroup {
namespace {

using test::Child;
using test::Sandbox;

TEST(Leaf, holds_the_tasks_of_a_cgroup_whose_children_need_a_controller) {
  Sandbox sandbox;
  const Hierarchy* tree = sandbox.hierarchies().unified();
  if (!tree || tree->controllers().empty()) GTEST_SKIP() << "no v2 tree with controllers";
  std::string controller = tree->controllers().front();
  if (!sandbox.usable(controller)) GTEST_SKIP() << "controller " << controller << " cannot be enabled here";
  Child child = Child::sleeper();
  Cgroup a = sandbox.at("unified", "a");
  ASSERT_TRUE(a.write("cgroup.procs", std::to_string(child.pid())));
  auto enabled = enable_controller(a, controller);
  ASSERT_TRUE(enabled) << enabled.error().text();
  EXPECT_EQ(*a.read("cgroup.procs"), "");
  EXPECT_EQ(*a.read("cgroup.type"), "domain");
  EXPECT_EQ(*tasks_of(a), std::vector<pid_t>{child.pid()});
  EXPECT_TRUE(a.children()->empty());
  EXPECT_TRUE(open_leaf(a));
}

}  // namespace
}  // namespace cgm::cgroup
