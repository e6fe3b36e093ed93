// SPDX-License-Identifier: LGPL-2.1-or-later
// One log line for each refusal: who asked for what, and why not. Held to a rate for each account, so that nobody hides
// behind another's flood.
#pragma once

#include <mutex>
#include <string>
#include <unordered_map>

#include "api/service.hpp"
#include "base/log.hpp"

namespace cgm::manager {

/// The line's text: `refused uid=1000 pid=42 MovePid(memory, 'a/b', 7): why`. Pure.
std::string audit_text(const api::Caller& caller, const api::Request& request, const Error& why);

/// Thread-safe.
class Audit final {
 public:
  explicit Audit(const Log& log) : log_(log) {}
  /// Logs a refusal (denied, invalid, quota, unsupported) as a notice; other failures are debug lines.
  void failed(const api::Caller& caller, const api::Request& request, const Error& why);

 private:
  const Log& log_;
  std::mutex mutex_;
  std::unordered_map<uid_t, RateLimit> limits_;
};

}  // namespace cgm::manager
