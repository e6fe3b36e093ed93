// SPDX-License-Identifier: LGPL-2.1-or-later
// Going through a subtree of cgroups, however deep somebody has nested it: two descriptors, whatever the depth.
#pragma once

#include <functional>

#include "base/error.hpp"
#include "cgroup/cgroup.hpp"

namespace cgm::cgroup {

/// Calls `visit` for `top` and every cgroup below it, leaves included, parents before children. Cgroups that go away
/// meanwhile are passed over; those that come may be. The first error of `visit` ends the walk and is returned.
Result<void> walk(const Cgroup& top, const std::function<Result<void>(const Cgroup&)>& visit);

}  // namespace cgm::cgroup
