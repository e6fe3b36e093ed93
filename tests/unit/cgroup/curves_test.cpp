// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cgroup/curves.hpp"

#include <gtest/gtest.h>

namespace cgm::cgroup {
namespace {

TEST(SharesCurve, has_its_fixed_points) {
  EXPECT_EQ(weight_from_shares(0), 1u);
  EXPECT_EQ(weight_from_shares(2), 1u);
  EXPECT_EQ(weight_from_shares(3), 2u);
  EXPECT_EQ(weight_from_shares(1024), 100u);
  EXPECT_EQ(weight_from_shares(1025), 101u);
  EXPECT_EQ(weight_from_shares(262'143), 10'000u);
  EXPECT_EQ(weight_from_shares(262'144), 10'000u);
  EXPECT_EQ(weight_from_shares(UINT64_MAX), 10'000u);
  EXPECT_EQ(shares_from_weight(1), 2u);
  EXPECT_EQ(shares_from_weight(100), 1024u);
  EXPECT_EQ(shares_from_weight(10'000), 262'144u);
}

TEST(SharesCurve, loses_no_weight) {
  for (uint32_t weight = 1; weight <= 10'000; weight++)
    ASSERT_EQ(weight_from_shares(shares_from_weight(weight)), weight);
}

TEST(SharesCurve, never_falls_and_keeps_order) {
  uint32_t last = 1;
  for (uint64_t shares = 2; shares <= 262'144; shares++) {
    uint32_t weight = weight_from_shares(shares);
    ASSERT_LE(last, weight) << shares;
    ASSERT_LE(weight, last + 1) << "no weight is left out at " << shares;
    ASSERT_GE(shares_from_weight(weight), shares);
    last = weight;
  }
  for (uint32_t weight = 1; weight < 10'000; weight++)
    ASSERT_LT(shares_from_weight(weight), shares_from_weight(weight + 1));
}

TEST(BfqCurve, loses_no_bfq_weight_and_keeps_the_default) {
  EXPECT_EQ(bfq_from_weight(100), 100u);
  EXPECT_EQ(bfq_from_weight(1), 1u);
  EXPECT_EQ(bfq_from_weight(10'000), 1000u);
  for (uint32_t bfq = 1; bfq <= 1000; bfq++) ASSERT_EQ(bfq_from_weight(weight_from_bfq(bfq)), bfq);
  for (uint32_t weight = 1; weight < 10'000; weight++) ASSERT_LE(bfq_from_weight(weight), bfq_from_weight(weight + 1));
}

TEST(NiceCurve, loses_no_nice_value) {
  for (int nice = -20; nice <= 19; nice++) ASSERT_EQ(nice_from_shares(shares_from_nice(nice)), nice);
  EXPECT_EQ(shares_from_nice(0), 1024u);
  EXPECT_EQ(nice_from_shares(2), 19);
  EXPECT_EQ(nice_from_shares(262'144), -20);
  EXPECT_EQ(nice_from_shares(1000), 0);
  EXPECT_EQ(nice_from_shares(922), 0) << "half way between two, the kernel takes the first";
}

}  // namespace
}  // namespace cgm::cgroup
