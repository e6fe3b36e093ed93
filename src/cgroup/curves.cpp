// SPDX-License-Identifier: LGPL-2.1-or-later
// Weights.
#include "cgroup/curves.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <iterator>

namespace cgm::cgroup {

namespace {

constexpr int kMinNice = -20, kMaxNice = 19;
// kernel/sched/core.c: sched_prio_to_weight, nice -20 first.
constexpr uint32_t kNiceShares[] = {88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916,
                                    9548,  7620,  6100,  4904,  3906,  3121,  2501,  1991,  1586,  1277,
                                    1024,  820,   655,   526,   423,   335,   272,   215,   172,   137,
                                    110,   87,    70,    56,    45,    36,    29,    23,    18,    15};
static_assert(std::size(kNiceShares) == kMaxNice - kMinNice + 1);

}  // namespace

uint32_t weight_from_shares(uint64_t shares) {
  if (shares <= kMinShares) return kMinWeight;
  if (shares >= kMaxShares) return kMaxWeight;
  double l = std::log2(static_cast<double>(shares));
  return static_cast<uint32_t>(std::ceil(std::pow(10, (l * l + 125 * l) / 612 - 7.0 / 34)));
}

uint64_t shares_from_weight(uint32_t weight) {
  if (weight >= kMaxWeight) return kMaxShares;
  // The curve never falls, so the last shares that give this weight lie where the next weight begins.
  uint64_t low = kMinShares, high = kMaxShares;
  while (high - low > 1) {
    uint64_t middle = low + (high - low) / 2;
    (weight_from_shares(middle) <= weight ? low : high) = middle;
  }
  return low;
}

uint32_t bfq_from_weight(uint32_t weight) {
  if (weight <= kDefaultWeight) return weight;
  return kDefaultWeight + (weight - kDefaultWeight) / 11;
}

uint32_t weight_from_bfq(uint32_t bfq) {
  if (bfq <= kDefaultWeight) return bfq;
  return kDefaultWeight + (bfq - kDefaultWeight) * 11;
}

uint64_t shares_from_nice(int nice) {
  return kNiceShares[std::clamp(nice, kMinNice, kMaxNice) - kMinNice];
}

int nice_from_shares(uint64_t shares) {
  // As the kernel does: go on while the distance falls.
  size_t best = 0;
  auto distance = [&](size_t i) {
    return std::llabs(static_cast<long long>(kNiceShares[i]) - static_cast<long long>(shares));
  };
  while (best + 1 < std::size(kNiceShares) && distance(best + 1) < distance(best)) best++;
  return static_cast<int>(best) + kMinNice;
}

}  // namespace cgm::cgroup
