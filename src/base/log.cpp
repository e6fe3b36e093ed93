// SPDX-License-Identifier: LGPL-2.1-or-later
// Log lines.
#include "base/log.hpp"

#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>

namespace cgm {

void Log::to_syslog() {
  ::openlog("cgmanager", LOG_PID, LOG_DAEMON);
  syslog_ = true;
}

void Log::write(LogLevel level, std::string_view text) const {
  constexpr size_t kLongest = 2000;
  if (!wants(level)) return;
  std::string line;
  if (!syslog_ && prefixed_) line.append("<").append(std::to_string(static_cast<int>(level))).append(">");
  if (!syslog_) line.append("cgmanager: ");
  text = text.substr(0, kLongest);
  for (size_t at = 0; at < text.size(); at++) {
    auto byte = static_cast<unsigned char>(text[at]);
    // U+0080 to U+009F are controls too, which terminals obey.
    auto next = at + 1 < text.size() ? static_cast<unsigned char>(text[at + 1]) : 0;
    bool second = byte == 0xC2 && next >= 0x80 && next < 0xA0;
    line.push_back(byte < ' ' || byte == 127 || second ? '?' : text[at]);
    if (second) at++;
  }
  if (syslog_) return ::syslog(static_cast<int>(level), "%s", line.c_str());
  line.push_back('\n');
  (void)!::write(fd_, line.data(), line.size());
}

bool RateLimit::pass(int64_t now_ns) {
  if (last_ns_ != 0)
    tokens_ = std::min<double>(burst_, tokens_ + static_cast<double>(now_ns - last_ns_) / 1e9 * per_second_);
  last_ns_ = now_ns;
  if (tokens_ < 1) {
    suppressed_++;
    return false;
  }
  tokens_ -= 1;
  return true;
}

unsigned RateLimit::take_suppressed() {
  return std::exchange(suppressed_, 0);
}

}  // namespace cgm
