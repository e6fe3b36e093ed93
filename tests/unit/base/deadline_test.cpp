// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/deadline.hpp"

#include <gtest/gtest.h>

namespace cgm {
namespace {

using namespace std::chrono_literals;

TEST(Deadline, has_passed_at_once_when_nothing_is_left) {
  EXPECT_TRUE(Deadline::after(0ns).has_passed());
  EXPECT_TRUE(Deadline::after(-1s).has_passed());
  EXPECT_EQ(Deadline::after(-1s).poll_ms(), 0);
  EXPECT_FALSE(Deadline::after(1h).has_passed());
}

TEST(Deadline, does_not_overflow) {
  Deadline never = Deadline::after(std::chrono::nanoseconds::max());
  EXPECT_FALSE(never.has_passed());
  EXPECT_EQ(never.poll_ms(), INT32_MAX);
}

TEST(Deadline, rounds_up_so_that_poll_never_spins) {
  Deadline deadline = Deadline::after(1h);
  EXPECT_GE(int64_t{deadline.poll_ms()} * 1'000'000, deadline.left_ns());
}

TEST(Deadline, is_cut_by_an_earlier_one_and_not_by_a_later_one) {
  Deadline deadline = Deadline::after(1h);
  EXPECT_LE(deadline.or_after(1s).left_ns(), 1'000'000'000);
  EXPECT_LE(deadline.or_after(10h).left_ns(), 3'600'000'000'000);
}

TEST(Backoff, ends_with_the_deadline) {
  Backoff backoff(Deadline::after(20ms));
  int pauses = 0;
  while (backoff.pause()) pauses++;
  // 1 + 2 + 4 + 8 and what is left; fewer where the machine slept longer.
  EXPECT_GE(pauses, 1);
  EXPECT_LE(pauses, 5);
  EXPECT_FALSE(backoff.pause());
}

}  // namespace
}  // namespace cgm
