// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/work_budget.hpp"

#include <gtest/gtest.h>

namespace cgm {
namespace {

TEST(WorkBudget, lets_a_burst_pass_at_once) {
  WorkBudget budget(1000, 0);
  EXPECT_EQ(budget.spend(0, 400), 400);
  EXPECT_EQ(budget.spend(400, 1000), 1000);
}

TEST(WorkBudget, makes_what_goes_beyond_it_wait_ten_times_as_long) {
  WorkBudget budget(1000, 0);
  EXPECT_EQ(budget.spend(0, 1000), 1000);
  EXPECT_EQ(budget.spend(1000, 1300), 1300 + (300 - 30) * 10);
}

TEST(WorkBudget, comes_back_with_a_tenth_of_the_time) {
  WorkBudget budget(1000, 0);
  budget.spend(0, 1000);
  EXPECT_EQ(budget.spend(1000, 1500), 1500 + 450 * 10);
  EXPECT_EQ(budget.spend(6000, 6100), 6100 + 90 * 10);
}

TEST(WorkBudget, saves_up_no_more_than_a_burst) {
  WorkBudget budget(1000, 0);
  budget.spend(1'000'000'000, 1'000'000'900);
  EXPECT_GT(budget.spend(1'000'000'900, 1'000'001'400), 1'000'001'400);
}

TEST(WorkBudget, bounds_work_without_end_to_a_tenth) {
  WorkBudget budget(1000, 0);
  int64_t now = 0, worked = 0;
  while (now < 1'000'000) {
    worked += 300;
    now = budget.spend(now, now + 300);
  }
  EXPECT_LE(worked, 1'000'000 / 10 + 2000);
}

TEST(WorkBudget, counts_a_stall_as_one_burst) {
  WorkBudget budget(1000, 0);
  EXPECT_LE(budget.spend(0, 5'000'000), 5'000'000 + 1000 * 10);
}

}  // namespace
}  // namespace cgm
