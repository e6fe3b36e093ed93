// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cgroup/kill.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "cgroup/freeze.hpp"
#include "cgroup/leaf.hpp"
#include "cgroup/tasks.hpp"
#include "support/actors.hpp"

namespace cgm::cgroup {
namespace {

using namespace std::chrono_literals;
using test::Child;
using test::Sandbox;

/// Kills one cgroup by its own files.
Result<KillOutcome> kill_one(const Cgroup& cgroup, int signal = SIGKILL, Deadline deadline = Deadline::after(60s)) {
  return kill(direct_target({&cgroup, 1}), signal, deadline);
}

/// The same without cgroup.kill, as kernels before 5.14 do it.
Result<KillOutcome> kill_by_loop(const Cgroup& cgroup) {
  KillTarget target = direct_target({&cgroup, 1});
  target.at_once = nullptr;
  return kill(target, SIGKILL, Deadline::after(60s));
}

class KillOn : public testing::TestWithParam<Version> {
 protected:
  std::optional<Cgroup> place(std::string_view below) { return test::freezer_place(sandbox_, GetParam(), below); }
  const char* missing() const { return GetParam() == Version::v1 ? "no v1 freezer hierarchy" : "no v2 tree"; }
  Sandbox sandbox_;
};

INSTANTIATE_TEST_SUITE_P(On, KillOn, testing::Values(Version::v1, Version::v2),
                         [](const auto& param) { return param.param == Version::v1 ? "v1" : "v2"; });

TEST_P(KillOn, ends_all_below_and_nobody_beside) {
  auto top = place("a");
  if (!top) GTEST_SKIP() << missing();
  Child here = Child::sleeper(), below = Child::sleeper(), beside = Child::sleeper();
  test::put(*top, here.pid());
  test::put(*place("a/b/c"), below.pid());
  test::put(*place("d"), beside.pid());
  auto outcome = kill_one(*top);
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_TRUE(outcome->is_empty());
  EXPECT_TRUE(processes_below(*top)->empty());
  EXPECT_EQ(here.wait(), 128 + SIGKILL);
  EXPECT_EQ(below.wait(), 128 + SIGKILL);
  EXPECT_EQ(::kill(beside.pid(), 0), 0);
}

TEST_P(KillOn, outruns_a_chain_of_forks) {
  auto top = place("a");
  if (!top) GTEST_SKIP() << missing();
  Child chain = test::fork_chain(*top, 100'000'000);
  auto outcome = kill_by_loop(*top);
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_TRUE(outcome->is_empty());
  EXPECT_TRUE(processes_below(*top)->empty());
  EXPECT_FALSE(*is_frozen(*top));
}

TEST_P(KillOn, ends_what_is_frozen_inside) {
  auto top = place("a");
  if (!top) GTEST_SKIP() << missing();
  auto below = place("a/b");
  Child child = Child::sleeper();
  test::ThawAtEnd thaw_at_end(*below);
  test::put(*below, child.pid());
  ASSERT_TRUE(freeze(*below, Deadline::after(30s)));
  auto outcome = kill_by_loop(*top);
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_TRUE(outcome->is_empty());
  EXPECT_FALSE(*is_set_frozen(*below));
  EXPECT_FALSE(*is_set_frozen(*top));
}

TEST_P(KillOn, of_a_cgroup_below_a_frozen_one_says_what_is_in_the_way) {
  auto above = place("a");
  if (!above) GTEST_SKIP() << missing();
  auto top = place("a/b");
  Child child = Child::sleeper();
  test::ThawAtEnd thaw_at_end(*above);
  test::put(*top, child.pid());
  ASSERT_TRUE(freeze(*above, Deadline::after(30s)));
  auto outcome = kill_one(*top, SIGKILL, Deadline::after(100ms));
  ASSERT_TRUE(outcome) << outcome.error().text();
  // A frozen task of v2 dies all the same.
  if (GetParam() == Version::v2) {
    EXPECT_TRUE(outcome->is_empty());
    return;
  }
  ASSERT_EQ(outcome->left.size(), 1u);
  EXPECT_EQ(outcome->left[0].pid, child.pid());
  EXPECT_THAT(outcome->left[0].why, testing::HasSubstr("is frozen"));
}

TEST_P(KillOn, goes_on_where_a_task_cannot_be_stopped) {
  auto top = place("a");
  if (!top) GTEST_SKIP() << missing();
  auto stuck = test::unfreezable();
  if (!stuck) GTEST_SKIP() << "no userfaultfd";
  Child child = Child::sleeper();
  test::put(*top, stuck->pid());
  test::put(*top, child.pid());
  auto outcome = kill_by_loop(*top);
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_TRUE(outcome->is_empty());
  EXPECT_FALSE(*is_set_frozen(*top));
}

TEST_P(KillOn, by_another_signal_leaves_those_that_take_it) {
  auto top = place("a");
  if (!top) GTEST_SKIP() << missing();
  Child dies = Child::sleeper();
  Child lives([] {
    ::signal(SIGTERM, SIG_IGN);
    for (;;) ::pause();
    return 0;
  });
  ASSERT_TRUE(test::eventually([&] { return test::ignores(lives.pid(), SIGTERM); }));
  test::put(*top, dies.pid());
  test::put(*top, lives.pid());
  auto outcome = kill_one(*top, SIGTERM, Deadline::after(200ms));
  ASSERT_TRUE(outcome) << outcome.error().text();
  ASSERT_EQ(outcome->left.size(), 1u);
  EXPECT_EQ(outcome->left[0].pid, lives.pid());
  EXPECT_EQ(dies.wait(), 128 + SIGTERM);
  EXPECT_FALSE(*is_frozen(*top));
}

TEST_P(KillOn, of_our_own_cgroup_does_nothing) {
  auto top = place("a");
  if (!top) GTEST_SKIP() << missing();
  auto below = place("a/b");
  Child other = Child::sleeper();
  test::put(*top, other.pid());
  Child child([&] {
    test::put(*below, ::getpid());
    auto outcome = kill_one(*top);
    return !outcome && outcome.error().kind() == ErrorKind::invalid ? 0 : 1;
  });
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(::kill(other.pid(), 0), 0);
  EXPECT_THAT(*processes_below(*top), testing::ElementsAre(other.pid()));
}

TEST_P(KillOn, of_an_empty_or_a_removed_cgroup_is_done_at_once) {
  auto top = place("a");
  if (!top) GTEST_SKIP() << missing();
  auto below = place("a/b");
  EXPECT_TRUE(kill_one(*below)->is_empty());
  ASSERT_EQ(::unlinkat(top->dir(), "b", AT_REMOVEDIR), 0);
  EXPECT_TRUE(kill_one(*below)->is_empty());
}

TEST(Kill, works_where_there_is_no_freezer) {
  Sandbox sandbox;
  const Hierarchy* other = nullptr;
  for (const Hierarchy& hierarchy : sandbox.hierarchies().all())
    if (!hierarchy.is_v2() && !hierarchy.has("freezer")) other = &hierarchy;
  if (!other) GTEST_SKIP() << "no v1 hierarchy without the freezer";
  Cgroup cgroup = sandbox.at(other->controllers().front(), "a");
  Child child = Child::sleeper();
  test::put(cgroup, child.pid());
  auto outcome = kill_one(cgroup);
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_TRUE(outcome->is_empty());
  EXPECT_EQ(child.wait(), 128 + SIGKILL);
}

TEST(Kill, takes_the_places_of_a_group_in_several_hierarchies_together) {
  Sandbox sandbox;
  std::vector<Cgroup> places;
  std::vector<Child> children;
  for (const Hierarchy& hierarchy : sandbox.hierarchies().all()) {
    std::string name = hierarchy.controllers().empty() ? "unified" : hierarchy.controllers().front();
    places.push_back(sandbox.at(name, "a"));
    children.push_back(Child::sleeper());
    test::put(places.back(), children.back().pid());
  }
  if (places.size() < 2) GTEST_SKIP() << "a single hierarchy";
  auto outcome = kill(direct_target(places), SIGKILL, Deadline::after(60s));
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_TRUE(outcome->is_empty());
  for (Child& child : children) EXPECT_EQ(child.wait(), 128 + SIGKILL);
}

TEST(Kill, reaches_the_tasks_in_the_leaf) {
  Sandbox sandbox;
  const Hierarchy* tree = sandbox.hierarchies().unified();
  if (!tree || tree->controllers().empty()) GTEST_SKIP() << "no v2 tree with controllers";
  if (!sandbox.usable("pids")) GTEST_SKIP() << "controller pids cannot be enabled here";
  if (!sandbox.hierarchy("pids")->is_v2()) GTEST_SKIP() << "pids is on v1";
  Child child = Child::sleeper();
  Cgroup a = sandbox.at("unified", "a");
  test::put(a, child.pid());
  ASSERT_TRUE(enable_controller(a, "pids"));
  ASSERT_TRUE(open_leaf(a));
  auto outcome = kill_by_loop(a);
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_TRUE(outcome->is_empty());
  EXPECT_EQ(child.wait(), 128 + SIGKILL);
}

TEST(Kill, of_a_threaded_cgroup_is_refused) {
  Sandbox sandbox;
  if (!sandbox.hierarchies().unified()) GTEST_SKIP() << "no v2 tree";
  Cgroup a = sandbox.at("unified", "a/b");
  if (auto threaded = a.write("cgroup.type", "threaded"); !threaded) GTEST_SKIP() << threaded.error().text();
  auto outcome = kill_one(a);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind(), ErrorKind::unsupported);
}

TEST(Kill, uses_one_write_where_the_kernel_has_it) {
  Sandbox sandbox;
  if (!sandbox.hierarchies().unified()) GTEST_SKIP() << "no v2 tree";
  Cgroup a = sandbox.at("unified", "a");
  if (!a.has_file("cgroup.kill")) GTEST_SKIP() << "no cgroup.kill (Linux 5.14)";
  Child child = Child::sleeper();
  test::put(a, child.pid());
  KillTarget target = direct_target({&a, 1});
  target.signal = [](const Process&, int) -> Result<void> { return fail(ErrorKind::os, "signalled one by one"); };
  auto outcome = kill(target, SIGKILL, Deadline::after(60s));
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_TRUE(outcome->is_empty());
  EXPECT_EQ(child.wait(), 128 + SIGKILL);
}

}  // namespace
}  // namespace cgm::cgroup
