// SPDX-License-Identifier: LGPL-2.1-or-later
// AF_UNIX sockets.
#include "base/socket.hpp"

#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>

namespace cgm::net {

namespace {

#ifndef SO_PEERPIDFD
constexpr int SO_PEERPIDFD = 77;  // linux 6.5, asm-generic/socket.h
#endif

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path)
    return fail(ErrorKind::invalid, "socket path '" + path + "' is empty or too long");
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

/// sendmsg(2), or -1 with errno.
ssize_t send_message(int socket, std::string_view data, std::span<const int> descriptors,
                     const Credentials* credentials, int flags) {
  if (descriptors.size() > kMaxDescriptors) {
    errno = EINVAL;
    return -1;
  }
  iovec iov{const_cast<char*>(data.data()), data.size()};
  msghdr header{};
  header.msg_iov = &iov;
  header.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxDescriptors) + CMSG_SPACE(sizeof(ucred))];
  if (credentials || !descriptors.empty()) {
    std::memset(control, 0, sizeof control);
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    size_t used = 0;
    cmsghdr* c = CMSG_FIRSTHDR(&header);
    if (credentials) {
      ucred cred{credentials->pid, credentials->uid, credentials->gid};
      c->cmsg_level = SOL_SOCKET;
      c->cmsg_type = SCM_CREDENTIALS;
      c->cmsg_len = CMSG_LEN(sizeof cred);
      std::memcpy(CMSG_DATA(c), &cred, sizeof cred);
      used += CMSG_SPACE(sizeof cred);
      c = CMSG_NXTHDR(&header, c);
    }
    if (!descriptors.empty()) {
      c->cmsg_level = SOL_SOCKET;
      c->cmsg_type = SCM_RIGHTS;
      c->cmsg_len = CMSG_LEN(descriptors.size_bytes());
      std::memcpy(CMSG_DATA(c), descriptors.data(), descriptors.size_bytes());
      used += CMSG_SPACE(descriptors.size_bytes());
    }
    header.msg_controllen = used;
  }
  ssize_t n;
  do n = ::sendmsg(socket, &header, flags | MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  return n;
}

}  // namespace

Result<Credentials> peer_credentials(int socket) {
  ucred cred{};
  socklen_t size = sizeof cred;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0) return failed("getsockopt SO_PEERCRED");
  return Credentials{cred.pid, cred.uid, cred.gid};
}

Result<std::vector<gid_t>> peer_groups(int socket) {
  std::vector<gid_t> groups(64);
  for (;;) {
    socklen_t size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) == 0) {
      groups.resize(size / sizeof(gid_t));
      groups.shrink_to_fit();
      return groups;
    }
    if (errno != ERANGE || size / sizeof(gid_t) <= groups.size()) return failed("getsockopt SO_PEERGROUPS");
    groups.resize(size / sizeof(gid_t));
  }
}

Result<Fd> peer_pidfd(int socket) {
  int fd = -1;
  socklen_t size = sizeof fd;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, &fd, &size) == 0) return Fd(fd);
  if (errno == ENOPROTOOPT)
    return fail(Error(ErrorKind::unsupported, errno, "getsockopt SO_PEERPIDFD: this kernel has none (6.5)"));
  return failed("getsockopt SO_PEERPIDFD");
}

Result<Fd> listen_at(const std::string& path, int backlog) {
  sockaddr_un address = TRY(address_of(path));
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return failed("socket");
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) return failed("bind", path);
  if (::chmod(path.c_str(), 0777) < 0 || ::listen(socket.get(), backlog) < 0) {
    auto error = failed("listen", path);
    ::unlink(path.c_str());
    return error;
  }
  return socket;
}

Result<Fd> connect_to(const std::string& path, int flags) {
  sockaddr_un address = TRY(address_of(path));
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
  if (!socket) return failed("socket");
  if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0)
    return failed("connect", path);
  return socket;
}

Result<std::pair<Fd, Fd>> pair(int type) {
  int fds[2];
  if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0) return failed("socketpair");
  return std::pair(Fd(fds[0]), Fd(fds[1]));
}

Result<Message> receive(int socket, std::span<char> buffer, int flags) {
  Message message;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxDescriptors) + CMSG_SPACE(sizeof(ucred))];
  iovec iov{buffer.data(), buffer.size()};
  msghdr header{};
  header.msg_iov = &iov;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  ssize_t n;
  do n = ::recvmsg(socket, &header, flags | MSG_CMSG_CLOEXEC);
  while (n < 0 && errno == EINTR);
  if (n < 0) return failed("recvmsg");
  message.data = std::string_view(buffer.data(), static_cast<size_t>(n));
  bool first = true;
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c), first = false) {
    if (c->cmsg_level != SOL_SOCKET) continue;
    if (c->cmsg_type == SCM_RIGHTS) {
      size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (size_t i = 0; i < count; i++) {
        int fd;
        std::memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
        message.descriptors.emplace_back(fd);
      }
    } else if (c->cmsg_type == SCM_CREDENTIALS && c->cmsg_len == CMSG_LEN(sizeof(ucred))) {
      ucred cred;
      std::memcpy(&cred, CMSG_DATA(c), sizeof cred);
      message.credentials = Credentials{cred.pid, cred.uid, cred.gid};
      message.first_is_credentials = first;
    }
  }
  if ((header.msg_flags & MSG_CTRUNC) != 0) return fail(ErrorKind::protocol, "recvmsg: control message cut short");
  return message;
}

Result<void> send(int socket, std::string_view data, std::span<const int> descriptors, const Credentials* credentials,
                  int flags) {
  ssize_t n = send_message(socket, data, descriptors, credentials, flags);
  if (n < 0) return failed("sendmsg");
  if (static_cast<size_t>(n) != data.size()) return fail(ErrorKind::os, "sendmsg: sent only a part");
  return {};
}

Result<size_t> send_some(int socket, std::string_view data, std::span<const int> descriptors) {
  ssize_t n = send_message(socket, data, descriptors, nullptr, MSG_DONTWAIT);
  if (n < 0 && errno == EAGAIN) return 0;
  if (n < 0) return failed("sendmsg");
  return static_cast<size_t>(n);
}

Result<void> pass_credentials(int socket, bool on) {
  int value = on ? 1 : 0;
  if (::setsockopt(socket, SOL_SOCKET, SO_PASSCRED, &value, sizeof value) < 0) return failed("setsockopt SO_PASSCRED");
  return {};
}

}  // namespace cgm::net
