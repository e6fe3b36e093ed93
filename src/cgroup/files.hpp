// SPDX-License-Identifier: LGPL-2.1-or-later
// How limits and statistics reach the files of a cgroup that spans several hierarchies. The kernel's own files, files
// judged for a caller, and files behind a daemon look the same from above.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "cgroup/cgroup.hpp"

namespace cgm::cgroup {

/// Access to the files of one cgroup across hierarchies. `controller` is a neutral (v2) name: cpu, cpuset, memory, io,
/// pids, hugetlb, rdma, misc, devices, freezer.
struct Files {
  /// Which version serves the controller here; nothing where none does.
  std::function<std::optional<Version>(std::string_view controller)> version;
  std::function<Result<std::string>(std::string_view controller, std::string_view file)> read;
  std::function<Result<void>(std::string_view controller, std::string_view file, std::string_view value)> write;
};

/// One write that a planner asks for.
struct Write {
  std::string controller;  ///< neutral name
  std::string file;
  std::string value;
  bool operator==(const Write&) const = default;
};

}  // namespace cgm::cgroup
