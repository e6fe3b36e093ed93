// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ns/id_map.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cgm::ns {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(IdMap, takes_what_the_kernel_takes) {
  EXPECT_TRUE(check(IdRanges{{0, 1000, 1}}));
  EXPECT_TRUE(check(IdRanges{{0, 1000, 1}, {1, 100000, 65536}}));
  EXPECT_TRUE(check(IdRanges{{0, 0, 4294967295U}}));
  IdRanges most;
  for (uint32_t i = 0; i < 340; i++) most.push_back({2 * i, 2 * i, 1});
  EXPECT_TRUE(check(most));
}

TEST(IdMap, refuses_what_the_kernel_refuses_and_names_it) {
  IdRanges many;
  for (uint32_t i = 0; i < 341; i++) many.push_back({2 * i, 2 * i, 1});
  struct {
    IdRanges map;
    const char* why;
  } cases[] = {
      {{}, "needs a range"},
      {{{0, 1000, 0}}, "has no id"},
      {{{4294967295U, 0, 1}}, "behind the last id"},
      {{{0, 4294967290U, 6}}, "behind the last id"},
      {{{0, 1000, 10}, {9, 5000, 10}}, "'0:1000:10' and '9:5000:10' overlap inside"},
      {{{0, 1000, 10}, {10, 1009, 10}}, "overlap outside"},
      {many, "at most 340 ranges, this one has 341"},
  };
  for (const auto& one : cases) {
    auto checked = check(one.map);
    ASSERT_FALSE(checked) << one.why;
    EXPECT_EQ(checked.error().kind(), ErrorKind::invalid);
    EXPECT_THAT(checked.error().text(), HasSubstr(one.why));
  }
}

TEST(IdMap, reads_a_range) {
  auto range = parse_range("0:100000:65536");
  ASSERT_TRUE(range);
  EXPECT_EQ(*range, (IdRange{0, 100000, 65536}));
  for (const char* text : {"", "0", "0:1", "0:1:", "0:1:2:3", "a:1:2", "0:-1:2", "0 1 2", "0:1:4294967296"})
    EXPECT_FALSE(parse_range(text)) << text;
}

TEST(IdMap, translates_both_ways) {
  IdRanges map{{0, 1000, 1}, {1, 100000, 10}};
  EXPECT_EQ(to_outside(map, 0), 1000U);
  EXPECT_EQ(to_outside(map, 10), 100009U);
  EXPECT_EQ(to_outside(map, 11), std::nullopt);
  EXPECT_EQ(to_inside(map, 100000), 1U);
  EXPECT_EQ(to_inside(map, 999), std::nullopt);
  EXPECT_EQ(to_inside(map, 4294967295U), std::nullopt);
}

TEST(IdMap, of_a_namespace_within_one_leads_from_the_innermost_out) {
  IdRanges outer{{0, 1000, 1}, {1, 100000, 100}};
  IdRanges inner{{0, 50, 10}, {20, 0, 2}, {30, 95, 20}};
  IdRanges whole = compose(inner, outer);
  // What the outer one does not map (ids from 101 on) has no id outside.
  EXPECT_THAT(
      whole, ElementsAre(IdRange{0, 100049, 10}, IdRange{20, 1000, 1}, IdRange{21, 100000, 1}, IdRange{30, 100094, 6}));
  for (uint32_t id = 0; id < 60; id++) {
    auto middle = to_outside(inner, id);
    EXPECT_EQ(to_outside(whole, id), middle ? to_outside(outer, *middle) : std::nullopt) << id;
  }
}

TEST(IdMap, is_written_as_the_file_takes_it) {
  EXPECT_EQ(format_map(IdRanges{{0, 1000, 1}, {1, 100000, 10}}), "0 1000 1\n1 100000 10\n");
}

TEST(SubordinateIds, go_around_an_own_id) {
  SubidLine block{"bork", 100000, 10};
  EXPECT_THAT(around(block, std::nullopt), ElementsAre(IdRange{0, 100000, 10}));
  EXPECT_THAT(around(block, IdRange{0, 1000, 1}), ElementsAre(IdRange{0, 1000, 1}, IdRange{1, 100000, 10}));
  EXPECT_THAT(around(block, IdRange{4, 1000, 1}),
              ElementsAre(IdRange{0, 100000, 4}, IdRange{4, 1000, 1}, IdRange{5, 100004, 6}));
  EXPECT_THAT(around(block, IdRange{1000, 1000, 1}), ElementsAre(IdRange{0, 100000, 10}, IdRange{1000, 1000, 1}));
  for (uint32_t own : {0U, 1U, 9U, 10U, 11U, 1000U}) EXPECT_TRUE(check(around(block, IdRange{own, 1000, 1}))) << own;
}

TEST(SubordinateIds, that_lack_are_named) {
  std::vector<SubidLine> allowed{{"bork", 100000, 10}, {"bork", 200000, 5}};
  EXPECT_EQ(lacking(IdRanges{{0, 1000, 1}, {1, 100000, 10}}, allowed, 1000), "");
  EXPECT_EQ(lacking(IdRanges{{0, 1000, 2}}, allowed, 1000), "1001");
  EXPECT_EQ(lacking(IdRanges{{0, 999, 3}}, allowed, 1000), "999, 1001");
  EXPECT_EQ(lacking(IdRanges{{0, 99998, 14}}, allowed, 1000), "99998-99999, 100010-100011");
  EXPECT_EQ(lacking(IdRanges{{0, 300000, 100}}, {}, 1000), "300000-300099");
}

}  // namespace
}  // namespace cgm::ns
