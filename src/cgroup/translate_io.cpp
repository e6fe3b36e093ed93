// SPDX-License-Identifier: LGPL-2.1-or-later
// Block io: limits of a device in one line or in four files, weights on two scales, counters.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/number.hpp"
#include "cgroup/curves.hpp"
#include "cgroup/keyed.hpp"
#include "cgroup/stats.hpp"
#include "cgroup/translate_rows.hpp"

namespace cgm::cgroup::translate {

namespace {

struct Member {
  std::string_view name;
  std::optional<uint64_t> IoMax::* member;
};
constexpr std::array kMembers = {Member{"rbps", &IoMax::rbps}, Member{"wbps", &IoMax::wbps},
                                 Member{"riops", &IoMax::riops}, Member{"wiops", &IoMax::wiops}};

std::optional<uint64_t> IoMax::* member_of(std::string_view name) {
  for (const Member& one : kMembers)
    if (one.name == name) return one.member;
  return nullptr;
}

/// `8:0 WORD` or `default WORD` or `WORD`.
struct Keyed {
  std::optional<Device> device;  ///< none: the default
  std::string_view word;
};
std::optional<Keyed> parse_keyed(std::string_view value) {
  if (value.find(' ') == std::string_view::npos) return Keyed{std::nullopt, value};
  std::string_view key = take_until(value, ' ');
  if (key == "default") return Keyed{std::nullopt, trim(value)};
  auto device = parse_device(key);
  if (!device) return std::nullopt;
  return Keyed{device, trim(value)};
}

/// Sets a weight that is written as v2's io.weight or BFQ's: for all, or `8:0 N`, or `8:0 default`.
Set set_weight(const Ask& ask, bool bfq) {
  auto keyed = parse_keyed(ask.value);
  auto weight = keyed ? parse_number<uint32_t>(keyed->word) : std::nullopt;
  bool back = keyed && keyed->device && keyed->word == "default";
  uint32_t most = bfq ? kMaxBfqWeight : kMaxWeight;
  if (!back && (!weight || *weight < kMinWeight || *weight > most))
    return bad_value(ask, fmt::format("a weight, 1-{}, alone or behind a device or 'default'", most));
  if (weight && bfq) weight = weight_from_bfq(*weight);
  Limits limits;
  if (keyed->device)
    limits.io.weights = {{*keyed->device, weight}};
  else
    limits.io.weight = weight;
  return planned(ask.view, limits);
}

/// v2's weights in BFQ's numbers: BFQ's own file where the kernel has it.
Result<DeviceValues> bfq_weights(const View& view) {
  if (view.has("io.bfq.weight")) return parse_device_values(TRY(view.read("io.bfq.weight")));
  DeviceValues values = TRY(parse_device_values(TRY(view.read("io.weight"))));
  auto bfq = [](uint64_t weight) {
    return uint64_t{bfq_from_weight(static_cast<uint32_t>(std::min<uint64_t>(weight, kMaxWeight)))};
  };
  if (values.standard) values.standard = bfq(*values.standard);
  for (DeviceValues::One& one : values.devices) one.value = bfq(one.value);
  return values;
}

std::string lines(const DeviceValues& values) {
  std::string text = fmt::format("default {}", values.standard.value_or(kDefaultWeight));
  for (const DeviceValues::One& one : values.devices)
    text += fmt::format("\n{} {}", format_device(one.device), one.value);
  return text;
}

/// v1's weights, in BFQ's numbers or in v2's.
Got v1_weights(const View& view, bool bfq) {
  DeviceValues values = TRY(parse_device_values(TRY(view.read("blkio.bfq.weight"))));
  if (view.has("blkio.bfq.weight_device"))
    values.devices = TRY(parse_device_values(TRY(view.read("blkio.bfq.weight_device")))).devices;
  auto neutral = [](uint64_t weight) {
    return uint64_t{weight_from_bfq(static_cast<uint32_t>(std::min<uint64_t>(weight, kMaxBfqWeight)))};
  };
  if (bfq) return lines(values);
  if (values.standard) values.standard = neutral(*values.standard);
  for (DeviceValues::One& one : values.devices) one.value = neutral(one.value);
  return lines(values);
}

}  // namespace

Got get_v1_throttle(const Ask& ask) {
  std::string text = TRY(ask.view.read("io.max"));
  std::string shown;
  for (const NestedLine& line : TRY(parse_nested_keyed(text))) {
    auto amount = parse_amount(line.value(ask.row.field).value_or("max"));
    if (!amount || *amount == kUnlimited) continue;
    shown += fmt::format("{}{} {}", shown.empty() ? "" : "\n", line.key, *amount);
  }
  return shown;
}

Set set_v1_throttle(const Ask& ask) {
  auto keyed = parse_keyed(ask.value);
  auto amount = keyed && keyed->device ? parse_number<uint64_t>(keyed->word) : std::nullopt;
  if (!amount) return bad_value(ask, "MAJOR:MINOR and a number, 0 for no limit");
  IoMax max{.device = *keyed->device};
  max.*member_of(ask.row.field) = *amount == 0 ? kUnlimited : *amount;
  Limits limits;
  limits.io.max = {max};
  return planned(ask.view, limits);
}

Got get_v1_io_counts(const Ask& ask) {
  Stats stats = TRY(read_stats(files_of(ask.view, "io")));
  if (!stats.io) return ask.view.read("io.stat");
  bool bytes = ask.row.field == "bytes";
  std::string text;
  uint64_t total = 0;
  for (const Stats::Io& one : *stats.io) {
    uint64_t read = bytes ? one.rbytes : one.rios;
    uint64_t written = bytes ? one.wbytes : one.wios;
    uint64_t discarded = bytes ? one.dbytes : one.dios;
    std::string device = format_device(one.device);
    text += fmt::format("{0} Read {1}\n{0} Write {2}\n{0} Discard {3}\n{0} Total {4}\n", device, read, written,
                        discarded, read + written + discarded);
    total += read + written + discarded;
  }
  return text + fmt::format("Total {}", total);
}

Got get_v1_io_weight(const Ask& ask) {
  return std::to_string(TRY(bfq_weights(ask.view)).standard.value_or(kDefaultWeight));
}

Got get_v1_io_weight_device(const Ask& ask) {
  return lines(TRY(bfq_weights(ask.view)));
}

Set set_v1_io_weight(const Ask& ask) {
  return set_weight(ask, true);
}

Got get_v2_io_max(const Ask& ask) {
  Limits limits = TRY(read_limits(files_of(ask.view, "io")));
  std::string text;
  for (const IoMax& one : limits.io.max) {
    text += (text.empty() ? "" : "\n") + format_device(one.device);
    for (const Member& member : kMembers)
      text += fmt::format(" {}={}", member.name, format_amount((one.*member.member).value_or(kUnlimited)));
  }
  return text;
}

Set set_v2_io_max(const Ask& ask) {
  auto parsed = parse_nested_keyed(ask.value);
  auto malformed = [&] { return bad_value(ask, "MAJOR:MINOR and rbps=, wbps=, riops= or wiops= with digits or max"); };
  if (!parsed || parsed->size() != 1) return malformed();
  auto device = parse_device(parsed->front().key);
  if (!device) return malformed();
  IoMax max{.device = *device};
  for (const Pair& pair : parsed->front().values) {
    auto member = member_of(pair.key);
    std::optional<uint64_t> amount = kUnlimited;
    if (pair.value != "max") amount = parse_number<uint64_t>(pair.value);
    if (!member || !amount) return malformed();
    max.*member = amount;
  }
  Limits limits;
  limits.io.max = {max};
  return planned(ask.view, limits);
}

Got get_v2_io_weight(const Ask& ask) {
  return v1_weights(ask.view, ask.row.field == "bfq");
}

Set set_v2_io_weight(const Ask& ask) {
  return set_weight(ask, ask.row.field == "bfq");
}

Got get_v2_io_stat(const Ask& ask) {
  Stats stats = TRY(read_stats(files_of(ask.view, "io")));
  if (!stats.io) return ask.view.read("blkio.throttle.io_service_bytes_recursive");
  std::string text;
  for (const Stats::Io& one : *stats.io)
    text += fmt::format("{}{} rbytes={} wbytes={} rios={} wios={} dbytes={} dios={}", text.empty() ? "" : "\n",
                        format_device(one.device), one.rbytes, one.wbytes, one.rios, one.wios, one.dbytes, one.dios);
  return text;
}

Got get_old_io_weight(const Ask& ask) {
  return ask.view.read(ask.view.has(ask.key) ? ask.key : ask.row.file);
}

Set set_old_io_weight(const Ask& ask) {
  return Change{{{"io", std::string(ask.view.has(ask.key) ? ask.key : ask.row.file), std::string(ask.value)}}};
}

}  // namespace cgm::cgroup::translate
