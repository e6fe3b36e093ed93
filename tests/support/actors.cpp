// SPDX-License-Identifier: LGPL-2.1-or-later
// Child processes for tests.
#include "support/actors.hpp"

#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "base/deadline.hpp"
#include "base/number.hpp"
#include "base/procfs.hpp"
#include "base/sys.hpp"

namespace cgm::test {

using cgroup::Cgroup;
using cgroup::Hierarchy;
using cgroup::Version;

namespace {

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "actors: %s\n", why.c_str());
  std::abort();
}

std::pair<Fd, Fd> socket_pair() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) give_up("socketpair");
  return {Fd(fds[0]), Fd(fds[1])};
}

void echo(int socket) {
  char byte;
  while (::read(socket, &byte, 1) == 1)
    if (::write(socket, &byte, 1) != 1) return;
}

/// A page that is registered with a userfaultfd which nobody reads.
void* missing_page() {
  int uffd = static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC));
  if (uffd < 0) return nullptr;
  uffdio_api api{};
  api.api = UFFD_API;
  size_t size = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  void* page = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  uffdio_register range{};
  range.range = {reinterpret_cast<uint64_t>(page), size};
  range.mode = UFFDIO_REGISTER_MODE_MISSING;
  if (page == MAP_FAILED || ::ioctl(uffd, UFFDIO_API, &api) < 0 || ::ioctl(uffd, UFFDIO_REGISTER, &range) < 0)
    return nullptr;
  return page;
}

}  // namespace

void put(const Cgroup& cgroup, pid_t pid) {
  auto moved = cgroup.write("cgroup.procs", std::to_string(pid));
  if (!moved) give_up(moved.error().text());
}

bool ignores(pid_t pid, int signal) {
  auto proc = sys::openat(AT_FDCWD, "/proc/" + std::to_string(pid), O_PATH | O_DIRECTORY);
  auto text = proc ? sys::read_file_at(proc->get(), "status", 64 << 10) : Result<std::string>(std::string());
  size_t at = text ? text->find("SigIgn:\t") : std::string::npos;
  if (at == std::string::npos) return false;
  auto mask = parse_number<uint64_t>(std::string_view(*text).substr(at + 8, 16), 16);
  return mask && (*mask >> (signal - 1) & 1) != 0;
}

std::optional<Cgroup> freezer_place(const Sandbox& sandbox, Version version, std::string_view below) {
  if (version == Version::v2) {
    if (!sandbox.hierarchies().unified()) return std::nullopt;
    return sandbox.at("unified", below);
  }
  const Hierarchy* freezer = sandbox.hierarchy("freezer");
  if (!freezer || freezer->is_v2()) return std::nullopt;
  return sandbox.at("freezer", below);
}

ThawAtEnd::~ThawAtEnd() {
  (void)cgroup_.write("freezer.state", "THAWED");
  (void)cgroup_.write("cgroup.freeze", "0");
}

Echo::Echo() : Echo(socket_pair()) {}

Echo::Echo(std::pair<Fd, Fd> ends)
    : ours_(std::move(ends.first)), theirs_(std::move(ends.second)), child_([this] {
        ours_.reset();
        echo(theirs_.get());
        return 0;
      }) {
  theirs_.reset();
}

bool Echo::answers(int ms) {
  char byte = ++last_;
  if (::write(ours_.get(), &byte, 1) != 1) return false;
  Deadline deadline = Deadline::after(std::chrono::milliseconds(ms));
  for (;;) {
    pollfd poll{ours_.get(), POLLIN, 0};
    if (::poll(&poll, 1, deadline.poll_ms()) <= 0) return false;
    if (::read(ours_.get(), &byte, 1) != 1) return false;
    if (byte == last_) return true;
  }
}

std::optional<Child> unfreezable() {
  auto [ours, theirs] = socket_pair();
  Child child([&theirs = theirs] {
    void* page = missing_page();
    char byte = page != nullptr ? 'y' : 'n';
    if (::write(theirs.get(), &byte, 1) != 1 || !page) return 1;
    iovec local{&byte, 1}, remote{page, 1};
    return static_cast<int>(::process_vm_readv(::getpid(), &local, 1, &remote, 1, 0));
  });
  theirs.reset();
  char byte = 'n';
  if (::read(ours.get(), &byte, 1) != 1 || byte != 'y') return std::nullopt;
  Fd proc = *sys::openat(AT_FDCWD, "/proc/" + std::to_string(child.pid()), O_PATH | O_DIRECTORY);
  bool waits = eventually([&] {
    auto text = sys::read_file_at(proc.get(), "stat", 4096);
    auto stat = text ? procfs::parse_stat(*text) : Result<procfs::Stat>(procfs::Stat());
    return stat && stat->state == 'D';
  });
  if (!waits) return std::nullopt;
  return child;
}

Child fork_chain(const Cgroup& cgroup, int links) {
  auto [ours, theirs] = socket_pair();
  Child child([&cgroup, &theirs = theirs, links] {
    if (!cgroup.write("cgroup.procs", "0")) return 1;
    pid_t first = ::fork();
    if (first != 0) return first > 0 ? 0 : 1;
    ::prctl(PR_SET_PDEATHSIG, 0);
    (void)!::write(theirs.get(), "x", 1);
    theirs.reset();
    for (int link = 0; link < links; link++)
      if (::fork() > 0) ::_exit(0);
    return 0;
  });
  theirs.reset();
  char byte;
  if (::read(ours.get(), &byte, 1) != 1) give_up("the chain of forks did not start");
  return child;
}

}  // namespace cgm::test
