// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gtest/gtest.h>

#include "base/sys.hpp"
#include "cgroup/tree.hpp"
#include "manager/resolve.hpp"
#include "support/sandbox.hpp"

namespace cgm::manager {
namespace {

using cgroup::Cgroup;
using test::Sandbox;

constexpr uid_t kUser = 64001;

TEST(EnableBelow, gives_a_controllers_files_to_those_who_own_their_cgroups_whole) {
  Sandbox sandbox;
  const cgroup::Hierarchy* tree = sandbox.hierarchies().unified();
  if (!tree || !sandbox.usable("pids") || !sandbox.hierarchy("pids")->is_v2())
    GTEST_SKIP() << "controller pids is not on v2 here";
  Cgroup parent = sandbox.at("unified", "parent");
  Cgroup whole = sandbox.at("unified", "parent/whole"), delegated = sandbox.at("unified", "parent/delegated");
  ASSERT_TRUE(cgroup::hand_over(whole, kUser, kUser));
  ASSERT_TRUE(cgroup::delegate(delegated, kUser, kUser));
  auto enabled = enable_below(parent, "pids");
  ASSERT_TRUE(enabled) << enabled.error().text();
  EXPECT_EQ(sys::fstatat(whole.dir(), "pids.max", 0)->st_uid, kUser);
  EXPECT_EQ(sys::fstatat(delegated.dir(), "pids.max", 0)->st_uid, 0u)
      << "limits of what was only delegated stay root's";
  EXPECT_EQ(sys::fstatat(delegated.dir(), "cgroup.procs", 0)->st_uid, kUser);
}

}  // namespace
}  // namespace cgm::manager
