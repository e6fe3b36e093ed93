// SPDX-License-Identifier: LGPL-2.1-or-later
// Peers.
#include "bus/peer.hpp"

#include <sys/socket.h>

#include "base/sys.hpp"

namespace cgm::bus {

Result<std::shared_ptr<api::Caller>> identify(int socket) {
  auto caller = std::make_shared<api::Caller>();
  caller->credentials = TRY(net::peer_credentials(socket));
  caller->groups = TRY(net::peer_groups(socket));
  return caller;
}

Result<void> pin(const ProcFs& proc, int socket, api::Caller& caller) {
  pid_t pid = caller.pid();
  // Another pid namespace's process that has no pid here.
  if (pid <= 0) return fail(ErrorKind::gone, "the caller has no pid here");
  auto pidfd = net::peer_pidfd(socket);
  bool late = pidfd.has_value();
  if (!late && pidfd.error().kind() == ErrorKind::unsupported) pidfd = sys::pidfd_open(pid);
  if (!pidfd) return fail(ErrorKind::gone, "the caller is gone");
  Process process = TRY(Process::adopt(proc, std::move(*pidfd), pid));
  if (!late && TRY(sys::fstat(process.dir())).st_uid != caller.uid())
    return fail(ErrorKind::gone, "the caller is gone");
  if (caller.uid() == 0) caller.bounding = TRY(process.status()).cap_bounding;
  Fd namespaces = TRY(sys::openat(process.dir(), "ns", O_PATH | O_DIRECTORY));
  caller.pid_namespace = TRY(with(sys::readlinkat(namespaces.get(), "pid"),
                                  "the caller's namespaces cannot be read; the daemon needs CAP_SYS_PTRACE"));
  caller.cgroup = TRY(sys::openat(process.dir(), "cgroup", O_RDONLY));
  caller.namespaces = std::move(namespaces);
  return {};
}

bool has_peer_pidfd() {
  auto pair = net::pair(SOCK_STREAM);
  return pair && net::peer_pidfd(pair->first.get()).has_value();
}

}  // namespace cgm::bus
