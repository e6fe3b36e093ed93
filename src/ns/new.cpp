// SPDX-License-Identifier: LGPL-2.1-or-later
// Steps into new namespaces.
#include "ns/new.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "base/number.hpp"
#include "base/procfs.hpp"
#include "base/sys.hpp"
#include "base/sys_ns.hpp"
#include "ns/fresh.hpp"

namespace cgm::ns {

namespace {

unsigned long flag_of(Propagation propagation) {
  switch (propagation) {
    case Propagation::unchanged: return 0;
    case Propagation::isolated: return MS_PRIVATE;
    case Propagation::slave: return MS_SLAVE;
    case Propagation::shared: return MS_SHARED;
  }
  return 0;
}

std::string quoted(const char* call, const std::string& argument) {
  return std::string(call) + " \"" + argument + "\"";
}

/// Into a new time namespace whose clocks were set before anybody was in it (time_namespaces(7)).
bool enter_new_time(const std::string& offsets) {
  if (::unshare(CLONE_NEWTIME) < 0) return false;
  if (!offsets.empty()) {
    int file = ::open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
    if (file < 0) return false;
    ssize_t n = ::write(file, offsets.data(), offsets.size());
    int error = errno;
    ::close(file);
    errno = error;
    if (n < 0) return false;
  }
  int made = ::open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
  if (made < 0) return false;
  int entered = ::setns(made, CLONE_NEWTIME);
  int error = errno;
  ::close(made);
  errno = error;
  return entered == 0;
}

/// All capabilities that we have become inheritable and ambient, so that exec keeps them whoever we are.
bool pass_capabilities_on() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2];
  if (::syscall(SYS_capget, &header, data) < 0) return false;
  for (auto& one : data) one.inheritable = one.permitted;
  if (::syscall(SYS_capset, &header, data) < 0) return false;
  for (unsigned capability = 0; capability < 64; capability++) {
    if ((data[capability / 32].permitted >> capability % 32 & 1) == 0) continue;
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) < 0) return false;
  }
  return true;
}

void add_mounts(std::vector<ChildStep>& steps, const NewOptions& options, std::vector<FreshMount> fresh) {
  if (unsigned long flag = flag_of(options.propagation))
    steps.push_back(
        {"mount --make-r* \"/\"", [flag] { return ::mount("none", "/", nullptr, MS_REC | flag, nullptr) == 0; }});
  for (FreshMount& mount : fresh) {
    std::string what = quoted(("mount -t " + mount.type).c_str(), mount.path);
    steps.push_back({std::move(what), [mount = std::move(mount)] { return mount_anew(mount); }});
  }
}

Result<int64_t> read_sysctl(const std::string& path) {
  std::string text = TRY(sys::read_file_at(AT_FDCWD, "/proc/sys/" + path, 64));
  auto value = parse_number<int64_t>(trim(text));
  if (!value) return fail(ErrorKind::protocol, path);
  return *value;
}

}  // namespace

void add_ids(std::vector<ChildStep>& steps, std::optional<uid_t> uid, std::optional<gid_t> gid,
             bool keep_capabilities) {
  // Raw calls: the library's would tell threads that there are not.
  if (gid)
    steps.push_back({"setgid " + std::to_string(*gid), [gid = *gid] {
                       // A user namespace may forbid it; then there are none that could be dropped.
                       if (::syscall(SYS_setgroups, 0, nullptr) < 0 && errno != EPERM) return false;
                       return ::syscall(SYS_setresgid, gid, gid, gid) == 0;
                     }});
  if (keep_capabilities)
    steps.push_back({"prctl PR_SET_KEEPCAPS", [] { return ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0; }});
  if (uid)
    steps.push_back(
        {"setuid " + std::to_string(*uid), [uid = *uid] { return ::syscall(SYS_setresuid, uid, uid, uid) == 0; }});
  if (keep_capabilities) steps.push_back({"keep capabilities", pass_capabilities_on});
}

