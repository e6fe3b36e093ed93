// SPDX-License-Identifier: LGPL-2.1-or-later
// clone3, steps, exec. The child allocates nothing.
#include "base/launch.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <optional>
#include <span>

#include "base/number.hpp"
#include "base/sys.hpp"

namespace cgm {

namespace {

/// Where the child is, as its report says: a step's index, or one of these.
enum Place : int { kGate = -1, kExec = -2, kAtGate = -3 };

/// What the child tells, in one write: a failure, or that it is at its gate.
struct Report {
  int place;
  int error;
};

/// Everything the child needs, made before the clone.
struct Prepared {
  std::vector<std::string> candidates;  // paths to try, in order
  std::vector<char*> argv, environment;
  std::vector<char*> shell_argv;  // `sh`, a candidate, the arguments
  const Launch* launch = nullptr;
  int gate = -1;
  int report = -1;
};

std::string_view path_of(const std::vector<std::string>& environment) {
  for (const std::string& entry : environment)
    if (entry.starts_with("PATH=")) return std::string_view(entry).substr(5);
  return "/usr/local/bin:/usr/bin:/bin";
}

std::vector<std::string> find_program(const std::string& name, std::string_view path) {
  if (name.find('/') != std::string::npos) return {name};
  std::vector<std::string> candidates;
  while (!path.empty()) {
    std::string_view folder = take_until(path, ':');
    candidates.push_back((folder.empty() ? "." : std::string(folder)) + "/" + name);
  }
  return candidates;
}

std::vector<char*> pointers_to(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

Prepared prepare(const Launch& launch) {
  Prepared prepared;
  prepared.candidates = find_program(launch.argv.front(), path_of(launch.environment));
  prepared.argv = pointers_to(launch.argv);
  prepared.environment = pointers_to(launch.environment);
  prepared.shell_argv = {const_cast<char*>("sh"), nullptr};
  prepared.shell_argv.insert(prepared.shell_argv.end(), prepared.argv.begin() + 1, prepared.argv.end());
  prepared.launch = &launch;
  return prepared;
}

/// Returns where it failed; errno says why.
int take_steps(const std::vector<ChildStep>& steps, int first) {
  for (size_t i = 0; i < steps.size(); i++)
    if (!steps[i].run()) return first + static_cast<int>(i);
  return kExec;
}

/// Returns when nothing could be executed, with errno of the best reason.
void execute_program(Prepared& prepared) {
  ::sigprocmask(SIG_SETMASK, &prepared.launch->mask, nullptr);
  int first_error = ENOENT;
  for (const std::string& candidate : prepared.candidates) {
    ::execve(candidate.c_str(), prepared.argv.data(), prepared.environment.data());
    if (errno == ENOEXEC) {
      // A script without an interpreter line, as execvp(3) takes it.
      prepared.shell_argv[1] = const_cast<char*>(candidate.c_str());
      ::execve("/bin/sh", prepared.shell_argv.data(), prepared.environment.data());
    }
    if (errno != ENOENT && errno != ENOTDIR) first_error = errno;
  }
  errno = first_error;
}

[[noreturn]] void give_up(const Prepared& prepared, int place) {
  Report report{place, errno};
  (void)!::write(prepared.report, &report, sizeof report);
  ::_exit(127);
}

/// Asks for our death with our starter's, who may have died before we asked: nobody reads our report then.
void die_with_starter(const Prepared& prepared) {
  ::prctl(PR_SET_PDEATHSIG, prepared.launch->death_signal);
  pollfd reader{prepared.report, POLLOUT, 0};
  if (::poll(&reader, 1, 0) == 1 && (reader.revents & POLLERR) != 0) ::_exit(127);
}

/// The child, from clone to exec: system calls on prepared memory alone.
[[noreturn]] void run_child(Prepared& prepared) {
  const Launch& launch = *prepared.launch;
  if (int place = take_steps(launch.before_gate, 0); place >= 0) give_up(prepared, place);
  if (prepared.gate >= 0) {
    Report arrived{kAtGate, 0};
    (void)!::write(prepared.report, &arrived, sizeof arrived);
    char byte;
    if (::read(prepared.gate, &byte, 1) != 1) give_up(prepared, kGate);
  }
  int place = take_steps(launch.after_gate, static_cast<int>(launch.before_gate.size()));
  if (place >= 0) give_up(prepared, place);
  if (launch.death_signal != 0) die_with_starter(prepared);  // after the steps: a change of ids clears it
  execute_program(prepared);
  give_up(prepared, kExec);
}

Result<std::pair<Fd, Fd>> make_pipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) < 0) return failed("pipe2");
  return std::pair(Fd(fds[0]), Fd(fds[1]));
}

