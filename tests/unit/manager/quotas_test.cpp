// SPDX-License-Identifier: LGPL-2.1-or-later
// Counting directories, on ordinary ones.
#include "manager/quotas.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "base/sys.hpp"

namespace cgm::manager {
namespace {

/// A tree that stands for a hierarchy; its directories are those of whoever runs the test.
class Tree final {
 public:
  explicit Tree(int directories) {
    EXPECT_NE(::mkdtemp(path_.data()), nullptr);
    for (int i = 0; i < directories; i++) EXPECT_EQ(::mkdir((path_ + "/" + std::to_string(i)).c_str(), 0700), 0);
  }
  ~Tree() { std::filesystem::remove_all(path_); }
  cgroup::Hierarchies hierarchies() const {
    std::vector<cgroup::Hierarchy> one;
    one.emplace_back(cgroup::FoundHierarchy{.controllers = {"freezer"}}, Fd(::open(path_.c_str(), O_PATH | O_CLOEXEC)));
    return cgroup::Hierarchies(std::move(one));
  }

 private:
  std::string path_ = "/tmp/cgm-quotas.XXXXXX";
};

int64_t now_ns() {
  return sys::monotonic_ns();
}

TEST(Quotas, answer_while_the_tree_is_counted) {
  Tree tree(20'000);
  auto hierarchies = tree.hierarchies();
  Quotas quotas(hierarchies, {});
  std::atomic<bool> counted = false;
  int64_t began = now_ns();
  std::thread counting([&] {
    for (int i = 0; i < 3; i++) quotas.recount();
    counted = true;
  });
  int64_t longest = 0;
  while (!counted) {
    int64_t asked = now_ns();
    (void)quotas.is_full(1000);
    longest = std::max(longest, now_ns() - asked);
  }
  counting.join();
  // Three walks, of which no question waits for one.
  EXPECT_LT(longest, (now_ns() - began) / 6);
}

TEST(Quotas, count_what_is_made_while_the_tree_is_counted) {
  Tree tree(20'000);
  auto hierarchies = tree.hierarchies();
  Quotas quotas(hierarchies, {.cgroups = SIZE_MAX, .depth = 16});
  Subject subject{.uid = 64001, .gid = 64001, .groups = {}};
  std::atomic<bool> counted = false;
  std::thread counting([&] {
    quotas.recount();
    counted = true;
  });
  while (!counted) EXPECT_TRUE(quotas.charge(subject, 1));
  counting.join();
  // What was made before the walk began is forgotten with the count that it belonged to: there is no such directory.
  quotas.configure({.cgroups = 1, .depth = 16}, {});
  EXPECT_TRUE(quotas.is_full(64001));
}

TEST(Quotas, take_back_what_is_removed) {
  Tree tree(0);
  auto hierarchies = tree.hierarchies();
  Quotas quotas(hierarchies, {.cgroups = 2, .depth = 16});
  quotas.recount();
  Subject subject{.uid = 64001, .gid = 64001, .groups = {}};
  EXPECT_TRUE(quotas.charge(subject, 1));
  EXPECT_TRUE(quotas.charge(subject, 1));
  EXPECT_FALSE(quotas.charge(subject, 1));
  quotas.removed(64001);
  EXPECT_TRUE(quotas.charge(subject, 1));
}

}  // namespace
}  // namespace cgm::manager
