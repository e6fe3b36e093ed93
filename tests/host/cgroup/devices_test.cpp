// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cgroup/devices.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cstdlib>
#include <random>

#include "base/bpf.hpp"
#include "base/sys.hpp"
#include "cgroup/device_program.hpp"
#include "support/actors.hpp"

namespace cgm::cgroup {
namespace {

using test::Child;
using test::Sandbox;

constexpr uid_t kRoot = 0, kUser = 12345;

DeviceRule rule(std::string_view text) {
  auto parsed = parse_device_rule(text);
  EXPECT_TRUE(parsed) << text;
  return parsed ? *parsed : DeviceRule();
}

/// `+c 1:3 r` is a write to devices.allow, `-a` one to devices.deny.
Result<void> change(const Cgroup& cgroup, std::string_view change, uid_t uid = kRoot) {
  return change_devices(cgroup, uid, rule(change.substr(1)), change[0] == '+');
}

std::string list(const Cgroup& cgroup, uid_t uid = kRoot) {
  auto rules = read_devices(cgroup, uid);
  return rules ? rules->format_list() : rules.error().text();
}

/// What a task in `cgroup` may do with the character device 1:minor, in the letters of a rule: `m` makes a node, `r`
/// and `w` open it.
std::string may(const Cgroup& cgroup, unsigned minor) {
  char dir[] = "/tmp/cgmt-devices-XXXXXX";
  if (!::mkdtemp(dir)) return "no directory";
  std::string made = std::string(dir) + "/made", node = minor == 3 ? "/dev/null" : "/dev/zero";
  Child child([&] {
    if (!cgroup.write("cgroup.procs", "0")) return 0x80;
    int may = ::mknod(made.c_str(), S_IFCHR | 0600, makedev(1, minor)) == 0 ? 1 : 0;
    if (::open(node.c_str(), O_RDONLY | O_CLOEXEC) >= 0) may |= 2;
    if (::open(node.c_str(), O_WRONLY | O_CLOEXEC) >= 0) may |= 4;
    return may;
  });
  int status = child.wait();
  (void)::unlink(made.c_str());
  (void)::rmdir(dir);
  if (status > 7) return "not moved";
  std::string letters;
  for (auto [bit, letter] : {std::pair(2, 'r'), std::pair(4, 'w'), std::pair(1, 'm')})
    if ((status & bit) != 0) letters += letter;
  return letters;
}

class DevicesOn : public testing::TestWithParam<Version> {
 protected:
  void SetUp() override {
    const Hierarchy* hierarchy =
        GetParam() == Version::v2 ? sandbox_.hierarchies().unified() : sandbox_.hierarchy("devices");
    if (!hierarchy || hierarchy->version() != GetParam())
      GTEST_SKIP() << (GetParam() == Version::v1 ? "no v1 devices hierarchy" : "no v2 tree");
    name_ = GetParam() == Version::v2 ? "unified" : "devices";
    auto read = read_devices(at("a"), kRoot);
    if (!read && read.error().kind() == ErrorKind::unsupported) GTEST_SKIP() << read.error().text();
    if (may(at("a"), 3) != "rwm") GTEST_SKIP() << "device nodes are not to be made or opened here anyway";
  }
  Cgroup at(std::string_view below) const { return sandbox_.at(name_, below); }
  Sandbox sandbox_;
  std::string name_;
};

INSTANTIATE_TEST_SUITE_P(On, DevicesOn, testing::Values(Version::v1, Version::v2),
                         [](const auto& param) { return param.param == Version::v1 ? "v1" : "v2"; });

TEST_P(DevicesOn, are_all_allowed_at_first) {
  EXPECT_EQ(list(at("a")), "a *:* rwm");
}

TEST_P(DevicesOn, are_refused_and_allowed_one_by_one) {
  Cgroup a = at("a");
  ASSERT_TRUE(change(a, "-a"));
  EXPECT_EQ(may(a, 3), "");
  EXPECT_EQ(may(a, 5), "");
  EXPECT_EQ(list(a), "");
  ASSERT_TRUE(change(a, "+c 1:5 rwm"));
  EXPECT_EQ(may(a, 3), "");
  EXPECT_EQ(may(a, 5), "rwm");
  EXPECT_EQ(list(a), "c 1:5 rwm");
  ASSERT_TRUE(change(a, "+c 1:3 r"));
  ASSERT_TRUE(change(a, "-c 1:5 w"));
  EXPECT_EQ(may(a, 3), "r");
  EXPECT_EQ(may(a, 5), "rm");
  EXPECT_EQ(list(a), "c 1:5 rm\nc 1:3 r");
  ASSERT_TRUE(change(a, "+a"));
  EXPECT_EQ(may(a, 3), "rwm");
  EXPECT_EQ(list(a), "a *:* rwm");
}

TEST_P(DevicesOn, are_refused_alone_where_all_others_are_allowed) {
  Cgroup a = at("a");
  ASSERT_TRUE(change(a, "-c 1:3 w"));
  EXPECT_EQ(may(a, 3), "rm");
  EXPECT_EQ(may(a, 5), "rwm");
  EXPECT_EQ(list(a), "a *:* rwm");
  ASSERT_TRUE(change(a, "+c 1:3 w"));
  EXPECT_EQ(may(a, 3), "rwm");
}

TEST_P(DevicesOn, of_a_parent_bind_its_children) {
  Cgroup a = at("a");
  ASSERT_TRUE(change(a, "-a"));
  ASSERT_TRUE(change(a, "+c 1:3 rw"));
  ASSERT_TRUE(change(a, "+c 1:5 r"));
  Cgroup below = at("a/b");
  EXPECT_EQ(may(below, 3), "rw");
  EXPECT_EQ(list(below), "c 1:3 rw\nc 1:5 r");
  auto beyond = change(below, "+c 1:5 w");
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().kind(), ErrorKind::denied) << beyond.error().text();
  EXPECT_EQ(change(below, "+a").error().kind(), ErrorKind::denied);
  ASSERT_TRUE(change(below, "-c 1:3 w"));
  EXPECT_EQ(list(below), "c 1:3 r\nc 1:5 r");
  EXPECT_EQ(may(below, 3), "r");
  EXPECT_EQ(list(a), "c 1:3 rw\nc 1:5 r");
  ASSERT_TRUE(change(below, "+c 1:3 w"));
  EXPECT_EQ(may(below, 3), "rw");
}

TEST_P(DevicesOn, can_all_be_set_at_once) {
  Cgroup a = at("a");
  auto wanted = DeviceRules::parse_whole("deny\nc 1:5 rw\nb 8:* r");
  ASSERT_TRUE(set_devices(a, kRoot, *wanted));
  EXPECT_EQ(list(a), "c 1:5 rw\nb 8:* r");
  EXPECT_EQ(may(a, 5), "rw");
  auto others = DeviceRules::parse_whole("allow\nc 1:5 w");
  ASSERT_TRUE(set_devices(a, kRoot, *others));
  EXPECT_EQ(may(a, 5), "rm");
  EXPECT_EQ(may(a, 3), "rwm");
}

TEST_P(DevicesOn, hold_as_many_rules_as_there_may_be) {
  Cgroup a = at("a");
  DeviceRules many;
  ASSERT_TRUE(many.deny({}));
  for (uint32_t minor = DeviceRules::kMaxExceptions; minor > 0; minor--)
    ASSERT_TRUE(many.allow(DeviceRule{DeviceType::character, 1, minor + 2, kReadDevice}));
  auto set = set_devices(a, kRoot, many);
  ASSERT_TRUE(set) << set.error().text();
  EXPECT_EQ(may(a, 3), "r");
  auto read = read_devices(a, kRoot);
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->exceptions().size(), DeviceRules::kMaxExceptions);
}

