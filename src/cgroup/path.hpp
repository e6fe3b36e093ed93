// SPDX-License-Identifier: LGPL-2.1-or-later
// A validated path of a cgroup below a hierarchy's root: a value, compared and joined by components. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace cgm::cgroup {

/// The child that holds an inner v2 cgroup's tasks; see leaf.hpp. Never part of a CgroupPath that a client named.
inline constexpr std::string_view kLeafName = ".cgm_leaf";

class CgroupPath final {
 public:
  /// Longest path and component, in bytes (PATH_MAX less its NUL, NAME_MAX).
  static constexpr size_t kMaxLength = 4095;
  static constexpr size_t kMaxComponent = 255;

  /// The root.
  CgroupPath() = default;

  /// Takes a path as a client writes it: slashes at either end and repeated ones, and `.`, mean nothing. Errors, all
  /// invalid: `..` as a component (`a..b` is a name), a newline or NUL, a component or path that is too long, the leaf.
  static Result<CgroupPath> parse(std::string_view text);
  /// Takes a path from /proc/PID/cgroup, where the leaf is a component like others. `/..` is invalid.
  static Result<CgroupPath> from_kernel(std::string_view text);

  bool is_root() const { return text_.empty(); }
  /// `a/b`; empty for the root.
  const std::string& text() const { return text_; }
  /// `/a/b`; `/` for the root.
  std::string absolute() const { return "/" + text_; }
  std::vector<std::string_view> components() const;
  size_t depth() const;
  /// The last component; empty for the root.
  std::string_view name() const;
  /// The path without its last component; the root's parent is the root.
  CgroupPath parent() const;
  /// This path, then `below`.
  CgroupPath operator/(const CgroupPath& below) const;
  /// True if `other` is this path or lies below it.
  bool contains(const CgroupPath& other) const;
  /// `other` as seen from here; nothing where it does not lie at or below.
  std::optional<CgroupPath> relative(const CgroupPath& other) const;
  /// The nearest path that contains both.
  static CgroupPath common(const CgroupPath& a, const CgroupPath& b);

  bool operator==(const CgroupPath&) const = default;
  auto operator<=>(const CgroupPath&) const = default;

 private:
  explicit CgroupPath(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

/// True if `key` may name a file in a cgroup: one component, no slash, newline or NUL, neither `.` nor `..`.
bool is_key(std::string_view key);

}  // namespace cgm::cgroup
