// SPDX-License-Identifier: LGPL-2.1-or-later
// Parsers of cgroup files.
#include "cgroup/keyed.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/number.hpp"

namespace cgm::cgroup {

namespace {

std::unexpected<Error> malformed(std::string_view line) {
  return fail(ErrorKind::protocol, fmt::format("malformed line '{}'", line.substr(0, 80)));
}

/// Calls `parse_line` for each line that is not blank until it fails.
template <class F>
Result<void> each_line(std::string_view text, F parse_line) {
  for (size_t lines = 0; !text.empty();) {
    std::string_view line = trim(take_until(text, '\n'));
    if (line.empty()) continue;
    if (++lines > kMaxLines) return fail(ErrorKind::protocol, "too many lines");
    if (!parse_line(line)) return malformed(line);
  }
  return {};
}

/// The next word of a line, blanks skipped.
std::string_view word(std::string_view& rest) {
  rest = trim(rest);
  return take_until(rest, ' ');
}

bool number(std::string_view text, uint64_t& out) {
  auto value = parse_number<uint64_t>(text);
  if (value) out = *value;
  return value.has_value();
}

/// `12.34`: from 0 to 100 with at most two digits behind the point, as the kernel writes shares of time.
bool percent(std::string_view text, double& out) {
  std::string_view whole = take_until(text, '.');
  auto units = parse_number<uint32_t>(whole);
  auto hundredths = parse_number<uint32_t>(text);
  if (!units || !hundredths || text.size() != 2 || *units > 100) return false;
  out = *units + *hundredths / 100.0;
  return true;
}

bool pressure_line(const std::vector<Pair>& values, PressureLine& out) {
  bool seen[4] = {};
  for (const Pair& pair : values) {
    if (pair.key == "avg10") seen[0] = percent(pair.value, out.avg10);
    if (pair.key == "avg60") seen[1] = percent(pair.value, out.avg60);
    if (pair.key == "avg300") seen[2] = percent(pair.value, out.avg300);
    if (pair.key == "total") seen[3] = number(pair.value, out.total);
  }
  return std::all_of(std::begin(seen), std::end(seen), [](bool one) { return one; });
}

}  // namespace

Result<std::vector<Pair>> parse_flat_keyed(std::string_view text) {
  std::vector<Pair> pairs;
  TRY_VOID(each_line(text, [&](std::string_view line) {
    std::string_view key = word(line);
    std::string_view value = word(line);
    if (value.empty() || !line.empty()) return false;
    pairs.push_back({key, value});
    return true;
  }));
  return pairs;
}

std::optional<uint64_t> flat_value(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == ' ')
      return parse_number<uint64_t>(trim(line.substr(key.size())));
  }
  return std::nullopt;
}

std::optional<std::string_view> NestedLine::value(std::string_view sub) const {
  for (const Pair& pair : values)
    if (pair.key == sub) return pair.value;
  return std::nullopt;
}

Result<std::vector<NestedLine>> parse_nested_keyed(std::string_view text) {
  std::vector<NestedLine> lines;
  TRY_VOID(each_line(text, [&](std::string_view line) {
    NestedLine one{word(line), {}};
    while (!trim(line).empty()) {
      std::string_view value = word(line);
      if (value.find('=') == std::string_view::npos || one.values.size() >= kMaxPairs) return false;
      std::string_view key = take_until(value, '=');
      if (key.empty()) return false;
      one.values.push_back({key, value});
    }
    lines.push_back(std::move(one));
    return true;
  }));
  return lines;
}

Result<Pressure> parse_pressure(std::string_view text) {
  Pressure pressure;
  for (const NestedLine& line : TRY(parse_nested_keyed(text))) {
    PressureLine one;
    if (!pressure_line(line.values, one)) return malformed(line.key);
    if (line.key == "some") pressure.some = one;
    if (line.key == "full") pressure.full = one;
  }
  return pressure;
}

Result<std::vector<DeviceCount>> parse_device_counts(std::string_view text) {
  std::vector<DeviceCount> counts;
  TRY_VOID(each_line(text, [&](std::string_view line) {
    std::string_view name = word(line);
    if (name == "Total") return true;  // the sum over all devices
    auto device = parse_device(name);
    std::string_view what = word(line);
    uint64_t value = 0;
    if (!device || !number(trim(line), value)) return false;
    if (counts.empty() || counts.back().device != *device) counts.push_back({.device = *device});
    DeviceCount& count = counts.back();
    if (what == "Read") count.read = value;
    if (what == "Write") count.write = value;
    if (what == "Discard") count.discard = value;
    return true;
  }));
  return counts;
}

std::optional<uint64_t> DeviceValues::value(Device device) const {
  for (const One& one : devices)
    if (one.device == device) return one.value;
  return std::nullopt;
}

Result<DeviceValues> parse_device_values(std::string_view text) {
  DeviceValues values;
  TRY_VOID(each_line(text, [&](std::string_view line) {
    std::string_view name = word(line);
    uint64_t value = 0;
    if (trim(line).empty() || name == "default") {
      if (!number(trim(line).empty() ? name : trim(line), value)) return false;
      values.standard = value;
      return true;
    }
    auto device = parse_device(name);
    if (!device || !number(trim(line), value)) return false;
    values.devices.push_back({*device, value});
    return true;
  }));
  return values;
}

std::optional<uint64_t> parse_amount(std::string_view text) {
  text = trim(text);
  if (text == "max") return kUnlimited;
  if (text.starts_with('-')) {
    if (!parse_number<int64_t>(text)) return std::nullopt;
    return kUnlimited;
  }
  auto value = parse_number<uint64_t>(text);
  if (value && *value >= kEndless) return kUnlimited;
  return value;
}

std::string format_amount(uint64_t amount) {
  return amount == kUnlimited ? "max" : std::to_string(amount);
}

}  // namespace cgm::cgroup
