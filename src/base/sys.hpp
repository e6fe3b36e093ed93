// SPDX-License-Identifier: LGPL-2.1-or-later
// System calls, one thin function each, in the call's own argument order; failures become an Error that reads like
// strace. EINTR is retried only where a name says so: a worker's deadline interrupts a write on purpose.
#pragma once

#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"

namespace cgm::sys {

Result<Fd> openat(int dirfd, const std::string& path, int flags, mode_t mode = 0);
Result<Fd> openat2(int dirfd, const std::string& path, const open_how& how);
Result<size_t> read(int fd, std::span<char> buffer);
Result<size_t> pread(int fd, std::span<char> buffer, off_t offset);
/// One write(2); a short write is returned as such. `what` names the file in the error.
Result<size_t> write(int fd, std::string_view data, std::string_view what = {});
Result<void> mkdirat(int dirfd, const std::string& path, mode_t mode);
Result<void> unlinkat(int dirfd, const std::string& path, int flags);
Result<void> renameat(int from_dirfd, const std::string& from, int to_dirfd, const std::string& to);
Result<void> fchownat(int dirfd, const std::string& path, uid_t uid, gid_t gid, int flags);
Result<void> fchmodat(int dirfd, const std::string& path, mode_t mode);
Result<struct stat> fstat(int fd);
Result<struct stat> fstatat(int dirfd, const std::string& path, int flags);
/// The id of the mount that an open file lies on (statx STATX_MNT_ID, 5.8).
Result<uint64_t> mount_id(int fd);
Result<std::string> readlinkat(int dirfd, const std::string& path);
Result<Fd> dup(int fd);

Result<Fd> pidfd_open(pid_t pid);
/// A pidfd of one thread, readable when that ends (PIDFD_THREAD, 6.9); unsupported on older kernels.
Result<Fd> pidfd_open_thread(pid_t tid);
Result<void> pidfd_send_signal(int pidfd, int signal);
/// True once the process of a pidfd has exited, a zombie too.
bool has_exited(int pidfd);
/// What the kernel says of a pidfd's process (PIDFD_GET_INFO, 6.13); unsupported on older kernels, gone once it is
/// reaped.
struct PidfdInfo {
  pid_t pid = 0, tgid = 0, parent = 0;
  uid_t real_uid = 0;
};
Result<PidfdInfo> pidfd_get_info(int pidfd);
/// clone3(2); returns the child's pid in the parent and 0 in the child. Nothing is allocated on the way in the child.
/// Where a filter hides it, clone(2), as far as that can do the same.
Result<pid_t> clone3(clone_args& args);

/// Extended attributes of an open file or directory; get returns not_found where there is none.
Result<std::string> fgetxattr(int fd, const std::string& name);
Result<void> fsetxattr(int fd, const std::string& name, std::string_view value);
Result<void> fremovexattr(int fd, const std::string& name);

/// Mount API: a detached mount of a new file system instance, and a detached copy of the mount that `path` lies on.
Result<Fd> mount_detached(const std::string& type, std::span<const std::string> options);
Result<Fd> clone_mount(int dirfd, const std::string& path);

/// Reads a whole file from its start, at most `limit` bytes; a longer one is an error of kind quota.
Result<std::string> read_all(int fd, size_t limit);
/// Opens `name` below `dirfd` read-only (no symlink as the last component) and reads it all.
Result<std::string> read_file_at(int dirfd, const std::string& name, size_t limit);
/// Names of the entries of an open directory without `.` and `..`; d_type as readdir(3) gives it.
struct DirEntry {
  std::string name;
  unsigned char type;
};
Result<std::vector<DirEntry>> list_dir(int dirfd);

/// Monotonic time in nanoseconds.
int64_t monotonic_ns();

}  // namespace cgm::sys
