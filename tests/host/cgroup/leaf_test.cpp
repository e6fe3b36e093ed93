// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cgroup/leaf.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include "base/sys.hpp"
#include "cgroup/kill.hpp"
#include "cgroup/tasks.hpp"
#include "cgroup/tree.hpp"
#include "support/actors.hpp"
#include "support/inner_cgroup.hpp"

namespace cgm::cgroup {
namespace {

using namespace std::chrono_literals;
using test::as_user;
using test::Child;
using test::expect_own_tasks;
using test::kSomebody;
using test::pids_of;
using test::plant_leaf;
using test::seen_in;
using test::sleepers_in;
using test::text_of;

class Leaf : public test::InnerCgroup {};

/// That a leaf is not taken for ours, and that nothing happens to the cgroup of these tasks.
void expect_refused(const Cgroup& cgroup, const std::vector<Child>& tasks, const std::string& controller) {
  auto opened = open_leaf(cgroup);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind(), ErrorKind::denied) << opened.error().text();
  auto enabled = enable_controller(cgroup, controller);
  ASSERT_FALSE(enabled);
  EXPECT_EQ(enabled.error().kind(), ErrorKind::denied) << enabled.error().text();
  expect_own_tasks(cgroup, tasks);
}

/// Ends what is in a cgroup and below it, however fast it forks.
class KillAtEnd final {
 public:
  explicit KillAtEnd(const Cgroup& cgroup) : cgroup_(cgroup) {}
  ~KillAtEnd() { (void)kill(direct_target({&cgroup_, 1}), SIGKILL, Deadline::after(60s)); }
  KillAtEnd(const KillAtEnd&) = delete;
  KillAtEnd& operator=(const KillAtEnd&) = delete;

