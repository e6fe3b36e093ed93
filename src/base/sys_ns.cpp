// SPDX-License-Identifier: LGPL-2.1-or-later
// Thin system calls on namespaces.
#include "base/sys_ns.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

namespace cgm::sys {

namespace {

Result<int> ask(int fd, unsigned long request, const char* name) {
  int answer = ::ioctl(fd, request);
  if (answer >= 0) return answer;
  if (errno == ENOTTY) return fail(ErrorKind::unsupported, "it is no namespace");
  return failed("ioctl", name);
}

}  // namespace

Result<void> setns(int fd, int flags) {
  if (::setns(fd, flags) < 0) return failed("setns");
  return {};
}

Result<void> unshare(int flags) {
  if (::unshare(flags) < 0) return failed("unshare");
  return {};
}

bool is_on_nsfs(int fd) {
  struct statfs fs;
  return ::fstatfs(fd, &fs) == 0 && fs.f_type == NSFS_MAGIC;
}

Result<dev_t> device_at(int dirfd, const std::string& path) {
  struct statx stx;
  if (::statx(dirfd, path.c_str(), AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE, &stx) < 0)
    return failed("statx", path);
  return makedev(stx.stx_dev_major, stx.stx_dev_minor);
}

Result<int> ns_type(int fd) {
  return ask(fd, NS_GET_NSTYPE, "NS_GET_NSTYPE");
}

// The kernel makes both descriptors close-on-exec (open_related_ns).
Result<Fd> ns_owner(int fd) {
  return Fd(TRY(ask(fd, NS_GET_USERNS, "NS_GET_USERNS")));
}

Result<Fd> ns_parent(int fd) {
  return Fd(TRY(ask(fd, NS_GET_PARENT, "NS_GET_PARENT")));
}

Result<uid_t> ns_owner_uid(int fd) {
  uid_t uid;
  if (::ioctl(fd, NS_GET_OWNER_UID, &uid) < 0) return failed("ioctl", "NS_GET_OWNER_UID");
  return uid;
}

}  // namespace cgm::sys
