// SPDX-License-Identifier: LGPL-2.1-or-later
// Bind mounts of namespaces.
#include "ns/pin.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "base/path.hpp"
#include "base/sys.hpp"

namespace cgm::ns {

namespace {

constexpr size_t kLongestName = 64;

Result<void> check_name(const std::string& name) {
  auto good = [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_' || c == '.'; };
  if (!name.empty() && name.size() <= kLongestName && name.front() != '.' &&
      std::all_of(name.begin(), name.end(), good))
    return {};
  return fail(ErrorKind::invalid, "'" + name + "' is no name of a pin: letters, digits, '-', '_' and '.', at most 64");
}

/// Opens a directory of ours below `above`; one that is missing is made, if asked for.
Result<Fd> open_own(int above, const std::string& name, const std::string& path, bool make) {
  if (make) {
    auto made = sys::mkdirat(above, name, 0755);
    if (!made && made.error().kind() != ErrorKind::exists) return fail(std::move(made.error()).with(path));
  }
  Fd directory = TRY(with(sys::openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), path));
  struct stat st = TRY(sys::fstat(directory.get()));
  if (st.st_uid != ::geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return fail(ErrorKind::denied, "'" + path + "' is not ours alone to write");
  return directory;
}

/// A file's path below an open directory that nobody can exchange.
std::string path_of(int directory, std::string_view file) {
  return "/proc/self/fd/" + std::to_string(directory) + "/" + std::string(file);
}

Result<void> mount_on(int directory, const Namespace& one) {
  std::string file(info(one.kind()).file);
  Fd target = TRY(sys::openat(directory, file, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0444));
  Fd tree = TRY(sys::clone_mount(one.fd(), ""));
  constexpr unsigned kFlags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
  if (::syscall(SYS_move_mount, tree.get(), "", target.get(), "", kFlags) < 0) return failed("move_mount", file);
  return {};
}

/// Takes what there is of a pin away; the first failure is told.
Result<void> clear(int directory) {
  for (const KindInfo& kind : kKinds) {
    std::string file(kind.file);
    // Whatever was mounted there, in whatever number.
    while (::umount2(path_of(directory, file).c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) {
    }
    int why = errno;
    auto gone = sys::unlinkat(directory, file, 0);
    if (gone || gone.error().kind() == ErrorKind::not_found) continue;
    // What is mounted still is so for want of rights.
    if (gone.error().code() == EBUSY && why == EPERM) return fail(Error::from_errno(EPERM, "umount2", file));
    return gone;
  }
  return {};
}

}  // namespace

Result<Pins> Pins::open() {
  return open(false);
}

Result<Pins> Pins::make() {
  return open(true);
}

Result<Pins> Pins::open(bool make) {
  std::string base = "/run";
  if (::geteuid() != 0) {
    const char* runtime = ::getenv("XDG_RUNTIME_DIR");
    if (!runtime || *runtime != '/')
      return fail(ErrorKind::not_found, "$XDG_RUNTIME_DIR names no directory for the pins of a user");
    base = runtime;
  }
  Fd run = TRY(sys::openat(AT_FDCWD, base, O_RDONLY | O_DIRECTORY));
  std::string path = base + "/cgmanager/ns";
  auto ours = open_own(run.get(), "cgmanager", base + "/cgmanager", make);
  auto directory = ours ? open_own(ours->get(), "ns", path, make) : fail(std::move(ours.error()));
  if (!make && !directory && directory.error().code() == ENOENT) return Pins(Fd(), std::move(path));
  return Pins(TRY(std::move(directory)), std::move(path));
}

Result<void> Pins::add(const std::string& name, std::span<const Namespace> namespaces) const {
  TRY_VOID(check_name(name));
  auto made = sys::mkdirat(directory_.get(), name, 0755);
  if (!made && made.error().kind() == ErrorKind::exists)
    return fail(ErrorKind::exists, "there is a pin '" + name + "' in " + path_);
  TRY_VOID(made);
  auto keep = [&]() -> Result<void> {
    Fd directory = TRY(sys::openat(directory_.get(), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    auto mount = [&]() -> Result<void> {
      for (const Namespace& one : namespaces) TRY_VOID(mount_on(directory.get(), one));
      return {};
    };
    auto mounted = mount();
    if (!mounted) (void)clear(directory.get());
    return mounted;
  };
  auto kept = keep();
  if (kept) return {};
  (void)sys::unlinkat(directory_.get(), name, AT_REMOVEDIR);
  if (kept.error().code() == ELOOP)
    return fail(std::move(kept.error()).with("pin '" + name + "': a mount namespace is kept only in an older one"));
  if (kept.error().code() == EPERM)
    return fail(
        std::move(kept.error()).with("pin '" + name + "': a mount needs CAP_SYS_ADMIN, also in a user's directory"));
  return fail(std::move(kept.error()).with("pin '" + name + "'"));
}

Result<std::vector<Namespace>> Pins::find(const std::string& name) const {
  TRY_VOID(check_name(name));
  auto directory = sys::openat(directory_.get(), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!directory) return fail(ErrorKind::not_found, "there is no pin '" + name + "' in " + path_);
  std::vector<Namespace> found;
  for (const KindInfo& kind : kKinds) {
    auto one = Namespace::open(directory->get(), std::string(kind.file));
    if (one)
      found.push_back(std::move(*one));
    else if (one.error().kind() != ErrorKind::not_found)
      return fail(std::move(one.error()).with("pin '" + name + "'"));
  }
  return found;
}

Result<void> Pins::remove(const std::string& name) const {
  TRY_VOID(check_name(name));
  auto directory = sys::openat(directory_.get(), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!directory) return fail(ErrorKind::not_found, "there is no pin '" + name + "' in " + path_);
  TRY_VOID(with(clear(directory->get()), "pin '" + name + "'"));
  return sys::unlinkat(directory_.get(), name, AT_REMOVEDIR);
}

}  // namespace cgm::ns
