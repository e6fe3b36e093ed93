// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ns/fresh.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include "ns/survey.hpp"

namespace cgm::ns {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kHybrid =
    "27 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"
    "40 27 0:22 / /proc rw,nosuid,nodev,noexec - proc proc rw\n"
    "46 27 0:28 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs rw,mode=755\n"
    "47 46 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid,nodev,noexec,relatime shared:5 - cgroup cgroup rw,cpu,cpuacct\n"
    "48 46 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,release_agent=/lib/x,name=systemd\n"
    "49 46 0:38 /../.. /sys/fs/cgroup/unified ro - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n"
    "50 27 0:40 / /dev/mqueue rw - mqueue mqueue rw\n";

std::vector<std::string> paths(const std::vector<FreshMount>& mounts) {
  std::vector<std::string> found;
  for (const FreshMount& mount : mounts) found.push_back(mount.path);
  return found;
}

TEST(FreshMounts, are_those_that_show_the_new_namespaces) {
  EXPECT_THAT(
      paths(fresh_mounts(kHybrid, Kinds::only(Kind::cgroup))),
      ElementsAre("/sys/fs/cgroup", "/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified"));
  EXPECT_THAT(paths(fresh_mounts(kHybrid, Kinds::only(Kind::ipc))), ElementsAre("/dev/mqueue"));
  EXPECT_THAT(fresh_mounts(kHybrid, Kinds::only(Kind::net)), IsEmpty());
  EXPECT_THAT(fresh_mounts("", Kinds::all()), IsEmpty());
}

TEST(FreshMounts, are_of_the_same_hierarchy_with_the_same_attributes) {
  auto mounts = fresh_mounts(kHybrid, Kinds::only(Kind::cgroup));
  ASSERT_EQ(mounts.size(), 4U);
  mounts.erase(mounts.begin());
  EXPECT_EQ(mounts[0].type, "cgroup");
  EXPECT_EQ(mounts[0].data, "cpu,cpuacct");
  EXPECT_EQ(mounts[0].flags, static_cast<unsigned long>(MS_NOSUID | MS_NODEV | MS_NOEXEC));
  EXPECT_EQ(mounts[1].data, "none,name=systemd");
  EXPECT_EQ(mounts[2].type, "cgroup2");
  EXPECT_EQ(mounts[2].data, "");
  EXPECT_EQ(mounts[2].flags, static_cast<unsigned long>(MS_RDONLY));
}

TEST(FreshMounts, are_not_what_another_mount_hides) {
  std::string twice = std::string(kHybrid) + "60 49 0:38 /x /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
  EXPECT_EQ(fresh_mounts(twice, Kinds::only(Kind::cgroup)).size(), 3U);
  std::string above = std::string(kHybrid) + "60 27 0:50 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n";
  EXPECT_THAT(fresh_mounts(above, Kinds::only(Kind::cgroup)), IsEmpty());
  std::string beside = std::string(kHybrid) + "60 27 0:50 / /sys/fs/cgroup/uni rw - tmpfs tmpfs rw\n";
  EXPECT_EQ(fresh_mounts(beside, Kinds::only(Kind::cgroup)).size(), 4U);
}

TEST(FreshMounts, keep_what_else_is_mounted_beside_them) {
  std::string other = std::string(kHybrid) + "60 46 0:50 / /sys/fs/cgroup/mine rw - tmpfs tmpfs rw\n";
  EXPECT_THAT(paths(fresh_mounts(other, Kinds::only(Kind::cgroup))),
              ElementsAre("/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified"));
}

TEST(FreshMounts, below_one_that_is_made_anew_itself_go_with_it) {
  std::string nested =
      "46 27 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
      "47 46 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
      "48 46 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n";
  auto mounts = fresh_mounts(nested, Kinds::only(Kind::cgroup));
  EXPECT_THAT(paths(mounts), ElementsAre("/sys/fs/cgroup", "/sys/fs/cgroup/cpu", "/sys/fs/cgroup/systemd"));
  EXPECT_EQ(mounts.front().type, "cgroup2");
}

TEST(FreshMounts, are_not_what_shows_the_namespace_as_it_is) {
  const char* at_home = "3:name=systemd:/\n2:cpu,cpuacct:/a\n0::/../..\n";
  EXPECT_THAT(paths(fresh_mounts(kHybrid, Kinds::only(Kind::cgroup), at_home)),
              ElementsAre("/sys/fs/cgroup/cpu,cpuacct"));
  const char* elsewhere = "3:name=systemd:/x\n2:cpu,cpuacct:/x\n0::/x\n";
  EXPECT_EQ(fresh_mounts(kHybrid, Kinds::only(Kind::cgroup), elsewhere).size(), 4U);
  EXPECT_EQ(fresh_mounts(kHybrid, Kinds::only(Kind::cgroup), "nonsense").size(), 4U);
  EXPECT_THAT(paths(fresh_mounts(kHybrid, Kinds::only(Kind::ipc), at_home)), ElementsAre("/dev/mqueue"));
}

TEST(Pins, are_found_in_a_mountinfo) {
  auto pins = pins_in(
      "65 27 0:4 mnt:[4026532177] /run/cgmanager/ns/box/mnt rw - nsfs nsfs rw\n"
      "66 27 0:4 net:[4026532178] /run/netns/with\\040blank rw shared:7 - nsfs nsfs rw\n"
      "67 27 0:5 / /tmp/\\040-\\040nsfs\\040 rw - tmpfs tmpfs rw\n"
      "68 27 0:4 pid:[x] /tmp/bad rw - nsfs nsfs rw\n");
  ASSERT_EQ(pins.size(), 2U);
  EXPECT_EQ(pins[0].link.kind, Kind::mount);
  EXPECT_EQ(pins[0].link.inode, 4026532177U);
  EXPECT_EQ(pins[1].path, "/run/netns/with blank");
}

}  // namespace
}  // namespace cgm::ns
