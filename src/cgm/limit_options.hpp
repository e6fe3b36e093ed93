// SPDX-License-Identifier: LGPL-2.1-or-later
// The options that set limits, the same for `run` and `limit`.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cgroup/limits.hpp"

namespace CLI {
class App;
}

namespace cgm::cli {

/// What was given on the command line, as text.
struct LimitOptions {
  std::string memory, memory_high, memory_low, memory_min, swap, cpus, cpu_weight, cpuset_cpus, cpuset_mems, pids,
      io_weight;
  std::vector<std::string> io;
  std::vector<std::string> set;  ///< KEY=VALUE

  void add_to(CLI::App& app);
  bool empty() const;
  /// The neutral limits. Errors: invalid, naming the option; devices are looked up.
  Result<cgroup::Limits> limits() const;
  /// The raw keys and their values. Errors: invalid.
  Result<std::vector<std::pair<std::string, std::string>>> raw() const;
};

/// The neutral names of the controllers that `limits` needs.
std::vector<std::string> controllers_of(const cgroup::Limits& limits);

}  // namespace cgm::cli
