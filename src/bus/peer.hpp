// SPDX-License-Identifier: LGPL-2.1-or-later
// Who is at the other end of a connection, as the kernel says it. Rule 1 of docs/access.md: ids are fixed at
// connect(2); /proc is only ever read below an entry that was pinned while a pidfd held the pid.
#pragma once

#include <memory>

#include "api/service.hpp"
#include "base/process.hpp"

namespace cgm::bus {

/// SO_PEERCRED and SO_PEERGROUPS; the process is not pinned yet.
Result<std::shared_ptr<api::Caller>> identify(int socket);

/// Pins the caller's process: its /proc entry, cgroup file and, for uid 0, its bounding set. With SO_PEERPIDFD (6.5) at
/// any time after the connect; on older kernels this has to be called at accept, and is refused where the process that
/// has the pid is not of the uid that connected. Errors: gone.
Result<void> pin(const ProcFs& proc, int socket, api::Caller& caller);

/// True where the kernel has SO_PEERPIDFD.
bool has_peer_pidfd();

}  // namespace cgm::bus
