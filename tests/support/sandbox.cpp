// SPDX-License-Identifier: LGPL-2.1-or-later
// Cgroups and child processes for tests.
#include "support/sandbox.hpp"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>

#include "base/number.hpp"
#include "base/sys.hpp"
#include "cgroup/tasks.hpp"

namespace cgm::test {

using cgroup::Cgroup;
using cgroup::CgroupPath;
using cgroup::Hierarchy;

namespace {

template <class T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "sandbox: %s\n", result.error().text().c_str());
    std::abort();
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

CgroupPath own_path(const Hierarchy& hierarchy) {
  Fd self = must(sys::openat(AT_FDCWD, "/proc/self", O_PATH | O_DIRECTORY));
  return must(hierarchy.path_in(must(sys::read_file_at(self.get(), "cgroup", 64 << 10))));
}

void enable_all(const Cgroup& cgroup) {
  for (const std::string& controller : cgroup.hierarchy().controllers())
    (void)cgroup.write("cgroup.subtree_control", "+" + controller);
}

void kill_and_remove(const Cgroup& parent, const std::string& name) {
  auto cgroup = parent.child(name);
  if (!cgroup) return;
  (void)cgroup->write("freezer.state", "THAWED");
  (void)cgroup->write("cgroup.freeze", "0");
  // The leaf too: a test may have been cut off in the middle.
  if (auto entries = sys::list_dir(cgroup->dir()))
    for (const sys::DirEntry& entry : *entries)
      if (entry.type == DT_DIR) kill_and_remove(*cgroup, entry.name);
  eventually([&] {
    auto text = cgroup->read("cgroup.procs");
    if (!text || text->empty()) return true;
    if (auto ids = cgroup::parse_ids(*text))
      for (pid_t id : *ids)
        if (id > 1 && id != ::getpid()) ::kill(id, SIGKILL);
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    return false;
  });
  eventually([&] { return sys::unlinkat(parent.dir(), name, AT_REMOVEDIR) || !parent.child(name); });
}

std::string next_name() {
  static std::atomic<int> count = 0;
  return "cgmt-" + std::to_string(::getpid()) + "-" + std::to_string(count++);
}

}  // namespace

Sandbox::Sandbox() : hierarchies_(must(cgroup::Hierarchies::discover())), name_(next_name()) {
  for (const Hierarchy& hierarchy : hierarchies_.all()) {
    Cgroup own = must(Cgroup::open(hierarchy, own_path(hierarchy)));
    must(sys::mkdirat(own.dir(), name_, 0755));
    Cgroup made = must(own.child(name_));
    if (hierarchy.is_v2()) enable_all(made);
    if (hierarchy.has("cpuset") && !hierarchy.is_v2())
      for (const char* key : {"cpuset.cpus", "cpuset.mems"}) (void)made.write(key, must(own.read(key)));
  }
}

Sandbox::~Sandbox() {
  for (const Hierarchy& hierarchy : hierarchies_.all())
    if (auto own = Cgroup::open(hierarchy, own_path(hierarchy))) kill_and_remove(*own, name_);
}

bool Sandbox::usable(std::string_view controller) const {
  const Hierarchy* found = hierarchy(controller);
  if (!found) return false;
  std::string_view wanted = found->is_v2() ? cgroup::v2_controller(controller) : std::string_view();
  if (wanted.empty()) return true;
  auto enabled = at(controller).read("cgroup.subtree_control");
  return enabled && has_word(*enabled, wanted);
}

CgroupPath Sandbox::path(std::string_view controller) const {
  const Hierarchy* found = hierarchy(controller);
  if (!found) std::abort();
  return own_path(*found) / must(CgroupPath::parse(name_));
}

Cgroup Sandbox::at(std::string_view controller, std::string_view below) const {
  Cgroup here = must(Cgroup::open(*hierarchy(controller), path(controller)));
  CgroupPath path_below = must(CgroupPath::parse(below));
  for (std::string_view component : path_below.components()) {
    (void)sys::mkdirat(here.dir(), std::string(component), 0755);
    Cgroup next = must(here.child(component));
    if (!here.is_v2() && here.hierarchy().has("cpuset"))
      for (const char* key : {"cpuset.cpus", "cpuset.mems"}) (void)next.write(key, must(here.read(key)));
    here = std::move(next);
  }
  return here;
}

Child::Child(const std::function<int()>& body) : pid_(::fork()) {
  if (pid_ < 0) std::abort();
  if (pid_ > 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::_exit(body());
}

Child Child::sleeper() {
  return Child([] {
    for (;;) ::pause();
    return 0;
  });
}

Child::~Child() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  (void)wait();
}

int Child::wait() {
  int status = 0;
  pid_t pid = std::exchange(pid_, -1);
  while (::waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void Child::kill(int signal) const {
  ::kill(pid_, signal);
}

bool eventually(const std::function<bool()>& condition, int seconds) {
  int64_t deadline = sys::monotonic_ns() + int64_t{seconds} * 1'000'000'000;
  for (int pause_ms = 1; !condition(); pause_ms = pause_ms < 50 ? pause_ms * 2 : 50) {
    if (sys::monotonic_ns() > deadline) return false;
    ::poll(nullptr, 0, pause_ms);
  }
  return true;
}

}  // namespace cgm::test
