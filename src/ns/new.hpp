// SPDX-License-Identifier: LGPL-2.1-or-later
// New namespaces for a program that starts: what its clone and its steps have to be. namespaces(7), clone(2).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/launch.hpp"
#include "ns/kind.hpp"
#include "ns/user_maps.hpp"

namespace cgm::ns {

enum class Propagation { unchanged, isolated, slave, shared };

struct NewOptions {
  Kinds kinds;
  /// The cgroup namespace is made after the steps that are there, which change the cgroup; else with the clone.
  bool cgroup_late = false;
  Propagation propagation = Propagation::isolated;  ///< of all mounts, in a new mount namespace
  std::string proc;                                 ///< where a proc file system is mounted; empty: nowhere
  bool fresh = true;               ///< mount what shows the new namespaces anew (fresh.hpp), in a new mount namespace
  std::string root, directory;     ///< chroot, then chdir; empty: as it is
  std::optional<uid_t> uid;        ///< inside
  std::optional<gid_t> gid;        ///< inside; drops all further groups
  bool keep_capabilities = false;  ///< pass them on to a program that is not root inside (ambient)
  std::string hostname;            ///< of a new uts namespace; empty: as it is
  std::optional<int64_t> monotonic, boottime;  ///< offsets of the clocks in a new time namespace, in seconds
};

/// Steps that change the program's ids: group first, its further groups dropped, then user.
void add_ids(std::vector<ChildStep>& steps, std::optional<uid_t> uid, std::optional<gid_t> gid, bool keep_capabilities);

/// Puts it all into a start: flags of the clone, and steps behind the gate. Errors: what of our own mounts cannot be
/// read; invalid (options of a kind that is not asked for).
Result<void> add_new(Launch& launch, const NewOptions& options);

/// The same for this very process, which has one thread and is to execute the program itself: into the namespaces at
/// once, and with the maps, as far as a process may write its own. The steps are left to be taken. Errors: invalid (a
/// pid namespace, which is for children alone; a map that another process would have to write).
Result<void> unshare_here(Launch& launch, const NewOptions& options, const UserMaps& maps);

/// Says of a clone or unshare for these kinds that failed which capability or sysctl is missing; other errors pass
/// unchanged.
Error explain(Error error, Kinds kinds);

}  // namespace cgm::ns
