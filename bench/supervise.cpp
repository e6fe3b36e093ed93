// SPDX-License-Identifier: LGPL-2.1-or-later
// Cleaning up.
#include "supervise.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace cgm::bench {

namespace {

class Directory final {
 public:
  Directory() {
    const char* base = ::getenv("TMPDIR");
    path_ = std::string(base && *base != '\0' ? base : "/tmp") + "/cgm-bench.XXXXXX";
    if (!::mkdtemp(path_.data()) || ::chmod(path_.c_str(), 0755) < 0) {
      std::perror("cgm_bench: mkdtemp");
      std::exit(1);
    }
  }
  ~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Waits for the child, or for a signal that ends both.
int wait_for(test::Child& child, const sigset_t& signals) {
  for (;;) {
    siginfo_t info;
    int signal = ::sigwaitinfo(&signals, &info);
    if (signal < 0) continue;
    if (signal != SIGCHLD) {
      child.kill(SIGKILL);
      (void)child.wait();
      return 128 + signal;
    }
    siginfo_t ended{};
    if (::waitid(P_PID, static_cast<id_t>(child.pid()), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid != 0)
      return child.wait();
  }
}

}  // namespace

int supervise(const std::function<int(const test::Sandbox& sandbox, const std::string& directory)>& work) {
  sigset_t signals, before;
  ::sigemptyset(&signals);
  for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) ::sigaddset(&signals, signal);
  ::sigprocmask(SIG_BLOCK, &signals, &before);
  // What a killed child leaves is ours to reap.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  Directory directory;
  test::Sandbox sandbox;
  int status = 0;
  {
    test::Child child([&] {
      ::sigprocmask(SIG_SETMASK, &before, nullptr);
      return work(sandbox, directory.path());
    });
    status = wait_for(child, signals);
  }
  // Its processes die with it, one generation after the other.
  test::eventually([] {
    pid_t reaped;
    do reaped = ::waitpid(-1, nullptr, WNOHANG);
    while (reaped > 0);
    return reaped < 0;
  });
  return status;
}

}  // namespace cgm::bench