TEST_P(DevicesOn, that_are_malformed_or_gone_are_refused) {
  at("a/b");
  Cgroup a = at("a"), below = at("a/b");
  ASSERT_EQ(::unlinkat(a.dir(), "b", AT_REMOVEDIR), 0);
  EXPECT_FALSE(change(below, "-a"));
  EXPECT_FALSE(read_devices(below, kRoot));
}

TEST(DevicesV1, change_as_our_rules_do) {
  Sandbox sandbox;
  const Hierarchy* hierarchy = sandbox.hierarchy("devices");
  if (!hierarchy || hierarchy->is_v2()) GTEST_SKIP() << "no v1 devices hierarchy";
  Cgroup a = sandbox.at("devices", "a");
  std::mt19937 random(20240914);  // the same ones each time
  auto pick = [&](uint32_t below) { return static_cast<uint32_t>(random() % below); };
  DeviceRules ours;
  for (int step = 0; step < 2000; step++) {
    auto number = [&]() -> std::optional<uint32_t> {
      if (pick(3) == 0) return std::nullopt;
      return pick(3);
    };
    DeviceRule one{pick(2) == 0 ? DeviceType::block : DeviceType::character, number(), number(), 1 + pick(7)};
    if (pick(40) == 0) one = DeviceRule();
    bool allowed = pick(2) == 0;
    ASSERT_TRUE(change_devices(a, kRoot, one, allowed)) << format_device_rule(one);
    ASSERT_TRUE(allowed ? ours.allow(one) : ours.deny(one));
    // In another order, where the kernel put an exception at the front.
    auto lines = [](std::string_view text) {
      auto rules = DeviceRules::parse_list(text);
      std::vector<std::string> sorted;
      for (const DeviceRule& exception : rules->exceptions()) sorted.push_back(format_device_rule(exception));
      std::sort(sorted.begin(), sorted.end());
      return sorted;
    };
    std::string kernel = *a.read("devices.list");
    ASSERT_EQ(kernel == "a *:* rwm", ours.allows_rest()) << "step " << step;
    ASSERT_EQ(lines(kernel), lines(ours.format_list())) << "step " << step;
  }
}

