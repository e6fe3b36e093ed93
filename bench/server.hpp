// SPDX-License-Identifier: LGPL-2.1-or-later
// The server that is measured: a private daemon that is started here, or another one that runs already, known by its
// socket and its pid. What it costs is read from outside: its CPU clock, its resident memory.
#pragma once

#include <sched.h>
#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.hpp"

namespace cgm::bench {

class Server {
 public:
  Server(std::string socket, pid_t pid) : socket_(std::move(socket)), pid_(pid) {}
  virtual ~Server() = default;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  const std::string& socket() const { return socket_; }
  pid_t pid() const { return pid_; }
  /// CPU time of all its threads, those that have ended too, in nanoseconds.
  Result<int64_t> cpu_ns() const;
  /// Resident memory in bytes, the pages that it shares with others included.
  Result<int64_t> resident() const;

 private:
  std::string socket_;
  pid_t pid_;
};

/// Starts `program` with a socket and a configuration in `directory`, and waits until it is ready; it ends with the
/// object, or with the process that made it.
Result<std::unique_ptr<Server>> start_server(const std::string& program, const std::string& directory);

/// Takes a server that runs already.
Result<std::unique_ptr<Server>> use_server(const std::string& socket, pid_t pid);

/// Keeps a process' threads on one CPU, the last that we may use, and gives them back what they had when it dies.
class Pinned final {
 public:
  explicit Pinned(pid_t pid);
  ~Pinned();
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;

 private:
  pid_t pid_;
  cpu_set_t before_;
};

}  // namespace cgm::bench
