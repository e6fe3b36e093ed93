// SPDX-License-Identifier: LGPL-2.1-or-later
// Crowds.
#include "crowd.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace cgm::bench {

namespace {

constexpr size_t kStack = 4096;  // for one frame that sleeps

int sleep_for_good(void*) {
  // A thread dies with its process; a process of its own has to ask for it.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (;;) ::pause();
}

/// Adds tasks to this process' cgroup; false where the kernel has no more.
bool multiply(unsigned tasks, bool threads) {
  void* stacks = ::mmap(nullptr, kStack * tasks, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (stacks == MAP_FAILED) return false;
  int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | (threads ? CLONE_THREAD : 0);
  for (unsigned i = 0; i < tasks; i++) {
    char* top = static_cast<char*>(stacks) + kStack * (i + 1);
    if (::clone(sleep_for_good, top, flags, nullptr) < 0) return false;
  }
  return true;
}

}  // namespace

Result<test::Child> start_crowd(const cgroup::Cgroup& cgroup, unsigned tasks) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return fail(Error::from_errno(errno, "pipe2"));
  Fd ready(ends[0]), writes(ends[1]);
  test::Child crowd([&] {
    if (!cgroup.write("cgroup.procs", "0") || !multiply(tasks - 1, !cgroup.is_v2())) return 1;
    (void)!::write(writes.get(), "\n", 1);
    for (;;) ::pause();
    return 0;
  });
  writes.reset();
  char byte;
  if (::read(ready.get(), &byte, 1) != 1)
    return fail(ErrorKind::os, "a crowd of " + std::to_string(tasks) + " tasks cannot be made here");
  return crowd;
}

}  // namespace cgm::bench
