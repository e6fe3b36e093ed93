// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cgroup/empty_watch.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <map>
#include <optional>
#include <thread>

#include "base/deadline.hpp"
#include "base/sys.hpp"
#include "cgroup/freeze.hpp"
#include "cgroup/leaf.hpp"
#include "support/actors.hpp"

namespace cgm::cgroup {
namespace {

using namespace std::chrono_literals;
using test::Child;
using test::Sandbox;
using Change = EmptyWatch::Change;
using Id = EmptyWatch::Id;

// Less than the time after which all are looked at anyway: what is told within it was announced.
constexpr auto kAnnounced = 25s;

/// An EmptyWatch with what it has told so far.
class Watcher {
 public:
  explicit Watcher(size_t most = 16) : watch_(*EmptyWatch::create(most)) {}
  EmptyWatch* operator->() { return watch_.get(); }
  /// Waits for a change of one cgroup.
  bool tells(Id id, Change change) {
    for (Deadline deadline = Deadline::after(kAnnounced); !deadline.has_passed(); take(deadline))
      if (told(id, change)) return true;
    return false;
  }
  /// Waits until it has something to do, and has it done.
  void take(Deadline deadline) {
    pollfd poll{watch_->fd(), POLLIN, 0};
    if (::poll(&poll, 1, deadline.poll_ms()) == 1)
      for (const EmptyWatch::Found& found : watch_->ready()) told_[{found.id, found.change}]++;
  }
  bool told(Id id, Change change) const { return told_.contains({id, change}); }
  void forget() { told_.clear(); }

