// SPDX-License-Identifier: LGPL-2.1-or-later
// The limits that are in force, read back into neutral units: the planners' inverse.
#include <fmt/format.h>

#include <algorithm>

#include "base/number.hpp"
#include "cgroup/curves.hpp"
#include "cgroup/field_reader.hpp"
#include "cgroup/limits.hpp"

namespace cgm::cgroup {

namespace {

// What kernels of any architecture have; a cgroup cannot be asked for names through Files.
constexpr const char* kHugePageSizes[] = {"64KB", "1MB", "2MB", "16MB", "32MB", "512MB", "1GB", "2GB", "16GB"};

void read_cpu(FieldReader& from, Version version, Limits::Cpu& cpu) {
  if (version == Version::v1) {
    if (auto shares = from.amount("cpu.shares")) cpu.weight = weight_from_shares(*shares);
    cpu.quota = from.amount("cpu.cfs_quota_us");
    cpu.period = from.amount("cpu.cfs_period_us");
    cpu.burst = from.amount("cpu.cfs_burst_us");
    return;
  }
  if (auto weight = from.amount("cpu.weight")) cpu.weight = static_cast<uint32_t>(*weight);
  if (auto max = from.text("cpu.max")) {
    std::string_view rest = *max;
    cpu.quota = parse_amount(take_until(rest, ' '));
    cpu.period = parse_number<uint64_t>(trim(rest));
    if (!cpu.quota || !cpu.period) from.malformed("cpu.max", *max);
  }
  cpu.burst = from.amount("cpu.max.burst");
}

void read_memory(FieldReader& from, Version version, Limits::Memory& memory) {
  if (version == Version::v2) {
    memory.max = from.amount("memory.max");
    memory.high = from.amount("memory.high");
    memory.low = from.amount("memory.low");
    memory.min = from.amount("memory.min");
    memory.swap = from.amount("memory.swap.max");
    return;
  }
  memory.max = from.amount("memory.limit_in_bytes");
  auto soft = from.amount("memory.soft_limit_in_bytes");
  if (soft) memory.low = *soft == kUnlimited ? 0 : *soft;
  auto both = from.amount("memory.memsw.limit_in_bytes");
  if (both && memory.max) memory.swap = *both == kUnlimited ? kUnlimited : *both - std::min(*both, *memory.max);
}

IoMax& entry_of(std::vector<IoMax>& list, Device device) {
  auto found = std::find_if(list.begin(), list.end(), [&](const IoMax& one) { return one.device == device; });
  if (found != list.end()) return *found;
  return list.emplace_back(IoMax{.device = device});
}

void read_io_weights(FieldReader& from, std::string_view file, bool bfq, Limits::Io& io) {
  auto neutral = [&](uint64_t weight) {
    uint32_t value = static_cast<uint32_t>(std::min<uint64_t>(weight, kMaxWeight));
    return bfq ? weight_from_bfq(value) : value;
  };
  auto values = from.parsed(file, parse_device_values);
  if (!values) return;
  if (values->standard && !io.weight) io.weight = neutral(*values->standard);
  for (const DeviceValues::One& one : values->devices) {
    bool known = std::any_of(io.weights.begin(), io.weights.end(),
                             [&](const IoWeight& other) { return other.device == one.device; });
    if (!known) io.weights.push_back({one.device, neutral(one.value)});
  }
}

void read_io(FieldReader& from, Version version, Limits::Io& io) {
  if (version == Version::v1) {
    read_io_weights(from, "blkio.bfq.weight", true, io);
    read_io_weights(from, "blkio.bfq.weight_device", true, io);
    constexpr std::pair<const char*, std::optional<uint64_t> IoMax::*> kFiles[] = {
        {"blkio.throttle.read_bps_device", &IoMax::rbps},
        {"blkio.throttle.write_bps_device", &IoMax::wbps},
        {"blkio.throttle.read_iops_device", &IoMax::riops},
        {"blkio.throttle.write_iops_device", &IoMax::wiops}};
    for (auto [file, member] : kFiles) {
      auto values = from.parsed(file, parse_device_values);
      if (!values) continue;
      for (const DeviceValues::One& one : values->devices) entry_of(io.max, one.device).*member = one.value;
    }
    return;
  }
  read_io_weights(from, "io.weight", false, io);
  read_io_weights(from, "io.bfq.weight", true, io);
  auto text = from.text("io.max");
  if (!text) return;
  auto lines = parse_nested_keyed(*text);
  if (!lines) return from.malformed("io.max", *text);
  for (const NestedLine& line : *lines) {
    auto device = parse_device(line.key);
    if (!device) return from.malformed("io.max", line.key);
    IoMax& one = entry_of(io.max, *device);
    auto value = [&](std::string_view key) { return parse_amount(line.value(key).value_or("max")); };
    one.rbps = value("rbps");
    one.wbps = value("wbps");
    one.riops = value("riops");
    one.wiops = value("wiops");
  }
}

void read_keyed(FieldReader& from, std::string_view controller, Limits& limits) {
  auto text = from.text(std::string(controller) + ".max");
  if (!text) return;
  if (controller == "misc") {
    auto lines = parse_flat_keyed(*text);
    if (!lines) return from.malformed("misc.max", *text);
    for (const Pair& line : *lines)
      limits.misc.push_back({std::string(line.key), parse_amount(line.value).value_or(kUnlimited)});
    return;
  }
  auto lines = parse_nested_keyed(*text);
  if (!lines) return from.malformed("rdma.max", *text);
  for (const NestedLine& line : *lines) {
    auto value = [&](std::string_view key) { return parse_amount(line.value(key).value_or("max")); };
    limits.rdma.push_back({std::string(line.key), value("hca_handle"), value("hca_object")});
  }
}

}  // namespace

Result<Limits> read_limits(const Files& files) {
  Limits limits;
  for (std::string_view controller : {"cpu", "cpuset", "memory", "pids", "io", "hugetlb", "rdma", "misc"}) {
    auto version = files.version(controller);
    if (!version) continue;
    FieldReader from(files.read, controller);
    if (controller == "cpu") read_cpu(from, *version, limits.cpu);
    if (controller == "cpuset") limits.cpuset = {from.text("cpuset.cpus"), from.text("cpuset.mems")};
    if (controller == "memory") read_memory(from, *version, limits.memory);
    if (controller == "pids") limits.pids.max = from.amount("pids.max");
    if (controller == "io") read_io(from, *version, limits.io);
    if (controller == "rdma" || controller == "misc") read_keyed(from, controller, limits);
    if (controller == "hugetlb")
      for (std::string size : kHugePageSizes)
        if (auto max = from.amount("hugetlb." + size + (*version == Version::v2 ? ".max" : ".limit_in_bytes")))
          limits.hugetlb.push_back({size, *max});
    TRY_VOID(from.outcome());
  }
  return limits;
}

}  // namespace cgm::cgroup
