// SPDX-License-Identifier: LGPL-2.1-or-later
// Where it all happens: cgroups of our own below the one that we were started in, a home there for each caller, and the
// server.
#pragma once

#include <string>

#include "server.hpp"
#include "support/sandbox.hpp"
#include "work.hpp"

namespace cgm::bench {

struct Setting {
  const test::Sandbox& sandbox;
  const Server& server;
};

/// A controller by which test::Sandbox finds this hierarchy.
std::string controller_of(const cgroup::Hierarchy& hierarchy);

/// Makes a home for `uid` in every hierarchy, `place` in the sandbox: its directory and delegation files are the
/// user's, its limits are not.
Result<void> make_home(const test::Sandbox& sandbox, const std::string& place, uid_t uid);

/// The spot of the caller `uid` whose home is `place`. Values are memory's where this host lets us limit memory, else
/// pids', else the freezer's.
Spot spot_at(const test::Sandbox& sandbox, const std::string& place, uid_t uid, const std::string& tag);

/// The absolute path of a cgroup of the sandbox.
std::string directory_of(const test::Sandbox& sandbox, const std::string& controller, const std::string& below);

/// Uids that nobody has an account of here: users of the benchmark, the `n`th.
constexpr uid_t plain_uid(unsigned n) {
  return 64'100 + n;
}

}  // namespace cgm::bench
