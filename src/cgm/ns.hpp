// SPDX-License-Identifier: LGPL-2.1-or-later
// The commands of `cgm ns`: one table, one file a command.
#pragma once

#include "cgm/command.hpp"
#include "ns/kind.hpp"

namespace cgm::cli {

int run_ns_list(Invocation&);
int run_ns_show(Invocation&);
int run_ns_same(Invocation&);
int run_ns_new(Invocation&);
int run_ns_enter(Invocation&);
int run_ns_pin(Invocation&);
int run_ns_unpin(Invocation&);
int run_ns_cgroup_view(Invocation&);

/// A user's name, or the number where it has none.
std::string user_name(uid_t uid);

}  // namespace cgm::cli
