// SPDX-License-Identifier: LGPL-2.1-or-later
// File systems that show a namespace, and go on to show the old one after a process has got a new one: which are to be
// mounted anew, and how. cgroup_namespaces(7), pid_namespaces(7), mq_overview(7).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ns/kind.hpp"

namespace cgm::ns {

struct FreshMount {
  std::string path, type;
  std::string data;         ///< options of the file system, with commas: `cpu,cpuacct`, `none,name=systemd`
  unsigned long flags = 0;  ///< MS_*
};

/// What of a mountinfo shows namespaces of `kinds`: cgroup file systems for cgroup, message queues for ipc. In the
/// order of the mountinfo; of several mounts over each other the one that is seen. The proc file system is not among
/// them. Pure.
std::vector<FreshMount> fresh_mounts(std::string_view mountinfo, Kinds kinds, std::string_view cgroups = {});

/// Makes one in this process' mount namespace. What was mounted there goes, where it may be taken away: what a less
/// privileged mount namespace inherited is covered. Allocates nothing; false with errno.
bool mount_anew(const FreshMount& mount);

}  // namespace cgm::ns
