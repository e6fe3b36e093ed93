// SPDX-License-Identifier: LGPL-2.1-or-later
// Limits on cgroup v2 (cgroup-v2.rst, "Controllers").
#include <fmt/format.h>

#include "base/number.hpp"
#include "cgroup/curves.hpp"
#include "cgroup/planning.hpp"

namespace cgm::cgroup::v2 {

namespace {

using planning::CpuTime;
using planning::present;
using planning::unsupported;

Result<CpuTime> present_cpu_time(const ReadFile& read) {
  auto text = TRY(present(read, "cpu", "cpu.max"));
  if (!text) return unsupported("cpu quota", "the cgroup has no file cpu.max");
  std::string_view rest = *text;
  auto quota = parse_amount(take_until(rest, ' '));
  auto period = parse_number<uint64_t>(trim(rest));
  if (!quota || !period) return fail(ErrorKind::protocol, fmt::format("cpu.max reads '{}'", text->substr(0, 80)));
  auto burst = TRY(present(read, "cpu", "cpu.max.burst"));
  return CpuTime{*quota, *period, burst ? parse_number<uint64_t>(*burst).value_or(0) : 0};
}

Result<void> plan_cpu(const Limits::Cpu& cpu, const ReadFile& read, std::vector<Write>& writes) {
  if (cpu.weight) writes.push_back({"cpu", "cpu.weight", std::to_string(*cpu.weight)});
  if (!cpu.quota && !cpu.period && !cpu.burst) return {};
  CpuTime now = TRY(present_cpu_time(read));
  CpuTime after = TRY(planning::cpu_time_after(cpu, now));
  if (cpu.burst && !TRY(present(read, "cpu", "cpu.max.burst")))
    return unsupported("cpu burst",
                       "this kernel has none (cpu.max.burst came with Linux 5.14); a larger cpu period is "
                       "the nearest");
  Write burst{"cpu", "cpu.max.burst", std::to_string(after.burst)};
  Write max{"cpu", "cpu.max", fmt::format("{} {}", format_amount(after.quota), after.period)};
  // The kernel refuses a burst above the quota at any moment.
  bool burst_first = cpu.burst && after.burst <= now.burst;
  if (burst_first) writes.push_back(burst);
  if (cpu.quota || cpu.period) writes.push_back(max);
  if (cpu.burst && !burst_first) writes.push_back(burst);
  return {};
}

Result<void> plan_memory(const Limits::Memory& memory, const ReadFile& read, std::vector<Write>& writes) {
  auto add = [&](const char* file, std::optional<uint64_t> bytes) {
    if (bytes) writes.push_back({"memory", file, format_amount(*bytes)});
  };
  add("memory.min", memory.min);
  add("memory.low", memory.low);
  add("memory.high", memory.high);
  if (!memory.swap) {
    add("memory.max", memory.max);
    return {};
  }
  auto swap = TRY(present(read, "memory", "memory.swap.max"));
  if (!swap)
    return unsupported("memory swap",
                       "this kernel does not limit swap (no memory.swap.max); memory max is the nearest");
  // What has to leave memory for a lower maximum may go to swap, so a higher swap limit comes first.
  bool raised = *memory.swap > parse_amount(*swap).value_or(0);
  if (raised) add("memory.swap.max", memory.swap);
  add("memory.max", memory.max);
  if (!raised) add("memory.swap.max", memory.swap);
  return {};
}

Result<void> plan_io(const Limits::Io& io, const ReadFile& read, std::vector<Write>& writes) {
  if (io.weight || !io.weights.empty()) {
    // io.weight is the cost model's, io.bfq.weight the BFQ scheduler's: which of them counts is a device's affair.
    bool cost = TRY(present(read, "io", "io.weight")).has_value();
    bool bfq = TRY(present(read, "io", "io.bfq.weight")).has_value();
    if (!cost && !bfq)
      return unsupported("io weight", "this kernel has neither io.weight nor io.bfq.weight; io max is the nearest");
    if (io.weight && cost) writes.push_back({"io", "io.weight", fmt::format("default {}", *io.weight)});
    if (io.weight && bfq)
      writes.push_back({"io", "io.bfq.weight", fmt::format("default {}", bfq_from_weight(*io.weight))});
    for (const IoWeight& one : io.weights) {
      std::string device = format_device(one.device);
      auto value = [&](uint32_t weight) { return device + " " + (one.weight ? std::to_string(weight) : "default"); };
      uint32_t weight = one.weight.value_or(0);
      bool either = cost && bfq;
      if (cost) writes.push_back({"io", "io.weight", value(weight), either});
      if (bfq) writes.push_back({"io", "io.bfq.weight", value(bfq_from_weight(weight)), either});
    }
  }
  for (const IoMax& one : io.max) {
    std::string value = format_device(one.device);
    if (one.rbps) value += " rbps=" + format_amount(*one.rbps);
    if (one.wbps) value += " wbps=" + format_amount(*one.wbps);
    if (one.riops) value += " riops=" + format_amount(*one.riops);
    if (one.wiops) value += " wiops=" + format_amount(*one.wiops);
    writes.push_back({"io", "io.max", value});
  }
  return {};
}

}  // namespace

Result<std::vector<Write>> plan(const Limits& limits, const ReadFile& read) {
  TRY_VOID(check(limits));
  std::vector<Write> writes;
  TRY_VOID(plan_cpu(limits.cpu, read, writes));
  TRY_VOID(plan_memory(limits.memory, read, writes));
  TRY_VOID(plan_io(limits.io, read, writes));
  for (const HugetlbMax& one : limits.hugetlb)
    writes.push_back({"hugetlb", "hugetlb." + one.size + ".max", format_amount(one.max)});
  TRY_VOID(planning::plan_same_files(limits, writes));
  return writes;
}

}  // namespace cgm::cgroup::v2
