// SPDX-License-Identifier: LGPL-2.1-or-later
// Audit lines.
#include "manager/audit.hpp"

#include "base/sys.hpp"

namespace cgm::manager {

namespace {

constexpr unsigned kBurst = 20, kPerSecond = 2;
constexpr size_t kMaxRemembered = 1024;
constexpr size_t kShown = 128;  // bytes of an argument

bool is_refusal(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::denied:
    case ErrorKind::invalid:
    case ErrorKind::quota:
    case ErrorKind::unsupported: return true;
    case ErrorKind::not_found:
    case ErrorKind::exists:
    case ErrorKind::busy:
    case ErrorKind::gone:
    case ErrorKind::timeout:
    case ErrorKind::protocol:
    case ErrorKind::os: return false;
  }
  return true;
}

}  // namespace

std::string audit_text(const api::Caller& caller, const api::Request& request, const Error& why) {
  const api::MethodInfo& method = api::info(request.method);
  const std::string* strings[] = {&request.controller, &request.cgroup, &request.key, &request.value};
  const int32_t integers[] = {request.first, request.second};
  std::string text =
      "refused uid=" + std::to_string(caller.uid()) + " pid=" + std::to_string(caller.pid()) + " " + method.name + "(";
  size_t string = 0, integer = 0;
  for (const char* type = method.in; *type != '\0'; type++) {
    if (type != method.in) text += ", ";
    text += *type == 's' ? "'" + strings[string++]->substr(0, kShown) + "'" : std::to_string(integers[integer++]);
  }
  return text + "): " + why.text();
}

void Audit::failed(const api::Caller& caller, const api::Request& request, const Error& why) {
  if (!is_refusal(why.kind())) {
    if (log_.wants(LogLevel::debug)) log_.write(LogLevel::debug, audit_text(caller, request, why));
    return;
  }
  if (!log_.wants(LogLevel::notice)) return;
  unsigned suppressed;
  {
    std::lock_guard lock(mutex_);
    if (limits_.size() > kMaxRemembered) limits_.clear();
    RateLimit& limit = limits_.try_emplace(caller.uid(), kBurst, kPerSecond).first->second;
    if (!limit.pass(sys::monotonic_ns())) return;
    suppressed = limit.take_suppressed();
  }
  if (suppressed > 0)
    log_.write(LogLevel::notice, std::to_string(suppressed) + " more refusals of uid " + std::to_string(caller.uid()) +
                                     " were not logged");
  log_.write(LogLevel::notice, audit_text(caller, request, why));
}

}  // namespace cgm::manager
