// SPDX-License-Identifier: LGPL-2.1-or-later
// Reading and setting keys of a cgroup for a caller: keys of either cgroup version on a tree of either, each kernel
// file judged on the descriptor that is then used.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cgroup/apply.hpp"
#include "cgroup/cgroup.hpp"
#include "cgroup/files.hpp"
#include "manager/access.hpp"

namespace cgm::manager {

/// The value of `key`, in the key's own words; v1's devices.list on a v2 tree is r's rules (cgroup/devices.hpp). The
/// ids in a file that lists tasks are the leaf's too. Errors: not_found (names the nearest key), denied, unsupported,
/// what the kernel says.
Result<std::string> read_value(const Subject& subject, const cgroup::Cgroup& cgroup, std::string_view key);

/// Writes `value` to `key`, v1's devices.allow and devices.deny on a v2 tree too; an empty value needs the right to and
/// writes nothing. A limit that is translated is in force afterwards or the call fails and puts back what it had
/// changed; a v2 memory limit below present use fails (kind busy), unless it is forced. Returns what was written to
/// which kernel files.
Result<std::vector<cgroup::Write>> write_value(const Subject& subject, const cgroup::Cgroup& cgroup,
                                               std::string_view key, std::string_view value,
                                               const cgroup::ApplyOptions& options = {});

}  // namespace cgm::manager
