// SPDX-License-Identifier: LGPL-2.1-or-later
// The eight kinds of namespaces: their names, files and flags, in one table. namespaces(7).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace cgm::ns {

enum class Kind : uint8_t { mount, uts, ipc, pid, net, user, cgroup, time };

struct KindInfo {
  Kind kind;
  std::string_view name;  ///< as our options and tables have it
  std::string_view file;  ///< in /proc/PID/ns, and before the inode number in what that link says
  int flag;               ///< CLONE_NEW*
};

/// Every kind, in the order of the enum.
extern const std::array<KindInfo, 8> kKinds;

const KindInfo& info(Kind kind);
/// By either name.
std::optional<Kind> parse_kind(std::string_view text);
std::optional<Kind> kind_of_flag(int flag);

/// A set of kinds.
class Kinds final {
 public:
  constexpr Kinds() = default;
  static constexpr Kinds all() { return Kinds(0xFF); }
  static constexpr Kinds only(Kind kind) { return Kinds(bit(kind)); }
  /// Names parted by commas, or `all`. Errors: invalid.
  static Result<Kinds> parse(std::string_view text);

  constexpr bool has(Kind kind) const { return (bits_ & bit(kind)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr void add(Kind kind) { bits_ |= bit(kind); }
  constexpr void add(Kinds other) { bits_ |= other.bits_; }
  constexpr void remove(Kind kind) { bits_ &= static_cast<uint8_t>(~bit(kind)); }
  /// CLONE_NEW* of all of them.
  int flags() const;
  constexpr bool operator==(const Kinds&) const = default;

 private:
  explicit constexpr Kinds(uint8_t bits) : bits_(bits) {}
  static constexpr uint8_t bit(Kind kind) { return static_cast<uint8_t>(1U << static_cast<unsigned>(kind)); }
  uint8_t bits_ = 0;
};

/// What a link of /proc/PID/ns says: `mnt:[4026531841]`. Nothing where it is none, or of another kind.
std::optional<uint64_t> parse_link(std::string_view text, Kind kind);
/// The same of any kind.
struct Link {
  Kind kind;
  uint64_t inode;
};
std::optional<Link> parse_link(std::string_view text);
std::string format_link(Kind kind, uint64_t inode);

}  // namespace cgm::ns
