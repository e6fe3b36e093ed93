// SPDX-License-Identifier: LGPL-2.1-or-later
// Callers at the moment of a request.
#include "manager/identity.hpp"

#include <unistd.h>

#include "base/number.hpp"
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

Result<std::string> read_cgroups(int fd) {
  std::string text;
  char chunk[4096];
  for (off_t offset = 0;;) {
    auto n = sys::pread(fd, chunk, offset);
    if (!n) return n.error().code() == ESRCH ? dead() : fail(std::move(n.error()));
    text.append(chunk, *n);
    // The whole file is one record: the kernel gives less than was asked for only at its end.
    if (*n < sizeof chunk) return text;
    offset += static_cast<off_t>(*n);
    if (text.size() > kMaxCgroupFile) return fail(ErrorKind::protocol, "/proc/PID/cgroup is too long");
  }
}

bool is_exiting(int dir, const std::string& below) {
  auto text = sys::read_file_at(dir, below + "stat", 8192);
  auto stat = text ? procfs::parse_stat(*text) : fail(std::move(text.error()));
  return !stat || (stat->flags & procfs::kFlagExiting) != 0;
}

Result<Requestor> Requestor::identify(const Host& host, const api::Caller& caller) {
  if (!caller.namespaces || !caller.cgroup) return dead();
  Requestor r;
  r.cgroups_ = TRY(read_cgroups(caller.cgroup.get()));
  bool ours = caller.pid_namespace == host.pid_ns;
  for (const auto& [link, own] : {std::pair("cgroup", &host.cgroup_ns), {"user", &host.user_ns}}) {
    auto theirs = sys::readlinkat(caller.namespaces.get(), link);
    if (!theirs && theirs.error().kind() == ErrorKind::denied)
      return fail(ErrorKind::denied, "the caller's namespaces cannot be read; the daemon needs CAP_SYS_PTRACE");
    if (!theirs) return dead();
    ours = ours && *theirs == *own;
  }
  if (!ours) return fail(ErrorKind::unsupported, "the caller is in another pid, user or cgroup namespace");
  r.namespaces_ = caller.namespaces.get();
  r.pid_ = caller.pid();
  r.subject_ = {caller.uid(), caller.gid(), caller.groups,
                is_host_root(caller.uid(), true, caller.bounding, host.capabilities)};
  return r;
}

Result<cgroup::CgroupPath> Requestor::cgroup(const cgroup::Hierarchy& hierarchy) const {
  cgroup::CgroupPath path = TRY(cgroup_in(cgroups_, hierarchy));
  // The root is where a v1 line also says that a task is that has begun to exit, wherever it was. On v2 a task stays
  // where it was until its namespaces are gone. We ourselves, without a daemon, are alive.
  if (path.is_root() && !hierarchy.is_v2() && pid_ != ::getpid() && is_exiting(namespaces_, "../")) return dead();
  return path;
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

Result<cgroup::CgroupPath> cgroup_in(std::string_view cgroups, const cgroup::Hierarchy& hierarchy) {
  cgroup::CgroupPath path = TRY(hierarchy.path_in(cgroups));
  if (path.name() != cgroup::kLeafName) return path;
  auto above = cgroup::Cgroup::open(hierarchy, path.parent());
  if (above && cgroup::open_leaf(*above)) return path.parent();
  return path;
}

}  // namespace cgm::manager
