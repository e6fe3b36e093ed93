// SPDX-License-Identifier: LGPL-2.1-or-later
// Limits and statistics in words, and as JSON. Pure.
#pragma once

#include <string>

#include "cgm/json.hpp"
#include "cgroup/limits.hpp"
#include "cgroup/stats.hpp"

namespace cgm::cli {

/// Every value that is known; an unlimited amount is the string `max`. Units as in the structures, in the keys' names.
Json to_json(const cgroup::Stats& stats);
Json to_json(const cgroup::Limits& limits);

/// `peak memory 9.5M, 0.12 s of CPU, …` in one line.
std::string summary_of(const cgroup::Stats& stats);
/// What is said of a kill for want of memory: which limit, what peak, how many.
std::string oom_text(const cgroup::Stats& stats);
/// A table of all that is known, a line a value.
std::string table_of(const cgroup::Stats& stats);
std::string table_of(const cgroup::Limits& limits);
/// Tasks, and use against limits, in one line: `3 tasks, memory 5.2M of 10M, …`.
std::string line_of(const cgroup::Stats& stats, const cgroup::Limits& limits, size_t tasks);
/// True for a cgroup that is at nine tenths of a limit or had processes killed for want of memory.
bool is_at_limit(const cgroup::Stats& stats);
/// Microseconds as seconds: `1.234 s`.
std::string format_seconds(uint64_t usec);

}  // namespace cgm::cli
