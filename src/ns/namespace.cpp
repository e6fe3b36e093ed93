// SPDX-License-Identifier: LGPL-2.1-or-later
// Open namespaces.
#include "ns/namespace.hpp"

#include "base/sys.hpp"
#include "base/sys_ns.hpp"

namespace cgm::ns {

Result<Namespace> Namespace::open(int dirfd, const std::string& path) {
  // O_NONBLOCK: what is no namespace may be a fifo.
  Fd fd = TRY(sys::openat(dirfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  return with(adopt(std::move(fd)), "'" + path + "'");
}

Result<Namespace> Namespace::adopt(Fd fd) {
  // The file system is asked before the ioctl: what else has such a number may do anything.
  if (!sys::is_on_nsfs(fd.get())) return fail(ErrorKind::invalid, "it is no namespace");
  int flag = TRY(sys::ns_type(fd.get()));
  auto kind = kind_of_flag(flag);
  if (!kind) return fail(ErrorKind::unsupported, "a kind of namespace that is not known here");
  uint64_t inode = TRY(sys::fstat(fd.get())).st_ino;
  return Namespace(std::move(fd), *kind, inode);
}

std::optional<Namespace> Namespace::owner() const {
  auto fd = sys::ns_owner(fd_.get());
  auto found = fd ? adopt(std::move(*fd)) : fail(std::move(fd.error()));
  if (!found) return std::nullopt;
  return std::move(*found);
}

std::optional<Namespace> Namespace::parent() const {
  auto fd = sys::ns_parent(fd_.get());
  auto found = fd ? adopt(std::move(*fd)) : fail(std::move(fd.error()));
  if (!found) return std::nullopt;
  return std::move(*found);
}

Result<uid_t> Namespace::owner_uid() const {
  return sys::ns_owner_uid(fd_.get());
}

}  // namespace cgm::ns
