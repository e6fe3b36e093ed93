// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cgroup/kill.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

namespace cgm::cgroup {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr pid_t kNobody = 2'000'000'000;  // above every pid_max

/// A process that sleeps until it is killed; its second thread does so too.
class Sleeper final {
 public:
  Sleeper() {
    int ends[2];
    if (::pipe(ends) < 0) std::abort();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      std::thread([&] {
        pid_t tid = ::gettid();
        if (::write(ends[1], &tid, sizeof tid) != sizeof tid) ::_exit(1);
        for (;;) ::pause();
      }).join();
    }
    if (::read(ends[0], &thread_, sizeof thread_) != sizeof thread_) std::abort();
    ::close(ends[0]);
    ::close(ends[1]);
  }
  ~Sleeper() {
    if (is_alive()) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;
  pid_t pid() const { return pid_; }
  pid_t thread() const { return thread_; }
  bool is_alive() {
    if (!reaped_) reaped_ = ::waitpid(pid_, nullptr, WNOHANG) == pid_;
    return !reaped_;
  }

 private:
  pid_t pid_ = -1, thread_ = -1;
  bool reaped_ = false;
};

/// A target that is a list of sleepers and writes down what is done to it.
struct Target {
  std::vector<Sleeper*> sleepers;
  std::vector<pid_t> others;  // listed for good
  std::vector<std::string> log;

  KillTarget functions() {
    KillTarget target;
    target.list = [this]() -> Result<std::vector<pid_t>> {
      std::vector<pid_t> ids = others;
      for (Sleeper* sleeper : sleepers)
        if (sleeper->is_alive()) ids.push_back(sleeper->pid());
      return ids;
    };
    return target;
  }
  /// The same with a freezer, and with signals that reach nobody.
  KillTarget harmless() {
    KillTarget target = functions();
    target.freeze = [this](Deadline) -> Result<void> {
      log.push_back("freeze");
      return {};
    };
    target.thaw = [this](Deadline) -> Result<void> {
      log.push_back("thaw");
      return {};
    };
    target.signal = [this](const Process& process, int) -> Result<void> {
      log.push_back(std::to_string(process.pid()));
      return {};
    };
    return target;
  }
};

TEST(Kill, ends_every_process_and_waits_until_none_is_listed) {
  Sleeper one, two;
  Target target{{&one, &two}, {}, {}};
  auto outcome = kill(target.functions(), SIGKILL, Deadline::after(30s));
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_TRUE(outcome->is_empty());
  EXPECT_FALSE(one.is_alive());
  EXPECT_FALSE(two.is_alive());
}

TEST(Kill, makes_one_round_also_when_there_is_no_time) {
  Sleeper one;
  Target target{{&one}, {}, {}};
  ASSERT_TRUE(kill(target.functions(), SIGKILL, Deadline::after(0s)));
  Backoff backoff(Deadline::after(30s));
  while (one.is_alive() && backoff.pause()) {
  }
  EXPECT_FALSE(one.is_alive());
}

TEST(Kill, leaves_alone_whoever_has_the_pid_of_one_that_was_listed) {
  Sleeper stranger;
  int lists = 0;
  KillTarget target;
  // Listed when we look, and no longer when it has been pinned: the pid is a stranger's by then.
  target.list = [&]() -> Result<std::vector<pid_t>> {
    return ++lists <= 2 ? std::vector<pid_t>{stranger.pid()} : std::vector<pid_t>{};
  };
  bool signalled = false;
  target.signal = [&](const Process&, int) -> Result<void> {
    signalled = true;
    return {};
  };
  auto outcome = kill(target, SIGKILL, Deadline::after(30s));
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_TRUE(outcome->is_empty());
  EXPECT_GE(lists, 3);
  EXPECT_FALSE(signalled);
}

TEST(Kill, takes_a_thread_for_its_process) {
  Sleeper one;
  KillTarget target;
  target.list = [&]() -> Result<std::vector<pid_t>> {
    return one.is_alive() ? std::vector<pid_t>{one.thread()} : std::vector<pid_t>{};
  };
  auto outcome = kill(target, SIGKILL, Deadline::after(30s));
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_TRUE(outcome->is_empty());
  EXPECT_FALSE(one.is_alive());
}

TEST(Kill, signals_each_process_once_whatever_of_it_is_listed) {
  Sleeper one;
  Target target{{&one}, {one.thread()}, {}};
  KillTarget functions = target.harmless();
  functions.freeze = nullptr;
  functions.thaw = nullptr;
  auto outcome = kill(functions, SIGTERM, Deadline::after(50ms));
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_THAT(target.log, ElementsAre(std::to_string(one.pid())));
  ASSERT_EQ(outcome->left.size(), 1u);
  EXPECT_EQ(outcome->left[0].pid, one.pid());
  EXPECT_EQ(outcome->left[0].why, "has not ended");
  EXPECT_FALSE(outcome->left[0].command.empty());
}

TEST(Kill, reaches_processes_that_come_meanwhile) {
  Sleeper one, two;
  Target target{{&one}, {}, {}};
  KillTarget functions = target.functions();
  functions.signal = [&](const Process& process, int signal) {
    if (process.pid() == one.pid()) target.sleepers.push_back(&two);
    return process.signal(signal);
  };
  auto outcome = kill(functions, SIGKILL, Deadline::after(30s));
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_TRUE(outcome->is_empty());
  EXPECT_FALSE(two.is_alive());
}

TEST(Kill, leaves_alone_and_names_whom_the_caller_may_not_kill) {
  Sleeper mine, other;
  Target target{{&mine, &other}, {}, {}};
  KillTarget functions = target.functions();
  functions.may = [&](const Process& process) -> Result<void> {
    if (process.pid() == mine.pid()) return {};
    return fail(ErrorKind::denied, "is not yours");
  };
  auto outcome = kill(functions, SIGKILL, Deadline::after(30s));
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_FALSE(mine.is_alive());
  EXPECT_TRUE(other.is_alive());
  ASSERT_EQ(outcome->left.size(), 1u);
  EXPECT_EQ(outcome->left[0].pid, other.pid());
  EXPECT_EQ(outcome->left[0].why, "is not yours");
}

TEST(Kill, names_whom_the_kernel_does_not_let_us_signal) {
  Sleeper one;
  Target target{{&one}, {}, {}};
  KillTarget functions = target.functions();
  functions.signal = [](const Process&, int) -> Result<void> {
    return fail(Error::from_errno(EPERM, "pidfd_send_signal"));
  };
  auto outcome = kill(functions, SIGKILL, Deadline::after(30s));
  ASSERT_TRUE(outcome) << outcome.error().text();
  ASSERT_EQ(outcome->left.size(), 1u);
  EXPECT_THAT(outcome->left[0].why, HasSubstr("Operation not permitted"));
}

TEST(Kill, does_nothing_to_a_target_that_holds_ourselves) {
  Sleeper one;
  Target target{{&one}, {::getpid()}, {}};
  auto outcome = kill(target.harmless(), SIGKILL, Deadline::after(30s));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind(), ErrorKind::invalid);
  EXPECT_THAT(target.log, ElementsAre());
}

