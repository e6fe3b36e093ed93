// SPDX-License-Identifier: LGPL-2.1-or-later
// Limits of a cgroup, neutral: in the units and with the meaning of cgroup v2, whatever the host mounts. The planners
// turn them into writes; they are pure, all that v1 and v2 differ in is in them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "cgroup/block_device.hpp"
#include "cgroup/files.hpp"
#include "cgroup/keyed.hpp"

namespace cgm::cgroup {

/// Bytes or operations a second for one device; kUnlimited lifts a limit. bps from 1; iops from 1 to 2^32 - 2.
struct IoMax {
  Device device;
  std::optional<uint64_t> rbps = {}, wbps = {}, riops = {}, wiops = {};
  bool operator==(const IoMax&) const = default;
};

/// A weight for one device, 1-10000; none: back to the cgroup's own.
struct IoWeight {
  Device device;
  std::optional<uint32_t> weight = {};
  bool operator==(const IoWeight&) const = default;
};

/// Bytes of huge pages of one size (`2MB`, `1GB`: as the kernel's file names have it).
struct HugetlbMax {
  std::string size;
  uint64_t max = kUnlimited;
  bool operator==(const HugetlbMax&) const = default;
};

/// Handles and objects of one RDMA device.
struct RdmaMax {
  std::string device;
  std::optional<uint64_t> hca_handle = {}, hca_object = {};
  bool operator==(const RdmaMax&) const = default;
};

/// One resource of the misc controller (misc.capacity names them).
struct MiscMax {
  std::string resource;
  uint64_t max = kUnlimited;
  bool operator==(const MiscMax&) const = default;
};

/// What is to be changed; what is absent stays as it is. kUnlimited lifts a limit wherever an amount is meant.
struct Limits {
  struct Cpu {
    std::optional<uint32_t> weight = {};  ///< 1-10000, 100 is what every cgroup starts with
    std::optional<uint64_t> quota = {};   ///< µs of CPU time in each period, from 1000; all CPUs together
    std::optional<uint64_t> period = {};  ///< µs, 1000-1000000
    std::optional<uint64_t> burst = {};   ///< µs that may be saved up, at most the quota (Linux 5.14)
    bool operator==(const Cpu&) const = default;
  } cpu;
  struct Cpuset {
    std::optional<std::string> cpus = {}, mems = {};  ///< lists, `0-3,5`; empty: the parent's (v2 alone)
    bool operator==(const Cpuset&) const = default;
  } cpuset;
  struct Memory {                       // bytes
    std::optional<uint64_t> max = {};   ///< never above; the kernel reclaims, then kills
    std::optional<uint64_t> high = {};  ///< slowed down above (v2 alone)
    std::optional<uint64_t> low = {};   ///< spared by reclaim below while others have memory to give; 0: not spared
    std::optional<uint64_t> min = {};   ///< never reclaimed below (v2 alone)
    std::optional<uint64_t> swap = {};  ///< swap alone, not memory and swap
    bool operator==(const Memory&) const = default;
  } memory;
  struct Pids {
    std::optional<uint64_t> max = {};  ///< processes and threads
    bool operator==(const Pids&) const = default;
  } pids;
  struct Io {
    std::optional<uint32_t> weight = {};  ///< 1-10000, 100 is what every cgroup starts with
    std::vector<IoWeight> weights;
    std::vector<IoMax> max;
    bool operator==(const Io&) const = default;
  } io;
  std::vector<HugetlbMax> hugetlb;
  std::vector<RdmaMax> rdma;
  std::vector<MiscMax> misc;
  bool operator==(const Limits&) const = default;
};

/// True where a limit of `controller` (a neutral name) is set.
bool has_limits(const Limits& limits, std::string_view controller);
/// `limits` with those of `controller` alone.
Limits only(const Limits& limits, std::string_view controller);
/// Ranges and words, whatever the host. Errors: invalid, with the limit and its range.
Result<void> check(const Limits& limits);

/// Reads a file of a cgroup; not_found where there is none.
using ReadFile = std::function<Result<std::string>(std::string_view controller, std::string_view file)>;

namespace v1 {
/// The writes, in order, that put `limits` in force in cgroups of v1 hierarchies. `read` gives the present values where
/// the order or the value depends on them. Errors: invalid (check(), or against a present value), unsupported (v1 has
/// no such limit: the error names it and the nearest), what `read` fails with.
Result<std::vector<Write>> plan(const Limits& limits, const ReadFile& read);
}  // namespace v1

namespace v2 {
/// The same for the v2 tree.
Result<std::vector<Write>> plan(const Limits& limits, const ReadFile& read);
}  // namespace v2

/// Plans each controller's limits for the version that serves it in `files`; unsupported where none does.
Result<std::vector<Write>> plan(const Limits& limits, const Files& files);

/// The limits that are in force in a cgroup, as far as its controllers are there: every optional that the host can tell
/// is set. kUnlimited where there is none. Of soft limits and protections: v1's soft limit is `low`.
Result<Limits> read_limits(const Files& files);

}  // namespace cgm::cgroup
