// SPDX-License-Identifier: LGPL-2.1-or-later
// Deadlines and pauses.
#include "base/deadline.hpp"

#include <algorithm>
#include <ctime>

#include "base/sys.hpp"

namespace cgm {

namespace {

constexpr int64_t kLongestPauseNs = 50'000'000;
constexpr int64_t kNsPerMs = 1'000'000;

}  // namespace

Deadline Deadline::after(std::chrono::nanoseconds span) {
  int64_t now = sys::monotonic_ns();
  return Deadline(now + std::clamp<int64_t>(span.count(), 0, INT64_MAX - now));
}

int64_t Deadline::left_ns() const {
  return std::max<int64_t>(at_ns_ - sys::monotonic_ns(), 0);
}

int Deadline::poll_ms() const {
  return static_cast<int>(std::min<int64_t>((left_ns() + kNsPerMs - 1) / kNsPerMs, INT32_MAX));
}

Deadline Deadline::or_after(std::chrono::nanoseconds span) const {
  return Deadline(std::min(at_ns_, after(span).at_ns_));
}

bool Backoff::pause() {
  int64_t left = deadline_.left_ns();
  if (left == 0) return false;
  int64_t span = std::min(next_ns_, left);
  timespec time{span / 1'000'000'000, span % 1'000'000'000};
  ::nanosleep(&time, nullptr);
  next_ns_ = std::min(next_ns_ * 2, kLongestPauseNs);
  return true;
}

}  // namespace cgm
