// SPDX-License-Identifier: LGPL-2.1-or-later
// One cgroup by name, in all hierarchies where it is, worked on through a session.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "cgm/session.hpp"
#include "cgroup/cgroup.hpp"
#include "cgroup/files.hpp"
#include "cgroup/limits.hpp"

namespace cgm::cli {

class Group final {
 public:
  /// Makes `path` (below the caller's own cgroup) for each controller of `needed`, and of `wanted` where it can be had.
  /// Errors: exists, or why a needed one cannot be made; nothing is left then.
  static Result<Group> create(Session& session, std::string path, std::span<const std::string> needed,
                              std::span<const std::string> wanted);
  /// A cgroup that exists, in every hierarchy where it does. Errors: not_found.
  static Result<Group> open(Session& session, std::string path);

  const std::string& path() const { return path_; }
  const std::vector<const cgroup::Hierarchy*>& hierarchies() const { return in_; }
  /// Its files; the group has to outlive what this returns.
  cgroup::Files files() const;
  /// The controller argument that means one of its hierarchies, or all of them (a list, whatever their number).
  static std::string name_of(const cgroup::Hierarchy& hierarchy);
  std::string all_names() const;
  /// Puts limits and raw keys in force: all, or none of the limits where one is refused.
  Result<void> set_limits(const cgroup::Limits& limits, std::span<const std::pair<std::string, std::string>> raw,
                          bool force) const;
  /// Where it is in a hierarchy, for who has this /proc/PID/cgroup. Errors as Hierarchy::path_in.
  Result<cgroup::CgroupPath> path_in(const cgroup::Hierarchy& hierarchy, std::string_view cgroups) const;
  /// Its places among the kernel's files, for a direct session; where it was removed meanwhile there is none.
  Result<std::vector<cgroup::Cgroup>> places() const;
  /// The tasks in it and below, of all hierarchies together.
  Result<std::vector<int32_t>> tasks() const;
  /// Removes it and what is below, everywhere.
  Result<void> remove() const;
  api::Request request(api::Method method, std::string controller) const;

 private:
  /// Creates it for one controller; exists where it was there and is not of our making.
  Result<void> make(const std::string& controller);
  bool is_in(const cgroup::Hierarchy& hierarchy) const;
  bool has_file(const cgroup::Hierarchy& hierarchy, std::string_view file) const;
  Group(Session& session, std::string path, const cgroup::Hierarchies& all)
      : session_(&session), path_(std::move(path)), all_(&all) {}
  Session* session_;
  std::string path_;
  const cgroup::Hierarchies* all_;
  std::vector<const cgroup::Hierarchy*> in_;
  mutable std::vector<cgroup::Cgroup> opened_;  // of a direct session, for files()
  mutable std::map<const cgroup::Hierarchy*, std::set<std::string, std::less<>>> keys_;  // asked for once
};

}  // namespace cgm::cli
