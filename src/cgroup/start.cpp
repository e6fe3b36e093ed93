// SPDX-License-Identifier: LGPL-2.1-or-later
// clone3, enter, exec. The child allocates nothing.
#include "cgroup/start.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "base/number.hpp"
#include "base/sys.hpp"

namespace cgm::cgroup {

namespace {

/// What the child tells of a failure, in one write.
struct Report {
  enum Step : int { enter, gate, exec } step;
  int error;
};

/// Everything the child needs, made before the clone.
struct Prepared {
  std::vector<std::string> candidates;  // paths to try, in order
  std::vector<char*> argv;
  std::vector<char*> shell_argv;  // `sh`, a candidate, the arguments
  std::vector<int> tasks;
  int gate = -1;
  int report = -1;
  const sigset_t* mask = nullptr;
};

std::vector<std::string> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return {name};
  const char* path = ::getenv("PATH");
  std::string_view rest = path ? path : "/usr/local/bin:/usr/bin:/bin";
  std::vector<std::string> candidates;
  while (!rest.empty()) {
    std::string_view folder = take_until(rest, ':');
    candidates.push_back((folder.empty() ? "." : std::string(folder)) + "/" + name);
  }
  return candidates;
}

[[noreturn]] void give_up(const Prepared& prepared, Report::Step step) {
  Report report{step, errno};
  (void)!::write(prepared.report, &report, sizeof report);
  ::_exit(127);
}

/// The child, from clone to exec: system calls on prepared memory alone.
[[noreturn]] void run_child(Prepared& prepared) {
  for (int tasks : prepared.tasks)
    if (::write(tasks, "0", 1) != 1) give_up(prepared, Report::enter);
  if (prepared.gate >= 0) {
    char byte;
    if (::read(prepared.gate, &byte, 1) != 1) give_up(prepared, Report::gate);
  }
  ::sigprocmask(SIG_SETMASK, prepared.mask, nullptr);
  int first_error = ENOENT;
  for (const std::string& candidate : prepared.candidates) {
    ::execv(candidate.c_str(), prepared.argv.data());
    if (errno == ENOEXEC) {
      // A script without an interpreter line, as execvp(3) takes it.
      prepared.shell_argv[1] = const_cast<char*>(candidate.c_str());
      ::execv("/bin/sh", prepared.shell_argv.data());
    }
    if (errno != ENOENT && errno != ENOTDIR) first_error = errno;
  }
  errno = first_error;
  give_up(prepared, Report::exec);
}

Result<std::pair<Fd, Fd>> make_pipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) < 0) return fail(Error::from_errno(errno, "pipe2"));
  return std::pair(Fd(fds[0]), Fd(fds[1]));
}

}  // namespace

Result<void> Entrance::add(const Cgroup& cgroup) {
  if (cgroup.is_v2()) {
    unified_ = TRY(sys::dup(cgroup.dir()));
    return {};
  }
  tasks_.push_back(TRY(cgroup.open_file("tasks", O_WRONLY)));
  return {};
}

Result<StartedChild> start(const Entrance& entrance, const Program& program) {
  if (program.argv.empty()) return fail(ErrorKind::invalid, "no program to start");
  Prepared prepared;
  prepared.candidates = find_program(program.argv.front());
  for (const std::string& argument : program.argv) prepared.argv.push_back(const_cast<char*>(argument.c_str()));
  prepared.argv.push_back(nullptr);
  prepared.shell_argv = {const_cast<char*>("sh"), nullptr};
  prepared.shell_argv.insert(prepared.shell_argv.end(), prepared.argv.begin() + 1, prepared.argv.end());
  for (const Fd& tasks : entrance.tasks()) prepared.tasks.push_back(tasks.get());
  prepared.mask = &program.mask;
  auto report = TRY(make_pipe());
  prepared.report = report.second.get();
  std::pair<Fd, Fd> gate;
  if (program.gated) {
    gate = TRY(make_pipe());
    prepared.gate = gate.first.get();
  }

  int pidfd = -1;
  clone_args args{};
  args.flags = CLONE_PIDFD;
  args.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  if (entrance.unified() >= 0) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<uint64_t>(entrance.unified());
  }
  pid_t pid = TRY(sys::clone3(args));
  if (pid == 0) {
    // The gate ends with its last writer: the child must not be one.
    gate.second.reset();
    run_child(prepared);
  }
  StartedChild child;
  child.pid_ = pid;
  child.pidfd_ = Fd(pidfd);
  child.gate_ = std::move(gate.second);
  child.report_ = std::move(report.first);
  return child;
}

Result<void> StartedChild::release() {
  TRY_VOID(sys::write(gate_.get(), "x", "gate"));
  gate_.reset();
  return {};
}

Result<void> StartedChild::wait_for_exec() {
  Report report{};
  size_t n = TRY(sys::read(report_.get(), std::span(reinterpret_cast<char*>(&report), sizeof report)));
  report_.reset();
  if (n == 0) return {};
  switch (report.step) {
    case Report::enter: return fail(Error::from_errno(report.error, "write '0' to \"tasks\""));
    case Report::gate: return fail(ErrorKind::gone, "the starter went away before the program could run");
    case Report::exec: return fail(Error::from_errno(report.error, "execve"));
  }
  return fail(ErrorKind::os, "the child failed");
}

}  // namespace cgm::cgroup
