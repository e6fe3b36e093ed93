// SPDX-License-Identifier: LGPL-2.1-or-later
// Lines on standard error, with a level in front where a journal or supervisor reads them, or in syslog once there is
// no standard error any more. Made once in main() and passed down; libraries write debug lines only.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

namespace cgm {

/// Levels as syslog(3) numbers them.
enum class LogLevel : int { error = 3, warning = 4, notice = 5, info = 6, debug = 7 };

/// Thread-safe: a line is one write(2).
class Log final {
 public:
  /// Lines above `level` are dropped. `prefixed`: begin each with `<N>`, as sd-daemon(3) reads it.
  explicit Log(LogLevel level, bool prefixed = false, int fd = 2) : level_(level), prefixed_(prefixed), fd_(fd) {}
  void set_level(LogLevel level) { level_ = level; }
  /// From now on lines go to syslog(3) (facility daemon). Before there are other threads.
  void to_syslog();
  bool wants(LogLevel level) const { return level <= level_.load(); }
  /// Writes one line; control characters in `text` are shown as `?`, so that no client writes lines of its own.
  void write(LogLevel level, std::string_view text) const;

 private:
  std::atomic<LogLevel> level_;
  bool prefixed_;
  bool syslog_ = false;
  int fd_;
};

/// Lets `burst` events through at once and `per_second` for long; counts what it held back. Not thread-safe.
class RateLimit final {
 public:
  RateLimit(unsigned burst, unsigned per_second) : burst_(burst), per_second_(per_second), tokens_(burst) {}
  /// True if an event at `now_ns` (monotonic) may pass.
  bool pass(int64_t now_ns);
  /// How many were held back since this was last asked.
  unsigned take_suppressed();

 private:
  unsigned burst_, per_second_;
  double tokens_;
  int64_t last_ns_ = 0;
  unsigned suppressed_ = 0;
};

}  // namespace cgm