TEST(Kill, does_not_signal_ourselves_when_we_come_later) {
  int lists = 0;
  Target target;
  KillTarget functions = target.harmless();
  functions.list = [&]() -> Result<std::vector<pid_t>> {
    return {++lists == 1 ? std::vector<pid_t>{kNobody} : std::vector<pid_t>{::getpid()}};
  };
  auto outcome = kill(functions, SIGKILL, Deadline::after(30s));
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_THAT(target.log, ElementsAre("freeze", "thaw"));
  ASSERT_EQ(outcome->left.size(), 1u);
  EXPECT_EQ(outcome->left[0].why, "is this very process");
}

TEST(Kill, neither_stops_nor_signals_the_first_process) {
  Sleeper one;
  Target target{{&one}, {1}, {}};
  auto outcome = kill(target.harmless(), SIGKILL, Deadline::after(20ms));
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_THAT(target.log, ElementsAre(std::to_string(one.pid())));
  ASSERT_EQ(outcome->left.size(), 2u);
  EXPECT_EQ(outcome->left[0].pid, 1);
  EXPECT_EQ(outcome->left[0].why, "is the first process of its pid namespace");
}

TEST(Kill, leaves_kernel_threads_alone) {
  auto proc = ProcFs::open();
  ASSERT_TRUE(proc);
  auto kthreadd = Process::open(*proc, 2);
  auto stat = kthreadd ? kthreadd->stat() : Result<procfs::Stat>(fail(ErrorKind::gone, ""));
  if (!stat || (stat->flags & procfs::kFlagKthread) == 0) GTEST_SKIP() << "no kernel thread in this pid namespace";
  Target target{{}, {2}, {}};
  auto outcome = kill(target.harmless(), SIGKILL, Deadline::after(30s));
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_THAT(target.log, ElementsAre("freeze", "thaw"));
  ASSERT_EQ(outcome->left.size(), 1u);
  EXPECT_EQ(outcome->left[0].why, "is a kernel thread");
}

