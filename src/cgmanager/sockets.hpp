// SPDX-License-Identifier: LGPL-2.1-or-later
// The sockets that the daemon serves: where they are, and that nothing of them is left when it stops.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/fd.hpp"

namespace cgm::cgmanager {

inline constexpr const char* kRunSocket = "/run/cgmanager/sock";
inline constexpr const char* kClassicDirectory = "/sys/fs/cgroup/cgmanager";
inline constexpr const char* kClassicSocket = "/sys/fs/cgroup/cgmanager/sock";

/// A listening socket with its path; unlinks it, and a directory that was made for it, when it dies. What another has
/// put there meanwhile is left alone.
class ListeningSocket final {
 public:
  /// Makes the folder of `path` (0755) where it is missing, replaces a stale socket, and listens. Errors: busy, where
  /// somebody answers there ("cgmanager is already running").
  static Result<ListeningSocket> create(const std::string& path);
  ListeningSocket(ListeningSocket&& other) noexcept
      : path_(std::exchange(other.path_, {})),
        made_directory_(std::move(other.made_directory_)),
        device_(other.device_),
        inode_(other.inode_),
        fd_(std::move(other.fd_)) {}
  ListeningSocket& operator=(ListeningSocket&&) = delete;
  ~ListeningSocket();

  const std::string& path() const { return path_; }
  /// The socket itself, once.
  Fd take() { return std::move(fd_); }

 private:
  ListeningSocket(std::string path, Fd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  std::string path_;
  std::string made_directory_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  Fd fd_;
};

/// A cgroup `cgmanager` of the v2 tree at /sys/fs/cgroup with a tmpfs mounted on it, so that the classic socket can be
/// made there; undone when it dies. The one mount that the host sees of us. Errors: busy, where somebody serves there.
class ClassicMount final {
 public:
  static Result<ClassicMount> create();
  ClassicMount(ClassicMount&& other) noexcept : mounted_(std::exchange(other.mounted_, false)) {}
  ClassicMount& operator=(ClassicMount&&) = delete;
  ~ClassicMount();

 private:
  ClassicMount() = default;
  bool mounted_ = true;
};

/// True where /sys/fs/cgroup is a cgroup2 mount, in which no socket can be made.
bool classic_path_is_cgroup2();

}  // namespace cgm::cgmanager