/// A child with a copy of our memory.
template <class F>
Result<pid_t> fork_child(const Launch& launch, int& pidfd, F into_child) {
  clone_args args{};
  args.flags = CLONE_PIDFD | launch.clone_flags;
  args.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  if (launch.into_cgroup >= 0) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<uint64_t>(launch.into_cgroup);
  }
  pid_t pid = TRY(sys::clone3(args));
  if (pid == 0) into_child();
  return pid;
}

/// A child in our own memory, while we wait for it to execute or end: nothing is copied. It changes none of what we
/// have, but for what it has on a stack of its own.
template <class F>
Result<pid_t> borrow_for_child(const Launch& launch, int& pidfd, F into_child) {
  constexpr size_t kStack = 128 << 10;
  void* stack = ::mmap(nullptr, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED) return failed("mmap");
  auto entry = [](void* argument) {
    (*static_cast<F*>(argument))();
    return 127;
  };
  int flags =
      static_cast<int>(CLONE_PIDFD | CLONE_VM | CLONE_VFORK | SIGCHLD | static_cast<uint32_t>(launch.clone_flags));
  pid_t pid = ::clone(entry, static_cast<char*>(stack) + kStack, flags, &into_child, &pidfd);
  int error = errno;
  ::munmap(stack, kStack);
  if (pid < 0) return fail(Error::from_errno(error, "clone"));
  return pid;
}

std::vector<std::string> names_of(const Launch& launch) {
  std::vector<std::string> names;
  for (const auto* steps : {&launch.before_gate, &launch.after_gate})
    for (const ChildStep& step : *steps) names.push_back(step.what);
  return names;
}

/// The child's next report; nothing where there will be none.
Result<std::optional<Report>> read_report(int fd) {
  Report report{};
  size_t n = TRY(sys::read(fd, std::span(reinterpret_cast<char*>(&report), sizeof report)));
  if (n == 0) return std::nullopt;
  return report;
}

Error error_of(int place, int error, const std::vector<std::string>& names) {
  if (place == kGate) return Error(ErrorKind::gone, "the starter went away before the program could run");
  if (place == kExec) return Error::from_errno(error, "execve");
  return Error::from_errno(error, names.at(static_cast<size_t>(place)));
}

}  // namespace

std::vector<std::string> own_environment() {
  std::vector<std::string> words;
  for (char** entry = ::environ; *entry; entry++) words.emplace_back(*entry);
  return words;
}

Result<StartedChild> launch(const Launch& launch) {
  if (launch.argv.empty()) return fail(ErrorKind::invalid, "no program to start");
  Prepared prepared = prepare(launch);
  auto report = TRY(make_pipe());
  prepared.report = report.second.get();
  std::pair<Fd, Fd> gate;
  if (launch.gated) {
    gate = TRY(make_pipe());
    prepared.gate = gate.first.get();
  }

  int pidfd = -1;
  auto into_child = [&] {
    // Gate and report end with their last holder on the other side: the child must not be one.
    if (gate.second) ::close(gate.second.get());
    ::close(report.first.get());
    run_child(prepared);
  };
  pid_t pid = launch.gated || launch.own_memory || launch.into_cgroup >= 0
                  ? TRY(fork_child(launch, pidfd, into_child))
                  : TRY(borrow_for_child(launch, pidfd, into_child));
  StartedChild child;
  child.pid_ = pid;
  child.pidfd_ = Fd(pidfd);
  child.gate_ = std::move(gate.second);
  child.report_ = std::move(report.first);
  child.steps_ = names_of(launch);
  return child;
}

Result<void> StartedChild::release() {
  TRY_VOID(sys::write(gate_.get(), "x", "gate"));
  gate_.reset();
  return {};
}

Result<void> StartedChild::wait_for_gate() {
  auto told = TRY(read_report(report_.get()));
  if (!told) return fail(ErrorKind::gone, "the child ended before it was at its gate");
  if (told->place != kAtGate) return fail(error_of(told->place, told->error, steps_));
  return {};
}

Result<void> StartedChild::wait_for_exec() {
  for (;;) {
    auto told = TRY(read_report(report_.get()));
    // The descriptor stays: with it the child knows that we are alive.
    if (!told) return {};
    if (told->place != kAtGate) return fail(error_of(told->place, told->error, steps_));
  }
}

Error StartedChild::abandon(Error why) {
  (void)sys::pidfd_send_signal(pidfd_.get(), SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  auto told = wait_for_exec();
  return told ? std::move(why) : std::move(told.error());
}

Error execute(const Launch& launch) {
  Prepared prepared = prepare(launch);
  std::vector<std::string> names = names_of(launch);
  int place = take_steps(launch.before_gate, 0);
  if (place < 0) place = take_steps(launch.after_gate, static_cast<int>(launch.before_gate.size()));
  if (place < 0) execute_program(prepared);
  return error_of(place, errno, names);
}

}  // namespace cgm
