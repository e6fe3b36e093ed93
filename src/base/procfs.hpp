// SPDX-License-Identifier: LGPL-2.1-or-later
// Parsers of /proc files: pure, bounded, total. They take text and return structs or an error of kind protocol; who
// reads the file is not their business. Formats: proc(5), cgroups(7), user_namespaces(7).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace cgm::procfs {

/// Longest text that any of these parsers is given: a host with thousands of mounts stays below it.
inline constexpr size_t kMaxText = 8 << 20;

/// What we use of /proc/PID/status.
struct Status {
  pid_t tgid = 0;
  pid_t pid = 0;
  pid_t ppid = 0;
  uid_t real_uid = 0, effective_uid = 0;
  gid_t real_gid = 0, effective_gid = 0;
  char state = '?';
  uint64_t cap_effective = 0, cap_bounding = 0;
  uint64_t signals_ignored = 0, signals_caught = 0;  ///< bit N - 1 is signal N
  std::vector<pid_t> ns_tgid;  ///< NStgid: outermost (the reader's) first; empty on kernels without it
  std::vector<pid_t> ns_pid;   ///< NSpid likewise
};
Result<Status> parse_status(std::string_view text);

/// One line of /proc/PID/cgroup: `ID:controllers:path`.
struct CgroupLine {
  int hierarchy = 0;                     ///< 0 for v2
  std::vector<std::string> controllers;  ///< empty for v2; a named hierarchy is `name=NAME`
  std::string path;                      ///< as the reader sees it; may start with `/..`
  bool deleted = false;                  ///< the kernel's ` (deleted)` mark, cut from the path (v2)
};
Result<CgroupLine> parse_cgroup_line(std::string_view line);
Result<std::vector<CgroupLine>> parse_cgroup(std::string_view text);

/// What we use of /proc/PID/stat, robust against any command name (it is cut at the last parenthesis).
struct Stat {
  pid_t pid = 0;
  std::string comm;
  char state = '?';
  pid_t ppid = 0;
  uint32_t flags = 0;  ///< PF_* (kernel's include/linux/sched.h)
  uint64_t start_time = 0;
};
inline constexpr uint32_t kFlagExiting = 0x00000004;  ///< PF_EXITING
inline constexpr uint32_t kFlagKthread = 0x00200000;  ///< PF_KTHREAD
Result<Stat> parse_stat(std::string_view text);

/// One line of /proc/PID/mountinfo. Octal escapes (\040 \011 \012 \134) are resolved.
struct Mount {
  int id = 0, parent = 0;
  unsigned major = 0, minor = 0;
  std::string root, mount_point, options;
  std::string fs_type, source, super_options;
};
Result<std::vector<Mount>> parse_mountinfo(std::string_view text);

/// One line of /proc/PID/uid_map or gid_map: `inside outside count`.
struct IdRange {
  uint32_t inside = 0, outside = 0, count = 0;
  bool operator==(const IdRange&) const = default;
};
inline constexpr size_t kMaxIdRanges = 340;  ///< UID_GID_MAP_MAX_EXTENTS
Result<std::vector<IdRange>> parse_id_map(std::string_view text);

/// One line of /proc/cgroups: the controllers that this kernel has.
struct Subsystem {
  std::string name;
  int hierarchy = 0;  ///< 0: on v2, or on none
  int cgroups = 0;
  bool enabled = false;
};
Result<std::vector<Subsystem>> parse_cgroups(std::string_view text);

}  // namespace cgm::procfs
