// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cgroup/keyed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace cgm::cgroup {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(FlatKeyed, reads_keys_and_values) {
  auto pairs = parse_flat_keyed("usage_usec 330048\nres_a max\n\n");
  ASSERT_TRUE(pairs) << pairs.error().text();
  EXPECT_THAT(*pairs, ElementsAre(Pair{"usage_usec", "330048"}, Pair{"res_a", "max"}));
  EXPECT_THAT(*parse_flat_keyed(""), IsEmpty());
}

TEST(FlatKeyed, refuses_lines_of_other_than_two_words) {
  for (const char* text : {"a\n", "a b c\n", "a 1\nb\n"}) EXPECT_FALSE(parse_flat_keyed(text)) << text;
}

TEST(FlatValue, finds_whole_keys_alone) {
  constexpr std::string_view kText = "oom_kill_disable 0\nunder_oom 0\noom_kill 7\n";
  EXPECT_EQ(flat_value(kText, "oom_kill"), 7u);
  EXPECT_EQ(flat_value(kText, "oom"), std::nullopt);
  EXPECT_EQ(flat_value(kText, "kill"), std::nullopt);
  EXPECT_EQ(flat_value("max many\n", "max"), std::nullopt);
  EXPECT_EQ(flat_value("", "max"), std::nullopt);
  EXPECT_EQ(flat_value("max 3", "max"), 3u);
}

TEST(NestedKeyed, reads_io_max_as_linux_writes_it) {
  auto lines = parse_nested_keyed("254:0 rbps=1048576 wbps=max riops=max wiops=120\n8:0 \n");
  ASSERT_TRUE(lines) << lines.error().text();
  ASSERT_EQ(lines->size(), 2u);
  EXPECT_EQ((*lines)[0].key, "254:0");
  EXPECT_EQ((*lines)[0].value("wbps"), "max");
  EXPECT_EQ((*lines)[0].value("wiops"), "120");
  EXPECT_EQ((*lines)[0].value("bps"), std::nullopt);
  EXPECT_THAT((*lines)[1].values, IsEmpty());
}

TEST(NestedKeyed, is_bounded) {
  std::string line = "8:0";
  for (size_t i = 0; i <= kMaxPairs; i++) line += " a=1";
  EXPECT_FALSE(parse_nested_keyed(line));
  std::string lines;
  for (size_t i = 0; i <= kMaxLines; i++) lines += "a\n";
  EXPECT_FALSE(parse_nested_keyed(lines));
  for (const char* text : {"8:0 rbps\n", "8:0 =1\n", "8:0 rbps 1\n"}) EXPECT_FALSE(parse_nested_keyed(text)) << text;
}

TEST(PressureFile, reads_shares_and_totals) {
  auto pressure = parse_pressure(
      "some avg10=12.34 avg60=0.05 avg300=100.00 total=123456\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n");
  ASSERT_TRUE(pressure) << pressure.error().text();
  ASSERT_TRUE(pressure->some && pressure->full);
  EXPECT_DOUBLE_EQ(pressure->some->avg10, 12.34);
  EXPECT_DOUBLE_EQ(pressure->some->avg60, 0.05);
  EXPECT_DOUBLE_EQ(pressure->some->avg300, 100);
  EXPECT_EQ(pressure->some->total, 123456u);
  EXPECT_EQ(pressure->full->total, 7u);
}

TEST(PressureFile, may_lack_a_line_but_no_value) {
  auto pressure = parse_pressure("some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
  ASSERT_TRUE(pressure);
  EXPECT_FALSE(pressure->full);
  for (const char* text : {"some avg10=0.00 avg60=0.00 avg300=0.00\n", "some avg10=x avg60=0.00 avg300=0.00 total=0\n",
                           "some avg10=0.001 avg60=0.00 avg300=0.00 total=0\n",
                           "some avg10=101.00 avg60=0.00 "
                           "avg300=0.00 total=0\n",
                           "some avg10=-1.00 avg60=0.00 avg300=0.00 total=0\n", "some\n"})
    EXPECT_FALSE(parse_pressure(text)) << text;
}

TEST(DeviceCounts, reads_v1_blkio_files) {
  auto counts = parse_device_counts(
      "254:0 Read 42991616\n254:0 Write 5242880\n254:0 Sync 48234496\n254:0 Async 0\n254:0 Discard 3\n254:0 Total "
      "48234496\n8:0 Read 1\nTotal 48234496\n");
  ASSERT_TRUE(counts) << counts.error().text();
  EXPECT_THAT(*counts, ElementsAre(DeviceCount{{254, 0}, 42991616, 5242880, 3}, DeviceCount{{8, 0}, 1, 0, 0}));
  EXPECT_THAT(*parse_device_counts("Total 0\n"), IsEmpty());
  for (const char* text : {"254:0 Read\n", "254 Read 1\n", "254:0 1\n", "254:0 Read x\n"})
    EXPECT_FALSE(parse_device_counts(text)) << text;
}

TEST(DeviceValuesFile, reads_weights_and_throttles) {
  auto values = parse_device_values("default 200\n254:0 50\n8:0 70\n");
  ASSERT_TRUE(values) << values.error().text();
  EXPECT_EQ(values->standard, 200u);
  EXPECT_EQ(values->value({8, 0}), 70u);
  EXPECT_EQ(values->value({8, 1}), std::nullopt);
  EXPECT_EQ(parse_device_values("300\n")->standard, 300u);
  EXPECT_EQ(parse_device_values("")->standard, std::nullopt);
  for (const char* text : {"default\n", "default x\n", "8:0 x\n", "8 0\n", "x\n"})
    EXPECT_FALSE(parse_device_values(text)) << text;
}

TEST(Amount, knows_each_way_to_say_no_limit) {
  for (const char* text : {"max", "-1", "-5", "9223372036854771712", "9223372036852678656", "18446744073709551615\n"})
    EXPECT_EQ(parse_amount(text), kUnlimited) << text;
  EXPECT_EQ(parse_amount("0\n"), 0u);
  EXPECT_EQ(parse_amount("9998336"), 9998336u);
  for (const char* text : {"", "-", "-x", "1 2", "10M", "18446744073709551616"})
    EXPECT_EQ(parse_amount(text), std::nullopt) << text;
  EXPECT_EQ(v1_unlimited(4096), 9223372036854771712u);
}

}  // namespace
}  // namespace cgm::cgroup
