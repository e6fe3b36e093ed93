// SPDX-License-Identifier: LGPL-2.1-or-later
// Limits on cgroup v1 (Documentation/admin-guide/cgroup-v1).
#include <fmt/format.h>

#include "base/number.hpp"
#include "cgroup/curves.hpp"
#include "cgroup/planning.hpp"

namespace cgm::cgroup::v1 {

namespace {

using planning::CpuTime;
using planning::present;
using planning::present_amount;
using planning::unsupported;

/// v1 writes -1 where v2 writes max.
std::string amount(uint64_t value) {
  return value == kUnlimited ? "-1" : std::to_string(value);
}

Result<void> plan_cpu_time(const Limits::Cpu& cpu, const ReadFile& read, std::vector<Write>& writes) {
  CpuTime now;
  now.quota = TRY(present_amount(read, "cpu", "cpu.cfs_quota_us", "cpu quota"));
  now.period = TRY(present_amount(read, "cpu", "cpu.cfs_period_us", "cpu period"));
  auto burst_text = TRY(present(read, "cpu", "cpu.cfs_burst_us"));
  now.burst = burst_text ? parse_number<uint64_t>(*burst_text).value_or(0) : 0;
  if (cpu.burst && !burst_text)
    return unsupported("cpu burst",
                       "this kernel has none (cpu.cfs_burst_us came with Linux 5.14); a larger cpu period "
                       "is the nearest");
  CpuTime after = TRY(planning::cpu_time_after(cpu, now));
  Write burst{"cpu", "cpu.cfs_burst_us", std::to_string(after.burst)};
  Write quota{"cpu", "cpu.cfs_quota_us", amount(after.quota)};
  Write period{"cpu", "cpu.cfs_period_us", std::to_string(after.period)};
  bool burst_first = cpu.burst && after.burst <= now.burst;
  // Two writes: the one that makes the share of a CPU smaller comes first, so that what lies between is never more than
  // before and after, which an ancestor's quota may forbid (EINVAL).
  bool period_first = after.period > now.period;
  if (burst_first) writes.push_back(burst);
  if (cpu.period && period_first) writes.push_back(period);
  if (cpu.quota) writes.push_back(quota);
  if (cpu.period && !period_first) writes.push_back(period);
  if (cpu.burst && !burst_first) writes.push_back(burst);
  return {};
}

/// memory.limit_in_bytes and memory.memsw.limit_in_bytes, which counts memory and swap together and is never the lower
/// of the two, at no moment.
Result<void> plan_memory_and_swap(const Limits::Memory& memory, const ReadFile& read, std::vector<Write>& writes) {
  constexpr const char* kLimit = "memory.limit_in_bytes";
  constexpr const char* kBoth = "memory.memsw.limit_in_bytes";
  uint64_t limit = TRY(present_amount(read, "memory", kLimit, "memory max"));
  auto both_text = TRY(present(read, "memory", kBoth));
  if (!both_text) {
    if (memory.swap)
      return unsupported("memory swap",
                         "this kernel does not account swap (no memory.memsw.limit_in_bytes); memory max "
                         "is the nearest");
    writes.push_back({"memory", kLimit, amount(*memory.max)});
    return {};
  }
  auto both = parse_amount(*both_text);
  if (!both) return fail(ErrorKind::protocol, fmt::format("{} reads '{}'", kBoth, both_text->substr(0, 80)));
  uint64_t new_limit = memory.max.value_or(limit);
  // What is not named stays: the swap that the cgroup has beyond its memory.
  uint64_t swap = memory.swap.value_or(*both == kUnlimited ? kUnlimited : *both - std::min(limit, *both));
  if (new_limit == kUnlimited && swap != kUnlimited)
    return unsupported(
        "memory swap",
        fmt::format("cgroup v1 counts memory and swap together ({}), so that swap {} needs a memory max; "
                    "swap max is the nearest without one",
                    kBoth, swap));
  uint64_t new_both = swap == kUnlimited || swap >= kEndless - new_limit ? kUnlimited : new_limit + swap;
  Write limit_write{"memory", kLimit, amount(new_limit)};
  Write both_write{"memory", kBoth, amount(new_both)};
  bool limit_first = new_limit <= limit;
  if (limit_first && memory.max) writes.push_back(limit_write);
  if (new_both != *both) writes.push_back(both_write);
  if (!limit_first && memory.max) writes.push_back(limit_write);
  return {};
}

Result<void> plan_memory(const Limits::Memory& memory, const ReadFile& read, std::vector<Write>& writes) {
  constexpr std::string_view kNone =
      "cgroup v1 has no such limit; the nearest is memory low (memory.soft_limit_in_bytes)";
  if (memory.min) return unsupported("memory min", kNone);
  if (memory.high) return unsupported("memory high", kNone);
  if (memory.max || memory.swap) TRY_VOID(plan_memory_and_swap(memory, read, writes));
  if (!memory.low) return {};
  // Soft limits have it the other way round: without one, nothing is reclaimed before others, as with memory.low = 0.
  if (*memory.low == kUnlimited)
    return unsupported("memory low",
                       "cgroup v1 cannot spare all of a cgroup's memory; the nearest is a size in "
                       "memory.soft_limit_in_bytes");
  writes.push_back({"memory", "memory.soft_limit_in_bytes", *memory.low == 0 ? "-1" : amount(*memory.low)});
  return {};
}

Result<void> plan_io_weight(const Limits::Io& io, const ReadFile& read, std::vector<Write>& writes) {
  for (std::string file : {"blkio.bfq.weight", "blkio.weight"}) {
    if (!TRY(present(read, "io", file))) continue;
    if (io.weight) writes.push_back({"io", file, std::to_string(bfq_from_weight(*io.weight))});
    for (const IoWeight& one : io.weights)
      writes.push_back(
          {"io", file + "_device",
           format_device(one.device) + " " + (one.weight ? std::to_string(bfq_from_weight(*one.weight)) : "default")});
    return {};
  }
  return unsupported("io weight", "this kernel has neither blkio.bfq.weight nor blkio.weight; io max is the nearest");
}

void plan_io_max(const IoMax& one, std::vector<Write>& writes) {
  auto add = [&](const char* file, std::optional<uint64_t> value) {
    if (!value) return;
    uint64_t shown = *value == kUnlimited ? 0 : *value;  // 0 takes the device's line away
    writes.push_back({"io", file, fmt::format("{} {}", format_device(one.device), shown)});
  };
  add("blkio.throttle.read_bps_device", one.rbps);
  add("blkio.throttle.write_bps_device", one.wbps);
  add("blkio.throttle.read_iops_device", one.riops);
  add("blkio.throttle.write_iops_device", one.wiops);
}

}  // namespace

Result<std::vector<Write>> plan(const Limits& limits, const ReadFile& read) {
  TRY_VOID(check(limits));
  std::vector<Write> writes;
  const Limits::Cpu& cpu = limits.cpu;
  if (cpu.weight) writes.push_back({"cpu", "cpu.shares", std::to_string(shares_from_weight(*cpu.weight))});
  if (cpu.quota || cpu.period || cpu.burst) TRY_VOID(plan_cpu_time(cpu, read, writes));
  TRY_VOID(plan_memory(limits.memory, read, writes));
  if (limits.io.weight || !limits.io.weights.empty()) TRY_VOID(plan_io_weight(limits.io, read, writes));
  for (const IoMax& one : limits.io.max) plan_io_max(one, writes);
  for (const HugetlbMax& one : limits.hugetlb)
    writes.push_back({"hugetlb", "hugetlb." + one.size + ".limit_in_bytes", amount(one.max)});
  for (auto [name, list] :
       {std::pair("cpuset cpus", &limits.cpuset.cpus), std::pair("cpuset mems", &limits.cpuset.mems)})
    if (*list && trim(**list).empty())
      return unsupported(name, "on cgroup v1 an empty list takes no task; the nearest is the parent's list");
  TRY_VOID(planning::plan_same_files(limits, writes));
  return writes;
}

}  // namespace cgm::cgroup::v1
