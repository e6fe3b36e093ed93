// SPDX-License-Identifier: LGPL-2.1-or-later
// The cgroup hierarchies of this host, v1 and v2, as objects that are passed in: found once from mountinfo, each with a
// descriptor of its root. A test makes its own. cgroups(7).
#pragma once

#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/procfs.hpp"
#include "cgroup/path.hpp"

namespace cgm::cgroup {

enum class Version { v1, v2 };

/// What mountinfo says of one hierarchy: plain data, made by a pure function.
struct FoundHierarchy {
  Version version = Version::v1;
  std::vector<std::string>
      controllers;  ///< v1: those mounted together, `name=X` for a named one; v2: empty until opened
  std::string mount_point = {};
  std::string mount_root = {};  ///< the mount's root as /proc shows it to us; `/` unless bind-mounted or namespaced
  unsigned major = 0, minor = 0;
};

/// One hierarchy with its root opened. Immutable after it is made; outlives each Cgroup that points to it.
class Hierarchy final {
 public:
  Hierarchy(FoundHierarchy found, Fd root) : found_(std::move(found)), root_(std::move(root)) {}

  Version version() const { return found_.version; }
  bool is_v2() const { return found_.version == Version::v2; }
  /// v1: what is mounted together; v2: the root's cgroup.controllers.
  const std::vector<std::string>& controllers() const { return found_.controllers; }
  bool has(std::string_view controller) const;
  /// How errors and listings name it: its controllers joined by commas, `unified` for a v2 tree without any.
  std::string label() const;
  /// The root: a directory descriptor (O_PATH, or a detached mount).
  int root() const { return root_.get(); }
  /// Where it is mounted for everybody; empty for a private mount.
  const std::string& mount_point() const { return found_.mount_point; }
  const std::string& mount_root() const { return found_.mount_root; }

  /// True if a line of a /proc/PID/cgroup is about this hierarchy.
  bool is_in(std::string_view line) const;
  /// Where the text of a /proc/PID/cgroup says that its task is. Errors: not_found (outside of our mount, or not told),
  /// gone (in a cgroup that was removed).
  Result<CgroupPath> path_in(std::string_view cgroups) const;
  /// Turns a path that /proc/PID/cgroup shows us into one below root(); not_found where it lies outside our mount.
  Result<CgroupPath> locate(std::string_view proc_path) const;

 private:
  FoundHierarchy found_;
  Fd root_;
};

/// Which hierarchies there are, from text alone. Of several mounts of one hierarchy the one that shows most is taken:
/// the shortest root, then the first. v1 controllers are what /proc/cgroups knows, so that `rw` or `xattr` is none.
std::vector<FoundHierarchy> find_hierarchies(std::span<const procfs::Mount> mounts,
                                             std::span<const procfs::Subsystem> subsystems);

struct DiscoverOptions {
  /// Copy each mount (open_tree) so that nobody's umount is kept busy and nothing can be mounted over it; needs
  /// CAP_SYS_ADMIN. Without it a plain descriptor is taken.
  bool detach = false;
  /// Mount a cgroup2 privately where none is mounted. Changes everybody's /proc/PID/cgroup for good (a line `0::/`).
  bool mount_unified = false;
  /// v1 hierarchies to mount privately where nobody has: `freezer`, `cpu,cpuacct`, `name=x`.
  std::vector<std::string> mount_v1;
  /// Controllers to leave alone: a hierarchy all of whose controllers are named is left out.
  std::vector<std::string> skip;
};

/// All hierarchies of a host. Addresses of its members are stable.
class Hierarchies final {
 public:
  /// Reads /proc and opens what it finds. A mount that cannot be opened, or that something else is mounted over, is
  /// left out and named in `problems()`.
  static Result<Hierarchies> discover(const DiscoverOptions& options = {});
  /// From given ones, for tests; sorts as `all` does.
  explicit Hierarchies(std::vector<Hierarchy> hierarchies);

  /// One per hierarchy, sorted by the first controller's bare name (without `name=`); the v2 tree sorts by its first
  /// controller, or last where it has none.
  const std::deque<Hierarchy>& all() const { return hierarchies_; }
  /// The hierarchy that serves a controller by its v1 or v2 name: mounted on v1, or else the v2 tree (`blkio` is io,
  /// `cpuacct` is cpu; `freezer`, `devices`, `systemd`, `name=systemd` and `unified` are the tree itself). Null where
  /// none.
  const Hierarchy* find(std::string_view controller) const;
  /// The v2 tree, or null.
  const Hierarchy* unified() const;
  const std::vector<Error>& problems() const { return problems_; }

 private:
  std::deque<Hierarchy> hierarchies_;
  std::vector<Error> problems_;
};

/// The v2 controller that a v1 or v2 controller name means on a v2 tree (`blkio` -> `io`), or empty where it is the
/// tree itself (`freezer`, `devices`, `unified`, named ones).
std::string_view v2_controller(std::string_view name);

}  // namespace cgm::cgroup
