// SPDX-License-Identifier: LGPL-2.1-or-later
// Device rules to instructions. JMP32 compares 32 bits, so that a device number above INT32_MAX is no negative one.
// What is compared is loaded anew each time: of a register that it has seen compared the kernel's verifier remembers
// the value, and then walks the rest of the program once for every value, which is too long for it with a few hundred
// rules.
#include "cgroup/device_program.hpp"

#include <cstddef>

namespace cgm::cgroup {

namespace {

enum Register : uint8_t { kResult = 0, kContext = 1, kScratch = 2 };

bpf_insn instruction(unsigned code, Register to, Register from, int16_t offset, uint32_t value) {
  bpf_insn insn{};
  insn.code = static_cast<uint8_t>(code);
  insn.dst_reg = to;
  insn.src_reg = from;
  insn.off = offset;
  insn.imm = static_cast<int32_t>(value);
  return insn;
}

bpf_insn load(size_t offset) {
  return instruction(BPF_LDX | BPF_MEM | BPF_W, kScratch, kContext, static_cast<int16_t>(offset), 0);
}

bpf_insn compute(unsigned operation, Register to, uint32_t value) {
  return instruction(BPF_ALU | operation | BPF_K, to, kResult, 0, value);
}

/// A jump whose distance is filled in once the end of its block is known.
bpf_insn jump(unsigned condition, uint32_t value) {
  return instruction(BPF_JMP32 | condition | BPF_K, kScratch, kResult, 0, value);
}

void append_return(std::vector<bpf_insn>& program, bool allowed) {
  program.push_back(compute(BPF_MOV, kResult, allowed ? 1 : 0));
  program.push_back(instruction(BPF_JMP | BPF_EXIT, kResult, kResult, 0, 0));
}

/// Ends the program where the exception fits, else falls through.
void append_exception(std::vector<bpf_insn>& program, const DeviceRule& exception, bool allows) {
  constexpr size_t kAccessType = offsetof(bpf_cgroup_dev_ctx, access_type);
  std::vector<size_t> jumps;
  auto leave = [&](bpf_insn insn) {
    jumps.push_back(program.size());
    program.push_back(insn);
  };
  auto compare = [&](std::optional<uint32_t> number, size_t offset) {
    if (!number) return;
    program.push_back(load(offset));
    leave(jump(BPF_JNE, *number));
  };
  program.push_back(load(kAccessType));
  program.push_back(compute(BPF_AND, kScratch, 0xffff));
  leave(jump(BPF_JNE, exception.type == DeviceType::block ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR));
  compare(exception.major, offsetof(bpf_cgroup_dev_ctx, major));
  compare(exception.minor, offsetof(bpf_cgroup_dev_ctx, minor));
  program.push_back(load(kAccessType));
  program.push_back(compute(BPF_RSH, kScratch, 16));
  program.push_back(compute(BPF_AND, kScratch, allows ? ~exception.access : exception.access));
  leave(jump(allows ? BPF_JNE : BPF_JEQ, 0));
  append_return(program, allows);
  for (size_t at : jumps) program[at].off = static_cast<int16_t>(program.size() - at - 1);
}

}  // namespace

std::vector<bpf_insn> device_program(const DeviceRules& rules) {
  std::vector<bpf_insn> program;
  for (const DeviceRule& exception : rules.exceptions()) append_exception(program, exception, !rules.allows_rest());
  append_return(program, rules.allows_rest());
  return program;
}

}  // namespace cgm::cgroup