Result<void> add_new(Launch& launch, const NewOptions& options) {
  Kinds at_once = options.kinds;
  at_once.remove(Kind::time);
  if (options.cgroup_late) at_once.remove(Kind::cgroup);
  launch.clone_flags |= static_cast<unsigned>(at_once.flags());
  if (!options.hostname.empty() && !options.kinds.has(Kind::uts))
    return fail(ErrorKind::invalid, "a host name needs a uts namespace of its own");
  if ((options.monotonic || options.boottime) && !options.kinds.has(Kind::time))
    return fail(ErrorKind::invalid, "offsets of clocks need a time namespace of their own");

  std::vector<ChildStep>& steps = launch.after_gate;
  if (options.kinds.has(Kind::cgroup) && options.cgroup_late)
    steps.push_back({"unshare CLONE_NEWCGROUP", [] { return ::unshare(CLONE_NEWCGROUP) == 0; }});
  if (options.kinds.has(Kind::time)) {
    std::string offsets;
    if (options.monotonic) offsets += "monotonic " + std::to_string(*options.monotonic) + " 0\n";
    if (options.boottime) offsets += "boottime " + std::to_string(*options.boottime) + " 0\n";
    launch.own_memory = true;
    // Before the gate: who pins the namespaces there finds all of them.
    launch.before_gate.push_back({"enter a new time namespace", [offsets] { return enter_new_time(offsets); }});
  }
  if (!options.hostname.empty())
    steps.push_back({quoted("sethostname", options.hostname),
                     [name = options.hostname] { return ::sethostname(name.data(), name.size()) == 0; }});
  if (options.kinds.has(Kind::mount)) {
    std::vector<FreshMount> fresh;
    if (options.fresh && options.root.empty()) {
      // Where the namespace will be rooted is known if the cgroup does not change before.
      std::string cgroups;
      if (!options.cgroup_late) cgroups = TRY(sys::read_file_at(AT_FDCWD, "/proc/self/cgroup", 64 << 10));
      std::string mountinfo = TRY(sys::read_file_at(AT_FDCWD, "/proc/self/mountinfo", procfs::kMaxText));
      fresh = fresh_mounts(mountinfo, options.kinds, cgroups);
    }
    add_mounts(steps, options, std::move(fresh));
  }
  if (!options.root.empty())
    steps.push_back({quoted("chroot", options.root),
                     [root = options.root] { return ::chroot(root.c_str()) == 0 && ::chdir("/") == 0; }});
  if (!options.proc.empty())
    steps.push_back({quoted("mount -t proc", options.proc), [path = options.proc] {
                       return ::mount("proc", path.c_str(), "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) == 0;
                     }});
  if (!options.directory.empty())
    steps.push_back(
        {quoted("chdir", options.directory), [path = options.directory] { return ::chdir(path.c_str()) == 0; }});
  add_ids(steps, options.uid, options.gid, options.keep_capabilities);
  return {};
}

Result<void> unshare_here(Launch& launch, const NewOptions& options, const UserMaps& maps) {
  if (options.kinds.has(Kind::pid)) return fail(ErrorKind::invalid, "a new pid namespace needs a new process");
  if (!is_own_map(maps)) return fail(ErrorKind::invalid, "only one's own ids can be mapped without a new process");
  // Read by our /proc entry, which the namespaces do not change.
  TRY_VOID(add_new(launch, options));
  Fd self = TRY(sys::openat(AT_FDCWD, "/proc/self", O_PATH | O_DIRECTORY));
  TRY_VOID(sys::unshare(static_cast<int>(launch.clone_flags)));
  return write_maps(self.get(), ::getpid(), maps);
}

Error explain(Error error, Kinds kinds) {
  if (kinds.empty() || !(error.text().starts_with("clone") || error.text().starts_with("unshare"))) return error;
  if (error.code() == EPERM) {
    if (!kinds.has(Kind::user))
      return std::move(error).with("new namespaces without a user namespace of their own need CAP_SYS_ADMIN");
    auto allowed = read_sysctl("kernel/unprivileged_userns_clone");
    if (allowed && *allowed == 0) return std::move(error).with("the sysctl kernel.unprivileged_userns_clone is 0");
    auto apparmor = read_sysctl("kernel/apparmor_restrict_unprivileged_userns");
    if (apparmor && *apparmor == 1)
      return std::move(error).with("the sysctl kernel.apparmor_restrict_unprivileged_userns is 1");
    return std::move(error).with("a new user namespace is refused (is this process in a chroot?)");
  }
  if (error.code() == ENOSPC || error.code() == EUSERS)
    for (const KindInfo& kind : kKinds) {
      if (!kinds.has(kind.kind)) continue;
      std::string name = "max_" + std::string(kind.file) + "_namespaces";
      auto most = read_sysctl("user/" + name);
      // Which of several is full the kernel does not say: one of none surely is.
      if (most && (*most == 0 || kinds.flags() == kind.flag))
        return std::move(error).with("the sysctl user." + name + " allows " + std::to_string(*most));
    }
  return error;
}

}  // namespace cgm::ns
