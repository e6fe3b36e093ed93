// SPDX-License-Identifier: LGPL-2.1-or-later
#include "manager/neighbours.hpp"

#include <gtest/gtest.h>

#include "base/sys.hpp"
#include "support/sandbox.hpp"

namespace cgm::manager {
namespace {

using cgroup::Cgroup;
using test::Sandbox;

class NeighboursTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!sandbox_.hierarchies().unified()) GTEST_SKIP() << "no v2 tree";
  }
  static void delegate(const Cgroup& cgroup) {
    auto dir = sys::openat(cgroup.dir(), ".", O_RDONLY | O_DIRECTORY);
    ASSERT_TRUE(dir && sys::fsetxattr(dir->get(), "user.delegate", "1"));
  }
  Sandbox sandbox_;
  Neighbours systemd_{true, "0::/nowhere\n"};
};

TEST_F(NeighboursTest, leave_what_is_not_delegated_to_systemd) {
  Cgroup a = sandbox_.at("unified", "a");
  EXPECT_FALSE(systemd_.check_children(a));
  EXPECT_FALSE(systemd_.check_limits(a));
  Neighbours nobody(false, "0::/nowhere\n");
  EXPECT_TRUE(nobody.check_children(a));
  EXPECT_TRUE(nobody.check_limits(a));
}

TEST_F(NeighboursTest, work_below_what_is_delegated_and_leave_its_own_limits_alone) {
  Cgroup a = sandbox_.at("unified", "a"), b = sandbox_.at("unified", "a/b"), sibling = sandbox_.at("unified", "c");
  delegate(a);
  EXPECT_TRUE(systemd_.check_children(a));
  EXPECT_FALSE(systemd_.check_limits(a));
  EXPECT_TRUE(systemd_.check_children(b));
  EXPECT_TRUE(systemd_.check_limits(b));
  EXPECT_FALSE(systemd_.check_children(sibling));
}

TEST_F(NeighboursTest, are_no_bar_below_our_own_cgroup) {
  Cgroup a = sandbox_.at("unified", "a"), b = sandbox_.at("unified", "a/b");
  Neighbours home(true, "0::" + a.path().absolute() + "\n");
  EXPECT_TRUE(home.check_children(a));
  EXPECT_FALSE(home.check_limits(a));
  EXPECT_TRUE(home.check_limits(b));
}

TEST_F(NeighboursTest, leave_v1_controllers_free) {
  const cgroup::Hierarchy* freezer = sandbox_.hierarchy("freezer");
  if (!freezer || freezer->is_v2()) GTEST_SKIP() << "no v1 freezer";
  EXPECT_TRUE(systemd_.check_children(sandbox_.at("freezer", "a")));
}

}  // namespace
}  // namespace cgm::manager
