// SPDX-License-Identifier: LGPL-2.1-or-later
// Statistics.
#include "cgroup/stats.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cgroup/field_reader.hpp"

namespace cgm::cgroup {

namespace {

std::optional<uint64_t> over(std::optional<uint64_t> value, uint64_t divisor) {
  if (value) *value /= divisor;
  return value;
}

Result<void> read_cpu_v1(const Files& files, Stats::Cpu& cpu) {
  FieldReader from(files.read, "cpu");
  if (auto text = from.text("cpu.stat")) {
    cpu.periods = flat_value(*text, "nr_periods");
    cpu.throttled_periods = flat_value(*text, "nr_throttled");
    cpu.throttled = over(flat_value(*text, "throttled_time"), 1000);
  }
  return from.outcome();
}

Result<void> read_cpuacct_v1(const Files& files, Stats::Cpu& cpu) {
  FieldReader from(files.read, "cpuacct");
  cpu.usage = over(from.amount("cpuacct.usage"), 1000);
  cpu.user = over(from.amount("cpuacct.usage_user"), 1000);
  cpu.system = over(from.amount("cpuacct.usage_sys"), 1000);
  return from.outcome();
}

Result<void> read_cpu_v2(const Files& files, Stats::Cpu& cpu) {
  FieldReader from(files.read, "cpu");
  if (auto text = from.text("cpu.stat")) {
    cpu.usage = flat_value(*text, "usage_usec");
    cpu.user = flat_value(*text, "user_usec");
    cpu.system = flat_value(*text, "system_usec");
    cpu.periods = flat_value(*text, "nr_periods");
    cpu.throttled_periods = flat_value(*text, "nr_throttled");
    cpu.throttled = flat_value(*text, "throttled_usec");
  }
  return from.outcome();
}

Result<void> read_memory_v1(const Files& files, Stats& stats) {
  FieldReader from(files.read, "memory");
  Stats::Memory& memory = stats.memory;
  memory.current = from.amount("memory.usage_in_bytes");
  memory.peak = from.amount("memory.max_usage_in_bytes");
  memory.limit = from.amount("memory.limit_in_bytes");
  // An allocation stops at one of the two, memory or memory and swap together, and is counted there.
  memory.limit_hits = from.amount("memory.failcnt");
  if (auto both_hits = from.amount("memory.memsw.failcnt"))
    memory.limit_hits = memory.limit_hits.value_or(0) + *both_hits;
  memory.kernel = from.amount("memory.kmem.usage_in_bytes");
  auto both_limit = from.amount("memory.memsw.limit_in_bytes");
  if (both_limit && memory.limit)
    memory.swap_limit = *both_limit == kUnlimited ? kUnlimited : *both_limit - std::min(*both_limit, *memory.limit);
  if (auto text = from.text("memory.stat")) {
    memory.anon = flat_value(*text, "total_rss");
    memory.file = flat_value(*text, "total_cache");
    memory.shmem = flat_value(*text, "total_shmem");
    memory.swap_current = flat_value(*text, "total_swap");
  }
  if (auto text = from.text("memory.oom_control")) stats.oom.oom_kill = flat_value(*text, "oom_kill");
  return from.outcome();
}

Result<void> read_memory_v2(const Files& files, Stats& stats) {
  FieldReader from(files.read, "memory");
  Stats::Memory& memory = stats.memory;
  memory.current = from.amount("memory.current");
  memory.peak = from.amount("memory.peak");
  memory.limit = from.amount("memory.max");
  memory.swap_current = from.amount("memory.swap.current");
  memory.swap_limit = from.amount("memory.swap.max");
  if (auto text = from.text("memory.stat")) {
    memory.anon = flat_value(*text, "anon");
    memory.file = flat_value(*text, "file");
    memory.shmem = flat_value(*text, "shmem");
    memory.kernel = flat_value(*text, "kernel");
  }
  if (auto text = from.text("memory.events")) {
    memory.limit_hits = flat_value(*text, "max");
    stats.oom.oom = flat_value(*text, "oom");
    stats.oom.oom_kill = flat_value(*text, "oom_kill");
  }
  return from.outcome();
}

Stats::Io& entry_of(std::vector<Stats::Io>& list, Device device) {
  auto place = std::lower_bound(list.begin(), list.end(), device,
                                [](const Stats::Io& one, Device wanted) { return one.device < wanted; });
  if (place == list.end() || place->device != device) place = list.insert(place, Stats::Io{.device = device});
  return *place;
}

/// Two policies count on v1, each what it has handled: the throttle (all io of a throttled cgroup, or all on older
/// kernels) and BFQ. The larger count of a device is the one that misses nothing.
Result<void> read_io_v1(const Files& files, Stats& stats) {
  FieldReader from(files.read, "io");
  for (std::string policy : {"blkio.throttle", "blkio.bfq"}) {
    auto bytes = from.parsed(policy + ".io_service_bytes_recursive", parse_device_counts);
    auto ops = from.parsed(policy + ".io_serviced_recursive", parse_device_counts);
    if (!bytes || !ops) continue;
    if (!stats.io) stats.io.emplace();
    for (const DeviceCount& count : *bytes) {
      Stats::Io& one = entry_of(*stats.io, count.device);
      one.rbytes = std::max(one.rbytes, count.read);
      one.wbytes = std::max(one.wbytes, count.write);
      one.dbytes = std::max(one.dbytes, count.discard);
    }
    for (const DeviceCount& count : *ops) {
      Stats::Io& one = entry_of(*stats.io, count.device);
      one.rios = std::max(one.rios, count.read);
      one.wios = std::max(one.wios, count.write);
      one.dios = std::max(one.dios, count.discard);
    }
  }
  return from.outcome();
}

Result<void> read_io_v2(const Files& files, Stats& stats) {
  FieldReader from(files.read, "io");
  auto text = from.text("io.stat");
  if (!text) return from.outcome();
  stats.io.emplace();
  for (const NestedLine& line : TRY(parse_nested_keyed(*text))) {
    auto device = parse_device(line.key);
    if (!device) return fail(ErrorKind::protocol, fmt::format("io.stat has a line '{}'", line.key.substr(0, 80)));
    auto number = [&](std::string_view key) { return parse_amount(line.value(key).value_or("0")).value_or(0); };
    Stats::Io& one = entry_of(*stats.io, *device);
    one = {*device,        number("rbytes"), number("wbytes"), number("rios"),
           number("wios"), number("dbytes"), number("dios")};
  }
  return {};
}

Result<void> read_pids(const Files& files, Stats::Pids& pids) {
  FieldReader from(files.read, "pids");
  pids.current = from.amount("pids.current");
  pids.peak = from.amount("pids.peak");
  pids.max = from.amount("pids.max");
  return from.outcome();
}

/// Pressure files belong to the v2 tree itself, whether or not it serves the controller.
Result<void> read_pressure(const Files& files, Stats::Pressures& pressure) {
  FieldReader from(files.read, "unified");
  pressure.cpu = from.parsed("cpu.pressure", parse_pressure);
  pressure.memory = from.parsed("memory.pressure", parse_pressure);
  pressure.io = from.parsed("io.pressure", parse_pressure);
  return from.outcome();
}

}  // namespace

Result<Stats> read_stats(const Files& files) {
  Stats stats;
  auto version = [&](std::string_view controller) { return files.version(controller); };
  if (version("cpu") == Version::v1) TRY_VOID(read_cpu_v1(files, stats.cpu));
  if (version("cpuacct") == Version::v1) TRY_VOID(read_cpuacct_v1(files, stats.cpu));
  if (version("cpu") == Version::v2) TRY_VOID(read_cpu_v2(files, stats.cpu));
  if (version("memory") == Version::v1) TRY_VOID(read_memory_v1(files, stats));
  if (version("memory") == Version::v2) TRY_VOID(read_memory_v2(files, stats));
  if (version("io") == Version::v1) TRY_VOID(read_io_v1(files, stats));
  if (version("io") == Version::v2) TRY_VOID(read_io_v2(files, stats));
  if (version("pids")) TRY_VOID(read_pids(files, stats.pids));
  if (version("unified") == Version::v2) TRY_VOID(read_pressure(files, stats.pressure));
  return stats;
}

}  // namespace cgm::cgroup
