// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cgroup/device_rule.hpp"

#include <gtest/gtest.h>

namespace cgm::cgroup {
namespace {

constexpr auto kBlock = DeviceType::block;
constexpr auto kChar = DeviceType::character;

DeviceRule rule(std::string_view text) {
  auto parsed = parse_device_rule(text);
  EXPECT_TRUE(parsed) << text;
  return parsed ? *parsed : DeviceRule();
}

/// `+c 1:3 r` allows, `-a` denies.
DeviceRules rules(std::initializer_list<std::string_view> changes) {
  DeviceRules made;
  for (std::string_view change : changes) {
    DeviceRule one = rule(change.substr(1));
    EXPECT_TRUE(change[0] == '+' ? made.allow(one) : made.deny(one));
  }
  return made;
}

TEST(DeviceRule, is_read_as_the_kernel_reads_it) {
  EXPECT_EQ(rule("a"), DeviceRule());
  EXPECT_EQ(rule("a *:* rwm\n"), DeviceRule());
  EXPECT_EQ(rule("a *:*"), DeviceRule());
  EXPECT_EQ(rule("c 1:3 rwm"), (DeviceRule{kChar, 1, 3, kAllDeviceAccess}));
  EXPECT_EQ(rule("c 1:3 mr"), (DeviceRule{kChar, 1, 3, kMknod | kReadDevice}));
  EXPECT_EQ(rule("b 8:* w"), (DeviceRule{kBlock, 8, std::nullopt, kWriteDevice}));
  EXPECT_EQ(rule(" b *:0  r "), (DeviceRule{kBlock, std::nullopt, 0, kReadDevice}));
  EXPECT_EQ(rule("c 4294967294:1048575 r"), (DeviceRule{kChar, 4294967294, 1048575, kReadDevice}));
}

TEST(DeviceRule, that_is_malformed_is_refused) {
  for (const char* text : {"",          " ",       "d 1:3 r",  "c",         "c 1:3",    "c 1 r",    "c 1: r",
                           "c :3 r",    "c 1:3 x", "c 1:3 rr", "c 1:3 r w", "c 1:-3 r", "c +1:3 r", "c 4294967296:3 r",
                           "c 1:3:4 r", "c1:3 r",  "cc 1:3 r", "a 1:3 rwm", "a *:* r",  "a b",      "ab",
                           "c\n1:3 r"})
    EXPECT_EQ(parse_device_rule(text).error().kind(), ErrorKind::invalid) << text;
}

TEST(DeviceRule, is_shown_as_the_kernel_shows_it) {
  for (const char* text : {"a *:* rwm", "c 1:3 rwm", "b 8:* r", "c *:5 wm", "b *:* m"})
    EXPECT_EQ(format_device_rule(rule(text)), text);
}

TEST(DeviceRules, allow_everything_at_first) {
  DeviceRules fresh;
  EXPECT_TRUE(fresh.allows_all());
  EXPECT_TRUE(fresh.permits(kChar, 1, 3, kAllDeviceAccess));
  EXPECT_EQ(fresh.format_list(), "a *:* rwm");
}

TEST(DeviceRules, of_a_list_of_what_is_allowed_permit_only_what_one_of_them_allows_whole) {
  DeviceRules list = rules({"-a", "+c 1:3 r", "+c 1:* w", "+b 8:0 rwm"});
  EXPECT_TRUE(list.permits(kChar, 1, 3, kReadDevice));
  EXPECT_TRUE(list.permits(kChar, 1, 3, kWriteDevice));
  // Each half by another rule is not enough for the kernel either.
  EXPECT_FALSE(list.permits(kChar, 1, 3, kReadDevice | kWriteDevice));
  EXPECT_FALSE(list.permits(kChar, 1, 5, kReadDevice));
  EXPECT_TRUE(list.permits(kBlock, 8, 0, kMknod));
  EXPECT_FALSE(list.permits(kChar, 8, 0, kMknod));
  EXPECT_EQ(list.format_list(), "c 1:3 r\nc 1:* w\nb 8:0 rwm");
}

TEST(DeviceRules, of_a_list_of_what_is_denied_refuse_what_any_of_them_denies_in_part) {
  DeviceRules list = rules({"-c 1:3 w", "-b *:0 r"});
  EXPECT_TRUE(list.permits(kChar, 1, 3, kReadDevice));
  EXPECT_FALSE(list.permits(kChar, 1, 3, kReadDevice | kWriteDevice));
  EXPECT_FALSE(list.permits(kBlock, 253, 0, kReadDevice));
  EXPECT_TRUE(list.permits(kBlock, 253, 1, kReadDevice));
  EXPECT_EQ(list.format_list(), "a *:* rwm");
}

TEST(DeviceRules, take_an_exception_back_only_by_its_own_name) {
  DeviceRules list = rules({"-a", "+c 1:* rwm", "-c 1:3 rwm"});
  EXPECT_TRUE(list.permits(kChar, 1, 3, kReadDevice));
  EXPECT_TRUE(list.deny(rule("c 1:* w")));
  EXPECT_EQ(list.format_list(), "c 1:* rm");
  EXPECT_TRUE(list.deny(rule("c 1:* rm")));
  EXPECT_EQ(list.format_list(), "");
  EXPECT_FALSE(list.permits(kChar, 1, 3, kReadDevice));
}

TEST(DeviceRules, add_access_to_the_exception_that_names_the_same) {
  EXPECT_EQ(rules({"-a", "+c 1:3 r", "+c 1:3 w"}).format_list(), "c 1:3 rw");
}

TEST(DeviceRules, begin_anew_with_a) {
  EXPECT_EQ(rules({"-a", "+c 1:3 r", "-a"}).format_list(), "");
  EXPECT_TRUE(rules({"-c 1:3 r", "+a"}).allows_all());
}

TEST(DeviceRules, cover_a_rule_where_all_that_it_allows_is_allowed) {
  DeviceRules some = rules({"-a", "+c 1:* rw"});
  EXPECT_TRUE(some.covers(rule("c 1:3 r")));
  EXPECT_TRUE(some.covers(rule("c 1:* rw")));
  EXPECT_FALSE(some.covers(rule("c 1:3 rwm")));
  EXPECT_FALSE(some.covers(rule("c *:3 r")));
  EXPECT_FALSE(some.covers(rule("b 1:3 r")));
  EXPECT_FALSE(some.covers(rule("a")));
  DeviceRules most = rules({"-c 1:3 w"});
  EXPECT_TRUE(most.covers(rule("c 1:3 r")));
  EXPECT_FALSE(most.covers(rule("c 1:* w")));
  EXPECT_FALSE(most.covers(rule("c *:* rw")));
  EXPECT_TRUE(most.covers(rule("b *:* rwm")));
  EXPECT_TRUE(most.covers(rule("a")));
  EXPECT_TRUE(DeviceRules().covers(rule("a")));
}

TEST(DeviceRules, have_a_limit) {
  DeviceRules list = rules({"-a"});
  for (uint32_t minor = 0; minor < DeviceRules::kMaxExceptions; minor++)
    ASSERT_TRUE(list.allow(DeviceRule{kChar, 1, minor, kReadDevice}));
  EXPECT_EQ(list.allow(rule("c 2:0 r")).error().kind(), ErrorKind::quota);
  EXPECT_TRUE(list.allow(rule("c 1:0 w")));
  EXPECT_TRUE(list.deny(rule("c 1:1 r")));
  EXPECT_TRUE(list.allow(rule("c 2:0 r")));
}

TEST(DeviceRules, are_read_back_from_the_list_that_v1_shows) {
  for (const DeviceRules& list : {DeviceRules(), rules({"-a"}), rules({"-a", "+c 1:3 r", "+b *:* m"})})
    EXPECT_EQ(*DeviceRules::parse_list(list.format_list()), list) << list.format_list();
  EXPECT_EQ(DeviceRules::parse_list("c 1:3 r\nx").error().kind(), ErrorKind::protocol);
}

TEST(DeviceRules, are_kept_whole) {
  for (const DeviceRules& list :
       {DeviceRules(), rules({"-a"}), rules({"-a", "+c 1:3 r", "+b *:* m"}), rules({"-c 1:3 r", "-b 8:* rwm"})})
    EXPECT_EQ(*DeviceRules::parse_whole(list.format_whole()), list) << list.format_whole();
  for (const char* text : {"", "all", "c 1:3 r", "allow\n\n", "allow\na", "deny\nc 1:3", "deny c 1:3 r"})
    EXPECT_EQ(DeviceRules::parse_whole(text).error().kind(), ErrorKind::protocol) << text;
}

}  // namespace
}  // namespace cgm::cgroup