 private:
  std::unique_ptr<EmptyWatch> watch_;
  std::map<std::pair<Id, Change>, int> told_;
};

void leave(const Cgroup& to, pid_t pid) {
  ASSERT_TRUE(to.write("cgroup.procs", std::to_string(pid)));
}

Result<void> remove(const Cgroup& parent, const char* name) {
  return sys::unlinkat(parent.dir(), name, AT_REMOVEDIR);
}

size_t descriptors() {
  Fd dir = *sys::openat(AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY);
  return sys::list_dir(dir.get())->size();
}

class EmptyWatchOn : public testing::TestWithParam<Version> {
 protected:
  void SetUp() override {
    top_ = test::freezer_place(sandbox_, GetParam(), "");
    if (!top_) GTEST_SKIP() << (GetParam() == Version::v1 ? "no v1 freezer hierarchy" : "no v2 tree");
  }
  Cgroup place(std::string_view below) { return *test::freezer_place(sandbox_, GetParam(), below); }
  /// True when a cgroup that is watched, filled and emptied from now on has been told of: later than what came before.
  bool witness(Watcher& watcher) {
    Cgroup cgroup = place("witness");
    Child child = Child::sleeper();
    test::put(cgroup, child.pid());
    auto id = watcher->add(cgroup);
    if (!id) return false;
    child.kill(SIGKILL);
    child.wait();
    bool told = watcher.tells(*id, Change::empty);
    watcher->drop(*id);
    return told;
  }
  Sandbox sandbox_;
  std::optional<Cgroup> top_;
};

INSTANTIATE_TEST_SUITE_P(On, EmptyWatchOn, testing::Values(Version::v1, Version::v2),
                         [](const auto& param) { return param.param == Version::v1 ? "v1" : "v2"; });

TEST_P(EmptyWatchOn, tells_when_the_last_task_ends) {
  Watcher watcher;
  Cgroup a = place("a");
  Child first = Child::sleeper(), last = Child::sleeper();
  test::put(a, first.pid());
  test::put(a, last.pid());
  Id id = *watcher->add(a);
  EXPECT_TRUE(watcher->is_filled(id));
  first.kill(SIGKILL);
  first.wait();
  ASSERT_TRUE(witness(watcher));
  EXPECT_FALSE(watcher.told(id, Change::empty));
  last.kill(SIGKILL);
  EXPECT_TRUE(watcher.tells(id, Change::empty));
  EXPECT_FALSE(watcher->is_filled(id));
}

TEST_P(EmptyWatchOn, tells_when_the_last_task_is_moved_out_alive) {
  Watcher watcher;
  if (GetParam() == Version::v1 && !watcher->sees_moves()) GTEST_SKIP() << "no right to fanotify marks";
  Cgroup a = place("a"), b = place("b");
  Child child = Child::sleeper();
  test::put(a, child.pid());
  Id id = *watcher->add(a);
  leave(b, child.pid());
  EXPECT_TRUE(watcher.tells(id, Change::empty));
}

TEST_P(EmptyWatchOn, tells_again_when_it_was_filled_again) {
  Watcher watcher;
  Cgroup a = place("a");
  Id id = *watcher->add(a);
  EXPECT_FALSE(watcher->is_filled(id));
  for (int round = 0; round < 2; round++) {
    Child child = Child::sleeper();
    test::put(a, child.pid());
    ASSERT_TRUE(watcher.tells(id, Change::filled)) << round;
    child.kill(SIGKILL);
    ASSERT_TRUE(watcher.tells(id, Change::empty)) << round;
    watcher.forget();
  }
}

TEST_P(EmptyWatchOn, says_nothing_of_one_that_never_had_a_task) {
  Watcher watcher;
  Id id = *watcher->add(place("a"));
  ASSERT_TRUE(witness(watcher));
  watcher->look_again(id);
  ASSERT_TRUE(witness(watcher));
  EXPECT_FALSE(watcher.told(id, Change::empty));
}

TEST_P(EmptyWatchOn, waits_for_the_last_child_to_be_removed) {
  Watcher watcher;
  Cgroup a = place("a");
  place("a/b");
  place("a/c");
  Child child = Child::sleeper();
  test::put(a, child.pid());
  Id id = *watcher->add(a);
  child.kill(SIGKILL);
  child.wait();
  ASSERT_TRUE(remove(a, "b"));
  ASSERT_TRUE(witness(watcher));
  EXPECT_FALSE(watcher.told(id, Change::empty));
  ASSERT_TRUE(remove(a, "c"));
  EXPECT_TRUE(watcher.tells(id, Change::empty));
}

TEST_P(EmptyWatchOn, tells_when_the_last_child_is_removed_from_one_without_tasks) {
  Watcher watcher;
  Cgroup a = place("a");
  Id id = *watcher->add(a);
  // Come and gone before anybody looks.
  place("a/b");
  ASSERT_TRUE(remove(a, "b"));
  EXPECT_TRUE(watcher.tells(id, Change::empty));
}

TEST_P(EmptyWatchOn, tells_of_a_task_that_came_and_went_before_anybody_looked) {
  Watcher watcher;
  if (GetParam() == Version::v1 && !watcher->sees_moves()) GTEST_SKIP() << "no right to fanotify marks";
  Cgroup a = place("a");
  Id id = *watcher->add(a);
  Child child = Child::sleeper();
  test::put(a, child.pid());
  child.kill(SIGKILL);
  child.wait();
  EXPECT_TRUE(watcher.tells(id, Change::empty));
}

TEST_P(EmptyWatchOn, follows_a_chain_of_forks_to_its_end) {
  Watcher watcher;
  Cgroup a = place("a");
  Id id = *watcher->add(a);
  Child chain = test::fork_chain(a, 500);
  EXPECT_TRUE(watcher.tells(id, Change::empty));
  EXPECT_TRUE(a.read("cgroup.procs")->empty());
}

TEST_P(EmptyWatchOn, tells_at_once_of_one_that_was_known_to_be_filled_and_is_not) {
  Watcher watcher;
  Id id = *watcher->add(place("a"), true);
  EXPECT_TRUE(watcher.tells(id, Change::empty));
}

TEST_P(EmptyWatchOn, does_not_take_one_that_was_made_anew_for_the_old_one) {
  Watcher watcher;
  Child child = Child::sleeper();
  Cgroup a = place("a");
  Id id = *watcher->add(a);
  ASSERT_TRUE(remove(*top_, "a"));
  Cgroup again = place("a");
  test::put(again, child.pid());
  watcher->look_again(id);
  EXPECT_TRUE(watcher.tells(id, Change::gone));
  EXPECT_EQ(watcher->size(), 0u);
  EXPECT_FALSE(watcher.told(id, Change::filled));
  EXPECT_FALSE(watcher->add(a));
}

TEST_P(EmptyWatchOn, takes_each_cgroup_once_and_no_more_than_it_may) {
  Watcher watcher(2);
  Cgroup a = place("a"), b = place("b"), c = place("c");
  Id id = *watcher->add(a);
  EXPECT_EQ(watcher->add(a).error().kind(), ErrorKind::exists);
  ASSERT_TRUE(watcher->add(b));
  EXPECT_EQ(watcher->add(c).error().kind(), ErrorKind::quota);
  watcher->drop(id);
  EXPECT_TRUE(watcher->add(c));
  EXPECT_EQ(watcher->size(), 2u);
  // The one that was refused has not cost the first its watch.
  watcher->drop(id);
  EXPECT_EQ(watcher->size(), 2u);
}

TEST_P(EmptyWatchOn, keeps_no_descriptor_of_what_is_dropped) {
  Cgroup a = place("a");
  Child child = Child::sleeper();
  test::put(a, child.pid());
  size_t before = descriptors();
  {
    Watcher watcher;
    size_t alone = descriptors();
    EXPECT_LE(alone - before, EmptyWatch::kDescriptors - 32);
    Id id = *watcher->add(a);
    EXPECT_EQ(descriptors() - alone, GetParam() == Version::v1 ? 1u : 0u);
    watcher->drop(id);
    EXPECT_EQ(descriptors(), alone);
  }
  EXPECT_EQ(descriptors(), before);
}

TEST_P(EmptyWatchOn, takes_no_more_than_its_share_of_a_processor) {
  Watcher watcher(300);
  Cgroup a = place("a"), b = place("b");
  for (int i = 0; i < 200; i++) ASSERT_TRUE(watcher->add(place("many-" + std::to_string(i))));
  ASSERT_TRUE(watcher->add(a));
  // Moves itself to and fro; a second one keeps the ends of tasks coming.
  Child mover([&] {
    for (;;)
      for (const Cgroup* to : {&a, &b})
        if (!to->write(tasks_file(GetParam()), "0")) return 1;
  });
  Child chain = test::fork_chain(a, 100'000'000);
  timespec begun, ended;
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begun);
  for (Deadline deadline = Deadline::after(2s); !deadline.has_passed();) watcher.take(deadline);
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ended);
  double used = double(ended.tv_sec - begun.tv_sec) + 1e-9 * double(ended.tv_nsec - begun.tv_nsec);
  EXPECT_LT(used, 0.3);  // a tenth of the time, and what was saved up before
}

