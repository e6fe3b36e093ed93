// SPDX-License-Identifier: LGPL-2.1-or-later
// Weights that v1 and v2 count in different numbers. Pure. Each pair keeps the default at the default and is monotone;
// which way loses what is said at each.
#pragma once

#include <cstdint>

namespace cgm::cgroup {

inline constexpr uint64_t kMinShares = 2, kMaxShares = 262'144, kDefaultShares = 1024;
inline constexpr uint32_t kMinWeight = 1, kMaxWeight = 10'000, kDefaultWeight = 100;
inline constexpr uint32_t kMaxBfqWeight = 1000;

/// cpu.shares -> cpu.weight: with l = log2(shares), ceil(10^((l² + 125 l) / 612 - 7/34)); 2 and less is 1, 1024 is 100,
/// 262144 and more is 10000. The curve of crun since 1.23 and runc since 1.3.2. It takes 262 143 values to 10 000.
uint32_t weight_from_shares(uint64_t shares);
/// cpu.weight (1-10000) -> cpu.shares: the largest shares whose weight it is. weight -> shares -> weight is lossless.
uint64_t shares_from_weight(uint32_t weight);

/// io.weight (1-10000) -> BFQ's weight (1-1000): the same up to 100, from there on an eleventh of what is above it, cut
/// to an integer.
uint32_t bfq_from_weight(uint32_t weight);
/// BFQ's weight -> io.weight: bfq -> weight -> bfq is lossless.
uint32_t weight_from_bfq(uint32_t bfq);

/// cpu.weight.nice (-20-19) -> cpu.shares, by the scheduler's own table (sched_prio_to_weight: a fifth for each step).
uint64_t shares_from_nice(int nice);
/// cpu.shares -> the nice value whose shares are nearest, as the kernel computes cpu.weight.nice.
int nice_from_shares(uint64_t shares);

}  // namespace cgm::cgroup
