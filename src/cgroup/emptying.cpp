// SPDX-License-Identifier: LGPL-2.1-or-later
// Emptying cgroups.
#include "cgroup/emptying.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "base/process.hpp"
#include "base/sys.hpp"
#include "cgroup/tasks.hpp"

namespace cgm::cgroup {

namespace {

// A storm of 23 000 forks a second takes about 5 passes.
constexpr int kPasses = 200;
// Processes that are pinned at a time: few descriptors, and still one reading of the list for many.
constexpr size_t kBatch = 128;

struct Pinned {
  pid_t pid;
  Fd pidfd;
};

Result<std::vector<pid_t>> list(const Cgroup& cgroup) {
  return parse_ids(TRY(cgroup.read("cgroup.procs")));
}

/// Refuses what no pass could move. Some kernel threads would let themselves be moved (kswapd does): never.
Result<void> check_movable(const Cgroup& from, const std::vector<pid_t>& ids) {
  // Written back, 0 would move ourselves.
  if (std::find(ids.begin(), ids.end(), 0) != ids.end())
    return fail(ErrorKind::busy, shown(from) + " holds a task of another pid namespace, which cannot be moved");
  ProcFs proc = TRY(ProcFs::open());
  for (pid_t id : ids) {
    auto text = sys::read_file_at(proc.fd(), std::to_string(id) + "/stat", 8192);
    if (!text) continue;
    auto stat = procfs::parse_stat(*text);
    if (stat && (stat->flags & procfs::kFlagKthread) != 0)
      return fail(ErrorKind::busy, shown(from) + " holds kernel thread " + std::to_string(id));
  }
  return {};
}

/// Pins as many of `ids` as a batch takes, off their end; those that have exited are passed over.
Result<std::vector<Pinned>> pin_some(std::vector<pid_t>& ids) {
  std::vector<Pinned> pinned;
  for (; !ids.empty() && pinned.size() < kBatch; ids.pop_back()) {
    auto pidfd = sys::pidfd_open(ids.back());
    if (pidfd)
      pinned.push_back({ids.back(), std::move(*pidfd)});
    else if (pidfd.error().kind() == ErrorKind::quota)
      return fail(std::move(pidfd.error()));
  }
  return pinned;
}

Result<void> move(const Cgroup& from, int procs, const Pinned& process) {
  if (sys::has_exited(process.pidfd.get())) return {};
  auto moved = sys::write(procs, std::to_string(process.pid), "cgroup.procs");
  if (moved || moved.error().code() == ESRCH) return {};
  Error error = std::move(moved.error()).with("move process " + std::to_string(process.pid) + " of " + shown(from));
  // EINVAL: a task that is bound to its CPU and cgroup by the kernel.
  if (error.code() == EINVAL) return fail(Error(ErrorKind::busy, EINVAL, error.text()));
  return fail(std::move(error));
}

Result<void> move_all(const Cgroup& from, int procs, std::vector<pid_t> ids) {
  while (!ids.empty()) {
    std::vector<Pinned> pinned = TRY(pin_some(ids));
    std::vector<pid_t> still = TRY(list(from));
    if (std::find(still.begin(), still.end(), 0) != still.end()) return check_movable(from, still);
    sort_ids(still);
    for (const Pinned& process : pinned)
      if (std::binary_search(still.begin(), still.end(), process.pid)) TRY_VOID(move(from, procs, process));
  }
  return {};
}

}  // namespace

Result<void> empty_into(const Cgroup& from, const Cgroup& to) {
  Fd procs = TRY(with(to.open_file("cgroup.procs", O_WRONLY), shown(to)));
  for (int pass = 0; pass < kPasses; pass++) {
    std::vector<pid_t> ids = TRY(list(from));
    if (ids.empty()) return {};
    if (pass == 0) TRY_VOID(check_movable(from, ids));
    TRY_VOID(move_all(from, procs.get(), std::move(ids)));
  }
  return fail(ErrorKind::busy, shown(from) + " gets new tasks faster than they can be moved");
}

}  // namespace cgm::cgroup
