// SPDX-License-Identifier: LGPL-2.1-or-later
// bpf(2), as far as programs on cgroups need it. Knows no instructions and no policy. All calls need CAP_BPF and
// CAP_NET_ADMIN, or CAP_SYS_ADMIN, in the initial user namespace.
#pragma once

#include <linux/bpf.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"

namespace cgm::bpf {

/// Longest name of a program, in bytes.
inline constexpr size_t kMaxName = BPF_OBJ_NAME_LEN - 1;

/// What we use of struct bpf_prog_info.
struct ProgramInfo {
  std::string name;
  uint64_t tag = 0;  ///< a hash of the instructions
};

/// Loads a program. Errors: invalid or denied, where the kernel's verifier does not like it; denied without the
/// capabilities.
Result<Fd> load(bpf_prog_type type, const std::string& name, std::span<const bpf_insn> program);
/// Ids of the programs attached to this very cgroup. Errors: unsupported (a kernel without CONFIG_CGROUP_BPF), denied.
Result<std::vector<uint32_t>> attached(int cgroup, bpf_attach_type type);
/// A descriptor of a program by its id; not_found where it is gone.
Result<Fd> open(uint32_t id);
Result<ProgramInfo> info(int program);
/// Attaches beside the programs of others (BPF_F_ALLOW_MULTI); `replaced`, if it is not -1, goes in the same step
/// (BPF_F_REPLACE, Linux 5.6). Errors: denied (a program is there that does not share), not_found (`replaced` is not).
Result<void> attach(int cgroup, bpf_attach_type type, int program, int replaced);
Result<void> detach(int cgroup, bpf_attach_type type, int program);

}  // namespace cgm::bpf
