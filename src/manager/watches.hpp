// SPDX-License-Identifier: LGPL-2.1-or-later
// Cgroups that go away when they are empty: for whom, and their removal.
#pragma once

#include "api/accounts.hpp"
#include "base/log.hpp"
#include "cgroup/cgroup.hpp"
#include "manager/access.hpp"
#include "manager/quotas.hpp"

namespace cgm::manager {

class Watches final {
 public:
  Watches(const cgroup::Hierarchies&, Quotas&, const Log&) {}
  void configure(size_t, api::Accounts) {}
  Result<void> watch(const Subject&, cgroup::Cgroup) { return fail(ErrorKind::unsupported, "not yet"); }
  Result<void> watch_below(const Subject&, const cgroup::Cgroup&) { return fail(ErrorKind::unsupported, "not yet"); }
};

}  // namespace cgm::manager
