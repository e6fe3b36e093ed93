// SPDX-License-Identifier: LGPL-2.1-or-later
// Sockets and their folders.
#include "cgmanager/sockets.hpp"

#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/socket.hpp"
#include "base/sys.hpp"

namespace cgm::cgmanager {

namespace {

constexpr int kBacklog = 1024;

/// Removes a socket that nobody listens on.
Result<void> clear_stale(const std::string& path) {
  struct stat st;
  if (::lstat(path.c_str(), &st) < 0) return {};
  if (!S_ISSOCK(st.st_mode)) return fail(ErrorKind::exists, "'" + path + "' exists and is no socket");
  auto answer = net::connect_to(path, SOCK_NONBLOCK);
  // Of one that has its hands full the queue may be full too.
  if (answer || answer.error().code() == EAGAIN)
    return fail(ErrorKind::busy, "cgmanager is already running: it answers on '" + path + "'");
  if (answer.error().code() != ECONNREFUSED) return fail(std::move(answer.error()));
  return sys::unlinkat(AT_FDCWD, path, 0);
}

bool is_file_system(const char* path, unsigned long magic) {
  struct statfs fs;
  return ::statfs(path, &fs) == 0 && static_cast<unsigned long>(fs.f_type) == magic;
}

}  // namespace

Result<ListeningSocket> ListeningSocket::create(const std::string& path) {
  size_t slash = path.rfind('/');
  std::string directory = slash == std::string::npos ? "." : path.substr(0, std::max<size_t>(slash, 1));
  bool made = ::mkdir(directory.c_str(), 0755) == 0;
  if (!made && errno != EEXIST) return fail(Error::from_errno(errno, "mkdir", directory));
  if (made) (void)::chmod(directory.c_str(), 0755);
  TRY_VOID(clear_stale(path));
  ListeningSocket socket(path, TRY(net::listen_at(path, kBacklog)));
  if (made) socket.made_directory_ = directory;
  struct stat st = TRY(sys::fstatat(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW));
  socket.device_ = st.st_dev;
  socket.inode_ = st.st_ino;
  return socket;
}

ListeningSocket::~ListeningSocket() {
  if (path_.empty()) return;
  struct stat st;
  if (::lstat(path_.c_str(), &st) == 0 && st.st_dev == device_ && st.st_ino == inode_) ::unlink(path_.c_str());
  if (!made_directory_.empty()) ::rmdir(made_directory_.c_str());
}

bool classic_path_is_cgroup2() {
  return is_file_system("/sys/fs/cgroup", CGROUP2_SUPER_MAGIC);
}

Result<ClassicMount> ClassicMount::create() {
  // One that was killed has left its mount behind; one that lives needs it.
  if (is_file_system(kClassicDirectory, TMPFS_MAGIC)) {
    TRY_VOID(clear_stale(kClassicSocket));
    return ClassicMount();
  }
  if (::mkdir(kClassicDirectory, 0755) < 0 && errno != EEXIST)
    return fail(Error::from_errno(errno, "mkdir", kClassicDirectory));
  if (::mount("cgmanager", kClassicDirectory, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=755,size=64k") < 0) {
    auto error = fail(Error::from_errno(errno, "mount", kClassicDirectory));
    ::rmdir(kClassicDirectory);
    return error;
  }
  return ClassicMount();
}

ClassicMount::~ClassicMount() {
  if (!mounted_) return;
  ::umount2(kClassicDirectory, MNT_DETACH);
  ::rmdir(kClassicDirectory);
}

}  // namespace cgm::cgmanager
