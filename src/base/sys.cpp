// SPDX-License-Identifier: LGPL-2.1-or-later
// Thin system calls.
#include "base/sys.hpp"

#include <dirent.h>
#include <linux/limits.h>
#include <linux/mount.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <climits>
#include <ctime>
#include <memory>

namespace cgm::sys {

namespace {

Result<void> done(long r, std::string_view call, std::string_view argument = {}) {
  if (r < 0) return failed(call, argument);
  return {};
}

/// struct pidfd_info of linux/pidfd.h, which Debian 12's headers do not have; this is its first version.
struct KernelPidfdInfo {
  uint64_t mask, cgroup_id;
  uint32_t pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
  int32_t exit_code;
};
static_assert(sizeof(KernelPidfdInfo) == 64);
constexpr unsigned long kPidfdGetInfo = _IOWR(0xFF, 11, KernelPidfdInfo);
constexpr uint64_t kInfoPid = 1, kInfoCreds = 2;

}  // namespace

Result<Fd> openat(int dirfd, const std::string& path, int flags, mode_t mode) {
  int fd = ::openat(dirfd, path.c_str(), flags | O_CLOEXEC, mode);
  if (fd < 0) return failed("openat", path);
  return Fd(fd);
}

Result<Fd> openat2(int dirfd, const std::string& path, const open_how& how) {
  open_how h = how;
  h.flags |= O_CLOEXEC;
  long fd = ::syscall(SYS_openat2, dirfd, path.c_str(), &h, sizeof h);
  if (fd < 0) return failed("openat2", path);
  return Fd(static_cast<int>(fd));
}

Result<size_t> read(int fd, std::span<char> buffer) {
  ssize_t n;
  do n = ::read(fd, buffer.data(), buffer.size());
  while (n < 0 && errno == EINTR);
  if (n < 0) return failed("read");
  return static_cast<size_t>(n);
}

Result<size_t> pread(int fd, std::span<char> buffer, off_t offset) {
  ssize_t n;
  do n = ::pread(fd, buffer.data(), buffer.size(), offset);
  while (n < 0 && errno == EINTR);
  if (n < 0) return failed("pread");
  return static_cast<size_t>(n);
}

Result<size_t> write(int fd, std::string_view data, std::string_view what) {
  ssize_t n = ::write(fd, data.data(), data.size());
  if (n < 0) return failed("write", what);
  return static_cast<size_t>(n);
}

Result<void> mkdirat(int dirfd, const std::string& path, mode_t mode) {
  return done(::mkdirat(dirfd, path.c_str(), mode), "mkdirat", path);
}

Result<void> unlinkat(int dirfd, const std::string& path, int flags) {
  return done(::unlinkat(dirfd, path.c_str(), flags), "unlinkat", path);
}

Result<void> renameat(int from_dirfd, const std::string& from, int to_dirfd, const std::string& to) {
  return done(::renameat(from_dirfd, from.c_str(), to_dirfd, to.c_str()), "renameat", from);
}

Result<void> fchownat(int dirfd, const std::string& path, uid_t uid, gid_t gid, int flags) {
  return done(::fchownat(dirfd, path.c_str(), uid, gid, flags), "fchownat", path);
}

Result<void> fchmodat(int dirfd, const std::string& path, mode_t mode) {
  return done(::fchmodat(dirfd, path.c_str(), mode, 0), "fchmodat", path);
}

Result<struct stat> fstat(int fd) {
  struct stat st;
#if defined(__x86_64__) || defined(__aarch64__)
  // glibc (2.33 to 2.38) asks by an empty path, which the kernel first copies and takes apart. The structs are the
  // same.
  if (::syscall(SYS_fstat, fd, &st) < 0) return failed("fstat");
#else
  if (::fstat(fd, &st) < 0) return failed("fstat");
#endif
  return st;
}

Result<struct stat> fstatat(int dirfd, const std::string& path, int flags) {
  struct stat st;
  if (::fstatat(dirfd, path.c_str(), &st, flags) < 0) return failed("fstatat", path);
  return st;
}

Result<uint64_t> mount_id(int fd) {
  struct statx stx;
  if (::statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) < 0) return failed("statx");
  return stx.stx_mnt_id;
}

Result<std::string> readlinkat(int dirfd, const std::string& path) {
  char buffer[PATH_MAX];
  ssize_t n = ::readlinkat(dirfd, path.c_str(), buffer, sizeof buffer);
  if (n < 0) return failed("readlinkat", path);
  return std::string(buffer, static_cast<size_t>(n));
}

Result<Fd> dup(int fd) {
  int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) return failed("fcntl F_DUPFD_CLOEXEC");
  return Fd(copy);
}

Result<Fd> pidfd_open(pid_t pid) {
  long fd = ::syscall(SYS_pidfd_open, pid, 0);
  if (fd < 0) return failed("pidfd_open", std::to_string(pid));
  return Fd(static_cast<int>(fd));
}

Result<Fd> pidfd_open_thread(pid_t tid) {
  constexpr unsigned kPidfdThread = O_EXCL;  // PIDFD_THREAD of linux/pidfd.h, which Debian 12's headers do not have
  long fd = ::syscall(SYS_pidfd_open, tid, kPidfdThread);
  if (fd >= 0) return Fd(static_cast<int>(fd));
  if (errno == EINVAL)
    return fail(Error(ErrorKind::unsupported, EINVAL, "pidfd_open: this kernel has no PIDFD_THREAD"));
  return failed("pidfd_open", std::to_string(tid));
}

bool has_exited(int pidfd) {
  pollfd poll{pidfd, POLLIN, 0};
  return ::poll(&poll, 1, 0) != 0;
}