/// The bare v2 tree of a sandbox.
class DevicesV2 : public testing::Test {
 protected:
  void SetUp() override {
    if (!sandbox_.hierarchies().unified()) GTEST_SKIP() << "no v2 tree";
    auto ids = bpf::attached(at("a").dir(), BPF_CGROUP_DEVICE);
    if (!ids) GTEST_SKIP() << ids.error().text();
  }
  Cgroup at(std::string_view below) const { return sandbox_.at("unified", below); }
  size_t attached() const { return bpf::attached(at("a").dir(), BPF_CGROUP_DEVICE)->size(); }
  Sandbox sandbox_;
};

TEST_F(DevicesV2, replace_their_program_and_leave_none_when_all_is_allowed) {
  Cgroup a = at("a");
  for (const char* one : {"-c 1:3 rwm", "-c 1:5 rwm", "+c 1:3 r", "-a", "+c 1:5 r"}) {
    ASSERT_TRUE(change(a, one));
    EXPECT_EQ(attached(), 1u) << one;
  }
  ASSERT_TRUE(change(a, "+a"));
  EXPECT_EQ(attached(), 0u);
}

TEST_F(DevicesV2, leave_the_programs_of_others_alone) {
  Cgroup a = at("a");
  auto none = DeviceRules::parse_whole("allow\nc 1:3 w");
  auto program = bpf::load(BPF_PROG_TYPE_CGROUP_DEVICE, "sd_devices", device_program(*none));
  ASSERT_TRUE(program) << program.error().text();
  ASSERT_TRUE(bpf::attach(a.dir(), BPF_CGROUP_DEVICE, program->get(), -1));
  EXPECT_EQ(list(a), "a *:* rwm");
  ASSERT_TRUE(change(a, "-c 1:5 rwm"));
  EXPECT_EQ(attached(), 2u);
  EXPECT_EQ(may(a, 3), "rm");
  EXPECT_EQ(may(a, 5), "");
  ASSERT_TRUE(change(a, "+a"));
  EXPECT_EQ(attached(), 1u);
  EXPECT_EQ(may(a, 3), "rm");
}

