// SPDX-License-Identifier: LGPL-2.1-or-later
// The options that ask for new namespaces, the same for `ns new` and `run`.
#pragma once

#include <string>
#include <vector>

#include "ns/new.hpp"

namespace CLI {
class App;
}

namespace cgm::cli {

/// How a kind is named as an option: `--net`, or `-n,--net` with the letter that unshare(1) and nsenter(1) have for it.
std::string option_of(ns::Kind kind, bool with_letter);

/// What was given on the command line.
struct NamespaceOptions {
  bool kinds[ns::kKinds.size()] = {};
  bool all = false, map_root = false, map_current = false, map_auto = false, keep_mounts = false, keep_caps = false;
  std::string map_user, map_group, propagation = "private", proc, root, directory, setuid, setgid, setgroups, hostname;
  std::vector<std::string> map_users, map_groups;
  std::string monotonic, boottime;

  /// `short_names`: also -m, -u and so on, as unshare(1) has them.
  void add_to(CLI::App& app, bool short_names);

  struct Wanted {
    ns::NewOptions options;
    ns::UserMaps maps;  ///< empty where there is no new user namespace, or it is left without
  };
  /// What it comes to, with what one thing needs of another: a user namespace for a map, mounts for a new pid or cgroup
  /// namespace. Errors: invalid, naming the option; what plan_maps says.
  Result<Wanted> wanted() const;
};

/// Starts a program in new namespaces: the maps are written while it waits. The launch has all steps, and is gated
/// where there are maps to be written. `child` is ready for its gate to be opened.
Result<void> map_child(const StartedChild& child, const ns::UserMaps& maps);

}  // namespace cgm::cli
