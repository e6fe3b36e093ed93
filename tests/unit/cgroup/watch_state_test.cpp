// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cgroup/watch_state.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.hpp"

namespace cgm::cgroup {
namespace {

CgroupPath path(std::string_view text) {
  return *CgroupPath::from_kernel(text);
}

WatchState example() {
  return {.boot_id = "de305d54-75b4-431b-adb2-eb6b9e546014",
          .records = {{.hierarchy = "freezer", .path = path("a/b c"), .cgroup_id = 7, .owner = 1000, .filled = true},
                      {.hierarchy = "cpu,cpuacct", .path = path("x"), .cgroup_id = UINT64_MAX, .owner = 0},
                      {.hierarchy = "name=systemd", .path = path("é%s"), .cgroup_id = 0, .owner = 4294967294},
                      {.hierarchy = "unified", .path = path(std::string(255, 'n'))}}};
}

TEST(WatchState, reads_back_as_it_was_written) {
  std::string text = format_watch_state(example());
  auto parsed = parse_watch_state(text);
  ASSERT_TRUE(parsed) << parsed.error().text();
  EXPECT_EQ(*parsed, example());
  EXPECT_EQ(*parse_watch_state("cgmanager-watches-1 x\n"), (WatchState{.boot_id = "x", .records = {}}));
}

TEST(WatchState, takes_the_longest_path_that_there_is) {
  std::string longest;
  while (longest.size() < CgroupPath::kMaxLength) longest += std::string(255, 'n') + "/";
  longest.resize(CgroupPath::kMaxLength);
  WatchState state{.boot_id = "x", .records = {{.hierarchy = "freezer", .path = path(longest)}}};
  auto parsed = parse_watch_state(format_watch_state(state));
  ASSERT_TRUE(parsed) << parsed.error().text();
  EXPECT_EQ(*parsed, state);
}

TEST(WatchState, refuses_what_it_would_not_write) {
  const std::string good = "cgmanager-watches-1 boot\n";
  const std::string_view lines[] = {
      "1 0 0 freezer /a",   // no newline
      "1 0 0 freezer /\n",  // the root
      "1 0 0 freezer a\n",  // not absolute
      "1 0 0 freezer /a/\n",
      "1 0 0 freezer //a\n",
      "1 0 0 freezer /./a\n",
      "1 0 0 freezer /../a\n",
      "1 0 0 freezer /a/..\n",
      "1 0 2 freezer /a\n",
      "1 0 -1 freezer /a\n",
      "1 0 00 freezer /a\n",
      "01 0 0 freezer /a\n",
      "-1 0 0 freezer /a\n",
      "18446744073709551616 0 0 freezer /a\n",
      "1 4294967296 0 freezer /a\n",
      "1 0 0 freezer\n",
      "1 0 0  /a\n",
      "1 0 /a\n",
      "\n",
      "1 0 0 fre\tezer /a\n",
  };
  for (std::string_view line : lines) {
    auto parsed = parse_watch_state(good + std::string(line));
    ASSERT_FALSE(parsed) << line;
    EXPECT_NE(parsed.error().text().find("line 2"), std::string::npos) << parsed.error().text();
  }
  for (std::string_view text :
       {"", "\n", "cgmanager-watches-1\n", "cgmanager-watches-1 \n", "cgmanager-watches-2 boot\n",
        "cgmanager-watches-1 boot", "cgmanager-watches-1 bo ot\n"})
    EXPECT_FALSE(parse_watch_state(text)) << text;
}

TEST(WatchState, has_an_end) {
  EXPECT_EQ(parse_watch_state(std::string(kMaxWatchState + 1, '\n')).error().kind(), ErrorKind::quota);
  std::string many = "cgmanager-watches-1 boot\n";
  for (size_t i = 0; i <= kMaxWatchRecords; i++) many += "1 0 0 freezer /a\n";
  EXPECT_EQ(parse_watch_state(many).error().kind(), ErrorKind::quota);
}

class WatchStateFile : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(::mkdtemp(folder_), nullptr);
    dir_ = *sys::openat(AT_FDCWD, folder_, O_PATH | O_DIRECTORY);
  }
  void TearDown() override {
    for (const char* name : {"watches", "watches.new", "elsewhere"}) (void)sys::unlinkat(dir_.get(), name, 0);
    ::rmdir(folder_);
  }
  void put(const std::string& name, std::string_view text, mode_t mode) {
    Fd file = *sys::openat(dir_.get(), name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ASSERT_TRUE(sys::write(file.get(), text));
    ASSERT_EQ(::fchmod(file.get(), mode), 0);
  }
  char folder_[32] = "/tmp/cgmt-XXXXXX";
  Fd dir_;
};

TEST_F(WatchStateFile, is_replaced_whole_and_leaves_no_other) {
  ASSERT_TRUE(write_watch_state(dir_.get(), "watches", {.boot_id = "before", .records = {}}));
  ASSERT_TRUE(write_watch_state(dir_.get(), "watches", example()));
  auto read = read_watch_state(dir_.get(), "watches");
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(**read, example());
  EXPECT_FALSE(sys::fstatat(dir_.get(), "watches.new", 0));
  EXPECT_EQ(sys::fstatat(dir_.get(), "watches", 0)->st_mode & 07777, 0600u);
}

TEST_F(WatchStateFile, that_is_not_there_is_none) {
  auto read = read_watch_state(dir_.get(), "watches");
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->has_value());
}

TEST_F(WatchStateFile, that_others_may_write_is_not_believed) {
  put("watches", "cgmanager-watches-1 boot\n", 0602);
  EXPECT_EQ(read_watch_state(dir_.get(), "watches").error().kind(), ErrorKind::denied);
  put("watches", "cgmanager-watches-1 boot\n", 0620);
  EXPECT_EQ(read_watch_state(dir_.get(), "watches").error().kind(), ErrorKind::denied);
}

TEST_F(WatchStateFile, is_no_link_to_follow) {
  put("elsewhere", "cgmanager-watches-1 boot\n", 0600);
  ASSERT_EQ(::symlinkat("elsewhere", dir_.get(), "watches"), 0);
  EXPECT_FALSE(read_watch_state(dir_.get(), "watches"));
  ASSERT_EQ(::symlinkat("elsewhere", dir_.get(), "watches.new"), 0);
  ASSERT_TRUE(write_watch_state(dir_.get(), "watches", example()));
  EXPECT_EQ(sys::fstatat(dir_.get(), "elsewhere", 0)->st_size, 25);
  EXPECT_TRUE(S_ISREG(sys::fstatat(dir_.get(), "watches", AT_SYMLINK_NOFOLLOW)->st_mode));
}

TEST(BootId, is_one_word) {
  auto id = read_boot_id();
  ASSERT_TRUE(id);
  EXPECT_EQ(id->size(), 36u);
}

}  // namespace
}  // namespace cgm::cgroup
