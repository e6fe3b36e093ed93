// SPDX-License-Identifier: LGPL-2.1-or-later
// Device rules as a BPF program of type BPF_PROG_TYPE_CGROUP_DEVICE, which is how cgroup v2 knows devices
// (cgroup-v2.rst, "Device controller"). Pure: the instructions only; devices.hpp loads and attaches them.
#pragma once

#include <linux/bpf.h>

#include <vector>

#include "cgroup/device_rule.hpp"

namespace cgm::cgroup {

/// The instructions of a program that returns 1 for what `rules` permits and else 0. It is given a struct
/// bpf_cgroup_dev_ctx; it calls no helper and has no loop.
std::vector<bpf_insn> device_program(const DeviceRules& rules);

}  // namespace cgm::cgroup