TEST_P(EmptyWatchOn, tells_of_what_came_while_its_budget_was_used_up) {
  Watcher watcher;
  Cgroup a = place("a");
  Id id = *watcher->add(a);
  {
    Child last = Child::sleeper();
    test::put(a, last.pid());
    ASSERT_TRUE(watcher.tells(id, Change::filled));
    // More than it may save up, by far.
    for (Deadline deadline = Deadline::after(100ms); !deadline.has_passed();) (void)watcher->ready();
  }
  EXPECT_TRUE(watcher.tells(id, Change::empty));
}

/// Takes all capabilities but those to act on the files of others.
void drop_administration() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  data[0].effective = data[0].permitted = 1u << CAP_DAC_OVERRIDE | 1u << CAP_KILL;
  if (::syscall(SYS_capset, &header, data) < 0) ::_exit(99);
}

TEST_P(EmptyWatchOn, does_without_the_right_to_administrate) {
  Cgroup a = place("a");
  Child task = Child::sleeper();
  test::put(a, task.pid());
  Child watching([&] {
    drop_administration();
    auto watch = EmptyWatch::create(1);
    if (!watch || (*watch)->sees_moves()) return 2;
    auto id = (*watch)->add(a);
    if (!id || !(*watch)->is_filled(*id)) return 3;
    ::kill(task.pid(), SIGKILL);
    for (Deadline deadline = Deadline::after(kAnnounced); !deadline.has_passed();) {
      pollfd poll{(*watch)->fd(), POLLIN, 0};
      if (::poll(&poll, 1, deadline.poll_ms()) == 1)
        for (const EmptyWatch::Found& found : (*watch)->ready())
          if (found.change == Change::empty) return 0;
    }
    return 4;
  });
  EXPECT_EQ(watching.wait(), 0);
}

TEST(EmptyWatchV1, sees_a_thread_leave_that_was_there_alone) {
  Sandbox sandbox;
  auto a = test::freezer_place(sandbox, Version::v1, "a");
  if (!a) GTEST_SKIP() << "no v1 freezer hierarchy";
  if (!sys::pidfd_open_thread(::getpid())) GTEST_SKIP() << "no PIDFD_THREAD: this kernel is older than 6.9";
  Watcher watcher;
  Id id = *watcher->add(*a);
  int gate[2];
  ASSERT_EQ(::pipe2(gate, O_CLOEXEC), 0);
  std::thread thread([&] {
    EXPECT_TRUE(a->write("tasks", "0"));
    char byte;
    (void)!::read(gate[0], &byte, 1);
  });
  EXPECT_TRUE(watcher.tells(id, Change::filled));
  EXPECT_EQ(::write(gate[1], "x", 1), 1);
  thread.join();
  EXPECT_TRUE(watcher.tells(id, Change::empty));
  ::close(gate[0]);
  ::close(gate[1]);
}

TEST(EmptyWatchV2, does_not_take_freezing_for_tasks) {
  Sandbox sandbox;
  auto a = test::freezer_place(sandbox, Version::v2, "a");
  if (!a) GTEST_SKIP() << "no v2 tree";
  Watcher watcher;
  Id id = *watcher->add(*a);
  for (bool frozen : {true, false}) {
    ASSERT_TRUE(set_frozen(*a, frozen));
    auto witness = test::freezer_place(sandbox, Version::v2, frozen ? "w1" : "w2");
    Child child = Child::sleeper();
    test::put(*witness, child.pid());
    Id other = *watcher->add(*witness);
    child.kill(SIGKILL);
    ASSERT_TRUE(watcher.tells(other, Change::empty));
  }
  EXPECT_FALSE(watcher.told(id, Change::empty));
}

TEST(EmptyWatchV2, counts_our_leaf_as_no_child) {
  Sandbox sandbox;
  const Hierarchy* tree = sandbox.hierarchies().unified();
  if (!tree || tree->controllers().empty()) GTEST_SKIP() << "no v2 tree with controllers";
  std::string controller = tree->controllers().front();
  if (!sandbox.usable(controller)) GTEST_SKIP() << "controller " << controller << " cannot be enabled here";
  Cgroup a = sandbox.at("unified", "a");
  Child child = Child::sleeper();
  test::put(a, child.pid());
  ASSERT_TRUE(enable_controller(a, controller));
  ASSERT_TRUE(open_leaf(a));
  Watcher watcher;
  Id id = *watcher->add(a);
  child.kill(SIGKILL);
  EXPECT_TRUE(watcher.tells(id, Change::empty));
}

}  // namespace
}  // namespace cgm::cgroup
