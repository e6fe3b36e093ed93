// SPDX-License-Identifier: LGPL-2.1-or-later
// What one entry of /proc says of its process' namespaces. The entry is pinned: everything is read below one open
// directory, so that it is all of the same process or fails.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <functional>
#include <string>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/process.hpp"
#include "ns/id_map.hpp"
#include "ns/namespace.hpp"

namespace cgm::ns {

/// Inode numbers by kind; 0 where the kernel has no such kind.
struct Membership {
  std::array<uint64_t, kKinds.size()> inodes{};
  uint64_t of(Kind kind) const { return inodes[static_cast<size_t>(kind)]; }
};

/// A process by its entry in /proc.
class Member final {
 public:
  /// Errors: gone (there is no such process), invalid (pid <= 0).
  static Result<Member> open(const ProcFs& proc, pid_t pid);

  /// The entry of a process that is pinned already. Errors: gone, denied.
  static Result<Member> of(const Process& process);

  pid_t pid() const { return pid_; }
  /// What it is in, of the kinds asked for. Errors: gone, denied (whose namespaces we may not see: ptrace(2)).
  Result<Membership> membership(Kinds kinds) const;
  /// Opens a namespace of it. Errors: gone, denied, unsupported (the kernel has no such kind).
  Result<Namespace> open(Kind kind) const;
  /// The pid or time namespace that its children will be in. Errors: as above; not_found where that has no first
  /// process yet.
  Result<Namespace> open_for_children(Kind kind) const;

  /// Its effective user.
  Result<uid_t> uid() const;
  Result<procfs::Status> status() const;
  Result<procfs::Stat> stat() const;
  /// Its command line, arguments parted by blanks, at most `limit` bytes; its name in brackets where it has none, as a
  /// kernel thread.
  Result<std::string> command(size_t limit) const;
  /// Shows each namespace that it holds open, with the number of its descriptor. Errors: gone, denied.
  Result<void> each_held(const std::function<void(int fd, const Namespace&)>& look) const;
  Result<std::string> mountinfo() const;
  /// The ids of its user namespace, and what they are in ours.
  Result<IdRanges> users() const;
  Result<IdRanges> groups() const;

 private:
  static Result<Member> open_at(int dirfd, const std::string& links, pid_t pid);
  Member(pid_t pid, Fd links) : pid_(pid), links_(std::move(links)) {}
  pid_t pid_;
  Fd links_;  // /proc/PID/ns: the rest is read through its `..`
};

}  // namespace cgm::ns
