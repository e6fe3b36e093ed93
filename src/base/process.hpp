// SPDX-License-Identifier: LGPL-2.1-or-later
// A process that stays the one it was: pid, pidfd, and its /proc directory opened while the pidfd held the pid. What is
// read of it is read below that directory, so a reused pid reads as ESRCH and never as a stranger.
#pragma once

#include <string>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/procfs.hpp"

namespace cgm {

/// Where /proc is: an open descriptor of it, so that tests and chroots may have their own.
class ProcFs final {
 public:
  /// Opens /proc; fails with unsupported where it is not a procfs.
  static Result<ProcFs> open();
  int fd() const { return root_.get(); }

 private:
  explicit ProcFs(Fd root) : root_(std::move(root)) {}
  Fd root_;
};

/// A pinned process. Move-only; owns its descriptors.
class Process final {
 public:
  /// Pins a live process by pid (as this process sees pids). Errors: gone (no such process), invalid (pid <= 0 or the
  /// id of a thread that leads no process).
  static Result<Process> open(const ProcFs& proc, pid_t pid);
  /// Pins the process that `pidfd` refers to, for a pidfd that came from the kernel (SO_PEERPIDFD).
  static Result<Process> adopt(const ProcFs& proc, Fd pidfd, pid_t pid);

  pid_t pid() const { return pid_; }
  int pidfd() const { return pidfd_.get(); }
  /// The pinned /proc/PID.
  int dir() const { return dir_.get(); }

  /// False once it has exited (a zombie has), by the pidfd's own word.
  bool is_alive() const;
  Result<procfs::Status> status() const;
  Result<procfs::Stat> stat() const;
  /// The inode number of a namespace link (`user`, `pid`, `cgroup`, …) of /proc/PID/ns.
  Result<uint64_t> namespace_inode(const std::string& kind) const;
  Result<void> signal(int signal) const;

 private:
  Process(pid_t pid, Fd pidfd, Fd dir) : pid_(pid), pidfd_(std::move(pidfd)), dir_(std::move(dir)) {}
  pid_t pid_;
  Fd pidfd_;
  Fd dir_;
};

/// The pid that a pidfd refers to, from its fdinfo; gone where the process has exited, invalid where it has no pid
/// here.
Result<pid_t> pid_of_pidfd(int pidfd);

}  // namespace cgm
