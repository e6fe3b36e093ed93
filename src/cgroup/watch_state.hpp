// SPDX-License-Identifier: LGPL-2.1-or-later
// What is watched, as a file that outlives the daemon: text to plain data and back, pure, and the file's replacement in
// one step. A cgroup is told by its id, the inode number of its directory, which no later cgroup of the same boot gets.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "cgroup/hierarchy.hpp"
#include "cgroup/path.hpp"

namespace cgm::cgroup {

struct WatchRecord {
  std::string hierarchy;  ///< watch_label()
  CgroupPath path;        ///< not the root
  uint64_t cgroup_id = 0;
  uid_t owner = 0;      ///< who pays for it
  bool filled = false;  ///< it has had a task or child since it was watched
  bool operator==(const WatchRecord&) const = default;
};

struct WatchState {
  std::string boot_id;  ///< /proc/sys/kernel/random/boot_id
  std::vector<WatchRecord> records;
  bool operator==(const WatchState&) const = default;
};

/// Longest text that is read, in bytes, and most records in it.
inline constexpr size_t kMaxWatchState = 8 << 20;
inline constexpr size_t kMaxWatchRecords = 65'536;

/// A hierarchy's name in records: `unified`, or what is mounted together on v1. Unlike Hierarchy::label() it stays the
/// same while v1 mounts come and go.
std::string watch_label(const Hierarchy& hierarchy);

/// A line for the boot, then a line a record: id, owner, 0 or 1, hierarchy, path.
std::string format_watch_state(const WatchState& state);
/// The reverse, and nothing else is taken: what is parsed formats to the same text. Errors: protocol, naming the line.
Result<WatchState> parse_watch_state(std::string_view text);

/// This boot's id.
Result<std::string> read_boot_id();

/// Reads the file `name` below a directory; nothing where there is none. Errors: denied where it could be somebody
/// else's (owner not us, writable for others, a link), quota, protocol.
Result<std::optional<WatchState>> read_watch_state(int dirfd, const std::string& name);
/// Replaces the file in one step, through `name`.new; readers see the old one or the new one, whole.
Result<void> write_watch_state(int dirfd, const std::string& name, const WatchState& state);

}  // namespace cgm::cgroup
