// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cgroup/stats.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/recorded.hpp"

namespace cgm::cgroup {
namespace {

using test::Recorded;
using testing::HasSubstr;

TEST(Stats, of_v2_come_from_its_keyed_files) {
  Recorded files = test::fresh_v2();
  auto stats = read_stats(test::recorded_files(Version::v2, files));
  ASSERT_TRUE(stats) << stats.error().text();
  EXPECT_EQ(stats->cpu, (Stats::Cpu{330048, 87734, 242313, 2, 1, 55}));
  EXPECT_EQ(stats->memory, (Stats::Memory{208896, 23568384, kUnlimited, 77824, kUnlimited, 1000, 90112, 12, 4096, 35}));
  EXPECT_EQ(stats->oom, (Stats::Oom{9642, 1}));
  ASSERT_TRUE(stats->io);
  EXPECT_EQ(*stats->io, (std::vector<Stats::Io>{{{254, 0}, 42991616, 5242880, 67, 10, 8, 1}}));
  EXPECT_EQ(stats->pids, (Stats::Pids{2, 3, kUnlimited}));
  ASSERT_TRUE(stats->pressure.memory && stats->pressure.memory->some);
  EXPECT_DOUBLE_EQ(stats->pressure.memory->some->avg10, 1.5);
  EXPECT_EQ(stats->pressure.io->some->total, 7u);
}

TEST(Stats, of_v1_are_the_same_as_far_as_v1_tells_them) {
  Recorded files = test::fresh_v1();
  files["memory.limit_in_bytes"] = "409600";
  files["memory.memsw.limit_in_bytes"] = "413696";
  auto stats = read_stats(test::recorded_files(Version::v1, files));
  ASSERT_TRUE(stats) << stats.error().text();
  EXPECT_EQ(stats->cpu, (Stats::Cpu{343705, 80000, 248000, 4, 2, 5}));
  EXPECT_EQ(stats->memory, (Stats::Memory{208896, 23568384, 409600, 77824, 4096, 1000, 90112, 12, 4096, 35}));
  EXPECT_EQ(stats->oom, (Stats::Oom{std::nullopt, 1}));
  ASSERT_TRUE(stats->io);
  EXPECT_EQ(*stats->io,
            (std::vector<Stats::Io>{{{8, 0}, 1, 2, 5, 6, 4, 7}, {{254, 0}, 42991616, 5242880, 41, 5, 0, 0}}));
  EXPECT_EQ(stats->pids, (Stats::Pids{2, 3, kUnlimited}));
  EXPECT_FALSE(stats->pressure.cpu);
}

TEST(Stats, are_absent_where_the_host_lacks_them) {
  Recorded none;
  for (Version version : {Version::v1, Version::v2}) {
    auto stats = read_stats(test::recorded_files(version, none));
    ASSERT_TRUE(stats) << stats.error().text();
    EXPECT_EQ(*stats, Stats{});
  }
  Recorded files = test::fresh_v2();
  Files switched_off = test::recorded_files(Version::v2, files);
  switched_off.read = [&](std::string_view, std::string_view file) -> Result<std::string> {
    if (file.ends_with(".pressure")) return fail(Error::from_errno(EOPNOTSUPP, "openat", file));
    return test::read_recorded(files, file);
  };
  auto stats = read_stats(switched_off);
  ASSERT_TRUE(stats) << stats.error().text();
  EXPECT_FALSE(stats->pressure.cpu);
  EXPECT_TRUE(stats->cpu.usage);
}

TEST(Stats, fail_where_a_cgroup_went_away_or_a_file_is_malformed) {
  Recorded files = test::fresh_v2();
  Files gone = test::recorded_files(Version::v2, files);
  gone.read = [](std::string_view, std::string_view file) -> Result<std::string> {
    return fail(Error::from_errno(ENODEV, "read", file));
  };
  auto stats = read_stats(gone);
  ASSERT_FALSE(stats);
  EXPECT_EQ(stats.error().kind(), ErrorKind::gone);
  for (const char* file : {"memory.current", "io.stat", "pids.max", "cpu.pressure"}) {
    Recorded broken = files;
    broken[file] = "x y z";
    stats = read_stats(test::recorded_files(Version::v2, broken));
    ASSERT_FALSE(stats) << file;
    EXPECT_EQ(stats.error().kind(), ErrorKind::protocol);
  }
}

}  // namespace
}  // namespace cgm::cgroup