TEST_F(DevicesV2, of_two_accounts_hold_side_by_side) {
  Cgroup a = at("a");
  ASSERT_TRUE(change(a, "-a"));
  ASSERT_TRUE(change(a, "+c 1:3 rw"));
  EXPECT_EQ(list(a, kUser), "c 1:3 rw");
  ASSERT_TRUE(change(a, "-c 1:3 w", kUser));
  EXPECT_EQ(attached(), 2u);
  EXPECT_EQ(list(a, kUser), "c 1:3 r");
  EXPECT_EQ(list(a), "c 1:3 rw");
  EXPECT_EQ(may(a, 3), "r");
  EXPECT_EQ(change(a, "+c 1:5 r", kUser).error().kind(), ErrorKind::denied);
  EXPECT_EQ(change(a, "+a", kUser).error().kind(), ErrorKind::denied);
  // The account's own may be weaker again than they were, as long as the other's allow it.
  ASSERT_TRUE(change(a, "+c 1:3 w", kUser));
  EXPECT_EQ(may(a, 3), "rw");
}

TEST_F(DevicesV2, are_refused_to_who_may_not_load_programs) {
  Cgroup a = at("a");
  Child child([&] {
    if (::setuid(65534) != 0) return 1;
    bool denied = change(a, "-a").error().kind() == ErrorKind::denied;
    return denied && read_devices(a, 65534).error().kind() == ErrorKind::denied ? 0 : 2;
  });
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(attached(), 0u);
}

TEST_F(DevicesV2, are_not_told_from_an_attribute_that_does_not_fit_the_program) {
  Cgroup a = at("a");
  ASSERT_TRUE(change(a, "-c 1:3 w"));
  Fd dir = *sys::openat(a.dir(), ".", O_RDONLY | O_DIRECTORY);
  auto kept = sys::fgetxattr(dir.get(), "trusted.cgmanager.devices.0");
  if (!kept) GTEST_SKIP() << "no trusted attributes here";
  ASSERT_TRUE(sys::fsetxattr(dir.get(), "trusted.cgmanager.devices.0", "17\nallow"));
  EXPECT_EQ(read_devices(a, kRoot).error().kind(), ErrorKind::protocol);
  EXPECT_EQ(change(a, "-c 1:5 w").error().kind(), ErrorKind::protocol);
  EXPECT_EQ(may(a, 3), "rm");
  // All anew needs no knowledge of what was.
  ASSERT_TRUE(change(a, "-a"));
  EXPECT_EQ(list(a), "");
  EXPECT_EQ(attached(), 1u);
}

TEST_F(DevicesV2, that_the_kernel_does_not_take_leave_what_was) {
  Cgroup a = at("a");
  ASSERT_TRUE(change(a, "-c 1:3 w"));
  // The kernel attaches no more than 64.
  std::vector<Fd> programs;
  auto all = DeviceRules();
  for (;;) {
    programs.push_back(*bpf::load(BPF_PROG_TYPE_CGROUP_DEVICE, "many", device_program(all)));
    if (!bpf::attach(a.dir(), BPF_CGROUP_DEVICE, programs.back().get(), -1)) break;
  }
  auto beyond = change(a, "-c 1:5 w", kUser);
  ASSERT_FALSE(beyond);
  EXPECT_EQ(list(a, kUser), "a *:* rwm");
  EXPECT_EQ(may(a, 5), "rwm");
  // Not even in the place of another one.
  EXPECT_FALSE(change(a, "-c 1:5 w"));
  auto rules = read_devices(a, kRoot);
  ASSERT_TRUE(rules) << rules.error().text();
  EXPECT_EQ(rules->format_whole(), "allow\nc 1:3 w");
  EXPECT_EQ(may(a, 3), "rm");
}

}  // namespace
}  // namespace cgm::cgroup