TEST(Kill, says_when_tasks_of_other_pid_namespaces_are_left) {
  Target target{{}, {0}, {}};
  auto outcome = kill(target.harmless(), SIGKILL, Deadline::after(30s));
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_TRUE(outcome->left.empty());
  EXPECT_TRUE(outcome->unseen);
  EXPECT_FALSE(outcome->is_empty());
}

TEST(Kill, names_what_proc_does_not_show) {
  Target target{{}, {kNobody}, {}};
  auto outcome = kill(target.functions(), SIGKILL, Deadline::after(20ms));
  ASSERT_TRUE(outcome) << outcome.error().text();
  ASSERT_EQ(outcome->left.size(), 1u);
  EXPECT_EQ(outcome->left[0].pid, kNobody);
  EXPECT_EQ(outcome->left[0].why, "is not shown in /proc");
}

TEST(Kill, freezes_before_it_signals_and_thaws_after_it) {
  Sleeper one;
  Target target{{&one}, {}, {}};
  ASSERT_TRUE(kill(target.harmless(), SIGTERM, Deadline::after(20ms)));
  EXPECT_THAT(target.log, ElementsAre("freeze", std::to_string(one.pid()), "thaw"));
}

TEST(Kill, thaws_also_when_the_list_cannot_be_read) {
  Sleeper one;
  Target target{{&one}, {}, {}};
  KillTarget functions = target.harmless();
  int lists = 0;
  functions.list = [&, list = functions.list]() -> Result<std::vector<pid_t>> {
    if (++lists == 3) return fail(ErrorKind::os, "input/output error");
    return list();
  };
  auto outcome = kill(functions, SIGKILL, Deadline::after(30s));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().text(), "input/output error");
  EXPECT_THAT(target.log, ElementsAre("freeze", "thaw"));
}

TEST(Kill, goes_on_without_freezing_where_that_fails) {
  Sleeper one, two;
  Target target{{&one}, {}, {}};
  KillTarget functions = target.harmless();
  functions.freeze = [&](Deadline) -> Result<void> {
    target.log.push_back("cannot");
    return fail(ErrorKind::timeout, "did not freeze in time");
  };
  functions.signal = [&](const Process& process, int signal) {
    // A second one that comes now would be met frozen, if that had worked.
    if (process.pid() == one.pid()) target.sleepers.push_back(&two);
    return process.signal(signal);
  };
  auto outcome = kill(functions, SIGKILL, Deadline::after(30s));
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_TRUE(outcome->is_empty());
  EXPECT_THAT(target.log, ElementsAre("cannot", "thaw"));
}

TEST(Kill, says_why_what_is_frozen_cannot_end) {
  Sleeper one;
  Target target{{&one}, {}, {}};
  KillTarget functions = target.harmless();
  functions.thaw = [](Deadline) -> Result<void> { return fail(ErrorKind::busy, "an ancestor is frozen"); };
  auto outcome = kill(functions, SIGKILL, Deadline::after(20ms));
  ASSERT_TRUE(outcome) << outcome.error().text();
  ASSERT_EQ(outcome->left.size(), 1u);
  EXPECT_EQ(outcome->left[0].why, "cannot end: an ancestor is frozen");
}

TEST(Kill, at_one_stroke_needs_no_round) {
  Sleeper one;
  Target target{{&one}, {}, {}};
  KillTarget functions = target.functions();
  functions.freeze =
      functions.thaw = [](Deadline) -> Result<void> { return fail(ErrorKind::os, "frozen for nothing"); };
  functions.at_once = [&]() -> Result<bool> {
    target.log.push_back("at once");
    ::kill(one.pid(), SIGKILL);
    return true;
  };
  auto outcome = kill(functions, SIGKILL, Deadline::after(30s));
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_TRUE(outcome->is_empty());
  EXPECT_THAT(target.log, ElementsAre("at once"));
}

TEST(Kill, is_not_done_at_one_stroke_where_that_would_hit_others) {
  Sleeper one;
  auto is_asked = [&](int signal, std::vector<pid_t> others, bool judged) {
    Target target{{&one}, std::move(others), {}};
    KillTarget functions = target.harmless();
    bool asked = false;
    functions.at_once = [&]() -> Result<bool> {
      asked = true;
      return false;
    };
    if (judged) functions.may = [](const Process&) -> Result<void> { return {}; };
    EXPECT_TRUE(kill(functions, signal, Deadline::after(10ms)));
    return asked;
  };
  EXPECT_TRUE(is_asked(SIGKILL, {}, false));
  EXPECT_FALSE(is_asked(SIGTERM, {}, false));
  EXPECT_FALSE(is_asked(SIGKILL, {1}, false));
  EXPECT_FALSE(is_asked(SIGKILL, {}, true));
}

}  // namespace
}  // namespace cgm::cgroup
