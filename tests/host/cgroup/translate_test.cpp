// SPDX-License-Identifier: LGPL-2.1-or-later
// The same words on real cgroups of either version: a key of the tree's own goes through, one of the other is
// translated, and both read back what was set.
#include "cgroup/translate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "base/number.hpp"
#include "base/sys.hpp"
#include "cgroup/apply.hpp"
#include "support/sandbox.hpp"

namespace cgm::cgroup::translate {
namespace {

using test::eventually;
using test::Sandbox;
using testing::HasSubstr;

/// A cgroup of the sandbox and the words kept for it.
class TranslateTest : public testing::Test {
 protected:
  /// Says why a test of `controller` cannot run; empty where it can.
  std::string lacking(std::string_view controller) const {
    if (sandbox_.usable(controller)) return "";
    return "no usable controller " + std::string(controller);
  }
  View view(std::string_view controller) {
    auto cgroup = std::make_shared<Cgroup>(sandbox_.at(controller, "x"));  // shared by the closures of one View
    View view;
    view.version = cgroup->hierarchy().version();
    view.read = [cgroup](std::string_view file) { return cgroup->read(file); };
    view.has = [cgroup](std::string_view file) { return cgroup->has_file(file); };
    view.names = [cgroup] {
      std::vector<std::string> names;
      auto entries = sys::list_dir(cgroup->dir());
      if (entries)
        for (const sys::DirEntry& entry : *entries) names.push_back(entry.name);
      return names;
    };
    view.kept = [this](std::string_view key) -> std::optional<std::string> {
      auto word = kept_.find(key);
      if (word == kept_.end()) return std::nullopt;
      return word->second;
    };
    return view;
  }
  Result<void> put(std::string_view controller, std::string_view key, std::string_view value) {
    Cgroup cgroup = sandbox_.at(controller, "x");
    Files files = kernel_files(sandbox_.hierarchies(), std::span(&cgroup, 1));
    Change change = TRY(set(view(controller), key, value));
    // What has no controller of its own is a file of this hierarchy.
    for (Write& write : change.writes)
      if (write.controller.empty()) write.controller = controller;
    TRY_VOID(apply_writes(files, change.writes));
    if (change.keep) kept_[change.keep->key] = change.keep->word;
    return {};
  }
  std::string got(std::string_view controller, std::string_view key) {
    auto text = get(view(controller), key);
    return text ? *text : text.error().text();
  }

