// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cgroup/block_device.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/number.hpp"
#include "base/sys.hpp"

namespace cgm::cgroup {
namespace {

namespace fs = std::filesystem;

/// `8:0` of an entry of /sys/class/block.
std::string numbers_of(const fs::path& entry) {
  auto dir = sys::openat(AT_FDCWD, entry, O_PATH | O_DIRECTORY);
  if (!dir) return {};
  auto text = sys::read_file_at(dir->get(), "dev", 64);
  return text ? std::string(trim(*text)) : std::string();
}

TEST(ResolveDeviceOnThisHost, takes_a_disk_as_it_is_and_a_partition_as_its_disk) {
  int nodes = 0;
  for (const auto& entry : fs::directory_iterator("/sys/class/block")) {
    fs::path node = "/dev" / entry.path().filename();
    std::error_code ignored;
    if (!fs::is_block_file(node, ignored)) continue;
    nodes++;
    bool partition = fs::exists(entry.path() / "partition", ignored);
    fs::path disk = partition ? fs::canonical(entry.path()).parent_path() : entry.path();
    auto device = resolve_device(node);
    ASSERT_TRUE(device) << device.error().text();
    EXPECT_EQ(format_device(*device), numbers_of(disk)) << node;
  }
  if (nodes == 0) GTEST_SKIP() << "no block device has a node in /dev";
}

TEST(ResolveDeviceOnThisHost, takes_a_file_as_the_disk_that_holds_it_or_says_that_there_is_none) {
  auto device = resolve_device(CGM_BUILD_DIR);
  if (device)
    EXPECT_TRUE(fs::exists("/sys/dev/block/" + format_device(*device)));
  else
    EXPECT_EQ(device.error().kind(), ErrorKind::invalid) << device.error().text();
}

}  // namespace
}  // namespace cgm::cgroup
