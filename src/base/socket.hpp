// SPDX-License-Identifier: LGPL-2.1-or-later
// AF_UNIX: listening, connecting, who the peer is as the kernel says, and messages that carry descriptors or
// credentials. unix(7).
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"

namespace cgm::net {

/// Credentials as the kernel vouches for them.
struct Credentials {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  bool operator==(const Credentials&) const = default;
};

/// SO_PEERCRED: fixed by the kernel at connect(2).
Result<Credentials> peer_credentials(int socket);
/// SO_PEERGROUPS: the supplementary groups at connect(2).
Result<std::vector<gid_t>> peer_groups(int socket);
/// SO_PEERPIDFD (6.5); unsupported on older kernels, gone where the peer has been reaped.
Result<Fd> peer_pidfd(int socket);

/// A non-blocking stream socket listening at `path` (mode 0777 whatever the umask); the path must not exist.
Result<Fd> listen_at(const std::string& path, int backlog);
/// A stream socket connected to `path`; not_found or denied (ECONNREFUSED: nobody listens) where it fails. `flags`:
/// SOCK_NONBLOCK does not wait for a place in the queue of who listens, but fails with EAGAIN.
Result<Fd> connect_to(const std::string& path, int flags = 0);
/// A connected pair of close-on-exec, non-blocking sockets of `type` (SOCK_STREAM, …).
Result<std::pair<Fd, Fd>> pair(int type);

/// One received message: its bytes, the descriptors it carried, and the credentials if there were any.
struct Message {
  std::string_view data;  ///< into the buffer that was given
  std::vector<Fd> descriptors;
  std::optional<Credentials> credentials;
  bool first_is_credentials = false;  ///< the first control message was SCM_CREDENTIALS
};
/// Receives one message into `buffer`, with at most `kMaxDescriptors` descriptors; what a truncated control message
/// carried is closed and is an error of kind protocol.
inline constexpr size_t kMaxDescriptors = 16;
Result<Message> receive(int socket, std::span<char> buffer, int flags = 0);
/// Sends as much of `data` as a non-blocking socket takes, the descriptors with the first byte; 0 where it takes none
/// now.
Result<size_t> send_some(int socket, std::string_view data, std::span<const int> descriptors = {});
/// Sends `data` with descriptors and, where given, credentials that the kernel checks.
Result<void> send(int socket, std::string_view data, std::span<const int> descriptors = {},
                  const Credentials* credentials = nullptr, int flags = 0);
/// SO_PASSCRED on or off.
Result<void> pass_credentials(int socket, bool on);

}  // namespace cgm::net
