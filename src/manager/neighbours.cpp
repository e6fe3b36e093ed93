// SPDX-License-Identifier: LGPL-2.1-or-later
// systemd beside us.
#include "manager/neighbours.hpp"

#include <unistd.h>

#include "base/number.hpp"
#include "base/sys.hpp"
#include "manager/identity.hpp"

namespace cgm::manager {

using cgroup::Cgroup;
using cgroup::CgroupPath;
using cgroup::Hierarchy;

namespace {

/// systemd.resource-control(5), Delegate=: both attributes are set to `1`, the user's by newer versions alone.
bool is_delegated(const Cgroup& cgroup) {
  auto dir = sys::openat(cgroup.dir(), ".", O_RDONLY | O_DIRECTORY);
  if (!dir) return false;
  for (const char* name : {"user.delegate", "trusted.delegate"}) {
    auto value = sys::fgetxattr(dir->get(), name);
    if (value && *value == "1") return true;
  }
  return false;
}

std::unexpected<Error> refused(const Cgroup& cgroup) {
  return fail(ErrorKind::denied,
              "cgroup '" + cgroup.path().absolute() + "' of " + cgroup.hierarchy().label() +
                  " is systemd's, and not delegated; 'systemd-run --scope -p Delegate=yes' gives one that is");
}

}  // namespace

Result<Neighbours> Neighbours::detect() {
  Fd proc = TRY(sys::openat(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY));
  auto comm = sys::read_file_at(proc.get(), "1/comm", 64);
  bool systemd = ::access("/run/systemd/system", F_OK) == 0 && comm && trim(*comm) == "systemd";
  return Neighbours(systemd, TRY(sys::read_file_at(proc.get(), "self/cgroup", 64 << 10)));
}

bool Neighbours::owns(const Hierarchy& hierarchy) const {
  return systemd_ && (hierarchy.is_v2() || hierarchy.has("name=systemd"));
}

bool Neighbours::is_handed_out(const Hierarchy& hierarchy, const CgroupPath& path) const {
  auto home = cgroup_in(cgroups_, hierarchy);
  if (home && !home->is_root() && home->contains(path)) return true;
  for (CgroupPath here = path;; here = here.parent()) {
    auto cgroup = Cgroup::open(hierarchy, here);
    if (cgroup && is_delegated(*cgroup)) return true;
    if (here.is_root()) return false;
  }
}

Result<void> Neighbours::check_children(const Cgroup& cgroup) const {
  if (!owns(cgroup.hierarchy()) || is_handed_out(cgroup.hierarchy(), cgroup.path())) return {};
  return refused(cgroup);
}

Result<void> Neighbours::check_limits(const Cgroup& cgroup) const {
  if (!owns(cgroup.hierarchy())) return {};
  if (!cgroup.path().is_root() && is_handed_out(cgroup.hierarchy(), cgroup.path().parent())) return {};
  return refused(cgroup);
}

}  // namespace cgm::manager
