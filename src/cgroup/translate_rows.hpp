// SPDX-License-Identifier: LGPL-2.1-or-later
// What the rows of the table do, one function a kind of value. Internal to the translation.
#pragma once

#include "cgroup/limits.hpp"
#include "cgroup/translate_table.hpp"

namespace cgm::cgroup::translate {

using Got = Result<std::string>;
using Set = Result<Change>;

// translate.cpp: what all need.
/// The writes of `limits` for the version of the view.
Set planned(const View& view, const Limits& limits);
/// An error of kind invalid for a value that its key's version would not take.
std::unexpected<Error> bad_value(const Ask& ask, std::string_view expected);
/// The value as a size that the key's version takes: `unlimited` (max, -1) and what v1 shows for it are kUnlimited.
Result<uint64_t> size_of(const Ask& ask, std::string_view unlimited);
/// The value as a number.
Result<uint64_t> number_of(const Ask& ask);
/// A size as v1 shows it.
std::string v1_size(const View& view, uint64_t bytes);
/// The view as the files of one controller, for reading.
Files files_of(const View& view, std::string_view controller);
/// An amount in a file; protocol where it is none.
Result<uint64_t> read_amount(const View& view, std::string_view file);
/// A number in a flat keyed file; protocol where it is none.
Result<uint64_t> read_field(const View& view, std::string_view file, std::string_view field);

// translate_plain.cpp: values that are the same, constants, sizes and numbers.
Got get_same(const Ask& ask);
Set set_same(const Ask& ask);
Got get_field(const Ask& ask);
Got get_constant(const Ask& ask);
Set set_constant(const Ask& ask);
Got get_v1_size(const Ask& ask);
Got get_v2_size(const Ask& ask);
Got get_v1_hugetlb(const Ask& ask);
Set set_v1_hugetlb(const Ask& ask);
Set set_v2_hugetlb(const Ask& ask);
Got get_hits(const Ask& ask);
Got get_freezer_state(const Ask& ask);
Set set_freezer_state(const Ask& ask);
Set set_cgroup_freeze(const Ask& ask);

// translate_memory.cpp
Set set_v1_limit(const Ask& ask);
Got get_v1_soft_limit(const Ask& ask);
Set set_v1_soft_limit(const Ask& ask);
Got get_v1_memsw_limit(const Ask& ask);
Set set_v1_memsw_limit(const Ask& ask);
Got get_v1_memsw_usage(const Ask& ask);
Got get_v1_oom_control(const Ask& ask);
Set set_v1_oom_control(const Ask& ask);
Set set_v2_max(const Ask& ask);
Got get_v2_low(const Ask& ask);
Set set_v2_low(const Ask& ask);
Got get_v2_swap_max(const Ask& ask);
Set set_v2_swap_max(const Ask& ask);
Got get_v2_swap_current(const Ask& ask);
Got get_v2_events(const Ask& ask);

// translate_cpu.cpp
Got get_v1_shares(const Ask& ask);
Set set_v1_shares(const Ask& ask);
Got get_v1_quota(const Ask& ask);
Set set_v1_quota(const Ask& ask);
Got get_v1_period(const Ask& ask);
Set set_v1_period(const Ask& ask);
Set set_burst(const Ask& ask);
Got get_v1_cpuacct(const Ask& ask);
Got get_v1_cpuacct_stat(const Ask& ask);
Got get_v2_weight(const Ask& ask);
Set set_v2_weight(const Ask& ask);
Got get_v2_nice(const Ask& ask);
Set set_v2_nice(const Ask& ask);
Got get_v2_cpu_max(const Ask& ask);
Set set_v2_cpu_max(const Ask& ask);

// translate_io.cpp
Got get_v1_throttle(const Ask& ask);
Set set_v1_throttle(const Ask& ask);
Got get_v1_io_counts(const Ask& ask);
Got get_v1_io_weight(const Ask& ask);
Got get_v1_io_weight_device(const Ask& ask);
Set set_v1_io_weight(const Ask& ask);
Got get_v2_io_max(const Ask& ask);
Set set_v2_io_max(const Ask& ask);
Got get_v2_io_weight(const Ask& ask);
Set set_v2_io_weight(const Ask& ask);
Got get_v2_io_stat(const Ask& ask);
Got get_old_io_weight(const Ask& ask);
Set set_old_io_weight(const Ask& ask);

}  // namespace cgm::cgroup::translate
