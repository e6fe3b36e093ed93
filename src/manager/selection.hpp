// SPDX-License-Identifier: LGPL-2.1-or-later
// What a controller argument means: one hierarchy, or several with list semantics.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/methods.hpp"
#include "cgroup/hierarchy.hpp"

namespace cgm::manager {

/// One hierarchy that a request is about, and which of its v2 controllers it asked for (none for the tree itself).
struct Choice {
  const cgroup::Hierarchy* hierarchy = nullptr;
  std::vector<std::string> controllers;  ///< v2 only; `all` names every one that the tree has
  bool best_effort = false;              ///< from `all`: what is not to be had here is left out
};

struct Selection {
  std::vector<Choice> choices;
  /// A comma or `all` was written to a method that takes several: failures are treated by its list semantics, even for
  /// a single choice.
  bool is_list = false;
};

/// Parses a controller argument. Co-mounted partners collapse into one choice; `all` is one per hierarchy that has
/// controllers. Errors (invalid): empty, unknown, and for methods that take one: `all`, two hierarchies, one twice.
Result<Selection> select(const cgroup::Hierarchies& hierarchies, std::string_view argument, api::Controllers kind);

}  // namespace cgm::manager
