// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/accounts.hpp"

#include <gtest/gtest.h>

namespace cgm::api {
namespace {

uid_t uid_of(std::string_view name) {
  return name == "alice" ? 1000 : name == "bob" ? 1001 : static_cast<uid_t>(-1);
}

TEST(Accounts, let_the_owner_of_a_range_pay_for_its_subordinates) {
  Accounts accounts(parse_subuid("alice:100000:65536\nbob:165536:65536\n# note\n1002:300000:10\n", uid_of));
  EXPECT_EQ(accounts.of(1000), 1000u);
  EXPECT_EQ(accounts.of(100000), 1000u);
  EXPECT_EQ(accounts.of(165535), 1000u);
  EXPECT_EQ(accounts.of(165536), 1001u);
  EXPECT_EQ(accounts.of(231072), 231072u);
  EXPECT_EQ(accounts.of(300009), 1002u);
  EXPECT_EQ(accounts.of(99999), 99999u);
  EXPECT_EQ(accounts.of(0), 0u);
}

TEST(Accounts, keep_roots_ranges_apart_from_root) {
  Accounts accounts(parse_subuid("0:400000:65536\n", uid_of));
  EXPECT_EQ(accounts.of(400007), 400000u);
}

TEST(Accounts, see_through_ranges_that_overlap) {
  Accounts accounts({{.first = 100000, .count = 1000, .owner = 1}, {.first = 100010, .count = 5, .owner = 2}});
  EXPECT_EQ(accounts.of(100012), 2u);
  EXPECT_EQ(accounts.of(100500), 1u);
  EXPECT_EQ(accounts.of(101000), 101000u);
}

TEST(ParseSubuid, passes_over_what_makes_no_sense) {
  EXPECT_TRUE(
      parse_subuid("nobody-knows:100000:10\nalice:0:65536\nalice:x:1\nalice:100000:0\n:1:1\nalice\n", uid_of).empty());
}

}  // namespace
}  // namespace cgm::api
