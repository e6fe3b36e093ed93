// SPDX-License-Identifier: LGPL-2.1-or-later
#include "manager/directories.hpp"

#include <gtest/gtest.h>

#include <cstdio>

#include "base/sys.hpp"
#include "manager/resolve.hpp"
#include "support/sandbox.hpp"

namespace cgm::manager {
namespace {

using cgroup::Cgroup;
using cgroup::CgroupPath;
using test::Sandbox;

class DirectoriesTest : public testing::Test {
 protected:
  void SetUp() override {
    hierarchy_ = sandbox_.hierarchy("freezer");
    if (!hierarchy_) GTEST_SKIP() << "no freezer";
  }
  CgroupPath path(std::string_view below) const { return sandbox_.path("freezer") / *CgroupPath::parse(below); }
  ino_t inode_of(std::string_view below) {
    auto directory = directories_->at(*hierarchy_, path(below));
    return directory ? directory->directory->inode : 0;
  }
  /// What a plain user is told who asks for a cgroup.
  std::string outcome_for_user(std::string_view below) {
    auto opened = open_for(*directories_, user_, *hierarchy_, path(below));
    return opened ? "opened" : opened.error().text();
  }
  static size_t open_descriptors() {
    auto dir = sys::openat(AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY);
    return sys::list_dir(dir->get())->size();
  }

  Sandbox sandbox_;
  const cgroup::Hierarchy* hierarchy_ = nullptr;
  std::unique_ptr<Directories> directories_ = std::move(*Directories::create());
  Subject user_{.uid = 64'100, .gid = 64'100, .groups = {}, .host_root = false};
};

TEST_F(DirectoriesTest, find_a_cgroup_that_was_removed_and_made_again) {
  Cgroup a = sandbox_.at("freezer", "a");
  ino_t first = inode_of("a");
  ASSERT_NE(first, 0U);
  EXPECT_EQ(inode_of("a"), first);
  Cgroup parent = sandbox_.at("freezer");
  ASSERT_TRUE(sys::unlinkat(parent.dir(), "a", AT_REMOVEDIR));
  EXPECT_EQ(inode_of("a"), 0U);
  Cgroup again = sandbox_.at("freezer", "a");
  EXPECT_NE(inode_of("a"), first);
  EXPECT_EQ(inode_of("a"), sys::fstat(again.dir())->st_ino);
}

TEST_F(DirectoriesTest, follow_a_cgroup_that_is_renamed) {
  if (hierarchy_->is_v2()) GTEST_SKIP() << "cgroup v2 renames nothing";
  Cgroup child = sandbox_.at("freezer", "a/child");
  ino_t inode = inode_of("a/child");
  Cgroup parent = sandbox_.at("freezer");
  ASSERT_EQ(::renameat(parent.dir(), "a", parent.dir(), "b"), 0);
  EXPECT_EQ(inode_of("a/child"), 0U);
  EXPECT_EQ(inode_of("b/child"), inode);
  Cgroup other = sandbox_.at("freezer", "a/child");
  EXPECT_EQ(inode_of("a/child"), sys::fstat(other.dir())->st_ino);
}

TEST_F(DirectoriesTest, keep_nothing_of_who_may_search_them) {
  Cgroup a = sandbox_.at("freezer", "a"), child = sandbox_.at("freezer", "a/child");
  EXPECT_EQ(outcome_for_user("a/child"), "opened");
  ASSERT_TRUE(sys::fchmodat(a.dir(), ".", 0700));
  EXPECT_EQ(outcome_for_user("a/child"),
            "cgroup '" + path("a").absolute() + "' of " + hierarchy_->label() + ": no search permission");
  ASSERT_TRUE(sys::fchmodat(a.dir(), ".", 0711));
  EXPECT_EQ(outcome_for_user("a/child"), "opened");
}

TEST_F(DirectoriesTest, say_nothing_of_what_lies_in_one_that_may_not_be_searched) {
  Cgroup a = sandbox_.at("freezer", "a"), child = sandbox_.at("freezer", "a/child");
  ASSERT_TRUE(sys::fchmodat(a.dir(), ".", 0700));
  EXPECT_EQ(outcome_for_user("a/child"), outcome_for_user("a/absent"));
  EXPECT_EQ(outcome_for_user("a/child/deep"), outcome_for_user("a/absent"));
}

TEST_F(DirectoriesTest, are_closed_when_they_are_forgotten) {
  Cgroup child = sandbox_.at("freezer", "a/child");
  size_t before = open_descriptors();
  ASSERT_NE(inode_of("a/child"), 0U);
  EXPECT_GT(open_descriptors(), before);
  directories_->forget();
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(DirectoriesTest, are_never_more_than_the_most_that_are_kept) {
  for (size_t i = 0; i < 3 * Directories::kMost; i++) {
    std::string name = "a" + std::to_string(i);
    Cgroup one = sandbox_.at("freezer", name);
    ASSERT_NE(inode_of(name), 0U);
    EXPECT_LT(open_descriptors(), Directories::kMost + 64);
  }
}

}  // namespace
}  // namespace cgm::manager
