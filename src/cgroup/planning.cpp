// SPDX-License-Identifier: LGPL-2.1-or-later
// What the planners share.
#include "cgroup/planning.hpp"

#include <fmt/format.h>

#include "cgroup/units.hpp"

namespace cgm::cgroup::planning {

Result<std::optional<std::string>> present(const ReadFile& read, std::string_view controller, std::string_view file) {
  auto text = read(controller, file);
  if (!text) {
    if (text.error().kind() == ErrorKind::not_found) return std::nullopt;
    return fail(std::move(text.error()));
  }
  return std::optional<std::string>(std::move(*text));
}

Result<uint64_t> present_amount(const ReadFile& read, std::string_view controller, std::string_view file,
                                std::string_view limit) {
  auto text = TRY(present(read, controller, file));
  if (!text) return unsupported(limit, fmt::format("the cgroup has no file {}", file));
  auto amount = parse_amount(*text);
  if (!amount) return fail(ErrorKind::protocol, fmt::format("{} reads '{}'", file, text->substr(0, 80)));
  return *amount;
}

std::unexpected<Error> unsupported(std::string_view limit, std::string_view why) {
  return fail(ErrorKind::unsupported, fmt::format("{}: {}", limit, why));
}

Result<CpuTime> cpu_time_after(const Limits::Cpu& wanted, const CpuTime& now) {
  CpuTime after{wanted.quota.value_or(now.quota), wanted.period.value_or(now.period), wanted.burst.value_or(now.burst)};
  if (after.quota != kUnlimited && after.burst > after.quota)
    return fail(ErrorKind::invalid, fmt::format("cpu burst {} is above the quota {}", after.burst, after.quota));
  return after;
}

Result<void> plan_same_files(const Limits& limits, std::vector<Write>& writes) {
  // mems first: a cpuset of v1 with cpus alone takes no task yet.
  for (auto [file, list] :
       {std::pair("cpuset.mems", &limits.cpuset.mems), std::pair("cpuset.cpus", &limits.cpuset.cpus)}) {
    if (!*list) continue;
    std::string text = format_id_set(TRY(parse_id_set(**list)));
    // An empty write(2) does nothing; a newline empties the list.
    writes.push_back({"cpuset", file, text.empty() ? "\n" : text});
  }
  if (limits.pids.max) writes.push_back({"pids", "pids.max", format_amount(*limits.pids.max)});
  for (const RdmaMax& one : limits.rdma) {
    std::string value = one.device;
    if (one.hca_handle) value += " hca_handle=" + format_amount(*one.hca_handle);
    if (one.hca_object) value += " hca_object=" + format_amount(*one.hca_object);
    writes.push_back({"rdma", "rdma.max", value});
  }
  for (const MiscMax& one : limits.misc)
    writes.push_back({"misc", "misc.max", one.resource + " " + format_amount(one.max)});
  return {};
}

}  // namespace cgm::cgroup::planning
