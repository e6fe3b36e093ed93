// SPDX-License-Identifier: LGPL-2.1-or-later
// Path resolution below a root.
#include "base/path.hpp"

#include "base/sys.hpp"

namespace cgm {

namespace {

constexpr int kEagainRetries = 32;  // openat2(2): EAGAIN when a rename or mount raced with the resolution

}  // namespace

Result<Fd> open_beneath(int root, std::string_view path, int flags) {
  open_how how{};
  how.flags = static_cast<uint64_t>(flags);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  std::string name(path.empty() ? "." : path);
  for (int attempt = 0;; attempt++) {
    auto fd = sys::openat2(root, name, how);
    if (fd) return fd;
    int err = fd.error().code();
    if (err == EAGAIN && attempt < kEagainRetries) continue;
    // ENOSYS: before 5.6; EPERM: what an older seccomp filter answers for a call it does not know.
    if (err == ENOSYS || err == EPERM) return open_beneath_by_component(root, path, flags);
    return fd;
  }
}

Result<Fd> open_beneath_by_component(int root, std::string_view path, int flags) {
  Fd here;
  int at = root;
  if (!path.empty() && path.front() == '/') return fail(Error::from_errno(EXDEV, "openat", path));
  uint64_t root_mount = TRY(sys::mount_id(root));
  for (;;) {
    while (!path.empty() && path.front() == '/') path.remove_prefix(1);
    size_t slash = path.find('/');
    std::string name(path.substr(0, slash));
    bool must_be_directory = slash != std::string_view::npos;
    path.remove_prefix(must_be_directory ? slash : path.size());
    if (name.empty()) name = ".";
    if (name == "..") return fail(Error::from_errno(EXDEV, "openat", name));
    bool last = path.find_first_not_of('/') == std::string_view::npos;
    int step_flags = last && !must_be_directory ? O_PATH | O_NOFOLLOW : O_PATH | O_NOFOLLOW | O_DIRECTORY;
    Fd next = TRY(sys::openat(at, name, step_flags));
    struct stat st = TRY(sys::fstat(next.get()));
    if (S_ISLNK(st.st_mode)) return fail(Error::from_errno(ELOOP, "openat", name));
    if (TRY(sys::mount_id(next.get())) != root_mount) return fail(Error::from_errno(EXDEV, "openat", name));
    here = std::move(next);
    at = here.get();
    if (last) break;
  }
  if ((flags & O_PATH) != 0) {
    if ((flags & O_DIRECTORY) != 0 && !S_ISDIR(TRY(sys::fstat(at)).st_mode))
      return fail(Error::from_errno(ENOTDIR, "openat", path));
    return here;
  }
  return reopen(at, flags);
}

Result<Fd> reopen(int path_fd, int flags) {
  return sys::openat(AT_FDCWD, "/proc/self/fd/" + std::to_string(path_fd), flags & ~O_NOFOLLOW);
}

}  // namespace cgm
