// SPDX-License-Identifier: LGPL-2.1-or-later
// Opening a path from outside below a root, so that no component leaves it: no `..`, no symbolic link, no magic link,
// no other mount. What is opened here is what is checked and used; no name is resolved twice.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/fd.hpp"

namespace cgm {

/// Opens `path` (relative, `.` or empty for the root itself) below `root` with open(2) flags. By openat2 where the
/// kernel and the seccomp filter allow it (bounded retry on EAGAIN), else component by component with O_PATH.
/// Errors: denied (EXDEV, ELOOP: it would leave the root or follow a link), not_found, os.
Result<Fd> open_beneath(int root, std::string_view path, int flags);

/// The fallback alone, for tests and for kernels before 5.6: one openat O_PATH|O_NOFOLLOW a component, refusing `..`,
/// symbolic links and any change of mount.
Result<Fd> open_beneath_by_component(int root, std::string_view path, int flags);

/// Reopens an O_PATH descriptor for use, by /proc/self/fd; the object is the same one.
Result<Fd> reopen(int path_fd, int flags);

}  // namespace cgm