  Sandbox sandbox_;
  std::map<std::string, std::string, std::less<>> kept_;
};

struct Step {
  const char *key, *value, *text;
};

TEST_F(TranslateTest, memory_keys_of_both_versions_read_back_what_was_set) {
  if (auto why = lacking("memory"); !why.empty()) GTEST_SKIP() << why;
  for (auto [key, value, text] :
       {Step{"memory.limit_in_bytes", "10000000", "9998336"},
        Step{"memory.limit_in_bytes", "-1", "9223372036854771712"}, Step{"memory.max", "10000000", "9998336"},
        Step{"memory.max", "max", "max"}, Step{"memory.soft_limit_in_bytes", "8192", "8192"},
        Step{"memory.soft_limit_in_bytes", "-1", "9223372036854771712"}, Step{"memory.low", "10000", "8192"},
        Step{"memory.low", "0", "0"}}) {
    auto done = put("memory", key, value);
    ASSERT_TRUE(done) << key << ": " << done.error().text();
    EXPECT_EQ(got("memory", key), text) << key;
  }
  for (const char* key : {"memory.usage_in_bytes", "memory.current", "memory.failcnt", "memory.max_usage_in_bytes"})
    EXPECT_EQ(got("memory", key), "0") << key;
  EXPECT_THAT(got("memory", "memory.oom_control"), HasSubstr("oom_kill 0"));
  EXPECT_THAT(got("memory", "memory.events"), HasSubstr("oom_kill 0"));
}

TEST_F(TranslateTest, memory_and_swap_together_stay_what_was_set_while_the_limit_changes) {
  if (auto why = lacking("memory"); !why.empty()) GTEST_SKIP() << why;
  View now = view("memory");
  if (!now.has("memory.swap.max") && !now.has("memory.memsw.limit_in_bytes"))
    GTEST_SKIP() << "this kernel does not account swap";
  for (auto [key, value, text] :
       {Step{"memory.limit_in_bytes", "10M", "10485760"}, Step{"memory.memsw.limit_in_bytes", "20M", "20971520"},
        Step{"memory.limit_in_bytes", "5M", "5242880"}, Step{"memory.limit_in_bytes", "15M", "15728640"}}) {
    auto done = put("memory", key, value);
    ASSERT_TRUE(done) << key << ": " << done.error().text();
    EXPECT_EQ(got("memory", key), text) << key;
  }
  EXPECT_EQ(got("memory", "memory.memsw.limit_in_bytes"), "20971520");
  EXPECT_EQ(got("memory", "memory.swap.max"), "5242880");
  EXPECT_FALSE(put("memory", "memory.limit_in_bytes", "30M")) << "above memory and swap together";
  EXPECT_FALSE(put("memory", "memory.memsw.limit_in_bytes", "10M")) << "below the limit";
  EXPECT_EQ(got("memory", "memory.limit_in_bytes"), "15728640");
}

TEST_F(TranslateTest, cpu_keys_of_both_versions_read_back_what_was_set) {
  if (auto why = lacking("cpu"); !why.empty()) GTEST_SKIP() << why;
  for (auto [key, value, text] :
       {Step{"cpu.shares", "2000", "2000"}, Step{"cpu.shares", "1", "2"}, Step{"cpu.shares", "300000", "262144"},
        Step{"cpu.weight", "79", "79"}, Step{"cpu.weight", "10000", "10000"}, Step{"cpu.weight", "1", "1"},
        Step{"cpu.weight.nice", "5", "5"}, Step{"cpu.weight.nice", "-20", "-20"},
        Step{"cpu.cfs_quota_us", "50000", "50000"}, Step{"cpu.cfs_period_us", "200000", "200000"},
        Step{"cpu.max", "20000 50000", "20000 50000"}, Step{"cpu.max", "max 100000", "max 100000"},
        Step{"cpu.cfs_quota_us", "-1", "-1"}}) {
    auto done = put("cpu", key, value);
    ASSERT_TRUE(done) << key << ": " << done.error().text();
    EXPECT_EQ(got("cpu", key), text) << key;
  }
  View now = view("cpu");
  if (!now.has("cpu.max.burst") && !now.has("cpu.cfs_burst_us")) return;
  ASSERT_TRUE(put("cpu", "cpu.max", "50000"));
  for (const char* key : {"cpu.cfs_burst_us", "cpu.max.burst"}) {
    ASSERT_TRUE(put("cpu", key, "7000")) << key;
    EXPECT_EQ(got("cpu", key), "7000") << key;
  }
}

TEST_F(TranslateTest, freezer_keys_of_both_versions_freeze_and_thaw) {
  if (!sandbox_.hierarchy("freezer")) GTEST_SKIP() << "no freezer and no v2 tree";
  for (auto [freeze, thaw, value] :
       {Step{"freezer.state", "freezer.state", "FROZEN"}, Step{"cgroup.freeze", "cgroup.freeze", "1"}}) {
    auto done = put("freezer", freeze, value);
    ASSERT_TRUE(done) << freeze << ": " << done.error().text();
    EXPECT_TRUE(eventually([&] { return got("freezer", "freezer.state") == "FROZEN"; }));
    EXPECT_EQ(got("freezer", "cgroup.freeze"), "1");
    EXPECT_EQ(got("freezer", "freezer.self_freezing"), "1");
    done = put("freezer", thaw, std::string(value) == "1" ? "0" : "THAWED");
    ASSERT_TRUE(done) << thaw << ": " << done.error().text();
    EXPECT_TRUE(eventually([&] { return got("freezer", "freezer.state") == "THAWED"; }));
    EXPECT_EQ(got("freezer", "cgroup.freeze"), "0");
  }
}

TEST_F(TranslateTest, pids_and_cpuset_keys_are_the_same_words) {
  if (auto why = lacking("pids") + lacking("cpuset"); !why.empty()) GTEST_SKIP() << why;
  ASSERT_TRUE(put("pids", "pids.max", "50"));
  EXPECT_EQ(got("pids", "pids.max"), "50");
  EXPECT_EQ(got("cpuset", "cpuset.effective_cpus"), got("cpuset", "cpuset.cpus.effective"));
  EXPECT_THAT(got("cpuset", "cpuset.effective_mems"), HasSubstr("0"));
}

TEST_F(TranslateTest, io_keys_of_both_versions_read_back_what_was_set) {
  if (auto why = lacking("io"); !why.empty()) GTEST_SKIP() << why;
  std::string disk;
  for (const auto& entry : std::filesystem::directory_iterator("/sys/block")) {
    auto dir = sys::openat(AT_FDCWD, entry.path(), O_PATH | O_DIRECTORY);
    auto dev = dir ? sys::read_file_at(dir->get(), "dev", 64) : Result<std::string>("");
    auto size = dir ? sys::read_file_at(dir->get(), "size", 64) : Result<std::string>("0\n");
    if (dev && size && trim(*size) != "0") disk = trim(*dev);
  }
  if (disk.empty()) GTEST_SKIP() << "no block device with a size";
  auto check = [&](const char* key, const std::string& value, const std::string& text) {
    auto done = put("io", key, value);
    ASSERT_TRUE(done) << key << ": " << done.error().text();
    EXPECT_EQ(got("io", key), text) << key;
  };
  check("blkio.throttle.read_bps_device", disk + " 1048576", disk + " 1048576");
  check("blkio.throttle.write_iops_device", disk + " 100", disk + " 100");
  EXPECT_EQ(got("io", "io.max"), disk + " rbps=1048576 wbps=max riops=max wiops=100");
  check("io.max", disk + " rbps=max wbps=2097152", disk + " rbps=max wbps=2097152 riops=max wiops=100");
  EXPECT_EQ(got("io", "blkio.throttle.read_bps_device"), "");
  check("io.max", disk + " wbps=max wiops=max", "");
  View now = view("io");
  if (now.has("blkio.bfq.weight") || now.has("io.bfq.weight") || now.has("io.weight")) {
    check("blkio.bfq.weight", "200", "200");
    check("blkio.weight", "300", "300");
    if (now.has("blkio.bfq.weight") || now.has("io.weight")) check("io.weight", "default 1200", "default 1200");
  }
  EXPECT_THAT(got("io", "io.stat"), testing::Not(HasSubstr("No such file")));
  EXPECT_THAT(got("io", "blkio.throttle.io_serviced"), HasSubstr("Total 0"));
}

TEST_F(TranslateTest, huge_page_keys_of_both_versions_read_back_what_was_set) {
  if (auto why = lacking("hugetlb"); !why.empty()) GTEST_SKIP() << why;
  View now = view("hugetlb");
  if (!now.has("hugetlb.2MB.max") && !now.has("hugetlb.2MB.limit_in_bytes"))
    GTEST_SKIP() << "this kernel has no huge pages of 2 MB";
  for (auto [key, value, text] :
       {Step{"hugetlb.2MB.limit_in_bytes", "5000000", "4194304"},
        Step{"hugetlb.2MB.limit_in_bytes", "-1", "9223372036852678656"}, Step{"hugetlb.2MB.max", "2097152", "2097152"},
        Step{"hugetlb.2MB.max", "max", "max"}, Step{"hugetlb.2MB.rsvd.limit_in_bytes", "4194304", "4194304"},
        Step{"hugetlb.2MB.rsvd.max", "max", "max"}}) {
    auto done = put("hugetlb", key, value);
    ASSERT_TRUE(done) << key << ": " << done.error().text();
    EXPECT_EQ(got("hugetlb", key), text) << key;
  }
  EXPECT_EQ(got("hugetlb", "hugetlb.2MB.failcnt"), "0");
  EXPECT_THAT(got("hugetlb", "hugetlb.2MB.events"), HasSubstr("max 0"));
}

TEST_F(TranslateTest, a_limit_that_the_kernel_ignores_fails_and_names_the_one_that_works) {
  if (auto why = lacking("memory"); !why.empty()) GTEST_SKIP() << why;
  auto done = put("memory", "memory.kmem.limit_in_bytes", "10000000");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind(), ErrorKind::unsupported);
  EXPECT_THAT(done.error().text(), HasSubstr("'memory.limit_in_bytes'"));
}

}  // namespace
}  // namespace cgm::cgroup::translate
