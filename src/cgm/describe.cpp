// SPDX-License-Identifier: LGPL-2.1-or-later
// Words and JSON.
#include "cgm/describe.hpp"

#include <fmt/format.h>

#include "cgroup/block_device.hpp"
#include "cgroup/units.hpp"

namespace cgm::cli {

namespace {

template <class T>
void put(Json& object, const char* key, const std::optional<T>& value) {
  if (value) object[key] = *value;
}

/// An amount, `max` where it is unlimited.
void put_amount(Json& object, const char* key, const std::optional<uint64_t>& value) {
  if (!value) return;
  if (*value == cgroup::kUnlimited)
    object[key] = "max";
  else
    object[key] = *value;
}

void put_object(Json& object, const char* key, Json value) {
  if (!value.empty()) object[key] = std::move(value);
}

Json to_json(const cgroup::Pressure& pressure) {
  auto line = [](const cgroup::PressureLine& one) {
    return Json{{"avg10", one.avg10}, {"avg60", one.avg60}, {"avg300", one.avg300}, {"total_usec", one.total}};
  };
  Json object = Json::object();
  if (pressure.some) object["some"] = line(*pressure.some);
  if (pressure.full) object["full"] = line(*pressure.full);
  return object;
}

}  // namespace

std::string format_seconds(uint64_t usec) {
  return fmt::format("{:.3f} s", static_cast<double>(usec) / 1e6);
}

Json to_json(const cgroup::Stats& stats) {
  Json cpu = Json::object(), memory = Json::object(), pids = Json::object(), pressure = Json::object(),
       document = Json::object();
  put(cpu, "usage_usec", stats.cpu.usage);
  put(cpu, "user_usec", stats.cpu.user);
  put(cpu, "system_usec", stats.cpu.system);
  put(cpu, "periods", stats.cpu.periods);
  put(cpu, "throttled_periods", stats.cpu.throttled_periods);
  put(cpu, "throttled_usec", stats.cpu.throttled);
  put(memory, "current_bytes", stats.memory.current);
  put(memory, "peak_bytes", stats.memory.peak);
  put_amount(memory, "limit_bytes", stats.memory.limit);
  put(memory, "swap_current_bytes", stats.memory.swap_current);
  put_amount(memory, "swap_limit_bytes", stats.memory.swap_limit);
  put(memory, "anon_bytes", stats.memory.anon);
  put(memory, "file_bytes", stats.memory.file);
  put(memory, "shmem_bytes", stats.memory.shmem);
  put(memory, "kernel_bytes", stats.memory.kernel);
  put(memory, "limit_hits", stats.memory.limit_hits);
  put(memory, "oom", stats.oom.oom);
  put(memory, "oom_kill", stats.oom.oom_kill);
  put(pids, "current", stats.pids.current);
  put(pids, "peak", stats.pids.peak);
  put_amount(pids, "limit", stats.pids.max);
  if (stats.pressure.cpu) pressure["cpu"] = to_json(*stats.pressure.cpu);
  if (stats.pressure.memory) pressure["memory"] = to_json(*stats.pressure.memory);
  if (stats.pressure.io) pressure["io"] = to_json(*stats.pressure.io);
  put_object(document, "cpu", std::move(cpu));
  put_object(document, "memory", std::move(memory));
  put_object(document, "pids", std::move(pids));
  if (stats.io) {
    Json devices = Json::array();
    for (const auto& io : *stats.io)
      devices.push_back({{"device", cgroup::format_device(io.device)},
                         {"read_bytes", io.rbytes},
                         {"written_bytes", io.wbytes},
                         {"reads", io.rios},
                         {"writes", io.wios},
                         {"discarded_bytes", io.dbytes},
                         {"discards", io.dios}});
    document["io"] = std::move(devices);
  }
  put_object(document, "pressure", std::move(pressure));
  return document;
}

Json to_json(const cgroup::Limits& limits) {
  Json cpu = Json::object(), cpuset = Json::object(), memory = Json::object(), pids = Json::object(),
       io = Json::object(), document = Json::object();
  put(cpu, "weight", limits.cpu.weight);
  put_amount(cpu, "quota_usec", limits.cpu.quota);
  put(cpu, "period_usec", limits.cpu.period);
  put(cpu, "burst_usec", limits.cpu.burst);
  put(cpuset, "cpus", limits.cpuset.cpus);
  put(cpuset, "mems", limits.cpuset.mems);
  put_amount(memory, "max_bytes", limits.memory.max);
  put_amount(memory, "high_bytes", limits.memory.high);
  put_amount(memory, "low_bytes", limits.memory.low);
  put_amount(memory, "min_bytes", limits.memory.min);
  put_amount(memory, "swap_bytes", limits.memory.swap);
  put_amount(pids, "max", limits.pids.max);
  put(io, "weight", limits.io.weight);
  for (const auto& one : limits.io.max) {
    Json device = {{"device", cgroup::format_device(one.device)}};
    put_amount(device, "rbps", one.rbps);
    put_amount(device, "wbps", one.wbps);
    put_amount(device, "riops", one.riops);
    put_amount(device, "wiops", one.wiops);
    io["max"].push_back(std::move(device));
  }
  for (const auto& one : limits.io.weights)
    if (one.weight) io["weights"].push_back({{"device", cgroup::format_device(one.device)}, {"weight", *one.weight}});
  put_object(document, "cpu", std::move(cpu));
  put_object(document, "cpuset", std::move(cpuset));
  put_object(document, "memory", std::move(memory));
  put_object(document, "pids", std::move(pids));
  put_object(document, "io", std::move(io));
  for (const auto& one : limits.hugetlb) put_amount(document["hugetlb"], one.size.c_str(), one.max);
  for (const auto& one : limits.misc) put_amount(document["misc"], one.resource.c_str(), one.max);
  for (const auto& one : limits.rdma) {
    Json& device = document["rdma"][one.device];
    put_amount(device, "hca_handle", one.hca_handle);
    put_amount(device, "hca_object", one.hca_object);
  }
  return document;
}

std::string summary_of(const cgroup::Stats& stats) {
  std::string text;
  auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (stats.memory.peak) add("peak memory " + cgroup::format_bytes(*stats.memory.peak));
  if (stats.memory.limit && *stats.memory.limit != cgroup::kUnlimited)
    text += " of " + cgroup::format_bytes(*stats.memory.limit);
  if (stats.cpu.usage) add(format_seconds(*stats.cpu.usage) + " of CPU");
  if (stats.cpu.throttled.value_or(0) > 0) add("throttled for " + format_seconds(*stats.cpu.throttled));
  if (stats.pids.peak) add("at most " + std::to_string(*stats.pids.peak) + " tasks");
  if (stats.io) {
    uint64_t read = 0, written = 0;
    for (const auto& io : *stats.io) {
      read += io.rbytes;
      written += io.wbytes;
    }
    add("read " + cgroup::format_bytes(read) + ", wrote " + cgroup::format_bytes(written));
  }
  return text.empty() ? "nothing was counted" : text;
}

std::string oom_text(const cgroup::Stats& stats) {
  uint64_t killed = stats.oom.oom_kill.value_or(0);
  std::string text =
      killed == 1 ? "the kernel killed a process of it" : fmt::format("the kernel killed {} processes of it", killed);
  text += ": out of memory";
  if (stats.memory.limit && *stats.memory.limit != cgroup::kUnlimited)
    text += ", limit " + cgroup::format_bytes(*stats.memory.limit);
  if (stats.memory.peak) text += ", peak " + cgroup::format_bytes(*stats.memory.peak);
  return text;
}

std::string table_of(const cgroup::Stats& stats) {
  std::string table;
  auto row = [&](const char* name, const std::string& value) { table += fmt::format("{:<22}{}\n", name, value); };
  auto bytes = [&](const char* name, const std::optional<uint64_t>& value) {
    if (value) row(name, cgroup::format_bytes(*value));
  };
  auto seconds = [&](const char* name, const std::optional<uint64_t>& value) {
    if (value) row(name, format_seconds(*value));
  };
  auto count = [&](const char* name, const std::optional<uint64_t>& value) {
    if (value) row(name, *value == cgroup::kUnlimited ? "max" : std::to_string(*value));
  };
  bytes("memory", stats.memory.current);
  bytes("memory peak", stats.memory.peak);
  bytes("memory limit", stats.memory.limit);
  bytes("  anonymous", stats.memory.anon);
  bytes("  files", stats.memory.file);
  bytes("  kernel", stats.memory.kernel);
  bytes("swap", stats.memory.swap_current);
  bytes("swap limit", stats.memory.swap_limit);
  count("limit hit", stats.memory.limit_hits);
  count("killed for memory", stats.oom.oom_kill);
  seconds("cpu", stats.cpu.usage);
  seconds("  user", stats.cpu.user);
  seconds("  system", stats.cpu.system);
  count("cpu periods", stats.cpu.periods);
  count("  throttled", stats.cpu.throttled_periods);
  seconds("  throttled for", stats.cpu.throttled);
  count("tasks", stats.pids.current);
  count("tasks peak", stats.pids.peak);
  count("tasks limit", stats.pids.max);
  if (stats.io)
    for (const auto& io : *stats.io)
      row(("io " + cgroup::format_device(io.device)).c_str(),
          fmt::format("read {} in {}, wrote {} in {}", cgroup::format_bytes(io.rbytes), io.rios,
                      cgroup::format_bytes(io.wbytes), io.wios));
  auto pressure = [&](const char* name, const std::optional<cgroup::Pressure>& value) {
    if (value && value->some)
      row(name, fmt::format("{:.2f} {:.2f} {:.2f} % of 10, 60, 300 s", value->some->avg10, value->some->avg60,
                            value->some->avg300));
  };
  pressure("cpu pressure", stats.pressure.cpu);
  pressure("memory pressure", stats.pressure.memory);
  pressure("io pressure", stats.pressure.io);
  return table;
}

std::string table_of(const cgroup::Limits& limits) {
  std::string table;
  auto row = [&](std::string_view name, const std::string& value) { table += fmt::format("{:<22}{}\n", name, value); };
  auto bytes = [&](std::string_view name, const std::optional<uint64_t>& value) {
    if (value) row(name, cgroup::format_bytes(*value));
  };
  bytes("memory", limits.memory.max);
  bytes("memory high", limits.memory.high);
  bytes("memory low", limits.memory.low);
  bytes("memory min", limits.memory.min);
  bytes("swap", limits.memory.swap);
  if (limits.cpu.quota) row("cpus", cgroup::format_cpus({*limits.cpu.quota, limits.cpu.period.value_or(100'000)}));
  if (limits.cpu.burst.value_or(0) > 0) row("cpu burst", format_seconds(*limits.cpu.burst));
  if (limits.cpu.weight) row("cpu weight", std::to_string(*limits.cpu.weight));
  if (limits.cpuset.cpus) row("cpuset cpus", limits.cpuset.cpus->empty() ? "the parent's" : *limits.cpuset.cpus);
  if (limits.cpuset.mems) row("cpuset mems", limits.cpuset.mems->empty() ? "the parent's" : *limits.cpuset.mems);
  if (limits.pids.max) row("pids", *limits.pids.max == cgroup::kUnlimited ? "max" : std::to_string(*limits.pids.max));
  if (limits.io.weight) row("io weight", std::to_string(*limits.io.weight));
  for (const auto& one : limits.io.weights)
    if (one.weight) row("io weight " + cgroup::format_device(one.device), std::to_string(*one.weight));
  for (const auto& one : limits.io.max) {
    std::string name = "io " + cgroup::format_device(one.device);
    bytes(name + " rbps", one.rbps);
    bytes(name + " wbps", one.wbps);
    if (one.riops) row(name + " riops", *one.riops == cgroup::kUnlimited ? "max" : std::to_string(*one.riops));
    if (one.wiops) row(name + " wiops", *one.wiops == cgroup::kUnlimited ? "max" : std::to_string(*one.wiops));
  }
  for (const auto& one : limits.hugetlb) bytes("hugetlb " + one.size, one.max);
  return table;
}

std::string line_of(const cgroup::Stats& stats, const cgroup::Limits& limits, size_t tasks) {
  std::string text = tasks == 1 ? "1 task" : std::to_string(tasks) + " tasks";
  auto limited = [](const std::optional<uint64_t>& limit) { return limit && *limit != cgroup::kUnlimited; };
  if (stats.memory.current) {
    text += ", memory " + cgroup::format_bytes(*stats.memory.current);
    if (limited(stats.memory.limit)) text += " of " + cgroup::format_bytes(*stats.memory.limit);
  }
  if (stats.cpu.usage) text += ", cpu " + format_seconds(*stats.cpu.usage);
  if (limited(limits.cpu.quota))
    text += " at " + cgroup::format_cpus({*limits.cpu.quota, limits.cpu.period.value_or(100'000)});
  if (limits.cpu.weight && *limits.cpu.weight != 100) text += ", weight " + std::to_string(*limits.cpu.weight);
  if (limited(stats.pids.max)) text += fmt::format(", pids {} of {}", stats.pids.current.value_or(0), *stats.pids.max);
  if (stats.oom.oom_kill.value_or(0) > 0) text += fmt::format(", {} killed for memory", *stats.oom.oom_kill);
  return text;
}

bool is_at_limit(const cgroup::Stats& stats) {
  auto near = [](const std::optional<uint64_t>& use, const std::optional<uint64_t>& limit) {
    return use && limit && *limit != cgroup::kUnlimited && *use >= *limit / 10 * 9;
  };
  return stats.oom.oom_kill.value_or(0) > 0 || near(stats.memory.current, stats.memory.limit) ||
         near(stats.pids.current, stats.pids.max);
}

}  // namespace cgm::cli
