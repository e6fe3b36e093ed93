// SPDX-License-Identifier: LGPL-2.1-or-later
// How limits and statistics reach the files of a cgroup that spans several hierarchies. The kernel's own files, files
// judged for a caller, and files behind a daemon look the same from above.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "cgroup/cgroup.hpp"

namespace cgm::cgroup {

/// Access to the files of one cgroup across hierarchies. `controller` is a neutral (v2) name: cpu, cpuset, memory, io,
/// pids, hugetlb, rdma, misc, devices, freezer; cpuacct (cpu on v2, mounted apart on v1) and unified (the v2 tree
/// itself, which has the pressure files) are for statistics.
struct Files {
  /// Which version serves the controller here; nothing where none does.
  std::function<std::optional<Version>(std::string_view controller)> version;
  /// The whole file, trailing newlines cut; not_found where there is none.
  std::function<Result<std::string>(std::string_view controller, std::string_view file)> read;
  /// One write(2).
  std::function<Result<void>(std::string_view controller, std::string_view file, std::string_view value)> write;
};

/// The kernel's own files of `cgroups`, one for each hierarchy concerned. Both arguments are kept by reference.
Files kernel_files(const Hierarchies& hierarchies, std::span<const Cgroup> cgroups);

/// One write that a planner asks for.
struct Write {
  std::string controller;  ///< neutral name
  std::string file;
  std::string value;
  /// Several files stand for the same limit, and which of them counts is known to the kernel alone: of neighbouring
  /// writes so marked one has to be taken, the others may be refused as unsupported.
  bool alternative = false;
  bool operator==(const Write&) const = default;
};

/// The neutral name of the controller that a v1 or v2 file belongs to (`blkio.weight` -> io); empty for the files that
/// each cgroup has (`tasks`, `cgroup.procs`), freezer for `cgroup.freeze`. Pure.
std::string_view controller_of_file(std::string_view file);

}  // namespace cgm::cgroup
