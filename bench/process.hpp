// SPDX-License-Identifier: LGPL-2.1-or-later
// Whole processes, timed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace cgm::bench {

struct Run {
  double wall_us = 0, cpu_us = 0;
};

/// Runs a program to its end, its output thrown away; its exit status has to be 0.
Result<Run> run_process(const std::vector<std::string>& words);

/// Where in $PATH a program is.
std::optional<std::string> find_program(const std::string& name);

}  // namespace cgm::bench
