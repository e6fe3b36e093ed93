// SPDX-License-Identifier: LGPL-2.1-or-later
// Directories of cgroups that are kept open between requests, so that the rights on each of them are read from the very
// directory (rule 8) without walking to it again. Nothing about rights is kept: owner and mode are read at each
// request.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "cgroup/hierarchy.hpp"
#include "cgroup/path.hpp"

namespace cgm::manager {

/// One open directory and those above it, up to the hierarchy's root. What stands above a cgroup never changes:
/// cgroupfs moves no directory to another parent (v1 renames in place, v2 not at all).
struct Directory {
  Fd fd;  ///< O_PATH
  dev_t device = 0;
  ino_t inode = 0;                         ///< the cgroup's id: 64 bits that the kernel does not use again
  std::shared_ptr<const Directory> above;  ///< null for the root
};
/// Shared by the table and by requests in several threads, which may outlive the entry.
using DirectoryPtr = std::shared_ptr<const Directory>;

/// A directory, and what fstat(2) says of it now.
struct FoundDirectory {
  DirectoryPtr directory;
  struct stat now;
};

/// Thread-safe.
class Directories final {
 public:
  /// Most directories kept open, and for how long, in ns: then they are looked up anew.
  static constexpr size_t kMost = 128;
  static constexpr int64_t kSpanNs = 5'000'000'000;

  static Result<std::unique_ptr<Directories>> create();

  /// The directory that `path` leads to at this moment. What is kept is not believed: the path is looked up, and has to
  /// lead to the same directory still. Nothing is judged. Errors as for Cgroup::open.
  Result<FoundDirectory> at(const cgroup::Hierarchy& hierarchy, const cgroup::CgroupPath& path);

  /// Readable when it is time to forget(); without a loop nothing is forgotten but what is too much.
  int fd() const { return timer_.get(); }
  /// Closes them all.
  void forget();

 private:
  explicit Directories(Fd timer) : timer_(std::move(timer)) {}

  using Key = std::pair<const cgroup::Hierarchy*, std::string>;
  struct Hash {
    size_t operator()(const Key& key) const {
      return std::hash<const void*>()(key.first) ^ std::hash<std::string>()(key.second);
    }
  };

  DirectoryPtr find(const Key& key);
  void keep(Key key, DirectoryPtr directory);

  Fd timer_;  // runs while anything is kept
  std::mutex mutex_;
  std::unordered_map<Key, DirectoryPtr, Hash> known_;
};

}  // namespace cgm::manager
