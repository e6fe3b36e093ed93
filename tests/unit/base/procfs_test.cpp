// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/procfs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cgm::procfs {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ParseCgroup, reads_v1_named_and_v2_lines) {
  auto lines = parse_cgroup("9:name=systemd:/a\n2:cpu,cpuacct:/b:c\n0::/d (deleted)\n");
  ASSERT_TRUE(lines) << lines.error().text();
  ASSERT_EQ(lines->size(), 3u);
  EXPECT_THAT((*lines)[0].controllers, ElementsAre("name=systemd"));
  EXPECT_THAT((*lines)[1].controllers, ElementsAre("cpu", "cpuacct"));
  EXPECT_EQ((*lines)[1].path, "/b:c");
  EXPECT_THAT((*lines)[2].controllers, IsEmpty());
  EXPECT_EQ((*lines)[2].path, "/d");
  EXPECT_TRUE((*lines)[2].deleted);
}

TEST(ParseCgroup, refuses_what_the_kernel_never_writes) {
  for (const char* text : {"x:cpu:/\n", "1:cpu\n", "1:cpu:relative\n", "-1::/\n", ":::\n"})
    EXPECT_FALSE(parse_cgroup(text)) << text;
}

TEST(ParseStat, survives_a_command_name_with_parentheses_and_newlines) {
  auto stat = parse_stat("42 (a) b\n(c) S 1 2 3 4 5 2097216 0 0 0 0 0 0 0 0 20 0 1 0 777 0\n");
  ASSERT_TRUE(stat) << stat.error().text();
  EXPECT_EQ(stat->comm, "a) b\n(c");
  EXPECT_EQ(stat->flags, 2097216u);
  EXPECT_TRUE(stat->flags & kFlagKthread);
  EXPECT_EQ(stat->start_time, 777u);
}

TEST(ParseStatus, reads_ids_capabilities_and_nested_pids) {
  auto status = parse_status(
      "Name:\tx\nState:\tZ "
      "(zombie)\nTgid:\t7\nPid:\t7\nPPid:\t1\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nNSpid:\t7\t3\t1\nCapBnd:"
      "\t000001ff\n");
  ASSERT_TRUE(status) << status.error().text();
  EXPECT_EQ(status->state, 'Z');
  EXPECT_EQ(status->real_uid, 1u);
  EXPECT_EQ(status->effective_uid, 2u);
  EXPECT_EQ(status->cap_bounding, 0x1ffu);
  EXPECT_THAT(status->ns_pid, ElementsAre(7, 3, 1));
}

TEST(ParseStatus, refuses_a_text_without_uid) {
  EXPECT_FALSE(parse_status("Pid:\t7\n"));
}

TEST(ParseMountinfo, resolves_octal_escapes_and_optional_fields) {
  auto mounts = parse_mountinfo(
      "36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue\n"
      "29 23 0:26 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n");
  ASSERT_TRUE(mounts) << mounts.error().text();
  EXPECT_EQ((*mounts)[0].mount_point, "/mnt 2");
  EXPECT_EQ((*mounts)[1].fs_type, "cgroup");
  EXPECT_EQ((*mounts)[1].super_options, "rw,cpu");
  EXPECT_EQ((*mounts)[1].minor, 26u);
}

TEST(ParseMountinfo, refuses_a_line_without_separator) {
  EXPECT_FALSE(parse_mountinfo("36 35 98:0 / / rw shared:2\n"));
}

TEST(ParseIdMap, refuses_empty_and_overflowing_ranges) {
  EXPECT_TRUE(parse_id_map("         0          0 4294967295\n"));
  EXPECT_FALSE(parse_id_map("0 0 0\n"));
  EXPECT_FALSE(parse_id_map("4294967295 0 2\n"));
  EXPECT_FALSE(parse_id_map("0 0 1 2\n"));
}

TEST(ParseIdMap, refuses_341_lines) {
  std::string text;
  for (int i = 0; i < 340; i++) text += std::to_string(i) + " " + std::to_string(i) + " 1\n";
  EXPECT_TRUE(parse_id_map(text));
  EXPECT_FALSE(parse_id_map(text + "340 340 1\n"));
}

TEST(ParseCgroups, skips_the_heading) {
  auto found = parse_cgroups("#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpuset\t3\t1\t1\nnet_cls\t0\t1\t0\n");
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 2u);
  EXPECT_EQ((*found)[0].name, "cpuset");
  EXPECT_FALSE((*found)[1].enabled);
}

}  // namespace
}  // namespace cgm::procfs
