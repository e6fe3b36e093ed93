// SPDX-License-Identifier: LGPL-2.1-or-later
// The rules of access, pure.
#include "manager/access.hpp"

#include <linux/capability.h>

#include <algorithm>

namespace cgm::manager {

namespace {

template <size_t N>
bool is_one_of(std::string_view key, const std::string_view (&keys)[N]) {
  return std::find(std::begin(keys), std::end(keys), key) != std::end(keys);
}

}  // namespace

bool is_host_root(uid_t uid, bool own_namespaces, uint64_t caller_bounding, uint64_t daemon_effective) {
  constexpr uint64_t kAdmin = uint64_t{1} << CAP_SYS_ADMIN;
  if (uid != 0 || !own_namespaces) return false;
  return (daemon_effective & kAdmin) == 0 || (caller_bounding & kAdmin) != 0;
}

bool may(const Subject& subject, const Object& object, unsigned want) {
  if (subject.host_root) return true;
  unsigned granted = object.mode & 7;
  if (object.uid == subject.uid)
    granted = (object.mode >> 6) & 7;
  else if (object.gid == subject.gid ||
           std::find(subject.groups.begin(), subject.groups.end(), object.gid) != subject.groups.end())
    granted = (object.mode >> 3) & 7;
  return (granted & want) == want;
}

bool may_chmod(const Subject& subject, const Object& object) {
  return subject.host_root || subject.uid == object.uid;
}

std::string_view to_string(MoveVerdict verdict) {
  switch (verdict) {
    case MoveVerdict::allowed: return "allowed";
    case MoveVerdict::not_your_task: return "the task is not yours";
    case MoveVerdict::task_out_of_reach: return "the task is outside your cgroup";
    case MoveVerdict::target_out_of_reach: return "the destination is out of reach";
    case MoveVerdict::destination: return "no write permission on the destination's tasks";
    case MoveVerdict::common_ancestor:
      return "no write permission on the tasks of the nearest cgroup that contains both ends";
  }
  return "refused";
}

MoveVerdict judge(const Move& move) {
  bool own_task = move.task.pid == move.caller_pid || move.task.real_uid == move.subject.uid;
  if (!move.subject.host_root && !own_task) return MoveVerdict::not_your_task;
  if (!move.floor.contains(move.from) || !move.base.contains(move.from)) return MoveVerdict::task_out_of_reach;
  if (!move.floor.contains(move.to)) return MoveVerdict::target_out_of_reach;
  if (!may(move.subject, move.destination_tasks, kWrite)) return MoveVerdict::destination;
  if (move.from.contains(move.to)) return MoveVerdict::allowed;
  return may(move.subject, move.ancestor_tasks, kWrite) ? MoveVerdict::allowed : MoveVerdict::common_ancestor;
}

bool is_never_written(std::string_view key) {
  // What moves tasks, signals them, or takes a descriptor number of ours for a client's.
  constexpr std::string_view kNever[] = {"tasks", "cgroup.procs", "cgroup.threads", "cgroup.event_control",
                                         "cgroup.kill"};
  if (is_one_of(key, kNever)) return true;
  // A trigger lives as long as the file that it was written to is open. The kernel asks its writer for a capability,
  // and waits for an RCU grace period when it goes.
  return key.ends_with(".pressure") && key != "cgroup.pressure";
}

bool is_host_root_key(std::string_view key) {
  // Where the kernel asks the writer for a capability, the writer would be the daemon.
  constexpr std::string_view kRoot[] = {"devices.allow", "devices.deny", "release_agent", "notify_on_release"};
  return is_one_of(key, kRoot);
}

bool is_device_key(std::string_view key) {
  constexpr std::string_view kDevices[] = {"devices.allow", "devices.deny", "devices.list"};
  return is_one_of(key, kDevices);
}

bool is_delegated_key(std::string_view key) {
  constexpr std::string_view kDelegated[] = {"tasks", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control"};
  return is_one_of(key, kDelegated);
}

}  // namespace cgm::manager
