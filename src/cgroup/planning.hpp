// SPDX-License-Identifier: LGPL-2.1-or-later
// What the two planners share: reading present values, and the controllers whose files are the same on v1 and v2.
// Internal to src/cgroup.
#pragma once

#include "cgroup/limits.hpp"

namespace cgm::cgroup::planning {

/// A present file; nothing where the cgroup has none.
Result<std::optional<std::string>> present(const ReadFile& read, std::string_view controller, std::string_view file);
/// The present amount of a file that must be there; `limit` names the limit where it is not (unsupported).
Result<uint64_t> present_amount(const ReadFile& read, std::string_view controller, std::string_view file,
                                std::string_view limit);

std::unexpected<Error> unsupported(std::string_view limit, std::string_view why);

/// Quota, period and burst as they are to be, and what they are now.
struct CpuTime {
  uint64_t quota = kUnlimited, period = 0, burst = 0;
};
/// `wanted` where it is set, else `now`. Errors: invalid, where a burst is left above the quota (the kernel's EINVAL).
Result<CpuTime> cpu_time_after(const Limits::Cpu& wanted, const CpuTime& now);

/// cpuset, pids, rdma and misc, which have the same files on v1 and v2.
Result<void> plan_same_files(const Limits& limits, std::vector<Write>& writes);

}  // namespace cgm::cgroup::planning
