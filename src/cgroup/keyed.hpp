// SPDX-License-Identifier: LGPL-2.1-or-later
// Parsers of what cgroup files hold: flat keyed, nested keyed, pressure, and v1's device files (cgroup-v2.rst
// "Format"; cgroup-v1/blkio-controller.rst). Pure, bounded, total: any text gives a value or an error of kind protocol.
// The views in a result point into the text that was parsed.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "cgroup/block_device.hpp"

namespace cgm::cgroup {

/// No limit: `max` on v2, -1 or the largest page count on v1.
inline constexpr uint64_t kUnlimited = UINT64_MAX;

/// Lines that any of these parsers takes, and pairs in one line.
inline constexpr size_t kMaxLines = 65536;
inline constexpr size_t kMaxPairs = 64;

struct Pair {
  std::string_view key, value;
  bool operator==(const Pair&) const = default;
};

/// `KEY VALUE` a line.
Result<std::vector<Pair>> parse_flat_keyed(std::string_view text);
/// The number of the line `key` in a flat keyed text; nothing where there is none. Reads no further than it must.
std::optional<uint64_t> flat_value(std::string_view text, std::string_view key);

/// `KEY SUB=VALUE SUB=VALUE…` a line.
struct NestedLine {
  std::string_view key;
  std::vector<Pair> values;
  /// The value of a sub-key; nothing where there is none.
  std::optional<std::string_view> value(std::string_view sub) const;
};
Result<std::vector<NestedLine>> parse_nested_keyed(std::string_view text);

/// One line of a *.pressure file: the share of the last 10, 60 and 300 seconds in percent, and the total in µs.
struct PressureLine {
  double avg10 = 0, avg60 = 0, avg300 = 0;
  uint64_t total = 0;
  bool operator==(const PressureLine&) const = default;
};
/// `some`: at least one task waited; `full`: all did (absent for cpu before 5.13).
struct Pressure {
  std::optional<PressureLine> some, full;
  bool operator==(const Pressure&) const = default;
};
Result<Pressure> parse_pressure(std::string_view text);

/// What v1's blkio.*.io_service_bytes and io_serviced count for one device.
struct DeviceCount {
  Device device;
  uint64_t read = 0, write = 0, discard = 0;
  bool operator==(const DeviceCount&) const = default;
};
Result<std::vector<DeviceCount>> parse_device_counts(std::string_view text);

/// Lines `MAJOR:MINOR VALUE` or `default VALUE`, where a number alone in its line is the default (v1's
/// blkio.throttle.*_device and weights, v2's io.weight).
struct DeviceValues {
  std::optional<uint64_t> standard;
  struct One {
    Device device;
    uint64_t value = 0;
    bool operator==(const One&) const = default;
  };
  std::vector<One> devices;
  /// The value of `device`; nothing where it has none of its own.
  std::optional<uint64_t> value(Device device) const;
};
Result<DeviceValues> parse_device_values(std::string_view text);

/// Sizes from here on mean no limit: v1 shows its largest count of pages, rounded down to a page or a huge page.
inline constexpr uint64_t kEndless = uint64_t{1} << 62;

/// A number, `max` or a negative number, as limit files show them; kUnlimited for the latter two and from kEndless on.
std::optional<uint64_t> parse_amount(std::string_view text);
/// `max` for kUnlimited, else the number.
std::string format_amount(uint64_t amount);

/// The largest size that v1 shows for "no limit", in pages of `page_size` bytes: 9223372036854771712 for 4096.
constexpr uint64_t v1_unlimited(uint64_t page_size) {
  return static_cast<uint64_t>(INT64_MAX) / page_size * page_size;
}

}  // namespace cgm::cgroup
