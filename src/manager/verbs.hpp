// SPDX-License-Identifier: LGPL-2.1-or-later
// The verbs of the classic interface on one hierarchy each. List semantics and threads are manager.cpp's business; here
// a verb resolves, judges and acts.
#pragma once

#include <mutex>

#include "api/service.hpp"
#include "cgroup/hierarchy.hpp"
#include "manager/identity.hpp"
#include "manager/selection.hpp"

namespace cgm::manager {

class Neighbours;
class Directories;
class Quotas;
class Watches;
struct Emptied;

/// What every verb works with. Nothing in it is owned; hierarchies and host never change while a verb runs.
struct Context {
  const Host& host;
  const cgroup::Hierarchies& hierarchies;
  const Neighbours& neighbours;
  Quotas& quotas;
  Watches& watches;
  Directories& directories;
  /// Held from the look where a task is to the write that moves it on the strength of that: between the two nobody else
  /// moves it through us. The kernel moves one task at a time anyway.
  std::mutex& moving;
  /// Memory limits below present use are set all the same.
  bool force;
};

using Verb = Result<api::Answer> (*)(const Context&, const Requestor&, const Choice&, const api::Request&);

// verbs_read.cpp
Result<api::Answer> get_value(const Context&, const Requestor&, const Choice&, const api::Request&);
Result<api::Answer> get_tasks(const Context&, const Requestor&, const Choice&, const api::Request&);
Result<api::Answer> get_tasks_recursive(const Context&, const Requestor&, const Choice&, const api::Request&);
Result<api::Answer> list_children(const Context&, const Requestor&, const Choice&, const api::Request&);
Result<api::Answer> list_keys(const Context&, const Requestor&, const Choice&, const api::Request&);
// verbs_tree.cpp
Result<api::Answer> create(const Context&, const Requestor&, const Choice&, const api::Request&);
Result<api::Answer> remove(const Context&, const Requestor&, const Choice&, const api::Request&);
Result<api::Answer> prune(const Context&, const Requestor&, const Choice&, const api::Request&);
Result<api::Answer> remove_on_empty(const Context&, const Requestor&, const Choice&, const api::Request&);
/// Removes what was watched. Errors: gone (what has its name is something else by now), busy, not_found.
Result<void> remove_emptied(const Context&, const Emptied&);
// verbs_change.cpp
Result<api::Answer> set_value(const Context&, const Requestor&, const Choice&, const api::Request&);
Result<api::Answer> chown(const Context&, const Requestor&, const Choice&, const api::Request&);
Result<api::Answer> chmod(const Context&, const Requestor&, const Choice&, const api::Request&);
// verbs_move.cpp
Result<api::Answer> get_pid_cgroup(const Context&, const Requestor&, const Choice&, const api::Request&);
Result<api::Answer> move_pid(const Context&, const Requestor&, const Choice&, const api::Request&);

}  // namespace cgm::manager
