// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cgroup/events_file.hpp"

#include <gtest/gtest.h>

#include "cgroup/freeze.hpp"

namespace cgm::cgroup {
namespace {

TEST(Events, are_read_in_any_order_and_with_keys_of_later_kernels) {
  EXPECT_EQ(*parse_events("populated 1\nfrozen 0\n"), (Events{.populated = true, .frozen = false}));
  EXPECT_EQ(*parse_events("frozen 1\nnew 17\npopulated 0"), (Events{.populated = false, .frozen = true}));
}

TEST(Events, of_a_kernel_without_the_freezer_are_not_frozen) {
  EXPECT_EQ(*parse_events("populated 1\n"), (Events{.populated = true, .frozen = false}));
}

TEST(Events, that_say_nothing_of_tasks_are_an_error) {
  for (const char* text :
       {"", "\n", "frozen 1\n", "populated\n", "populated 2\n", "populated 1x\n", "populated 1\nfrozen yes\n", "popul"})
    EXPECT_EQ(parse_events(text).error().kind(), ErrorKind::protocol) << text;
}

TEST(FreezerState, is_one_of_three_words) {
  EXPECT_EQ(parse_freezer_state("THAWED"), FreezerState::thawed);
  EXPECT_EQ(parse_freezer_state("FREEZING"), FreezerState::freezing);
  EXPECT_EQ(parse_freezer_state("FROZEN"), FreezerState::frozen);
  for (const char* text : {"", "frozen", "FROZEN\n", "FROZEN FROZEN"}) EXPECT_FALSE(parse_freezer_state(text)) << text;
}

}  // namespace
}  // namespace cgm::cgroup
