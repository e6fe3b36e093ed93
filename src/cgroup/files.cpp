// SPDX-License-Identifier: LGPL-2.1-or-later
// Files of a cgroup across hierarchies.
#include "cgroup/files.hpp"

#include <fmt/format.h>

namespace cgm::cgroup {

Files kernel_files(const Hierarchies& hierarchies, std::span<const Cgroup> cgroups) {
  auto find = [&hierarchies, cgroups](std::string_view controller) -> const Cgroup* {
    const Hierarchy* hierarchy = hierarchies.find(controller);
    for (const Cgroup& cgroup : cgroups)
      if (&cgroup.hierarchy() == hierarchy) return &cgroup;
    return nullptr;
  };
  auto missing = [](std::string_view controller) {
    return fail(ErrorKind::unsupported, fmt::format("no hierarchy here serves the controller {}", controller));
  };
  return {
      .version = [find](std::string_view controller) -> std::optional<Version> {
        const Cgroup* cgroup = find(controller);
        if (!cgroup) return std::nullopt;
        return cgroup->hierarchy().version();
      },
      .read = [find, missing](std::string_view controller, std::string_view file) -> Result<std::string> {
        const Cgroup* cgroup = find(controller);
        if (!cgroup) return missing(controller);
        return cgroup->read(file);
      },
      .write = [find, missing](std::string_view controller, std::string_view file,
                               std::string_view value) -> Result<void> {
        const Cgroup* cgroup = find(controller);
        if (!cgroup) return missing(controller);
        return cgroup->write(file, value);
      },
  };
}

std::string_view controller_of_file(std::string_view file) {
  if (file == "cgroup.freeze") return "freezer";
  std::string_view name = file.substr(0, file.find('.'));
  if (name == "cgroup" || name.size() == file.size()) return {};
  if (name == "blkio") return "io";
  return name;
}

}  // namespace cgm::cgroup
