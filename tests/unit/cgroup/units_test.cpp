// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cgroup/units.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cgm::cgroup {
namespace {

using testing::HasSubstr;

TEST(ParseBytes, takes_powers_of_1024_and_of_1000) {
  struct Row {
    const char* word;
    uint64_t bytes;
  };
  for (auto [word, bytes] : {Row{"0", 0},
                             Row{"10000000", 10'000'000},
                             Row{"512B", 512},
                             Row{"1b", 1},
                             Row{"10M", 10'485'760},
                             Row{"10m", 10'485'760},
                             Row{"10MiB", 10'485'760},
                             Row{"10mib", 10'485'760},
                             Row{"10MB", 10'000'000},
                             Row{"10mb", 10'000'000},
                             Row{"1K", 1024},
                             Row{"1kB", 1000},
                             Row{"1.5G", 1'610'612'736},
                             Row{"0.5K", 512},
                             Row{"1.999999999K", 2047},
                             Row{"0.001M", 1048},
                             Row{"3T", 3'298'534'883'328},
                             Row{"2P", 2'251'799'813'685'248},
                             Row{"3E", 3'458'764'513'820'540'928},
                             Row{"4611686018427387903", kEndless - 1},
                             Row{"max", kUnlimited}}) {
    auto parsed = parse_bytes(word);
    ASSERT_TRUE(parsed) << word << ": " << parsed.error().text();
    EXPECT_EQ(*parsed, bytes) << word;
  }
}

TEST(ParseBytes, refuses_and_quotes_what_is_no_size) {
  for (const char* word : {"",
                           "M",
                           "-1",
                           "+1",
                           "1.5",
                           "1.",
                           ".5G",
                           "1 M",
                           " 1",
                           "1M ",
                           "1MM",
                           "1MiBs",
                           "1Mi",
                           "1.0000000001G",
                           "0x10",
                           "MAX",
                           "unlimited",
                           "ten",
                           "1.5.5G",
                           "1X",
                           "4E",
                           "18446744073709551616",
                           "4611686018427387904",
                           "1,5G"}) {
    auto parsed = parse_bytes(word);
    ASSERT_FALSE(parsed) << word << " gave " << *parsed;
    EXPECT_EQ(parsed.error().kind(), ErrorKind::invalid);
    EXPECT_THAT(parsed.error().text(), HasSubstr("'" + std::string(word) + "'"));
  }
}

TEST(FormatBytes, keeps_one_digit_and_the_largest_unit) {
  struct Row {
    uint64_t bytes;
    const char* word;
  };
  for (auto [bytes, word] : {Row{0, "0"}, Row{1023, "1023"}, Row{1024, "1K"}, Row{9'998'336, "9.5M"},
                             Row{10'485'760, "10M"}, Row{1'610'612'736, "1.5G"}, Row{1'048'575, "1M"},
                             Row{1'048'524, "1023.9K"}, Row{kEndless - 1, "4E"}, Row{kUnlimited, "max"}})
    EXPECT_EQ(format_bytes(bytes), word) << bytes;
}

TEST(FormatBytes, is_read_back_within_its_rounding) {
  for (uint64_t bytes = 1; bytes < kEndless / 3; bytes = bytes * 3 + 7) {
    auto again = parse_bytes(format_bytes(bytes));
    ASSERT_TRUE(again) << again.error().text();
    uint64_t off = *again > bytes ? *again - bytes : bytes - *again;
    EXPECT_LE(off, bytes / 20) << bytes << " " << format_bytes(bytes);
  }
}

TEST(ParseCpus, gives_quota_and_period) {
  struct Row {
    const char* word;
    CpuBandwidth bandwidth;
  };
  for (auto [word, bandwidth] :
       {Row{"0.5", {50'000, 100'000}}, Row{"50%", {50'000, 100'000}}, Row{"2", {200'000, 100'000}},
        Row{"200%", {200'000, 100'000}}, Row{"0.01", {1000, 100'000}}, Row{"0.005", {5000, 1'000'000}},
        Row{"0.001", {1000, 1'000'000}}, Row{"0.1%", {1000, 1'000'000}}, Row{"0.3333333", {33'333, 100'000}},
        Row{"1.25", {125'000, 100'000}}, Row{"max", {kUnlimited, 100'000}}}) {
    auto parsed = parse_cpus(word);
    ASSERT_TRUE(parsed) << word << ": " << parsed.error().text();
    EXPECT_EQ(parsed->quota, bandwidth.quota) << word;
    EXPECT_EQ(parsed->period, bandwidth.period) << word;
  }
}

TEST(ParseCpus, refuses_and_quotes_what_is_no_number_of_cpus) {
  for (const char* word : {"", "0", "0.0009", "-1", "x", "1c", "50%%", "1.5.1", "100001", "%", "1e3"}) {
    auto parsed = parse_cpus(word);
    ASSERT_FALSE(parsed) << word;
    EXPECT_THAT(parsed.error().text(), HasSubstr("'" + std::string(word) + "'"));
  }
}

TEST(FormatCpus, writes_what_parse_takes) {
  for (const char* word : {"0.5", "2", "0.01", "0.005", "0.001", "1.25", "64", "max"})
    EXPECT_EQ(format_cpus(*parse_cpus(word)), word);
  EXPECT_EQ(format_cpus({33'333, 100'000}), "0.333");
}

TEST(IdSet, is_written_as_the_kernel_writes_it) {
  struct Row {
    const char* text;
    const char* canonical;
  };
  for (auto [text, canonical] :
       {Row{"", ""}, Row{"\n", ""}, Row{"0", "0"}, Row{"0,1", "0-1"}, Row{"0-3,5\n", "0-3,5"}, Row{"5,0-3", "0-3,5"},
        Row{"0-2,1-4,4", "0-4"}, Row{"7-7", "7"}, Row{"0-65535", "0-65535"}, Row{"1,3,5", "1,3,5"}}) {
    auto set = parse_id_set(text);
    ASSERT_TRUE(set) << text;
    EXPECT_EQ(format_id_set(*set), canonical) << text;
  }
}

TEST(IdSet, refuses_and_quotes_what_is_no_list) {
  for (const char* text : {",", "0,", ",0", "0-", "-1", "3-1", "a", "0 1", "0-1:1/2", "65536", "0--1", "all", "1.5"}) {
    auto set = parse_id_set(text);
    ASSERT_FALSE(set) << text;
    EXPECT_THAT(set.error().text(), HasSubstr(std::string("'") + text + "'"));
  }
}

TEST(IdSet, knows_what_lies_in_it) {
  IdSet set = *parse_id_set("0-3,5");
  EXPECT_TRUE(set.contains(*parse_id_set("1-2,5")));
  EXPECT_TRUE(set.contains(*parse_id_set("")));
  EXPECT_FALSE(set.contains(*parse_id_set("3-5")));
  EXPECT_FALSE(set.contains(*parse_id_set("4")));
}

TEST(IoOption, takes_a_path_or_numbers_and_several_keys) {
  auto option = parse_io_option("/dev/disk/by-path/pci-0000:00:1f.2-ata-1:rbps=10M,wiops=100,weight=200");
  ASSERT_TRUE(option) << option.error().text();
  EXPECT_EQ(option->device, "/dev/disk/by-path/pci-0000:00:1f.2-ata-1");
  EXPECT_EQ(option->max.rbps, 10'485'760u);
  EXPECT_EQ(option->max.wiops, 100u);
  EXPECT_EQ(option->max.wbps, std::nullopt);
  EXPECT_EQ(option->weight, 200u);
  option = parse_io_option("8:0 rbps=max riops=2K");
  ASSERT_TRUE(option) << option.error().text();
  EXPECT_EQ(option->device, "8:0");
  EXPECT_EQ(option->max.rbps, kUnlimited);
  EXPECT_EQ(option->max.riops, 2000u);
  option = parse_io_option("8:0:wbps=1M");
  ASSERT_TRUE(option) << option.error().text();
  EXPECT_EQ(option->device, "8:0");
}

TEST(IoOption, refuses_and_quotes_the_word_that_is_wrong) {
  struct Row {
    const char* text;
    const char* word;
  };
  for (auto [text, word] :
       {Row{"", "''"}, Row{"/dev/sda", "'/dev/sda'"}, Row{":rbps=1", "':rbps=1'"}, Row{"8:0 ", "'8:0 '"},
        Row{"/dev/sda:", "'/dev/sda:'"}, Row{"/dev/sda:bps=1", "'bps=1'"}, Row{"/dev/sda:rbps", "'rbps'"},
        Row{"/dev/sda:rbps=", "'rbps='"}, Row{"/dev/sda:rbps=ten", "'ten'"}, Row{"/dev/sda:riops=1.5", "'1.5'"},
        Row{"/dev/sda:rbps=1,rbps=2", "'rbps=2'"}, Row{"8:0 weight=x", "'weight=x'"},
        Row{"8:0 weight=1 weight=1", "'weight=1'"}, Row{"8:0 rbps=1,,wbps=1", "''"}}) {
    auto option = parse_io_option(text);
    ASSERT_FALSE(option) << text;
    EXPECT_EQ(option.error().kind(), ErrorKind::invalid);
    EXPECT_THAT(option.error().text(), HasSubstr(word)) << text;
  }
}

TEST(IoOption, is_added_once_for_a_device_and_key) {
  Limits limits;
  Device device{8, 0};
  ASSERT_TRUE(add_io_option(limits, *parse_io_option("a:rbps=1"), device));
  ASSERT_TRUE(add_io_option(limits, *parse_io_option("b:wbps=2,weight=5"), device));
  ASSERT_EQ(limits.io.max.size(), 1u);
  EXPECT_EQ(limits.io.max[0].rbps, 1u);
  EXPECT_EQ(limits.io.max[0].wbps, 2u);
  EXPECT_EQ(limits.io.weights, (std::vector<IoWeight>{{device, 5}}));
  EXPECT_FALSE(add_io_option(limits, *parse_io_option("c:rbps=3"), device));
  EXPECT_FALSE(add_io_option(limits, *parse_io_option("c:weight=3"), device));
}

TEST(Device, is_two_numbers) {
  EXPECT_EQ(parse_device("254:16"), (Device{254, 16}));
  EXPECT_EQ(format_device({254, 16}), "254:16");
  for (const char* text : {"", ":", "8:", ":0", "8", "8:0:0", "a:0", "8:-1", " 8:0", "4294967296:0"})
    EXPECT_EQ(parse_device(text), std::nullopt) << text;
}

TEST(ResolveDevice, refuses_what_has_no_block_device) {
  for (const char* path : {"/dev/null", "/proc", "/nonexistent/x", ""}) EXPECT_FALSE(resolve_device(path)) << path;
  EXPECT_EQ(*resolve_device("8:16"), (Device{8, 16}));
}

}  // namespace
}  // namespace cgm::cgroup
