// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cgroup/device_program.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>

namespace cgm::cgroup {
namespace {

/// Runs the instructions that device_program() uses, as linux/bpf.h and the kernel's instruction-set.rst have them; -1
/// where there is another one, a jump out of the program, or no end.
int64_t run(const std::vector<bpf_insn>& program, const bpf_cgroup_dev_ctx& context) {
  uint64_t registers[11] = {};
  for (size_t at = 0; at < program.size(); at++) {
    const bpf_insn& insn = program[at];
    uint64_t& to = registers[insn.dst_reg];
    uint32_t value = static_cast<uint32_t>(insn.imm);
    switch (insn.code) {
      case BPF_LDX | BPF_MEM | BPF_W: {
        if (insn.src_reg != BPF_REG_1 || insn.off < 0 || insn.off + 4 > static_cast<int>(sizeof context)) return -1;
        uint32_t word;
        std::memcpy(&word, reinterpret_cast<const char*>(&context) + insn.off, sizeof word);
        to = word;
        break;
      }
      case BPF_ALU | BPF_MOV | BPF_K: to = value; break;
      case BPF_ALU | BPF_AND | BPF_K: to = static_cast<uint32_t>(to) & value; break;
      case BPF_ALU | BPF_RSH | BPF_K: to = static_cast<uint32_t>(to) >> value; break;
      case BPF_JMP32 | BPF_JNE | BPF_K:
      case BPF_JMP32 | BPF_JEQ | BPF_K: {
        bool equal = static_cast<uint32_t>(to) == value;
        if (insn.off < 0) return -1;
        if (equal == (BPF_OP(insn.code) == BPF_JEQ)) at += static_cast<size_t>(insn.off);
        break;
      }
      case BPF_JMP | BPF_EXIT: return static_cast<int64_t>(registers[0]);
      default: return -1;
    }
  }
  return -1;
}

/// Compares program and rules over all accesses of all devices whose numbers the rules name, and of their neighbours.
void expect_same(const DeviceRules& rules) {
  std::vector<bpf_insn> program = device_program(rules);
  std::vector<uint32_t> majors = {0, 1, 4294967295}, minors = {0, 1, 4294967295};
  for (const DeviceRule& rule : rules.exceptions()) {
    if (rule.major) majors.insert(majors.end(), {*rule.major, *rule.major + 1});
    if (rule.minor) minors.insert(minors.end(), {*rule.minor, *rule.minor + 1});
  }
  for (std::vector<uint32_t>* numbers : {&majors, &minors}) {
    std::sort(numbers->begin(), numbers->end());
    numbers->erase(std::unique(numbers->begin(), numbers->end()), numbers->end());
  }
  for (DeviceType type : {DeviceType::block, DeviceType::character})
    for (uint32_t major : majors)
      for (uint32_t minor : minors)
        for (unsigned access = 0; access <= kAllDeviceAccess; access++) {
          uint32_t kind = type == DeviceType::block ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;
          bpf_cgroup_dev_ctx context{.access_type = access << 16 | kind, .major = major, .minor = minor};
          ASSERT_EQ(run(program, context), rules.permits(type, major, minor, access) ? 1 : 0)
              << rules.format_whole() << "\n? " << kind << " " << major << ":" << minor << " " << access;
        }
}

DeviceRules rules(bool allows_rest, std::initializer_list<const char*> exceptions) {
  std::string text = allows_rest ? "allow" : "deny";
  for (const char* exception : exceptions) text += std::string("\n") + exception;
  auto parsed = DeviceRules::parse_whole(text);
  EXPECT_TRUE(parsed) << text;
  return parsed ? *parsed : DeviceRules();
}

TEST(DeviceProgram, decides_as_the_rules_do) {
  expect_same(DeviceRules());
  for (bool allows_rest : {false, true}) {
    expect_same(rules(allows_rest, {}));
    expect_same(rules(allows_rest, {"c 1:3 rwm"}));
    expect_same(rules(allows_rest, {"c 1:3 r", "c 1:3 w", "b 1:3 m"}));
    expect_same(rules(allows_rest, {"c *:3 r", "c 1:* w", "b *:* m", "c 1:3 rwm"}));
    // No negative number to the machine.
    expect_same(rules(allows_rest, {"c 4294967294:2147483648 rw"}));
  }
}

TEST(DeviceProgram, decides_as_random_rules_do) {
  std::mt19937 random(20240913);  // the same ones each time
  auto pick = [&](uint32_t below) { return static_cast<uint32_t>(random() % below); };
  for (int round = 0; round < 500; round++) {
    DeviceRules made;
    if (pick(2) == 0) {
      EXPECT_TRUE(made.deny({}));
    }
    for (uint32_t count = pick(12); count > 0; count--) {
      auto number = [&]() -> std::optional<uint32_t> {
        if (pick(4) == 0) return std::nullopt;
        return pick(16) == 0 ? static_cast<uint32_t>(random()) : pick(4);
      };
      DeviceRule rule{pick(2) == 0 ? DeviceType::block : DeviceType::character, number(), number(), 1 + pick(7)};
      ASSERT_TRUE(pick(2) == 0 ? made.allow(rule) : made.deny(rule));
    }
    expect_same(made);
    if (HasFatalFailure()) return;
  }
}

TEST(DeviceProgram, of_as_many_rules_as_there_may_be_stays_below_what_the_kernel_takes) {
  DeviceRules most = rules(false, {});
  for (uint32_t minor = 0; minor < DeviceRules::kMaxExceptions; minor++)
    ASSERT_TRUE(most.allow(DeviceRule{DeviceType::character, 1, minor, kReadDevice}));
  EXPECT_LT(device_program(most).size(), 1'000'000u);  // BPF_COMPLEXITY_LIMIT_INSNS, for who has CAP_BPF
}

}  // namespace
}  // namespace cgm::cgroup
