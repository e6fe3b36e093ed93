// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cgroup/freeze.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "support/actors.hpp"

namespace cgm::cgroup {
namespace {

using namespace std::chrono_literals;
using test::Child;
using test::Echo;
using test::Sandbox;

// Long enough for a slow machine to show that a task runs, short enough to be waited out when it does not.
constexpr int kSilentMs = 100;
constexpr int kAnswerMs = 30'000;

class Freeze : public testing::TestWithParam<Version> {
 protected:
  std::optional<Cgroup> place(std::string_view below) { return test::freezer_place(sandbox_, GetParam(), below); }
  const char* missing() const { return GetParam() == Version::v1 ? "no v1 freezer hierarchy" : "no v2 tree"; }
  Sandbox sandbox_;
};

INSTANTIATE_TEST_SUITE_P(On, Freeze, testing::Values(Version::v1, Version::v2),
                         [](const auto& param) { return param.param == Version::v1 ? "v1" : "v2"; });

TEST_P(Freeze, stops_the_subtree_and_thaw_lets_it_run) {
  auto top = place("a");
  if (!top) GTEST_SKIP() << missing();
  Echo echo;
  test::ThawAtEnd thaw_at_end(*top);
  test::put(*place("a/b"), echo.pid());
  ASSERT_FALSE(*is_frozen(*top));
  auto frozen = freeze(*top, Deadline::after(30s));
  ASSERT_TRUE(frozen) << frozen.error().text();
  EXPECT_TRUE(*is_frozen(*top));
  EXPECT_TRUE(*is_frozen(*place("a/b")));
  EXPECT_TRUE(*is_set_frozen(*top));
  EXPECT_FALSE(*is_set_frozen(*place("a/b")));
  EXPECT_FALSE(echo.answers(kSilentMs));
  auto thawed = thaw(*top, Deadline::after(30s));
  ASSERT_TRUE(thawed) << thawed.error().text();
  EXPECT_FALSE(*is_frozen(*top));
  EXPECT_TRUE(echo.answers(kAnswerMs));
}

TEST_P(Freeze, of_an_empty_cgroup_is_done_at_once_and_repeating_it_is_no_error) {
  auto top = place("a");
  if (!top) GTEST_SKIP() << missing();
  EXPECT_TRUE(freeze(*top, Deadline::after(30s)));
  EXPECT_TRUE(freeze(*top, Deadline::after(30s)));
  EXPECT_TRUE(*is_frozen(*top));
  EXPECT_TRUE(thaw(*top, Deadline::after(30s)));
  EXPECT_TRUE(thaw(*top, Deadline::after(30s)));
  EXPECT_FALSE(*is_frozen(*top));
}

TEST_P(Freeze, that_cannot_be_done_in_time_puts_back_what_was) {
  auto top = place("a");
  if (!top) GTEST_SKIP() << missing();
  auto stuck = test::unfreezable();
  if (!stuck) GTEST_SKIP() << "no userfaultfd";
  Echo echo;
  test::ThawAtEnd thaw_at_end(*top);
  test::put(*top, stuck->pid());
  test::put(*top, echo.pid());
  auto frozen = freeze(*top, Deadline::after(50ms));
  ASSERT_FALSE(frozen);
  EXPECT_EQ(frozen.error().kind(), ErrorKind::timeout) << frozen.error().text();
  EXPECT_FALSE(*is_set_frozen(*top));
  EXPECT_FALSE(*is_frozen(*top));
  EXPECT_TRUE(echo.answers(kAnswerMs));
}

TEST_P(Freeze, that_cannot_be_done_in_time_leaves_set_what_was_set_before) {
  auto top = place("a");
  if (!top) GTEST_SKIP() << missing();
  auto stuck = test::unfreezable();
  if (!stuck) GTEST_SKIP() << "no userfaultfd";
  test::ThawAtEnd thaw_at_end(*top);
  ASSERT_TRUE(freeze(*top, Deadline::after(30s)));
  // A task that joins a frozen cgroup has to be stopped, and this one cannot be.
  auto moved = top->write("cgroup.procs", std::to_string(stuck->pid()));
  if (!moved) GTEST_SKIP() << "a frozen cgroup takes no task here: " << moved.error().text();
  EXPECT_EQ(freeze(*top, Deadline::after(50ms)).error().kind(), ErrorKind::timeout);
  EXPECT_TRUE(*is_set_frozen(*top));
}

TEST_P(Freeze, is_not_undone_below_a_frozen_ancestor) {
  auto top = place("a");
  if (!top) GTEST_SKIP() << missing();
  auto below = place("a/b");
  ASSERT_TRUE(freeze(*top, Deadline::after(30s)));
  ASSERT_TRUE(freeze(*below, Deadline::after(30s)));
  auto thawed = thaw(*below, Deadline::after(30s));
  ASSERT_FALSE(thawed);
  EXPECT_EQ(thawed.error().kind(), ErrorKind::busy) << thawed.error().text();
  EXPECT_TRUE(*is_set_frozen(*below));
  ASSERT_TRUE(thaw(*top, Deadline::after(30s)));
  EXPECT_TRUE(*is_frozen(*below));
  EXPECT_TRUE(thaw(*below, Deadline::after(30s)));
  EXPECT_FALSE(*is_frozen(*below));
}

TEST_P(Freeze, of_the_process_that_asks_is_refused) {
  auto top = place("a");
  if (!top) GTEST_SKIP() << missing();
  auto below = place("a/b");
  Child child([&] {
    test::put(*below, ::getpid());
    auto frozen = freeze(*top, Deadline::after(30s));
    return !frozen && frozen.error().kind() == ErrorKind::invalid && !*is_set_frozen(*top) ? 0 : 1;
  });
  EXPECT_EQ(child.wait(), 0);
}

TEST_P(Freeze, of_a_removed_cgroup_says_that_it_is_gone) {
  auto top = place("a");
  if (!top) GTEST_SKIP() << missing();
  auto below = place("a/b");
  ASSERT_EQ(::unlinkat(top->dir(), "b", AT_REMOVEDIR), 0);
  EXPECT_EQ(freeze(*below, Deadline::after(30s)).error().kind(), ErrorKind::gone);
  EXPECT_EQ(is_frozen(*below).error().kind(), ErrorKind::gone);
}

TEST_P(Freeze, has_no_meaning_for_the_root) {
  auto top = place("");
  if (!top) GTEST_SKIP() << missing();
  Cgroup root = *Cgroup::open(top->hierarchy(), CgroupPath());
  if (has_freezer(root)) GTEST_SKIP() << "our root is a cgroup namespace's";
  EXPECT_FALSE(*is_frozen(root));
  EXPECT_EQ(freeze(root, Deadline::after(30s)).error().kind(), ErrorKind::unsupported);
  EXPECT_EQ(thaw(root, Deadline::after(30s)).error().kind(), ErrorKind::unsupported);
}

TEST_P(Freeze, stops_a_chain_of_forks) {
  auto top = place("a");
  if (!top) GTEST_SKIP() << missing();
  Child chain = test::fork_chain(*top, 1'000'000);
  test::ThawAtEnd thaw_at_end(*top);
  auto frozen = freeze(*top, Deadline::after(30s));
  ASSERT_TRUE(frozen) << frozen.error().text();
  std::string before = *top->read("cgroup.procs");
  EXPECT_NE(before, "");
  EXPECT_EQ(*top->read("cgroup.procs"), before);
}

TEST(FreezeElsewhere, is_refused_where_the_hierarchy_has_no_freezer) {
  Sandbox sandbox;
  const Hierarchy* other = nullptr;
  for (const Hierarchy& hierarchy : sandbox.hierarchies().all())
    if (!hierarchy.is_v2() && !hierarchy.has("freezer")) other = &hierarchy;
  if (!other) GTEST_SKIP() << "no v1 hierarchy without the freezer";
  Cgroup cgroup = sandbox.at(other->controllers().front(), "a");
  EXPECT_EQ(freeze(cgroup, Deadline::after(30s)).error().kind(), ErrorKind::unsupported);
  EXPECT_EQ(is_frozen(cgroup).error().kind(), ErrorKind::unsupported);
}

}  // namespace
}  // namespace cgm::cgroup
