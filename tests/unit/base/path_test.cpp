// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/path.hpp"

#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cstddef>
#include <cstdlib>
#include <filesystem>

#include "base/sys.hpp"

namespace cgm {
namespace {

/// A folder with a/b, a file a/f, a link to a in l and a link upwards in up; removed when it dies.
class BeneathTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/cgm-path-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    path_ = name;
    std::filesystem::create_directories(path_ + "/a/b");
    ASSERT_TRUE(sys::openat(AT_FDCWD, path_ + "/a/f", O_CREAT | O_WRONLY, 0600));
    std::filesystem::create_symlink("a", path_ + "/l");
    std::filesystem::create_symlink("..", path_ + "/a/up");
    root_ = std::move(*sys::openat(AT_FDCWD, path_, O_PATH | O_DIRECTORY));
  }
  void TearDown() override { std::filesystem::remove_all(path_); }

  std::string path_;
  Fd root_;
};

TEST_F(BeneathTest, opens_what_lies_below) {
  for (const char* path : {"", ".", "a", "a/b", "a//b/", "./a/./b"}) {
    EXPECT_TRUE(open_beneath(root_.get(), path, O_PATH | O_DIRECTORY)) << path;
    EXPECT_TRUE(open_beneath_by_component(root_.get(), path, O_PATH | O_DIRECTORY)) << path;
  }
  EXPECT_TRUE(open_beneath(root_.get(), "a/f", O_RDONLY));
  EXPECT_TRUE(open_beneath_by_component(root_.get(), "a/f", O_RDONLY));
}

TEST_F(BeneathTest, never_leaves_nor_follows_a_link) {
  for (const char* path : {"..", "../x", "a/../..", "/etc", "l", "l/b", "a/up", "a/up/a"}) {
    auto fd = open_beneath(root_.get(), path, O_RDONLY);
    ASSERT_FALSE(fd) << path;
    EXPECT_EQ(fd.error().kind(), ErrorKind::denied) << path << " " << fd.error().text();
    EXPECT_FALSE(open_beneath_by_component(root_.get(), path, O_RDONLY)) << path;
  }
  auto proc = sys::openat(AT_FDCWD, "/proc/self", O_PATH | O_DIRECTORY);
  ASSERT_TRUE(proc);
  EXPECT_FALSE(open_beneath(proc->get(), "root/etc", O_RDONLY));
  EXPECT_FALSE(open_beneath_by_component(proc->get(), "root/etc", O_RDONLY));
}

TEST_F(BeneathTest, a_file_is_no_directory) {
  EXPECT_FALSE(open_beneath(root_.get(), "a/f/", O_RDONLY));
  EXPECT_FALSE(open_beneath_by_component(root_.get(), "a/f/", O_RDONLY));
  EXPECT_FALSE(open_beneath(root_.get(), "a/f", O_PATH | O_DIRECTORY));
  EXPECT_FALSE(open_beneath_by_component(root_.get(), "a/f", O_PATH | O_DIRECTORY));
}

TEST_F(BeneathTest, another_mount_is_not_entered) {
  auto slash = sys::openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY);
  ASSERT_TRUE(slash);
  EXPECT_FALSE(open_beneath(slash->get(), "proc/self", O_PATH));
  EXPECT_FALSE(open_beneath_by_component(slash->get(), "proc/1", O_PATH));
}

/// Makes openat2 fail with `err` for the rest of this process's life.
bool mask_openat2(unsigned err) {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | err),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog program{std::size(code), code};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

TEST_F(BeneathTest, falls_back_where_openat2_is_masked) {
  for (int err : {ENOSYS, EPERM}) {
    pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      if (!mask_openat2(static_cast<unsigned>(err))) ::_exit(10);
      open_how how{};
      if (sys::openat2(root_.get(), ".", how)) ::_exit(11);
      if (!open_beneath(root_.get(), "a/b", O_PATH | O_DIRECTORY)) ::_exit(12);
      if (!open_beneath(root_.get(), "a/f", O_RDONLY)) ::_exit(13);
      if (open_beneath(root_.get(), "l/b", O_PATH)) ::_exit(14);
      if (open_beneath(root_.get(), "a/../..", O_PATH)) ::_exit(15);
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
  }
}

}  // namespace
}  // namespace cgm
