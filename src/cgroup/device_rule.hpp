// SPDX-License-Identifier: LGPL-2.1-or-later
// Which devices the tasks of a cgroup may make and open, in the words and with the semantics of v1's devices.allow and
// devices.deny (the kernel's security/device_cgroup.c). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace cgm::cgroup {

/// Bits of an access, as the kernel's BPF_DEVCG_ACC_* have them.
enum DeviceAccess : unsigned { kMknod = 1, kReadDevice = 2, kWriteDevice = 4, kAllDeviceAccess = 7 };

enum class DeviceType { any, block, character };

/// One line of devices.allow or devices.deny. `any` is every device with every access: the kernel looks at nothing
/// behind an `a`.
struct DeviceRule {
  DeviceType type = DeviceType::any;
  std::optional<uint32_t> major, minor;  ///< none: all
  unsigned access = kAllDeviceAccess;
  bool operator==(const DeviceRule&) const = default;
};

/// Parses `a`, `a *:* rwm`, `c 1:3 rwm`, `b 8:* r`. Errors: invalid. Stricter than the kernel in one point: what stands
/// behind an `a` has to mean all, too.
Result<DeviceRule> parse_device_rule(std::string_view text);
/// As devices.list shows it: `c 1:3 rwm`.
std::string format_device_rule(const DeviceRule& rule);

/// A cgroup's rules: what holds for most devices, and the exceptions from it.
class DeviceRules final {
 public:
  static constexpr size_t kMaxExceptions = 1024;

  /// Everything is allowed.
  DeviceRules() = default;

  /// What a write to devices.allow or devices.deny does. `any` clears the exceptions; a rule that only takes back an
  /// exception has to name the same devices, as in the kernel. Errors: quota (more than kMaxExceptions).
  Result<void> allow(const DeviceRule& rule);
  Result<void> deny(const DeviceRule& rule);

  /// True if everything is allowed but the exceptions; false if nothing is.
  bool allows_rest() const { return allows_rest_; }
  const std::vector<DeviceRule>& exceptions() const { return exceptions_; }
  /// True if all devices are allowed with every access.
  bool allows_all() const { return allows_rest_ && exceptions_.empty(); }
  /// Whether a task may. `type` is not any.
  bool permits(DeviceType type, uint32_t major, uint32_t minor, unsigned access) const;
  /// What the kernel asks of a parent before a child is allowed `rule`: that all of it is allowed here; for `any` that
  /// the rest is, as a child that is allowed everything gets its parent's exceptions.
  bool covers(const DeviceRule& rule) const;

  /// As devices.list shows them: `a *:* rwm` alone, exceptions or not; else what is allowed, one rule a line.
  std::string format_list() const;
  /// What format_list() gave; the exceptions from `a` are lost. Errors: protocol.
  static Result<DeviceRules> parse_list(std::string_view text);
  /// The same without loss: a line `allow` or `deny` for the rest, then the exceptions.
  std::string format_whole() const;
  static Result<DeviceRules> parse_whole(std::string_view text);

  bool operator==(const DeviceRules&) const = default;

 private:
  Result<void> change(const DeviceRule& rule, bool allowed);
  bool allows_rest_ = true;
  std::vector<DeviceRule> exceptions_;
};

}  // namespace cgm::cgroup
