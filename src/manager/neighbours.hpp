// SPDX-License-Identifier: LGPL-2.1-or-later
// The other manager of this host's cgroups, where systemd is PID 1: it owns the v2 tree and its named hierarchy, and
// hands out subtrees. We write there only below what it has handed out. Rule 19 of docs/access.md.
#pragma once

#include <string>

#include "base/error.hpp"
#include "cgroup/cgroup.hpp"

namespace cgm::manager {

class Neighbours final {
 public:
  /// `cgroups`: the text of our own /proc/PID/cgroup, below which we are at home.
  Neighbours(bool systemd, std::string cgroups) : systemd_(systemd), cgroups_(std::move(cgroups)) {}
  /// Looks whether systemd is PID 1, as sd_booted(3) does, and by PID 1's name.
  static Result<Neighbours> detect();

  /// Refuses (denied) to make children in `cgroup`, or to enable controllers for them, where that is systemd's
  /// business: neither it nor a cgroup above it is delegated (attribute user.delegate or trusted.delegate) or our own.
  Result<void> check_children(const cgroup::Cgroup& cgroup) const;
  /// Refuses to set limits of `cgroup` itself: of what is delegated they stay systemd's.
  Result<void> check_limits(const cgroup::Cgroup& cgroup) const;

 private:
  bool owns(const cgroup::Hierarchy& hierarchy) const;
  bool is_handed_out(const cgroup::Hierarchy& hierarchy, const cgroup::CgroupPath& path) const;

  bool systemd_;
  std::string cgroups_;
};

}  // namespace cgm::manager
