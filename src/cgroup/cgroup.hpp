// SPDX-License-Identifier: LGPL-2.1-or-later
// One cgroup: hierarchy, validated path, directory descriptor. What was opened is what is read, written and removed.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "cgroup/hierarchy.hpp"
#include "cgroup/path.hpp"

namespace cgm::cgroup {

/// Longest file of a cgroup that is read whole, in bytes.
inline constexpr size_t kMaxFile = 16 << 20;

class Cgroup final {
 public:
  /// Opens an existing cgroup below the hierarchy's root (base/path.hpp). Errors: not_found, denied.
  static Result<Cgroup> open(const Hierarchy& hierarchy, CgroupPath path);
  /// Wraps a directory that was opened already (O_PATH).
  Cgroup(const Hierarchy& hierarchy, CgroupPath path, Fd dir)
      : hierarchy_(&hierarchy), path_(std::move(path)), own_(std::move(dir)), dir_(own_.get()) {}
  /// The same with a directory that stays open for others too; `kept` keeps it open.
  Cgroup(const Hierarchy& hierarchy, CgroupPath path, int dir, std::shared_ptr<const void> kept)
      : hierarchy_(&hierarchy), path_(std::move(path)), kept_(std::move(kept)), dir_(dir) {}

  const Hierarchy& hierarchy() const { return *hierarchy_; }
  bool is_v2() const { return hierarchy_->is_v2(); }
  const CgroupPath& path() const { return path_; }
  /// The directory (O_PATH).
  int dir() const { return dir_; }

  /// Opens a file in it by a single-component key (no symlink). Errors: invalid (no key), not_found, denied.
  Result<Fd> open_file(std::string_view key, int flags) const;
  /// The whole file, trailing newlines cut.
  Result<std::string> read(std::string_view key) const;
  /// One write(2) of `value`; a short write is an error. The error names file and value.
  Result<void> write(std::string_view key, std::string_view value) const;
  bool has_file(std::string_view key) const;

  /// Opens an existing child. The leaf is a child like others here; leaf.hpp knows better.
  Result<Cgroup> child(std::string_view name) const;
  /// Names of child cgroups in readdir order, the leaf left out.
  Result<std::vector<std::string>> children() const;

 private:
  const Hierarchy* hierarchy_;
  CgroupPath path_;
  Fd own_;
  std::shared_ptr<const void> kept_;
  int dir_;
};

/// How messages name a cgroup: `cgroup '/a/b'`.
std::string shown(const Cgroup& cgroup);

/// Refuses (kind invalid) what is no single component of a path.
Result<void> check_name(std::string_view name);
/// True for what a removed cgroup answers, by its path or by a file of it that was open.
inline bool went_away(const Error& error) {
  return error.kind() == ErrorKind::not_found || error.kind() == ErrorKind::gone;
}

/// Writes to an opened cgroup file; a short write is an error; names file and value in it.
Result<void> write_file(int fd, std::string_view key, std::string_view value);
/// Reads an opened cgroup file whole, trailing newlines cut.
Result<std::string> read_file(int fd, std::string_view key);

/// The file that moves tasks into a cgroup: `tasks` on v1, `cgroup.procs` on v2.
inline std::string_view tasks_file(Version version) {
  return version == Version::v1 ? "tasks" : "cgroup.procs";
}

}  // namespace cgm::cgroup