 private:
  const Cgroup& cgroup_;
};

void expect_to_outrun_a_storm(const Cgroup& a, const std::string& controller) {
  KillAtEnd end(a);
  std::vector<Child> sleeper = sleepers_in(a, 1);
  for (int chain = 0; chain < 3; chain++) (void)test::fork_chain(a, 100'000'000);
  auto enabled = enable_controller(a, controller);
  ASSERT_TRUE(enabled) << enabled.error().text();
  EXPECT_EQ(text_of(a, "cgroup.type"), "domain");
  EXPECT_EQ(text_of(a, "cgroup.procs"), "");
  EXPECT_EQ(text_of(a, "cgroup.subtree_control"), controller);
  auto leaf = open_leaf(a);
  ASSERT_TRUE(leaf) << leaf.error().text();
  auto moved = ids_in(*leaf, "cgroup.procs");
  ASSERT_TRUE(moved) << moved.error().text();
  EXPECT_EQ(std::count(moved->begin(), moved->end(), sleeper[0].pid()), 1);
  // The chains go on there: a link may be between two readings, three of them never.
  EXPECT_TRUE(test::eventually([&] { return text_of(*leaf, "cgroup.procs").find('\n') != std::string::npos; }));
}

TEST_F(Leaf, holds_the_tasks_of_a_cgroup_whose_children_need_a_controller) {
  Cgroup a = at("a");
  std::vector<Child> tasks = sleepers_in(a, 1);
  auto enabled = enable_controller(a, controllers().front());
  ASSERT_TRUE(enabled) << enabled.error().text();
  EXPECT_EQ(text_of(a, "cgroup.procs"), "");
  EXPECT_EQ(text_of(a, "cgroup.type"), "domain");
  EXPECT_EQ(seen_in(a), pids_of(tasks));
  EXPECT_TRUE(a.children()->empty());
  EXPECT_TRUE(open_leaf(a));
}

TEST_F(Leaf, takes_a_storm_of_forks_before_a_domain_controller_is_enabled) {
  if (domain_controller().empty()) GTEST_SKIP() << "no domain controller can be enabled here";
  expect_to_outrun_a_storm(at("a"), domain_controller());
}

TEST_F(Leaf, takes_a_storm_of_forks_before_a_threaded_controller_is_enabled) {
  if (threaded_controller().empty()) GTEST_SKIP() << "no threaded controller can be enabled here";
  expect_to_outrun_a_storm(at("a"), threaded_controller());
}

TEST_F(Leaf, is_not_made_in_a_threaded_cgroup) {
  Cgroup above = at("a"), a = at("a/b");
  // Only what is available there could be enabled; where there is none the answer is still that it is threaded.
  std::string controller = threaded_controller().empty() ? controllers().front() : threaded_controller();
  if (!threaded_controller().empty()) {
    ASSERT_TRUE(above.write("cgroup.subtree_control", "+" + controller));
  }
  auto threaded = a.write("cgroup.type", "threaded");
  ASSERT_TRUE(threaded) << threaded.error().text();
  std::vector<Child> tasks = sleepers_in(a, 1);
  for (const Cgroup* cgroup : {&a, &above}) {
    std::string type = text_of(*cgroup, "cgroup.type");
    std::string before = text_of(*cgroup, "cgroup.subtree_control");
    auto enabled = enable_controller(*cgroup, controller);
    ASSERT_FALSE(enabled) << type;
    EXPECT_EQ(enabled.error().kind(), ErrorKind::busy) << enabled.error().text();
    EXPECT_EQ(text_of(*cgroup, "cgroup.subtree_control"), before);
    EXPECT_EQ(text_of(*cgroup, "cgroup.type"), type);
    EXPECT_FALSE(cgroup->has_file(kLeafName));
  }
  EXPECT_EQ(text_of(a, "cgroup.threads"), std::to_string(tasks[0].pid()));
}

TEST_F(Leaf, is_no_home_in_a_threaded_cgroup) {
  if (threaded_controller().empty()) GTEST_SKIP() << "no threaded controller can be enabled here";
  Cgroup a = at("a");
  std::vector<Child> tasks = sleepers_in(a, 1);
  ASSERT_TRUE(a.write("cgroup.subtree_control", "+" + threaded_controller()));
  ASSERT_EQ(text_of(a, "cgroup.type"), "domain threaded");
  auto home = home_of_tasks(a);
  ASSERT_FALSE(home);
  EXPECT_EQ(home.error().kind(), ErrorKind::busy) << home.error().text();
  EXPECT_FALSE(a.has_file(kLeafName));
}

TEST_F(Leaf, is_refused_when_somebody_else_made_it) {
  Cgroup a = at("a");
  std::vector<Child> tasks = sleepers_in(a, 2);
  Cgroup planted = plant_leaf(a);
  expect_refused(a, tasks, controllers().front());
  EXPECT_EQ(text_of(planted, "cgroup.procs"), "");
}

TEST_F(Leaf, is_refused_when_another_user_made_and_marked_it) {
  Cgroup a = at("a");
  std::vector<Child> tasks = sleepers_in(a, 2);
  ASSERT_TRUE(delegate(a, kSomebody, kSomebody));
  ASSERT_EQ(as_user(kSomebody,
                    [&] {
                      std::string name(kLeafName);
                      if (!sys::mkdirat(a.dir(), name, 0755)) return 1;
                      auto dir = sys::openat(a.dir(), name, O_RDONLY | O_DIRECTORY);
                      if (!dir || !sys::fsetxattr(dir->get(), "user.cgmanager.leaf", "1")) return 2;
                      // It counts for those whose own it is.
                      return open_leaf(a) ? 0 : 3;
                    }),
            0);
  expect_refused(a, tasks, controllers().front());
  EXPECT_EQ(as_user(kSomebody + 1, [&] { return open_leaf(a) ? 1 : 0; }), 0);
}

TEST_F(Leaf, that_somebody_planted_is_nobodys_home) {
  Cgroup a = at("a");
  ASSERT_TRUE(a.write("cgroup.subtree_control", "+" + controllers().front()));
  Cgroup planted = plant_leaf(a);
  ASSERT_TRUE(sys::fchownat(a.dir(), std::string(kLeafName), kSomebody, kSomebody, 0));
  std::vector<Child> tasks = sleepers_in(planted, 1);
  auto home = home_of_tasks(a);
  ASSERT_FALSE(home);
  EXPECT_EQ(home.error().kind(), ErrorKind::denied) << home.error().text();
  EXPECT_TRUE(seen_in(a).empty());
}

TEST_F(Leaf, gives_the_owner_of_the_cgroup_the_files_that_move_and_keeps_those_that_stop) {
  Cgroup a = at("a");
  std::vector<Child> tasks = sleepers_in(a, 1);
  ASSERT_TRUE(delegate(a, kSomebody, kSomebody + 1));
  auto enabled = enable_controller(a, controllers().front());
  ASSERT_TRUE(enabled) << enabled.error().text();
  auto leaf = open_leaf(a);
  ASSERT_TRUE(leaf) << leaf.error().text();
  for (const char* file : {"cgroup.procs", "cgroup.threads"}) {
    auto st = sys::fstatat(leaf->dir(), file, 0);
    EXPECT_EQ(st->st_uid, kSomebody) << file;
    EXPECT_EQ(st->st_gid, kSomebody + 1) << file;
  }
  EXPECT_EQ(sys::fstat(leaf->dir())->st_uid, 0u);
  for (const char* file : {"cgroup.kill", "cgroup.freeze", "cgroup.subtree_control"})
    if (auto st = sys::fstatat(leaf->dir(), file, 0)) {
      EXPECT_EQ(st->st_uid, 0u) << file;
    }
}

TEST_F(Leaf, is_ours_in_the_eyes_of_a_plain_user) {
  Cgroup a = at("a");
  std::vector<Child> tasks = sleepers_in(a, 1);
  ASSERT_TRUE(enable_controller(a, controllers().front()));
  EXPECT_EQ(as_user(kSomebody,
                    [&] {
                      auto leaf = open_leaf(a);
                      if (!leaf) return 1;
                      auto seen = tasks_of(a);
                      return seen && *seen == pids_of(tasks) ? 0 : 2;
                    }),
            0);
}

TEST_F(Leaf, is_not_made_for_tasks_that_another_pid_namespace_hides) {
  Cgroup a = at("a");
  std::vector<Child> tasks = sleepers_in(a, 2);
  Child apart([&] {
    if (::unshare(CLONE_NEWPID) < 0) return 125;
    Child inside([&] {
      // One that is seen, behind those that are not: it must not be moved either.
      Child seen = Child::sleeper();
      test::put(a, seen.pid());
      auto enabled = enable_controller(a, controllers().front());
      if (enabled || enabled.error().kind() != ErrorKind::busy) return 1;
      if (enabled.error().text().find("pid namespace") == std::string::npos) return 3;
      auto own = parse_ids(text_of(a, "cgroup.procs"));
      return own && own->size() == 3 ? 0 : 2;
    });
    return inside.wait();
  });
  ASSERT_EQ(apart.wait(), 0);
  expect_own_tasks(a, tasks);
  EXPECT_FALSE(a.has_file(kLeafName));
}

TEST_F(Leaf, is_the_home_of_those_who_join_an_inner_cgroup) {
  Cgroup a = at("a");
  auto itself = home_of_tasks(a);
  ASSERT_TRUE(itself) << itself.error().text();
  EXPECT_EQ(itself->path(), a.path());
  EXPECT_FALSE(a.has_file(kLeafName));
  ASSERT_TRUE(a.write("cgroup.subtree_control", "+" + controllers().front()));
  auto home = home_of_tasks(a);
  ASSERT_TRUE(home) << home.error().text();
  ASSERT_EQ(home->path().name(), kLeafName);
  EXPECT_TRUE(open_leaf(a));
  std::vector<Child> tasks = sleepers_in(*home, 1);
  EXPECT_EQ(seen_in(a), pids_of(tasks));
}

TEST_F(Leaf, holds_the_tasks_of_the_root_of_a_cgroup_namespace) {
  Cgroup a = at("a");
  Child inside([&] {
    test::put(a, 0);
    if (::unshare(CLONE_NEWCGROUP) < 0) return 125;
    auto mounted = sys::mount_detached("cgroup2", {});
    if (!mounted) return 124;
    Hierarchy tree({.version = Version::v2, .controllers = {}, .mount_point = {}, .mount_root = "/"},
                   std::move(*mounted));
    auto root = Cgroup::open(tree, CgroupPath());
    if (!root || is_true_root(*root)) return 1;
    if (!enable_controller(*root, controllers().front())) return 2;
    auto tasks = tasks_of(*root);
    if (!tasks || *tasks != std::vector<pid_t>{::getpid()}) return 3;
    return contains_self(*open_leaf(*root)).value_or(false) ? 0 : 4;
  });
  ASSERT_EQ(inside.wait(), 0);
  EXPECT_EQ(text_of(a, "cgroup.type"), "domain");
  EXPECT_EQ(text_of(a, "cgroup.subtree_control"), controllers().front());
  EXPECT_TRUE(open_leaf(a));
}

}  // namespace
}  // namespace cgm::cgroup
