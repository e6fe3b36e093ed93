// SPDX-License-Identifier: LGPL-2.1-or-later
// Ways into cgroups.
#include "cgroup/entrance.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "base/sys.hpp"

namespace cgm::cgroup {

Result<void> Entrance::add(const Cgroup& cgroup) {
  if (cgroup.is_v2()) {
    unified_ = TRY(sys::dup(cgroup.dir()));
    return {};
  }
  tasks_.push_back(TRY(cgroup.open_file("tasks", O_WRONLY)));
  return {};
}

void Entrance::add_to(Launch& launch) const {
  launch.into_cgroup = unified_.get();
  std::vector<ChildStep> enter;
  enter.reserve(tasks_.size());
  for (const Fd& tasks : tasks_)
    enter.push_back({"write '0' to \"tasks\"", [fd = tasks.get()] { return ::write(fd, "0", 1) == 1; }});
  launch.before_gate.insert(launch.before_gate.begin(), enter.begin(), enter.end());
}

}  // namespace cgm::cgroup
