// SPDX-License-Identifier: LGPL-2.1-or-later
// Who may do what, as pure decisions on facts that somebody else has read from the very object that is then used. The
// rules are numbered as in docs/access.md.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string_view>

#include "cgroup/path.hpp"

namespace cgm::manager {

/// r as the rules see it: identity fixed at connect, and whether it is host root (rule 3).
struct Subject {
  uid_t uid = 0;
  gid_t gid = 0;
  std::span<const gid_t> groups;
  bool host_root = false;
  /// uid 0 without what makes host root: held to its own cgroup (rules 3 and 5).
  bool is_lesser_root() const { return uid == 0 && !host_root; }
};

/// Owner and mode of a file or directory, from fstat on its descriptor.
struct Object {
  uid_t uid = 0;
  gid_t gid = 0;
  mode_t mode = 0;
  static Object of(const struct stat& st) { return {st.st_uid, st.st_gid, st.st_mode}; }
};

/// Mode bits as the kernel counts them; combined with |.
enum Want : unsigned { kSearch = 1, kWrite = 2, kRead = 4 };

/// What makes a caller host root (rule 3): uid 0 in the daemon's own namespaces, with CAP_SYS_ADMIN in its bounding set
/// where the daemon has it itself.
bool is_host_root(uid_t uid, bool own_namespaces, uint64_t caller_bounding, uint64_t daemon_effective);

/// Rule 8: host root may; else the first class that matches (owner, groups, others) decides.
bool may(const Subject& subject, const Object& object, unsigned want);
/// Rule 9, Chmod: the owner or host root.
bool may_chmod(const Subject& subject, const Object& object);

/// A task that is to be moved.
struct Task {
  pid_t pid = 0;
  uid_t real_uid = 0;
};

/// Why a move is refused, or that it is not.
enum class MoveVerdict {
  allowed,
  not_your_task,        ///< rule 14: neither r itself, nor of r's uid, nor is r host root
  task_out_of_reach,    ///< rule 14: C(v) not at or below the base
  target_out_of_reach,  ///< rule 5: the destination not at or below the floor
  destination,          ///< rule 15: no write on the destination's tasks
  common_ancestor,      ///< rule 15: no write on the tasks of the nearest cgroup that contains both ends
};
std::string_view to_string(MoveVerdict verdict);

/// All that rules 14 and 15 look at.
struct Move {
  Subject subject;
  pid_t caller_pid = 0;
  Task task;
  cgroup::CgroupPath from;   ///< C(v)
  cgroup::CgroupPath to;     ///< the destination
  cgroup::CgroupPath base;   ///< what C(v) has to lie in: C(r) for MovePid, the floor for MovePidAbs
  cgroup::CgroupPath floor;  ///< r's floor
  Object destination_tasks;  ///< the destination's tasks or cgroup.procs
  Object ancestor_tasks;     ///< those of CgroupPath::common(from, to); needed only where `to` is not below `from`
};
MoveVerdict judge(const Move& move);

/// True for keys that are never written for a client, and for those that only host root writes (rule 11).
bool is_never_written(std::string_view key);
bool is_host_root_key(std::string_view key);
/// True for v1's devices.allow, devices.deny and devices.list, which on a v2 tree have no file to be judged by (rule
/// 9).
bool is_device_key(std::string_view key);
/// True for what may be written at one's floor: files that are no limit (rule 6, the kernel's delegate list).
bool is_delegated_key(std::string_view key);

}  // namespace cgm::manager
