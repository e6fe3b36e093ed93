// SPDX-License-Identifier: LGPL-2.1-or-later
// Where the daemon itself stands, and who a caller is at the moment of a request: alive, in our namespaces, in which
// cgroups. Rules 1 and 3-5 of docs/access.md for callers in the daemon's own namespaces.
#pragma once

#include <string>
#include <vector>

#include "api/service.hpp"
#include "base/process.hpp"
#include "base/procfs.hpp"
#include "cgroup/hierarchy.hpp"
#include "manager/access.hpp"

namespace cgm::manager {

/// The daemon's own place, read once at start.
struct Host {
  ProcFs proc;
  std::string user_ns, pid_ns, cgroup_ns;  ///< link texts, `user:[4026531837]`
  uint64_t capabilities = 0;               ///< the daemon's effective set
  static Result<Host> read();
};

/// r during one request. Holds views into its Caller, which must outlive it.
class Requestor final {
 public:
  /// Reads r's cgroups, and then checks that it has its namespaces still and that they are ours. A caller in another
  /// pid, user or cgroup namespace is refused here.
  static Result<Requestor> identify(const Host& host, const api::Caller& caller);

  const Subject& subject() const { return subject_; }
  pid_t pid() const { return pid_; }
  /// C(r) in `hierarchy`; a leaf of ours is cut off. Errors: gone, where what was read is that of an exiting task (rule
  /// 4).
  Result<cgroup::CgroupPath> cgroup(const cgroup::Hierarchy& hierarchy) const;
  /// r's floor there (rule 5): C(r) for a lesser root, else the hierarchy's root.
  Result<cgroup::CgroupPath> floor(const cgroup::Hierarchy& hierarchy) const;
  /// True at r's floor where r may not set limits there (rule 6).
  bool is_bound_at(const cgroup::Hierarchy& hierarchy, const cgroup::CgroupPath& path) const;

 private:
  Requestor() = default;
  Subject subject_;
  pid_t pid_ = 0;
  int namespaces_ = -1;  // the Caller's
  std::string cgroups_;
};

/// The path in `hierarchy` that the text of a /proc/PID/cgroup tells; a leaf of ours at its end is cut off.
Result<cgroup::CgroupPath> cgroup_in(std::string_view cgroups, const cgroup::Hierarchy& hierarchy);

/// True where the task of an opened /proc/PID or /proc/PID/task/TID exits or has exited: what was read of its v1
/// cgroups before this was asked is then not to be trusted (rule 4). From PF_EXITING on they read `/`
/// (proc_cgroup_show()), while its memory is freed, which may take seconds, and until it is reaped; a leader's, while
/// its threads live on elsewhere. `below`: where that directory is not open itself, the way to it from `dir`, with a
/// slash at its end.
bool is_exiting(int dir, const std::string& below = {});

/// Reads an opened /proc/PID/cgroup from its start; gone where the process is.
Result<std::string> read_cgroups(int fd);

}  // namespace cgm::manager
