// SPDX-License-Identifier: LGPL-2.1-or-later
// Device rules.
#include "cgroup/device_rule.hpp"

#include <algorithm>

#include "base/number.hpp"

namespace cgm::cgroup {

namespace {

struct AccessName {
  char letter;
  unsigned bit;
};
// In the order in which the kernel shows them.
constexpr AccessName kAccessNames[] = {{'r', kReadDevice}, {'w', kWriteDevice}, {'m', kMknod}};

std::unexpected<Error> malformed(std::string_view text) {
  return fail(ErrorKind::invalid,
              "'" + std::string(text.substr(0, 60)) +
                  "' is no device rule: 'a', or like 'c 1:3 rwm', 'b 8:* r' (type, major:minor, access)");
}

std::optional<unsigned> parse_access(std::string_view text) {
  unsigned access = 0;
  for (char letter : text) {
    auto name = std::find_if(std::begin(kAccessNames), std::end(kAccessNames),
                             [letter](const AccessName& one) { return one.letter == letter; });
    if (name == std::end(kAccessNames) || (access & name->bit) != 0) return std::nullopt;
    access |= name->bit;
  }
  if (access == 0) return std::nullopt;
  return access;
}

/// A device number, or `*`; nothing for neither.
std::optional<std::optional<uint32_t>> parse_device_number(std::string_view text) {
  if (text == "*") return std::optional<uint32_t>();
  auto number = parse_number<uint32_t>(text);
  if (!number) return std::nullopt;
  return number;
}

std::string format_device_number(std::optional<uint32_t> number) {
  return number ? std::to_string(*number) : "*";
}

bool names_same(const DeviceRule& a, const DeviceRule& b) {
  return a.type == b.type && a.major == b.major && a.minor == b.minor;
}

/// True if every device that `rule` names is named by `by` too.
bool is_within(const DeviceRule& rule, const DeviceRule& by) {
  return by.type == rule.type && (!by.major || by.major == rule.major) && (!by.minor || by.minor == rule.minor);
}

/// True if some device is named by both.
bool overlap(const DeviceRule& a, const DeviceRule& b) {
  auto meet = [](std::optional<uint32_t> x, std::optional<uint32_t> y) { return !x || !y || *x == *y; };
  return a.type == b.type && meet(a.major, b.major) && meet(a.minor, b.minor);
}

}  // namespace

Result<DeviceRule> parse_device_rule(std::string_view text) {
  std::string_view rest = trim(text);
  auto word = [&rest] {
    std::string_view one = take_until(rest, ' ');
    rest = trim(rest);
    return one;
  };
  std::string_view type = word(), numbers = word(), access_word = word();
  if (!rest.empty()) return malformed(text);
  DeviceRule rule;
  if (type == "a") {
    bool all =
        numbers.empty() || (numbers == "*:*" && (access_word.empty() || parse_access(access_word) == kAllDeviceAccess));
    if (!all) return malformed(text);
    return rule;
  }
  std::string_view minor_word = numbers;
  auto major = parse_device_number(take_until(minor_word, ':'));
  auto minor = parse_device_number(minor_word);
  auto access = parse_access(access_word);
  if ((type != "b" && type != "c") || !major || !minor || !access) return malformed(text);
  return DeviceRule{type == "b" ? DeviceType::block : DeviceType::character, *major, *minor, *access};
}

std::string format_device_rule(const DeviceRule& rule) {
  std::string text = rule.type == DeviceType::any ? "a" : rule.type == DeviceType::block ? "b" : "c";
  text += " " + format_device_number(rule.major) + ":" + format_device_number(rule.minor) + " ";
  for (const AccessName& name : kAccessNames)
    if ((rule.access & name.bit) != 0) text += name.letter;
  return text;
}

Result<void> DeviceRules::allow(const DeviceRule& rule) {
  return change(rule, true);
}

Result<void> DeviceRules::deny(const DeviceRule& rule) {
  return change(rule, false);
}

Result<void> DeviceRules::change(const DeviceRule& rule, bool allowed) {
  if (rule.type == DeviceType::any) {
    allows_rest_ = allowed;
    exceptions_.clear();
    return {};
  }
  auto same = std::find_if(exceptions_.begin(), exceptions_.end(),
                           [&](const DeviceRule& exception) { return names_same(exception, rule); });
  if (allowed == allows_rest_) {
    if (same == exceptions_.end()) return {};
    same->access &= ~rule.access;
    if (same->access == 0) exceptions_.erase(same);
  } else if (same != exceptions_.end()) {
    same->access |= rule.access;
  } else {
    if (exceptions_.size() == kMaxExceptions)
      return fail(ErrorKind::quota, "more than " + std::to_string(kMaxExceptions) + " device rules");
    exceptions_.push_back(rule);
  }
  return {};
}

bool DeviceRules::permits(DeviceType type, uint32_t major, uint32_t minor, unsigned access) const {
  DeviceRule wanted{type, major, minor, access};
  for (const DeviceRule& exception : exceptions_) {
    if (!is_within(wanted, exception)) continue;
    // One exception that allows has to allow all of it; one that denies is enough if it denies a part.
    if (allows_rest_ ? (exception.access & access) != 0 : (access & ~exception.access) == 0) return !allows_rest_;
  }
  return allows_rest_;
}

bool DeviceRules::covers(const DeviceRule& rule) const {
  if (rule.type == DeviceType::any) return allows_rest_;
  for (const DeviceRule& exception : exceptions_) {
    if (allows_rest_ && overlap(rule, exception) && (rule.access & exception.access) != 0) return false;
    if (!allows_rest_ && is_within(rule, exception) && (rule.access & ~exception.access) == 0) return true;
  }
  return allows_rest_;
}

std::string DeviceRules::format_list() const {
  if (allows_rest_) return format_device_rule({});
  std::string text;
  for (const DeviceRule& exception : exceptions_) text += (text.empty() ? "" : "\n") + format_device_rule(exception);
  return text;
}

Result<DeviceRules> DeviceRules::parse_list(std::string_view text) {
  DeviceRules rules;
  rules.allows_rest_ = false;
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    auto rule = parse_device_rule(line);
    if (!rule) return fail(ErrorKind::protocol, rule.error().text());
    TRY_VOID(rules.allow(*rule));
  }
  return rules;
}

std::string DeviceRules::format_whole() const {
  std::string text = allows_rest_ ? "allow" : "deny";
  for (const DeviceRule& exception : exceptions_) text += "\n" + format_device_rule(exception);
  return text;
}

Result<DeviceRules> DeviceRules::parse_whole(std::string_view text) {
  DeviceRules rules;
  std::string_view rest = take_until(text, '\n');
  if (rest != "allow" && rest != "deny")
    return fail(ErrorKind::protocol, "device rules begin with '" + std::string(rest.substr(0, 20)) + "'");
  rules.allows_rest_ = rest == "allow";
  while (!text.empty()) {
    auto rule = parse_device_rule(take_until(text, '\n'));
    if (!rule) return fail(ErrorKind::protocol, rule.error().text());
    if (rule->type == DeviceType::any) return fail(ErrorKind::protocol, "device rules have 'a' for an exception");
    TRY_VOID(rules.change(*rule, !rules.allows_rest_));
  }
  return rules;
}

}  // namespace cgm::cgroup
