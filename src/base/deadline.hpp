// SPDX-License-Identifier: LGPL-2.1-or-later
// A point in monotonic time until which something is waited for, and pauses that grow on the way there.
#pragma once

#include <chrono>
#include <cstdint>

namespace cgm {

class Deadline final {
 public:
  /// The point `span` from now; at once for a negative span.
  static Deadline after(std::chrono::nanoseconds span);

  bool has_passed() const { return left_ns() == 0; }
  /// Nanoseconds that are left; 0 once it has passed.
  int64_t left_ns() const;
  /// The same as poll(2) wants it: milliseconds, rounded up.
  int poll_ms() const;
  /// This point, or the one `span` from now, whichever comes first.
  Deadline or_after(std::chrono::nanoseconds span) const;

 private:
  explicit Deadline(int64_t at_ns) : at_ns_(at_ns) {}
  int64_t at_ns_;
};

/// Pauses between looks at what the kernel does not announce: 1 ms, doubled up to 50 ms, none past the deadline.
class Backoff final {
 public:
  explicit Backoff(Deadline deadline) : deadline_(deadline) {}
  /// Pauses (a signal may cut it short); false, at once, when the deadline has passed.
  bool pause();

 private:
  Deadline deadline_;
  int64_t next_ns_ = 1'000'000;
};

}  // namespace cgm
