// SPDX-License-Identifier: LGPL-2.1-or-later
// The neutral limits: their ranges, and which planner gets which.
#include "cgroup/limits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cgroup/curves.hpp"
#include "cgroup/units.hpp"

namespace cgm::cgroup {

namespace {

constexpr std::array<std::string_view, 8> kControllers = {"cpu", "cpuset",  "memory", "pids",
                                                          "io",  "hugetlb", "rdma",   "misc"};
constexpr uint64_t kMinQuota = 1000, kMinPeriod = 1000, kMaxPeriod = 1'000'000;  // kernel/sched/core.c
constexpr uint64_t kMaxIops = UINT32_MAX - 1;  // block/blk-throttle.c keeps 32 bits, the largest is no limit
constexpr uint64_t kMaxHcaCount = INT32_MAX;   // kernel/cgroup/rdma.c

std::unexpected<Error> out_of_range(std::string_view limit, uint64_t value, uint64_t low, uint64_t high) {
  return fail(ErrorKind::invalid, fmt::format("{} {} is not within {}-{}", limit, value, low, high));
}

Result<void> check_range(std::string_view limit, std::optional<uint64_t> value, uint64_t low, uint64_t high) {
  if (value && *value != kUnlimited && (*value < low || *value > high)) return out_of_range(limit, *value, low, high);
  return {};
}

Result<void> check_cpu(const Limits::Cpu& cpu) {
  TRY_VOID(check_range("cpu weight", cpu.weight, kMinWeight, kMaxWeight));
  TRY_VOID(check_range("cpu quota", cpu.quota, kMinQuota, INT64_MAX));
  if (cpu.period == kUnlimited) return fail(ErrorKind::invalid, "cpu period cannot be max");
  TRY_VOID(check_range("cpu period", cpu.period, kMinPeriod, kMaxPeriod));
  if (cpu.burst == kUnlimited) return fail(ErrorKind::invalid, "cpu burst cannot be max");
  if (cpu.burst && cpu.quota && *cpu.burst > *cpu.quota)
    return fail(ErrorKind::invalid, fmt::format("cpu burst {} is above the quota {}", *cpu.burst, *cpu.quota));
  return {};
}

Result<void> check_memory(const Limits::Memory& memory) {
  constexpr std::pair<std::string_view, std::optional<uint64_t> Limits::Memory::*> kMembers[] = {
      {"memory max", &Limits::Memory::max},
      {"memory high", &Limits::Memory::high},
      {"memory low", &Limits::Memory::low},
      {"memory min", &Limits::Memory::min},
      {"memory swap", &Limits::Memory::swap}};
  for (auto [name, member] : kMembers) TRY_VOID(check_range(name, memory.*member, 0, kEndless - 1));
  return {};
}

Result<void> check_io(const Limits::Io& io) {
  TRY_VOID(check_range("io weight", io.weight, kMinWeight, kMaxWeight));
  for (const IoWeight& one : io.weights)
    TRY_VOID(with(check_range("io weight", one.weight, kMinWeight, kMaxWeight), format_device(one.device)));
  for (const IoMax& one : io.max) {
    auto check_all = [&]() -> Result<void> {
      TRY_VOID(check_range("io rbps", one.rbps, 1, kEndless - 1));
      TRY_VOID(check_range("io wbps", one.wbps, 1, kEndless - 1));
      TRY_VOID(check_range("io riops", one.riops, 1, kMaxIops));
      return check_range("io wiops", one.wiops, 1, kMaxIops);
    };
    TRY_VOID(with(check_all(), format_device(one.device)));
    if (!one.rbps && !one.wbps && !one.riops && !one.wiops)
      return fail(ErrorKind::invalid, fmt::format("io max of {} says nothing", format_device(one.device)));
  }
  return {};
}

/// A name that goes into a line of a cgroup file.
Result<void> check_name(std::string_view what, std::string_view name) {
  bool good = !name.empty() && name.size() <= 64 &&
              std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 127 && c != '='; });
  if (!good) return fail(ErrorKind::invalid, fmt::format("'{}' is no {}", name.substr(0, 64), what));
  return {};
}

Result<void> check_hugetlb(const HugetlbMax& one) {
  std::string_view size = one.size;
  bool good = size.ends_with("KB") || size.ends_with("MB") || size.ends_with("GB");
  if (good) size.remove_suffix(2);
  good = good && !size.empty() && size.size() <= 4 && size.front() != '0' &&
         std::all_of(size.begin(), size.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!good)
    return fail(ErrorKind::invalid,
                fmt::format("'{}' is no size of huge pages, such as 2MB or 1GB", one.size.substr(0, 64)));
  return check_range("hugetlb " + one.size, one.max, 0, kEndless - 1);
}

}  // namespace

bool has_limits(const Limits& limits, std::string_view controller) {
  return only(limits, controller) != Limits{};
}

Limits only(const Limits& limits, std::string_view controller) {
  Limits part;
  if (controller == "cpu") part.cpu = limits.cpu;
  if (controller == "cpuset") part.cpuset = limits.cpuset;
  if (controller == "memory") part.memory = limits.memory;
  if (controller == "pids") part.pids = limits.pids;
  if (controller == "io") part.io = limits.io;
  if (controller == "hugetlb") part.hugetlb = limits.hugetlb;
  if (controller == "rdma") part.rdma = limits.rdma;
  if (controller == "misc") part.misc = limits.misc;
  return part;
}

Result<void> check(const Limits& limits) {
  TRY_VOID(check_cpu(limits.cpu));
  if (limits.cpuset.cpus) TRY_VOID(with(parse_id_set(*limits.cpuset.cpus), "cpuset cpus"));
  if (limits.cpuset.mems) TRY_VOID(with(parse_id_set(*limits.cpuset.mems), "cpuset mems"));
  TRY_VOID(check_memory(limits.memory));
  TRY_VOID(check_range("pids max", limits.pids.max, 0, INT64_MAX));
  TRY_VOID(check_io(limits.io));
  for (const HugetlbMax& one : limits.hugetlb) TRY_VOID(check_hugetlb(one));
  for (const RdmaMax& one : limits.rdma) {
    TRY_VOID(check_name("name of an RDMA device", one.device));
    TRY_VOID(check_range("rdma hca_handle", one.hca_handle, 0, kMaxHcaCount));
    TRY_VOID(check_range("rdma hca_object", one.hca_object, 0, kMaxHcaCount));
    if (!one.hca_handle && !one.hca_object)
      return fail(ErrorKind::invalid, fmt::format("rdma max of '{}' says nothing", one.device));
  }
  for (const MiscMax& one : limits.misc) TRY_VOID(check_name("name of a misc resource", one.resource));
  return {};
}

Result<std::vector<Write>> plan(const Limits& limits, const Files& files) {
  TRY_VOID(check(limits));
  std::vector<Write> writes;
  for (std::string_view controller : kControllers) {
    Limits part = only(limits, controller);
    if (part == Limits{}) continue;
    auto version = files.version(controller);
    if (!version)
      return fail(ErrorKind::unsupported,
                  fmt::format("{} limits: no hierarchy here serves the controller {}", controller, controller));
    std::vector<Write> some = TRY(*version == Version::v1 ? v1::plan(part, files.read) : v2::plan(part, files.read));
    std::move(some.begin(), some.end(), std::back_inserter(writes));
  }
  return writes;
}

}  // namespace cgm::cgroup
