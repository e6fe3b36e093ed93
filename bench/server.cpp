// SPDX-License-Identifier: LGPL-2.1-or-later
// Servers.
#include "server.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ctime>

#include "base/number.hpp"
#include "base/sys.hpp"
#include "support/sandbox.hpp"

namespace cgm::bench {

namespace {

constexpr int kReadyMs = 30'000;

// Limits that the measurements themselves would meet.
constexpr std::string_view kConfiguration =
    "log = \"error\"\n"
    "[limits]\n"
    "connections = 6000\n"
    "cgroups = 100000\n";

class PrivateServer final : public Server {
 public:
  PrivateServer(std::string socket, test::Child child)
      : Server(std::move(socket), child.pid()), child_(std::move(child)) {}
  ~PrivateServer() override {
    // Its own way out first; the child's destructor kills what does not take it.
    child_.kill(SIGTERM);
    siginfo_t ended;
    test::eventually([&] {
      ended.si_pid = 0;
      return ::waitid(P_PID, static_cast<id_t>(pid()), &ended, WEXITED | WNOHANG | WNOWAIT) < 0 || ended.si_pid != 0;
    });
  }

 private:
  test::Child child_;
};

/// Calls `act` for each thread of a process.
template <class F>
void each_thread(pid_t pid, F act) {
  auto tasks = sys::openat(AT_FDCWD, "/proc/" + std::to_string(pid) + "/task", O_RDONLY | O_DIRECTORY);
  auto entries = tasks ? sys::list_dir(tasks->get()) : fail(std::move(tasks.error()));
  if (!entries) return;
  for (const sys::DirEntry& entry : *entries)
    if (auto id = parse_number<pid_t>(entry.name)) act(*id);
}

}  // namespace

Result<int64_t> Server::cpu_ns() const {
  clockid_t clock;
  if (int err = ::clock_getcpuclockid(pid_, &clock); err != 0)
    return fail(Error::from_errno(err, "clock_getcpuclockid", std::to_string(pid_)));
  timespec now;
  if (::clock_gettime(clock, &now) < 0) return fail(Error::from_errno(errno, "clock_gettime"));
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

Result<int64_t> Server::resident() const {
  Fd directory = TRY(sys::openat(AT_FDCWD, "/proc/" + std::to_string(pid_), O_PATH | O_DIRECTORY));
  std::string text = TRY(sys::read_file_at(directory.get(), "status", 64 << 10));
  std::string_view rest = text;
  while (!rest.empty()) {
    std::string_view line = take_until(rest, '\n');
    if (!line.starts_with("VmRSS:")) continue;
    line = trim(line.substr(6));
    if (auto kilobytes = parse_number<int64_t>(take_until(line, ' '))) return *kilobytes * 1024;
  }
  return fail(ErrorKind::protocol, "/proc/PID/status has no VmRSS");
}

Result<std::unique_ptr<Server>> start_server(const std::string& program, const std::string& directory) {
  std::string socket = directory + "/sock";
  std::string configuration = directory + "/cgmanager.conf";
  Fd file = TRY(sys::openat(AT_FDCWD, configuration, O_WRONLY | O_CREAT | O_TRUNC, 0644));
  TRY_VOID(sys::write(file.get(), kConfiguration));
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return fail(Error::from_errno(errno, "pipe2"));
  Fd ready(ends[0]), writes(ends[1]);
  test::Child child([&] {
    Fd kept(::fcntl(writes.get(), F_DUPFD, 3));
    std::string number = std::to_string(kept.get());
    ::execl(program.c_str(), "cgmanager", "--foreground", "--socket", socket.c_str(), "--config", configuration.c_str(),
            "--ready-fd", number.c_str(), nullptr);
    return 127;
  });
  writes.reset();
  pollfd poll{ready.get(), POLLIN, 0};
  char byte;
  if (::poll(&poll, 1, kReadyMs) != 1 || ::read(ready.get(), &byte, 1) != 1)
    return fail(ErrorKind::gone, "'" + program + "' did not get ready");
  return std::make_unique<PrivateServer>(std::move(socket), std::move(child));
}

Result<std::unique_ptr<Server>> use_server(const std::string& socket, pid_t pid) {
  auto server = std::make_unique<Server>(socket, pid);
  TRY_VOID(server->cpu_ns());
  return server;
}

Pinned::Pinned(pid_t pid) : pid_(pid) {
  cpu_set_t ours, one;
  CPU_ZERO(&one);
  ::sched_getaffinity(pid, sizeof before_, &before_);
  ::sched_getaffinity(0, sizeof ours, &ours);
  int last = CPU_SETSIZE - 1;
  while (last > 0 && !CPU_ISSET(static_cast<size_t>(last), &ours)) last--;
  CPU_SET(static_cast<size_t>(last), &one);
  each_thread(pid, [&](pid_t id) { ::sched_setaffinity(id, sizeof one, &one); });
}

Pinned::~Pinned() {
  each_thread(pid_, [&](pid_t id) { ::sched_setaffinity(id, sizeof before_, &before_); });
}

}  // namespace cgm::bench
