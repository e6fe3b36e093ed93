// SPDX-License-Identifier: LGPL-2.1-or-later
// The device rules of a cgroup: v1's devices.allow, devices.deny and devices.list, and the same on v2, where a BPF
// program stands for them. The kernel tells nobody what a program allows, so the rules it was made of are kept in an
// extended attribute, valid as long as that very program is attached. Programs of others are never touched; each
// account (uid) has one of its own on a cgroup, and what all of them allow is allowed.
#pragma once

#include <sys/types.h>

#include "base/error.hpp"
#include "cgroup/cgroup.hpp"
#include "cgroup/device_rule.hpp"

namespace cgm::cgroup {

/// What devices.list means here. v2: the rules that account `uid` has set on the cgroup, else those of another account
/// of ours (the lowest uid first), else those of the nearest ancestor that has any; all is allowed where none has. v1:
/// from devices.list, which does not show the exceptions from `a`. Errors: protocol (an attribute and its program do
/// not match), unsupported (no device rules here), denied.
Result<DeviceRules> read_devices(const Cgroup& cgroup, uid_t uid);

/// One write to devices.allow (`allowed`) or devices.deny. v2: what is changed is what read_devices() tells, so a child
/// begins with its parent's rules, as on v1; `a` to allow takes the account's own rules away, where nobody above
/// forbids anything. Errors: denied (v2 as v1: rules of another account or an ancestor do not allow it, or the kernel
/// says so), quota, those of read_devices(). On failure everything is as it was.
Result<void> change_devices(const Cgroup& cgroup, uid_t uid, const DeviceRule& rule, bool allowed);

/// Sets all rules at once. v1 takes them one by one, and where it refuses one, the list that was there before is set
/// again (without exceptions from `a`, which v1 does not show). v2: `rules` as they are, whatever others forbid.
Result<void> set_devices(const Cgroup& cgroup, uid_t uid, const DeviceRules& rules);

}  // namespace cgm::cgroup
