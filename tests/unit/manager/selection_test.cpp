// SPDX-License-Identifier: LGPL-2.1-or-later
#include "manager/selection.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manager/manager.hpp"

namespace cgm::manager {
namespace {

using api::Controllers;
using cgroup::Version;
using testing::ElementsAre;

/// cpu and cpuacct mounted together, freezer, a named hierarchy, and a v2 tree with memory and io.
cgroup::Hierarchies host() {
  std::vector<cgroup::Hierarchy> all;
  auto add = [&](Version version, std::vector<std::string> controllers) {
    all.emplace_back(cgroup::FoundHierarchy{.version = version, .controllers = std::move(controllers)}, Fd());
  };
  add(Version::v1, {"cpu", "cpuacct"});
  add(Version::v1, {"freezer"});
  add(Version::v1, {"name=systemd"});
  add(Version::v2, {"io", "memory"});
  return cgroup::Hierarchies(std::move(all));
}

std::vector<std::string> labels(const Selection& selection) {
  std::vector<std::string> names;
  for (const Choice& choice : selection.choices) names.push_back(choice.hierarchy->label());
  return names;
}

TEST(Select, takes_one_controller_by_its_v1_or_v2_name) {
  auto hierarchies = host();
  for (const auto& [name, label] : {std::pair("freezer", "freezer"),
                                    {"cpuacct", "cpu,cpuacct"},
                                    {"memory", "io,memory"},
                                    {"blkio", "io,memory"},
                                    {"systemd", "name=systemd"},
                                    {"name=systemd", "name=systemd"},
                                    {"unified", "io,memory"},
                                    {"freezer,", "freezer"},
                                    {"cpu,cpuacct", "cpu,cpuacct"}}) {
    auto selection = select(hierarchies, name, Controllers::single);
    ASSERT_TRUE(selection) << name;
    EXPECT_THAT(labels(*selection), ElementsAre(label)) << name;
  }
}

TEST(Select, refuses_what_is_not_one_controller) {
  auto hierarchies = host();
  for (const std::string& name :
       {std::string(), std::string("all"), std::string("nosuch"), std::string("freezer,memory"),
        std::string("freezer,freezer"), std::string(","), std::string(",freezer"), std::string("freezer,,"),
        std::string("Freezer"), std::string("free zer"), std::string(10'000, 'x')})
    EXPECT_FALSE(select(hierarchies, name, Controllers::single)) << name.substr(0, 20);
}

TEST(Select, takes_lists_in_the_order_given_and_all_in_alphabetical_order) {
  auto hierarchies = host();
  EXPECT_THAT(labels(*select(hierarchies, "memory,freezer,cpu,cpuacct", Controllers::list)),
              ElementsAre("io,memory", "freezer", "cpu,cpuacct"));
  auto all = select(hierarchies, "all", Controllers::list);
  EXPECT_THAT(labels(*all), ElementsAre("cpu,cpuacct", "freezer", "io,memory", "name=systemd"));
  EXPECT_TRUE(all->is_list);
  EXPECT_TRUE(select(hierarchies, "freezer,", Controllers::list)->is_list);
  EXPECT_FALSE(select(hierarchies, "freezer", Controllers::list)->is_list);
}

TEST(Select, remembers_which_v2_controllers_were_asked_for) {
  auto hierarchies = host();
  EXPECT_THAT(select(hierarchies, "memory,blkio", Controllers::list)->choices.front().controllers,
              ElementsAre("memory", "io"));
  EXPECT_TRUE(select(hierarchies, "unified", Controllers::list)->choices.front().controllers.empty());
}

TEST(MayWait, sends_moves_walks_and_reclaim_to_a_worker) {
  auto hierarchies = host();
  auto waits = [&](api::Method method, const char* controllers, const char* key = "", int32_t first = 0) {
    api::Request request;
    request.method = method;
    request.key = key;
    request.first = first;
    return may_wait(request, *select(hierarchies, controllers, Controllers::list));
  };
  EXPECT_TRUE(waits(api::Method::move_pid, "freezer"));
  EXPECT_TRUE(waits(api::Method::get_tasks, "freezer"));
  EXPECT_TRUE(waits(api::Method::set_value, "memory", "memory.max"));
  EXPECT_TRUE(waits(api::Method::set_value, "memory", "cgroup.subtree_control"));
  EXPECT_TRUE(waits(api::Method::get_value, "freezer", "cgroup.procs"));
  EXPECT_TRUE(waits(api::Method::create, "memory"));
  EXPECT_TRUE(waits(api::Method::remove, "freezer", "", 1));
  EXPECT_TRUE(waits(api::Method::remove, "memory", "", 0));  // v2: tasks may come back from a leaf
  EXPECT_TRUE(waits(api::Method::set_value, "memory", "io.max"));
  EXPECT_TRUE(waits(api::Method::set_value, "memory", "blkio.throttle.read_bps_device"));
  EXPECT_FALSE(waits(api::Method::create, "freezer"));
  EXPECT_FALSE(waits(api::Method::remove, "freezer", "", 0));
  EXPECT_FALSE(waits(api::Method::get_value, "memory", "memory.max"));
  EXPECT_FALSE(waits(api::Method::set_value, "cpu", "cpu.shares"));
}

/// Runs `method` on two hierarchies with the given outcomes.
Result<api::Answer> run_two(api::Method method, Result<api::Answer> first, Result<api::Answer> second) {
  auto hierarchies = host();
  auto selection = *select(hierarchies, "freezer,cpu", Controllers::list);
  int turn = 0;
  return combine(method, selection, [&](const Choice&) { return turn++ == 0 ? std::move(first) : std::move(second); });
}

TEST(Combine, skips_for_create_what_may_not_be_and_says_whether_any_existed) {
  auto denied = [] { return fail(ErrorKind::denied, "no"); };
  EXPECT_EQ(std::get<int32_t>(*run_two(api::Method::create, denied(), denied())), -1);
  EXPECT_EQ(std::get<int32_t>(*run_two(api::Method::create, denied(), int32_t{1})), 1);
  EXPECT_EQ(std::get<int32_t>(*run_two(api::Method::create, int32_t{1}, int32_t{-1})), 1);
  EXPECT_FALSE(run_two(api::Method::create, fail(ErrorKind::invalid, "bad"), int32_t{-1}));
}

TEST(Combine, tries_every_move_and_fails_afterwards) {
  auto outcome = run_two(api::Method::move_pid, fail(ErrorKind::denied, "first"), api::Answer());
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().text(), "first");
  EXPECT_TRUE(run_two(api::Method::move_pid, api::Answer(), api::Answer()));
}

TEST(Combine, always_says_of_a_list_that_it_removed) {
  EXPECT_EQ(std::get<int32_t>(*run_two(api::Method::remove, int32_t{-1}, int32_t{-1})), 1);
  EXPECT_EQ(std::get<int32_t>(*run_two(api::Method::remove, fail(ErrorKind::denied, "no"), int32_t{1})), 1);
  EXPECT_FALSE(run_two(api::Method::remove, fail(ErrorKind::busy, "tasks"), int32_t{1}));
}

TEST(Combine, merges_recursive_tasks_and_ignores_missing_cgroups) {
  auto merged = run_two(api::Method::get_tasks_recursive, std::vector<int32_t>{5, 3}, std::vector<int32_t>{3, 4});
  EXPECT_THAT(std::get<std::vector<int32_t>>(*merged), ElementsAre(3, 4, 5));
  auto one = run_two(api::Method::get_tasks_recursive, fail(ErrorKind::not_found, "none"), std::vector<int32_t>{1});
  EXPECT_THAT(std::get<std::vector<int32_t>>(*one), ElementsAre(1));
  EXPECT_FALSE(run_two(api::Method::get_tasks_recursive, fail(ErrorKind::denied, "no"), std::vector<int32_t>{1}));
}

}  // namespace
}  // namespace cgm::manager
