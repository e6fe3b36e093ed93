// SPDX-License-Identifier: LGPL-2.1-or-later
// Sizes, CPUs, lists of CPUs and io options as people write and read them. Pure. Errors are of kind invalid and quote
// the word that is wrong.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "cgroup/limits.hpp"

namespace cgm::cgroup {

/// A size in bytes: `max` (kUnlimited), or a number with at most nine digits behind a point and a unit. K, M, G, T, P,
/// E and KiB, MiB, … are powers of 1024, as in the kernel's own files; KB, MB, … are powers of 1000; B or nothing is
/// one byte. Either case. What is less than a byte is cut off. At most 2^62 - 1.
Result<uint64_t> parse_bytes(std::string_view word);
/// `max`, or the size in the largest unit of 1024 that it fills, one digit behind the point where that is not zero,
/// rounded to the nearest: 9998336 is `9.5M`, 10485760 `10M`.
std::string format_bytes(uint64_t bytes);

/// A share of CPU time: at most `quota` µs in each `period` µs; quota may be kUnlimited.
struct CpuBandwidth {
  uint64_t quota = kUnlimited;
  uint64_t period = 100'000;
  bool operator==(const CpuBandwidth&) const = default;
};
/// Numbers of CPUs: `0.5`, `2`, `50%` (of one), `max`. The period is 100 ms; 1 s below 0.01 CPUs, because the kernel
/// takes no quota under 1 ms. From 0.001 to 100 000; what is finer than 10 µs of a period is cut off.
Result<CpuBandwidth> parse_cpus(std::string_view word);
/// `0.5`, `2`, `max`: at most three digits behind the point, rounded to the nearest.
std::string format_cpus(CpuBandwidth bandwidth);

/// A set of CPU or memory node numbers, as ranges in order that neither touch nor overlap.
struct IdSet {
  struct Range {
    unsigned first = 0, last = 0;
    bool operator==(const Range&) const = default;
  };
  std::vector<Range> ranges;
  bool empty() const { return ranges.empty(); }
  /// True if each number of `other` is in this set.
  bool contains(const IdSet& other) const;
  bool operator==(const IdSet&) const = default;
};
/// The largest number that a list may hold: more than any kernel's NR_CPUS or MAX_NUMNODES.
inline constexpr unsigned kMaxId = 65535;
/// The kernel's lists, `0-3,5`; empty text is the empty set.
Result<IdSet> parse_id_set(std::string_view text);
/// As the kernel writes it: `0-3,5`.
std::string format_id_set(const IdSet& set);

/// A count: digits, with K, M, G for powers of 1000, or `max`.
Result<uint64_t> parse_count(std::string_view word);

/// What one `--io` says: a device as it was written (a path or `8:0`) and what is to hold for it.
struct IoOption {
  std::string device;
  IoMax max = {};                       ///< its device is not set
  std::optional<uint32_t> weight = {};  ///< 1-10000
};
/// `DEVICE:rbps=10M,wiops=100` or `8:0 rbps=10M wiops=100`. Keys: rbps, wbps (bytes a second, parse_bytes), riops,
/// wiops (operations a second, parse_count), weight.
Result<IoOption> parse_io_option(std::string_view text);
/// Adds it to `limits` for `device`; invalid where they hold something for that device and key already.
Result<void> add_io_option(Limits& limits, const IoOption& option, Device device);

}  // namespace cgm::cgroup
