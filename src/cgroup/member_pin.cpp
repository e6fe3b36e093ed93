// SPDX-License-Identifier: LGPL-2.1-or-later
// Pins of members.
#include "cgroup/member_pin.hpp"

#include <algorithm>

#include "base/procfs.hpp"
#include "base/sys.hpp"
#include "cgroup/tasks.hpp"

namespace cgm::cgroup {

namespace {

constexpr size_t kMostTried = 16;

/// The first ids of the list.
Result<std::vector<pid_t>> first_ids(const Cgroup& cgroup) {
  Fd file = TRY(cgroup.open_file("tasks", O_RDONLY));
  char buffer[256];
  size_t length = TRY(sys::read(file.get(), buffer));
  std::string_view text(buffer, length);
  text = text.substr(0, text.rfind('\n') + 1);  // an id may be cut off
  return parse_ids(text);
}

/// A pidfd of the process that has a thread.
Result<Fd> open_leader(int proc, pid_t thread) {
  auto status = TRY(procfs::parse_status(TRY(sys::read_file_at(proc, std::to_string(thread) + "/status", 64 << 10))));
  return sys::pidfd_open(status.tgid);
}

Result<Fd> open_task(int proc, pid_t id) {
  auto task = sys::pidfd_open_thread(id);
  if (task || task.error().kind() != ErrorKind::unsupported) return task;
  task = sys::pidfd_open(id);
  if (task || task.error().kind() == ErrorKind::gone) return task;
  return open_leader(proc, id);
}

}  // namespace

bool is_member(int proc, pid_t id, const Cgroup& cgroup) {
  auto text = sys::read_file_at(proc, std::to_string(id) + "/cgroup", 64 << 10);
  if (!text) return false;
  auto path = cgroup.hierarchy().path_in(*text);
  return path && *path == cgroup.path();
}

Result<MemberPin> pin_member(int proc, const Cgroup& cgroup) {
  std::vector<pid_t> ids = TRY(first_ids(cgroup));
  if (ids.empty()) return MemberPin{};
  std::erase(ids, 0);
  if (ids.empty()) return MemberPin{.found = MemberPin::Found::hidden};
  ids.resize(std::min(ids.size(), kMostTried));
  for (pid_t id : ids) {
    auto task = open_task(proc, id);
    // That the id is a member's while the descriptor is open makes the descriptor a member's, or a dead one's.
    if (task && is_member(proc, id, cgroup))
      return MemberPin{.found = MemberPin::Found::pinned, .id = id, .task = std::move(*task)};
    if (!task && task.error().kind() == ErrorKind::quota) return fail(std::move(task.error()));
  }
  return MemberPin{.found = MemberPin::Found::missed};
}

}  // namespace cgm::cgroup
