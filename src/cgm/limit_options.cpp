// SPDX-License-Identifier: LGPL-2.1-or-later
// Limit options.
#include "cgm/limit_options.hpp"

#include <CLI/CLI.hpp>

#include "base/number.hpp"
#include "cgroup/block_device.hpp"
#include "cgroup/units.hpp"

namespace cgm::cli {

namespace {

/// Parses `text` into `value` where it was given.
template <class T, class Parse>
Result<void> take(const std::string& text, std::string_view option, std::optional<T>& value, Parse parse) {
  if (text.empty()) return {};
  auto parsed = parse(text);
  if (!parsed) return fail(std::move(parsed.error()).with(option));
  value = static_cast<T>(*parsed);
  return {};
}

Result<uint64_t> parse_weight(std::string_view text) {
  auto weight = parse_number<uint64_t>(text);
  if (!weight || *weight < 1 || *weight > 10000)
    return fail(ErrorKind::invalid, "'" + std::string(text) + "' is no weight from 1 to 10000");
  return *weight;
}

}  // namespace

void LimitOptions::add_to(CLI::App& app) {
  app.add_option("-m,--memory", memory, "memory at most: 512M, 1.5G, max")->type_name("SIZE");
  app.add_option("--memory-high", memory_high, "slow down above this much memory (v2)")->type_name("SIZE");
  app.add_option("--memory-low", memory_low, "spare this much memory from reclaim")->type_name("SIZE");
  app.add_option("--memory-min", memory_min, "never reclaim below this much memory (v2)")->type_name("SIZE");
  app.add_option("--swap", swap, "swap at most, beside the memory")->type_name("SIZE");
  app.add_option("--cpus", cpus, "CPUs at most: 0.5, 2, 150%, max")->type_name("N");
  app.add_option("--cpu-weight", cpu_weight, "share of CPU time against siblings, 1-10000 (100)")->type_name("N");
  app.add_option("--cpuset-cpus", cpuset_cpus, "which CPUs: 0-3,5")->type_name("LIST");
  app.add_option("--cpuset-mems", cpuset_mems, "which memory nodes: 0")->type_name("LIST");
  app.add_option("--pids", pids, "processes and threads at most")->type_name("N");
  app.add_option("--io", io, "a device's limits: /dev/sda:rbps=10M,wiops=100 (may be given again)")
      ->type_name("DEV:KEY=N[,KEY=N]")
      ->allow_extra_args(false);
  app.add_option("--io-weight", io_weight, "share of I/O against siblings, 1-10000 (100)")->type_name("N");
  app.add_option("--set", set, "write a file of the cgroup, by its v1 or v2 name (may be given again)")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
}

bool LimitOptions::empty() const {
  for (const std::string* text : {&memory, &memory_high, &memory_low, &memory_min, &swap, &cpus, &cpu_weight,
                                  &cpuset_cpus, &cpuset_mems, &pids, &io_weight})
    if (!text->empty()) return false;
  return io.empty() && set.empty();
}

Result<cgroup::Limits> LimitOptions::limits() const {
  cgroup::Limits limits;
  TRY_VOID(take(memory, "--memory", limits.memory.max, cgroup::parse_bytes));
  TRY_VOID(take(memory_high, "--memory-high", limits.memory.high, cgroup::parse_bytes));
  TRY_VOID(take(memory_low, "--memory-low", limits.memory.low, cgroup::parse_bytes));
  TRY_VOID(take(memory_min, "--memory-min", limits.memory.min, cgroup::parse_bytes));
  TRY_VOID(take(swap, "--swap", limits.memory.swap, cgroup::parse_bytes));
  TRY_VOID(take(cpu_weight, "--cpu-weight", limits.cpu.weight, parse_weight));
  TRY_VOID(take(pids, "--pids", limits.pids.max, cgroup::parse_count));
  TRY_VOID(take(io_weight, "--io-weight", limits.io.weight, parse_weight));
  if (!cpus.empty()) {
    auto bandwidth = TRY(with(cgroup::parse_cpus(cpus), "--cpus"));
    limits.cpu.quota = bandwidth.quota;
    limits.cpu.period = bandwidth.period;
  }
  if (!cpuset_cpus.empty()) limits.cpuset.cpus = cpuset_cpus;
  if (!cpuset_mems.empty()) limits.cpuset.mems = cpuset_mems;
  for (const std::string& text : io) {
    auto option = TRY(with(cgroup::parse_io_option(text), "--io"));
    auto device = TRY(with(cgroup::resolve_device(option.device), "--io"));
    TRY_VOID(with(cgroup::add_io_option(limits, option, device), "--io"));
  }
  TRY_VOID(cgroup::check(limits));
  return limits;
}

Result<std::vector<std::pair<std::string, std::string>>> LimitOptions::raw() const {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string& text : set) {
    size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      return fail(ErrorKind::invalid, "--set: '" + text + "' is not KEY=VALUE");
    pairs.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return pairs;
}

std::vector<std::string> controllers_of(const cgroup::Limits& limits) {
  std::vector<std::string> needed;
  for (const char* controller : {"cpu", "cpuset", "memory", "pids", "io", "hugetlb", "rdma", "misc"})
    if (cgroup::has_limits(limits, controller)) needed.emplace_back(controller);
  return needed;
}

}  // namespace cgm::cli
