// SPDX-License-Identifier: LGPL-2.1-or-later
// How a starting process gets into its cgroups, the fast way: it is made in its v2 cgroup, and enters the v1 ones by
// writing "0" to descriptors that it inherits. No pid is written to cgroup.procs, so nobody waits for an RCU grace
// period. Where the starter has not the right to that, the child waits at its gate until somebody else has moved it.
#pragma once

#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/launch.hpp"
#include "cgroup/cgroup.hpp"

namespace cgm::cgroup {

class Entrance final {
 public:
  /// Adds a cgroup. Errors: denied, where we may not put a child of ours there; it is then somebody else's to move.
  Result<void> add(const Cgroup& cgroup);
  /// Takes the v2 cgroup out again, where a start in it was refused.
  void drop_unified() { unified_.reset(); }
  /// The start takes this way, before all steps that it has. The entrance has to outlive it.
  void add_to(Launch& launch) const;

 private:
  std::vector<Fd> tasks_;  // v1 `tasks`, for writing
  Fd unified_;             // v2 directory
};

}  // namespace cgm::cgroup
