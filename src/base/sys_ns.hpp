// SPDX-License-Identifier: LGPL-2.1-or-later
// System calls on namespaces: setns(2), unshare(2), ioctl_ns(2).
#pragma once

#include <sys/types.h>

#include <string>

#include "base/error.hpp"
#include "base/fd.hpp"

namespace cgm::sys {

/// `flags` as setns(2) takes them: a CLONE_NEW* for a namespace file, any number of them for a pidfd (5.8).
Result<void> setns(int fd, int flags);
Result<void> unshare(int flags);

/// True if the descriptor is a file of the namespace file system.
bool is_on_nsfs(int fd);
/// The device of the file that a path leads to, as it is known here: no server is asked, which might not answer.
Result<dev_t> device_at(int dirfd, const std::string& path);
/// The CLONE_NEW* of an open namespace file. Errors: unsupported (it is no namespace).
Result<int> ns_type(int fd);
/// The user namespace that owns it. Errors: denied, where that is out of the caller's sight.
Result<Fd> ns_owner(int fd);
/// The namespace that a pid or user namespace was made in. Errors: denied, where that is out of sight, or there is
/// none; invalid, for other kinds.
Result<Fd> ns_parent(int fd);
/// Who made a user namespace.
Result<uid_t> ns_owner_uid(int fd);

}  // namespace cgm::sys
