// SPDX-License-Identifier: LGPL-2.1-or-later
// All namespaces that can be seen from here, and what keeps each of them alive. Taken process by process, each through
// one pinned entry of /proc: never wrong of a process, only older than what follows.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/process.hpp"
#include "ns/kind.hpp"

namespace cgm::ns {

/// A descriptor of a process that keeps a namespace.
struct Descriptor {
  pid_t pid;
  int fd;
};

/// The process of a namespace that is told for all of them: of its members the one with the lowest pid.
struct Leader {
  pid_t pid = 0;
  pid_t parent = 0;     ///< 0 where that is out of sight
  uid_t uid = 0;        ///< effective
  std::string command;  ///< as Member::command
};

struct Entry {
  Kind kind = Kind::mount;
  uint64_t inode = 0;
  std::vector<pid_t> members;           ///< ascending; threads that have left their process' namespaces do not count
  std::optional<Leader> leader;         ///< none where no process is in it
  std::vector<std::string> mounts;      ///< where it is bind-mounted: path, in some mount namespace that we see
  std::vector<Descriptor> descriptors;  ///< only if asked for
  std::vector<pid_t> waiting_for_children;  ///< processes whose children will be in it; only if asked for
  uint64_t owner =
      0;  ///< inode of the user namespace that owns it, of a user namespace its parent; 0 where out of sight
  uint64_t parent = 0;             ///< of pid and user namespaces; 0 where there is none, or it is out of sight
  std::optional<uid_t> owner_uid;  ///< of user namespaces: who made it
  bool has_child = false;          ///< another namespace that we see was made in it, or is owned by it
};

struct SurveyOptions {
  Kinds kinds = Kinds::all();
  /// Also look at every process' descriptors and at what its children will be in: finds what nothing else keeps.
  bool thorough = false;
  std::optional<uid_t> user = std::nullopt;  ///< only processes of this effective user
  size_t command_limit = 256;                ///< bytes of the leader's command line
};

struct Survey {
  std::vector<Entry> entries;  ///< by kind, then inode
  size_t unseen = 0;           ///< processes whose namespaces we may not see
};

/// Errors: os, where /proc itself cannot be read.
Result<Survey> survey(const ProcFs& proc, const SurveyOptions& options);

/// The mounts of namespace files in a mountinfo: what is mounted, and where. Pure.
struct PinMount {
  Link link;
  std::string path;
};
std::vector<PinMount> pins_in(std::string_view mountinfo);

}  // namespace cgm::ns
