// SPDX-License-Identifier: LGPL-2.1-or-later
// Callers at the moment of a request.
#include "manager/identity.hpp"

#include "base/sys.hpp"
#include "cgroup/leaf.hpp"

namespace cgm::manager {

namespace {

constexpr size_t kMaxCgroupFile = 64 << 10;

std::unexpected<Error> dead() {
  return fail(ErrorKind::gone, "the caller is gone");
}

}  // namespace

Result<Host> Host::read() {
  Host host{.proc = TRY(ProcFs::open()), .user_ns = {}, .pid_ns = {}, .cgroup_ns = {}};
  host.user_ns = TRY(sys::readlinkat(host.proc.fd(), "self/ns/user"));
  host.pid_ns = TRY(sys::readlinkat(host.proc.fd(), "self/ns/pid"));
  host.cgroup_ns = TRY(sys::readlinkat(host.proc.fd(), "self/ns/cgroup"));
  auto status = TRY(procfs::parse_status(TRY(sys::read_file_at(host.proc.fd(), "self/status", 64 << 10))));
  host.capabilities = status.cap_effective;
  return host;
}

Result<std::vector<procfs::CgroupLine>> read_cgroups(int fd) {
  std::string text;
  char chunk[4096];
  for (off_t offset = 0;;) {
    auto n = sys::pread(fd, chunk, offset);
    if (!n)
      return n.error().code() == ESRCH ? Result<std::vector<procfs::CgroupLine>>(dead()) : fail(std::move(n.error()));
    if (*n == 0) break;
    text.append(chunk, *n);
    offset += static_cast<off_t>(*n);
    if (text.size() > kMaxCgroupFile) return fail(ErrorKind::protocol, "/proc/PID/cgroup is too long");
  }
  return procfs::parse_cgroup(text);
}

Result<Requestor> Requestor::identify(const Host& host, const api::Caller& caller) {
  if (!caller.proc || !caller.cgroup) return dead();
  Requestor r;
  r.lines_ = TRY(read_cgroups(caller.cgroup.get()));
  // A leader that called pthread_exit reads `/` on every v1 line while its threads live on elsewhere; the flag is set
  // before the cgroups are left, so it is looked at after they were read.
  auto stat = sys::read_file_at(caller.proc.get(), "stat", 8192);
  if (!stat) return dead();
  if ((TRY(procfs::parse_stat(*stat)).flags & procfs::kFlagExiting) != 0) return dead();
  for (const auto& [link, own] :
       {std::pair("ns/pid", &host.pid_ns), {"ns/user", &host.user_ns}, {"ns/cgroup", &host.cgroup_ns}}) {
    auto theirs = sys::readlinkat(caller.proc.get(), link);
    if (!theirs) return dead();
    if (*theirs != *own) return fail(ErrorKind::unsupported, "the caller is in another pid, user or cgroup namespace");
  }
  r.pid_ = caller.pid();
  r.subject_ = {caller.uid(), caller.gid(), caller.groups,
                is_host_root(caller.uid(), true, caller.bounding, host.capabilities)};
  return r;
}

Result<cgroup::CgroupPath> Requestor::cgroup(const cgroup::Hierarchy& hierarchy) const {
  return cgroup_in(lines_, hierarchy);
}

Result<cgroup::CgroupPath> Requestor::floor(const cgroup::Hierarchy& hierarchy) const {
  if (subject_.is_lesser_root()) return cgroup(hierarchy);
  return cgroup::CgroupPath();
}

bool Requestor::is_bound_at(const cgroup::Hierarchy& hierarchy, const cgroup::CgroupPath& path) const {
  if (!subject_.is_lesser_root()) return false;
  auto own = cgroup(hierarchy);
  return !own || own->is_root() || *own == path;
}

Result<cgroup::CgroupPath> cgroup_in(const std::vector<procfs::CgroupLine>& lines, const cgroup::Hierarchy& hierarchy) {
  for (const procfs::CgroupLine& line : lines) {
    if (!hierarchy.is_in(line)) continue;
    if (line.deleted) return fail(ErrorKind::gone, "cgroup '" + line.path + "' was removed");
    cgroup::CgroupPath path = TRY(hierarchy.locate(line.path));
    if (path.name() != cgroup::kLeafName) return path;
    auto above = cgroup::Cgroup::open(hierarchy, path.parent());
    if (above && cgroup::open_leaf(*above)) return path.parent();
    return path;
  }
  return fail(ErrorKind::not_found, "no cgroup in hierarchy " + hierarchy.label());
}

}  // namespace cgm::manager
