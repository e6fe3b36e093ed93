// SPDX-License-Identifier: LGPL-2.1-or-later
// A share of one processor for work that others can cause as much of as they like. Pure: the clock is the caller's.
#pragma once

#include <algorithm>
#include <cstdint>

namespace cgm {

/// Allows one tenth of the time that passes, of which up to `burst_ns` is saved up; begins with that much.
class WorkBudget final {
 public:
  WorkBudget(int64_t burst_ns, int64_t now_ns) : burst_ns_(burst_ns), left_ns_(burst_ns), at_ns_(now_ns) {}

  /// Takes off the work that was done from `begun_ns` to `ended_ns`, and returns when more may be done: `ended_ns`
  /// itself or later. More than a burst counts as one: that was no work, but a processor that served somebody else.
  int64_t spend(int64_t begun_ns, int64_t ended_ns) {
    int64_t work_ns = std::min(ended_ns - begun_ns, burst_ns_);
    left_ns_ = std::min(burst_ns_, left_ns_ + (ended_ns - at_ns_) / kShare) - work_ns;
    at_ns_ = ended_ns;
    return left_ns_ < 0 ? ended_ns - left_ns_ * kShare : ended_ns;
  }

 private:
  static constexpr int64_t kShare = 10;
  int64_t burst_ns_, left_ns_, at_ns_;
};

}  // namespace cgm
