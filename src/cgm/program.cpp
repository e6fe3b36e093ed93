// SPDX-License-Identifier: LGPL-2.1-or-later
// Attending a program.
#include "cgm/program.hpp"

#include <fcntl.h>
#include <sys/wait.h>

#include <cstdlib>

#include "base/procfs.hpp"
#include "base/sys.hpp"
#include "cgm/command.hpp"

namespace cgm::cli {

namespace {

/// What a signal does to who does not handle it (signal(7)).
bool ends_a_program(int signal) {
  switch (signal) {
    case SIGCHLD:
    case SIGCONT:
    case SIGURG:
    case SIGWINCH:
    case SIGSTOP:
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU: return false;
    default: return true;
  }
}

/// True if the child ignores or catches the signal.
bool handles(const StartedChild& child, int signal) {
  auto text = sys::read_file_at(AT_FDCWD, "/proc/" + std::to_string(child.pid()) + "/status", 64 << 10);
  auto status = text ? procfs::parse_status(*text) : fail(std::move(text.error()));
  return status && ((status->signals_ignored | status->signals_caught) >> (signal - 1) & 1) != 0;
}

}  // namespace

SignalRelay::SignalRelay() {
  ::sigfillset(&signals_);
  for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) ::sigdelset(&signals_, fault);
  ::sigprocmask(SIG_BLOCK, &signals_, &before_);
}

int SignalRelay::attend(const StartedChild& child, bool is_first) const {
  int killed_by = 0;
  for (;;) {
    siginfo_t info{};
    if (::sigwaitinfo(&signals_, &info) < 0) continue;
    int signal = info.si_signo;
    if (signal != SIGCHLD) {
      if (is_first && ends_a_program(signal) && !handles(child, signal)) {
        killed_by = signal;
        (void)sys::pidfd_send_signal(child.pidfd(), SIGKILL);
      } else if (info.si_code != SI_KERNEL) {
        // What the terminal sent has reached the whole process group already.
        (void)sys::pidfd_send_signal(child.pidfd(), signal);
      }
      continue;
    }
    int status = 0;
    pid_t ended;
    while ((ended = ::waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
      if (ended != child.pid()) continue;
      if (WIFEXITED(status)) return WEXITSTATUS(status);
      if (WIFSIGNALED(status)) return 128 + (killed_by != 0 ? killed_by : WTERMSIG(status));
      if (WIFSTOPPED(status)) ::raise(SIGSTOP);
    }
  }
}

std::vector<std::string> shell() {
  const char* name = ::getenv("SHELL");
  return {name && *name ? name : "/bin/sh"};
}

int not_started(const Error& error) {
  complain(error.text());
  return kNotStarted;
}

int failed_start(const Error& error, const std::string& program) {
  if (!error.text().starts_with("execve")) return not_started(error);
  complain("'" + program + "': " + error.text());
  return error.kind() == ErrorKind::not_found ? kNotFound : kNotExecutable;
}

}  // namespace cgm::cli