Result<void> pidfd_send_signal(int pidfd, int signal) {
  return done(::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0), "pidfd_send_signal");
}

Result<PidfdInfo> pidfd_get_info(int pidfd) {
  KernelPidfdInfo info{};
  info.mask = kInfoPid | kInfoCreds;
  if (::ioctl(pidfd, kPidfdGetInfo, &info) < 0) {
    if (errno == ENOTTY || errno == EINVAL || errno == EOPNOTSUPP)
      return fail(Error(ErrorKind::unsupported, errno, "ioctl PIDFD_GET_INFO: this kernel has none (6.13)"));
    return failed("ioctl PIDFD_GET_INFO");
  }
  if ((info.mask & (kInfoPid | kInfoCreds)) != (kInfoPid | kInfoCreds))
    return fail(ErrorKind::gone, "the process is gone");
  return PidfdInfo{static_cast<pid_t>(info.pid), static_cast<pid_t>(info.tgid), static_cast<pid_t>(info.ppid),
                   info.ruid};
}

Result<pid_t> clone3(clone_args& args) {
  long pid = ::syscall(SYS_clone3, &args, sizeof args);
  if (pid >= 0) return static_cast<pid_t>(pid);
  // Filters that cannot look into its argument hide it (Docker's default one).
  constexpr uint64_t kNotOfClone = CLONE_INTO_CGROUP | CLONE_CLEAR_SIGHAND | CSIGNAL;
  if (errno != ENOSYS || (args.flags & kNotOfClone) != 0 || args.stack != 0) return failed("clone3");
  auto* pidfd = reinterpret_cast<int*>(args.pidfd);  // NOLINT(performance-no-int-to-ptr): as clone3 has it
  pid = ::syscall(SYS_clone, args.flags | args.exit_signal, nullptr, pidfd, nullptr, 0);
  if (pid < 0) return failed("clone");
  return static_cast<pid_t>(pid);
}

Result<std::string> fgetxattr(int fd, const std::string& name) {
  std::string value(256, '\0');
  ssize_t n = ::fgetxattr(fd, name.c_str(), value.data(), value.size());
  if (n < 0 && errno == ERANGE) {
    value.resize(XATTR_SIZE_MAX);
    n = ::fgetxattr(fd, name.c_str(), value.data(), value.size());
  }
  if (n < 0) {
    if (errno == ENODATA)
      return fail(Error(ErrorKind::not_found, ENODATA, "fgetxattr \"" + name + "\": no such attribute"));
    return failed("fgetxattr", name);
  }
  value.resize(static_cast<size_t>(n));
  return value;
}

Result<void> fsetxattr(int fd, const std::string& name, std::string_view value) {
  return done(::fsetxattr(fd, name.c_str(), value.data(), value.size(), 0), "fsetxattr", name);
}

Result<void> fremovexattr(int fd, const std::string& name) {
  return done(::fremovexattr(fd, name.c_str()), "fremovexattr", name);
}

Result<Fd> mount_detached(const std::string& type, std::span<const std::string> options) {
  Fd context(static_cast<int>(::syscall(SYS_fsopen, type.c_str(), FSOPEN_CLOEXEC)));
  if (!context) return failed("fsopen", type);
  for (const std::string& option : options) {
    size_t equals = option.find('=');
    std::string key = option.substr(0, equals);
    long r =
        equals == std::string::npos
            ? ::syscall(SYS_fsconfig, context.get(), FSCONFIG_SET_FLAG, key.c_str(), nullptr, 0)
            : ::syscall(SYS_fsconfig, context.get(), FSCONFIG_SET_STRING, key.c_str(), option.c_str() + equals + 1, 0);
    if (r < 0) return failed("fsconfig", option);
  }
  if (::syscall(SYS_fsconfig, context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0)
    return failed("fsconfig create", type);
  Fd mount(static_cast<int>(::syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC,
                                      MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)));
  if (!mount) return failed("fsmount", type);
  return mount;
}

Result<Fd> clone_mount(int dirfd, const std::string& path) {
  unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (path.empty() ? AT_EMPTY_PATH : 0);
  Fd mount(static_cast<int>(::syscall(SYS_open_tree, dirfd, path.c_str(), flags)));
  if (!mount) return failed("open_tree", path);
  return mount;
}

Result<std::string> read_all(int fd, size_t limit) {
  std::string text;
  char chunk[4096];
  for (;;) {
    size_t n = TRY(read(fd, chunk));
    if (n == 0) return text;
    if (text.size() + n > limit) return fail(ErrorKind::quota, "read: longer than " + std::to_string(limit) + " bytes");
    text.append(chunk, n);
  }
}

Result<std::string> read_file_at(int dirfd, const std::string& name, size_t limit) {
  Fd fd = TRY(openat(dirfd, name, O_RDONLY | O_NOFOLLOW));
  return with(read_all(fd.get(), limit), name);
}

Result<std::vector<DirEntry>> list_dir(int dirfd) {
  Fd copy = TRY(openat(dirfd, ".", O_RDONLY | O_DIRECTORY));
  std::unique_ptr<DIR, int (*)(DIR*)> dir(::fdopendir(copy.get()), ::closedir);
  if (!dir) return failed("fdopendir");
  (void)copy.release();  // the DIR owns it now
  std::vector<DirEntry> entries;
  for (;;) {
    errno = 0;
    dirent* entry = ::readdir(dir.get());
    if (!entry) {
      if (errno != 0) return failed("readdir");
      return entries;
    }
    std::string_view name(entry->d_name);
    if (name != "." && name != "..") entries.push_back({std::string(name), entry->d_type});
  }
}

int64_t monotonic_ns() {
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace cgm::sys
