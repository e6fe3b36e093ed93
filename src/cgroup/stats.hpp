// SPDX-License-Identifier: LGPL-2.1-or-later
// What a cgroup uses, in one shape for v1 and v2. A value that the host does not tell is absent, never zero.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/error.hpp"
#include "cgroup/files.hpp"
#include "cgroup/keyed.hpp"

namespace cgm::cgroup {

/// Times in µs, sizes in bytes, counts since the cgroup was made, the whole subtree included where the controller
/// counts so (all but v1's pids events).
struct Stats {
  struct Cpu {
    std::optional<uint64_t> usage, user, system;  ///< µs
    std::optional<uint64_t> periods;              ///< periods of the quota that have passed
    std::optional<uint64_t> throttled_periods;    ///< of these, how many ended with the quota used up
    std::optional<uint64_t> throttled;            ///< µs
    bool operator==(const Cpu&) const = default;
  } cpu;
  struct Memory {
    std::optional<uint64_t> current, peak;
    std::optional<uint64_t> limit;                      ///< kUnlimited: none
    std::optional<uint64_t> swap_current, swap_limit;   ///< swap alone
    std::optional<uint64_t> anon, file, shmem, kernel;  ///< file includes shmem; kernel: v2 from 5.18
    std::optional<uint64_t> limit_hits;  ///< how often use was to go above the limit (v1: or above memory and swap)
    bool operator==(const Memory&) const = default;
  } memory;
  struct Oom {
    std::optional<uint64_t> oom;       ///< allocations that failed for the limit (v2)
    std::optional<uint64_t> oom_kill;  ///< processes that the kernel killed for it
    bool operator==(const Oom&) const = default;
  } oom;
  struct Io {
    Device device;
    uint64_t rbytes = 0, wbytes = 0, rios = 0, wios = 0, dbytes = 0, dios = 0;  ///< d: discarded
    bool operator==(const Io&) const = default;
  };
  std::optional<std::vector<Io>> io;  ///< by device, ascending
  struct Pids {
    std::optional<uint64_t> current, peak, max;  ///< max: kUnlimited: none
    bool operator==(const Pids&) const = default;
  } pids;
  struct Pressures {
    std::optional<Pressure> cpu, memory, io;
    bool operator==(const Pressures&) const = default;
  } pressure;
  bool operator==(const Stats&) const = default;
};

/// Reads what there is. Files that are missing or that the kernel does not serve leave their values absent. Errors:
/// denied, gone (the cgroup was removed meanwhile), protocol (a file is malformed).
Result<Stats> read_stats(const Files& files);

}  // namespace cgm::cgroup
