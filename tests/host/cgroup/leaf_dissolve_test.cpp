// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "base/number.hpp"
#include "base/sys.hpp"
#include "cgroup/leaf.hpp"
#include "cgroup/tasks.hpp"
#include "cgroup/tree.hpp"
#include "support/actors.hpp"
#include "support/inner_cgroup.hpp"

namespace cgm::cgroup {
namespace {

using test::Child;
using test::pids_of;
using test::plant_leaf;
using test::seen_in;
using test::sleepers_in;
using test::text_of;

/// Threads that work on one cgroup, each so many rounds, and what went wrong in them.
class Crew final {
 public:
  using Work = std::function<Result<void>()>;
  ~Crew() { join(); }
  void start(int rounds, Work work) {
    running_++;
    threads_.emplace_back([this, rounds, work = std::move(work)] {
      for (int round = 0; round < rounds; round++)
        if (auto done = work(); !done) note(done.error().text());
      running_--;
    });
  }
  bool is_running() const { return running_ > 0; }
  void join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  /// The first failure, or nothing.
  const std::string& failure() const { return failure_; }

 private:
  void note(const std::string& text) {
    std::lock_guard lock(mutex_);
    if (failure_.empty()) failure_ = text;
  }
  std::atomic<int> running_ = 0;
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::string failure_;
};

class LeafDissolve : public test::InnerCgroup {
 protected:
  /// What is used in turns: one of each kind where there are both.
  std::vector<std::string> one_of_each_kind() const {
    std::vector<std::string> names;
    for (std::string name : {domain_controller(), threaded_controller()})
      if (!name.empty()) names.push_back(name);
    return names;
  }
};

Result<void> enable_and_dissolve(const Cgroup& cgroup, const std::string& controller) {
  TRY_VOID(enable_controller(cgroup, controller));
  return dissolve_leaf(cgroup);
}

/// Names and inodes of a cgroup's files.
std::map<std::string, ino_t> inodes_of(const Cgroup& cgroup) {
  std::map<std::string, ino_t> inodes;
  if (auto entries = sys::list_dir(cgroup.dir()))
    for (const sys::DirEntry& entry : *entries)
      if (auto st = sys::fstatat(cgroup.dir(), entry.name, AT_SYMLINK_NOFOLLOW)) inodes[entry.name] = st->st_ino;
  return inodes;
}

void expect_no_leaf(const Cgroup& cgroup, const std::vector<Child>& tasks) {
  EXPECT_FALSE(cgroup.has_file(kLeafName));
  test::expect_own_tasks(cgroup, tasks);
}

TEST_F(LeafDissolve, takes_the_tasks_back_when_the_last_child_is_gone) {
  for (const std::string& controller : one_of_each_kind()) {
    Cgroup a = at("a");
    std::vector<Child> tasks = sleepers_in(a, 3);
    ASSERT_TRUE(enable_controller(a, controller));
    (void)at("a/b");
    ASSERT_TRUE(remove_child(a, "b"));
    auto dissolved = dissolve_leaf(a);
    ASSERT_TRUE(dissolved) << dissolved.error().text();
    expect_no_leaf(a, tasks);
  }
}

TEST_F(LeafDissolve, waits_for_the_last_child) {
  Cgroup a = at("a");
  std::vector<Child> tasks = sleepers_in(a, 2);
  ASSERT_TRUE(enable_controller(a, controllers().front()));
  (void)at("a/b");
  Cgroup c = at("a/c");
  auto files = inodes_of(c);
  ASSERT_TRUE(remove_child(a, "b"));
  auto dissolved = dissolve_leaf(a);
  ASSERT_TRUE(dissolved) << dissolved.error().text();
  // A controller that was off for a moment has new files, without the limits that were set.
  EXPECT_EQ(inodes_of(c), files);
  EXPECT_EQ(text_of(a, "cgroup.subtree_control"), controllers().front());
  EXPECT_EQ(text_of(a, "cgroup.procs"), "");
  auto leaf = open_leaf(a);
  ASSERT_TRUE(leaf) << leaf.error().text();
  EXPECT_EQ(seen_in(*leaf), pids_of(tasks));
  ASSERT_TRUE(remove_child(a, "c"));
  ASSERT_TRUE(dissolve_leaf(a));
  expect_no_leaf(a, tasks);
}

TEST_F(LeafDissolve, leaves_a_controller_that_somebody_else_enabled) {
  Cgroup a = at("a");
  const std::string& theirs = controllers().front();
  ASSERT_TRUE(a.write("cgroup.subtree_control", "+" + theirs));
  auto home = home_of_tasks(a);
  ASSERT_TRUE(home && home->path().name() == kLeafName);
  std::vector<Child> tasks = sleepers_in(*home, 2);
  // It is on, so that nothing is done, and nothing is ours.
  ASSERT_TRUE(enable_controller(a, theirs));
  if (controllers().size() > 1) {
    ASSERT_TRUE(enable_controller(a, controllers().back()));
  }
  auto dissolved = dissolve_leaf(a);
  ASSERT_TRUE(dissolved) << dissolved.error().text();
  EXPECT_EQ(text_of(a, "cgroup.subtree_control"), theirs);
  EXPECT_EQ(text_of(a, "cgroup.procs"), "");
  EXPECT_EQ(seen_in(a), pids_of(tasks));
}

TEST_F(LeafDissolve, removes_an_empty_leaf_whatever_is_enabled) {
  Cgroup a = at("a");
  ASSERT_TRUE(a.write("cgroup.subtree_control", "+" + controllers().front()));
  ASSERT_TRUE(home_of_tasks(a));
  ASSERT_TRUE(a.has_file(kLeafName));
  ASSERT_TRUE(dissolve_leaf(a));
  EXPECT_FALSE(a.has_file(kLeafName));
  EXPECT_EQ(text_of(a, "cgroup.subtree_control"), controllers().front());
}

TEST_F(LeafDissolve, touches_no_leaf_that_somebody_planted) {
  Cgroup a = at("a");
  Cgroup planted = plant_leaf(a);
  std::vector<Child> tasks = sleepers_in(planted, 1);
  (void)dissolve_leaf(a);
  EXPECT_EQ(seen_in(planted), pids_of(tasks));
}

TEST_F(LeafDissolve, shows_each_task_once_all_the_while) {
  for (const std::string& controller : one_of_each_kind()) {
    Cgroup a = at("a");
    std::vector<Child> tasks = sleepers_in(a, 20);
    const std::vector<pid_t> all = pids_of(tasks);
    Crew crew;
    crew.start(200, [&] { return enable_and_dissolve(a, controller); });
    int readings = 0, wrong = 0;
    std::string what;
    for (; crew.is_running(); readings++) {
      auto seen = tasks_of(a);
      if (seen && *seen == all) continue;
      wrong++;
      what = seen ? testing::PrintToString(*seen) : seen.error().text();
    }
    crew.join();
    EXPECT_EQ(crew.failure(), "") << controller;
    EXPECT_EQ(wrong, 0) << "of " << readings << ", " << controller << ": " << what;
    expect_no_leaf(a, tasks);
  }
}

TEST_F(LeafDissolve, loses_nobody_while_two_controllers_are_enabled_at_once) {
  if (controllers().size() < 2) GTEST_SKIP() << "fewer than two controllers can be enabled here";
  Cgroup a = at("a");
  std::vector<Child> tasks = sleepers_in(a, 10);
  for (int round = 0; round < 30; round++) {
    Crew crew;
    for (const std::string& controller : {controllers().front(), controllers().back()})
      crew.start(1, [&a, controller] { return enable_controller(a, controller); });
    crew.join();
    ASSERT_EQ(crew.failure(), "");
    for (const std::string& controller : {controllers().front(), controllers().back()})
      ASSERT_TRUE(has_word(text_of(a, "cgroup.subtree_control"), controller));
    ASSERT_EQ(text_of(a, "cgroup.type"), "domain");
    ASSERT_EQ(text_of(a, "cgroup.procs"), "");
    ASSERT_EQ(seen_in(a), pids_of(tasks));
    auto dissolved = dissolve_leaf(a);
    ASSERT_TRUE(dissolved) << dissolved.error().text();
    expect_no_leaf(a, tasks);
  }
}

TEST_F(LeafDissolve, loses_nobody_while_several_enable_and_dissolve_the_same) {
  for (const std::string& controller : one_of_each_kind()) {
    Cgroup a = at("a");
    std::vector<Child> tasks = sleepers_in(a, 10);
    Crew crew;
    for (int thread = 0; thread < 3; thread++) crew.start(50, [&] { return enable_and_dissolve(a, controller); });
    crew.join();
    EXPECT_EQ(crew.failure(), "") << controller;
    EXPECT_EQ(seen_in(a), pids_of(tasks));
    ASSERT_TRUE(enable_and_dissolve(a, controller));
    expect_no_leaf(a, tasks);
  }
}

}  // namespace
}  // namespace cgm::cgroup
