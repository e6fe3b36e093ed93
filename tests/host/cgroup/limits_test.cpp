// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cgroup/limits.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/number.hpp"
#include "base/sys.hpp"
#include "cgroup/apply.hpp"
#include "cgroup/stats.hpp"
#include "cgroup/units.hpp"
#include "support/sandbox.hpp"

namespace cgm::cgroup {
namespace {

using test::Child;
using test::eventually;
using test::Sandbox;
using testing::HasSubstr;

constexpr uint64_t kMega = 1 << 20;

/// One cgroup `x` in every hierarchy, and a pipe on which children say how far they are.
class LimitsTest : public testing::Test {
 protected:
  LimitsTest() {
    for (const Hierarchy& hierarchy : sandbox_.hierarchies().all()) {
      std::string name = hierarchy.is_v2() ? "unified" : hierarchy.controllers().front();
      cgroups_.push_back(sandbox_.at(name, "x"));
    }
    files_ = kernel_files(sandbox_.hierarchies(), cgroups_);
    if (::pipe2(ready_, O_CLOEXEC) != 0 || ::pipe2(go_, O_CLOEXEC) != 0) std::abort();
  }
  ~LimitsTest() override {
    for (int fd : {ready_[0], ready_[1], go_[0], go_[1]}) ::close(fd);
  }

  bool is_v2(std::string_view controller) const { return files_.version(controller) == Version::v2; }
  /// What the file holds, or the error's text.
  std::string read(std::string_view controller, std::string_view file) const {
    auto text = files_.read(controller, file);
    return text ? *text : text.error().text();
  }
  std::string limit_file() const { return is_v2("memory") ? "memory.max" : "memory.limit_in_bytes"; }
  std::string use_file() const { return is_v2("memory") ? "memory.current" : "memory.usage_in_bytes"; }

  Result<void> set(const Limits& limits, ApplyOptions options = {}) const {
    return apply_writes(files_, TRY(plan(limits, files_)), options);
  }

  /// A child in all the cgroups that runs `body` once it is there; body calls say_ready().
  Child child_inside(const std::function<int()>& body) {
    Child child([&] {
      char byte;
      if (::read(go_[0], &byte, 1) != 1) return 99;
      return body();
    });
    for (const Cgroup& cgroup : cgroups_) {
      auto moved = cgroup.write("cgroup.procs", std::to_string(child.pid()));
      EXPECT_TRUE(moved) << moved.error().text();
    }
    EXPECT_EQ(::write(go_[1], "g", 1), 1);
    return child;
  }
  void say_ready() const { (void)!::write(ready_[1], "r", 1); }
  void wait_ready() const {
    char byte;
    EXPECT_EQ(::read(ready_[0], &byte, 1), 1);
  }
  /// A child that holds `bytes` of memory, locked so that no swap takes it, until it is killed.
  Child eater(size_t bytes) {
    return child_inside([this, bytes] {
      void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (memory == MAP_FAILED) return 98;
      (void)::mlock(memory, bytes);
      for (size_t i = 0; i < bytes; i += 4096) static_cast<volatile char*>(memory)[i] = 1;
      say_ready();
      for (;;) ::pause();
    });
  }

  Sandbox sandbox_;
  std::vector<Cgroup> cgroups_;
  Files files_;
  int ready_[2], go_[2];
};

#define NEED(controller)             \
  if (sandbox_.usable(controller)) { \
  } else                             \
    GTEST_SKIP() << "no usable controller " controller

TEST_F(LimitsTest, a_memory_limit_rounds_down_to_a_page) {
  NEED("memory");
  Limits limits;
  limits.memory.max = 10'000'000;
  auto done = set(limits);
  ASSERT_TRUE(done) << done.error().text();
  uint64_t page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  EXPECT_EQ(read("memory", limit_file()), std::to_string(10'000'000 / page * page));
  if (page == 4096) {
    EXPECT_EQ(read("memory", limit_file()), "9998336");
  }
}

TEST_F(LimitsTest, a_refused_value_puts_the_earlier_ones_back) {
  NEED("memory");
  NEED("pids");
  NEED("cpu");
  std::string weight = is_v2("cpu") ? "cpu.weight" : "cpu.shares";
  std::vector<Write> writes = {{"pids", "pids.max", "50"},
                               {"memory", limit_file(), "10000000"},
                               {"pids", "pids.max", "60"},
                               {"cpu", weight, "many"}};
  std::string memory = read("memory", limit_file());
  auto done = apply_writes(files_, writes);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind(), ErrorKind::invalid);
  EXPECT_THAT(done.error().text(), HasSubstr(weight + " = 'many'"));
  EXPECT_EQ(read("pids", "pids.max"), "max");
  EXPECT_EQ(read("memory", limit_file()), memory);
  writes.pop_back();
  ASSERT_TRUE(apply_writes(files_, writes)) << "without the bad one they are in force";
  EXPECT_EQ(read("pids", "pids.max"), "60");
}

TEST_F(LimitsTest, a_value_that_the_kernel_changes_in_silence_is_a_failure) {
  NEED("memory");
  std::string before = read("memory", limit_file());
  // 2^64 overflows to 0.
  std::vector<Write> writes = {{"memory", limit_file(), "18446744073709551616"}};
  auto done = apply_writes(files_, writes, {.force = true});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind(), ErrorKind::invalid);
  EXPECT_EQ(read("memory", limit_file()), before);
}

TEST_F(LimitsTest, a_limit_below_use_fails_and_leaves_things_as_they_were) {
  NEED("memory");
  NEED("pids");
  Child child = eater(20 * kMega);
  wait_ready();
  std::string before = read("memory", limit_file());
  std::vector<Write> writes = {{"pids", "pids.max", "50"}, {"memory", limit_file(), std::to_string(4 * kMega)}};
  auto done = apply_writes(files_, writes);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind(), ErrorKind::busy) << done.error().text();
  EXPECT_THAT(done.error().text(), HasSubstr("limit of 4194304 bytes"));
  EXPECT_THAT(done.error().text(), HasSubstr("present use of "));
  EXPECT_EQ(read("memory", limit_file()), before);
  EXPECT_EQ(read("pids", "pids.max"), "max");
  EXPECT_EQ(read("memory", "cgroup.procs"), std::to_string(child.pid())) << "it lives";
  Limits room;
  room.memory.max = 40 * kMega;
  done = set(room);
  EXPECT_TRUE(done) << done.error().text();
}

TEST_F(LimitsTest, force_writes_a_v2_limit_below_use_and_the_kernel_kills) {
  NEED("memory");
  if (!is_v2("memory")) GTEST_SKIP() << "memory is on cgroup v1, which refuses it whatever is said";
  Child child = eater(20 * kMega);
  wait_ready();
  Limits limits;
  limits.memory = {.max = 4 * kMega, .swap = 0};
  auto done = set(limits, {.force = true});
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(child.wait(), 128 + SIGKILL);
}

/// Reads files of the build tree anew until `bytes` of page cache belong to the reader's cgroup, or there are no more.
void fill_page_cache(size_t bytes) {
  std::string block(kMega, ' ');
  std::error_code ignored;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(CGM_BUILD_DIR, ignored)) {
    if (bytes == 0) return;
    if (!entry.is_regular_file(ignored) || entry.file_size(ignored) < block.size()) continue;
    auto fd = sys::openat(AT_FDCWD, entry.path(), O_RDONLY);
    if (!fd) continue;
    ::fdatasync(fd->get());  // what is dirty still, fresh from the linker, is not dropped
    ::posix_fadvise(fd->get(), 0, 0, POSIX_FADV_DONTNEED);
    for (size_t got = 1; got > 0 && bytes > 0; bytes -= std::min(bytes, got))
      got = sys::read(fd->get(), block).value_or(0);
  }
}

TEST_F(LimitsTest, page_cache_makes_room_for_a_lower_limit) {
  NEED("memory");
  if (is_v2("memory") && !sandbox_.at("memory", "x").has_file("memory.reclaim"))
    GTEST_SKIP() << "no memory.reclaim (Linux 5.19)";
  Child child = child_inside([&]() -> int {
    fill_page_cache(24 * kMega);
    say_ready();
    for (;;) ::pause();
  });
  wait_ready();
  if (parse_amount(read("memory", use_file())) < 12 * kMega)
    GTEST_SKIP() << "the build tree is too small to fill a cache";
  Limits limits;
  limits.memory.max = 10 * kMega;
  auto done = set(limits);
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_LE(parse_amount(read("memory", use_file())), 10 * kMega);
}

TEST_F(LimitsTest, memory_and_swap_are_raised_and_lowered_together) {
  NEED("memory");
  bool accounted =
      files_.read("memory", is_v2("memory") ? "memory.swap.max" : "memory.memsw.limit_in_bytes").has_value();
  if (!accounted) GTEST_SKIP() << "this kernel does not account swap";
  for (uint64_t size : {10 * kMega, 40 * kMega, 80 * kMega, 20 * kMega}) {
    Limits limits;
    limits.memory = {.max = size, .swap = size / 2};
    auto done = set(limits);
    ASSERT_TRUE(done) << size << ": " << done.error().text();
    if (is_v2("memory")) {
      EXPECT_EQ(read("memory", "memory.swap.max"), std::to_string(size / 2));
    } else {
      EXPECT_EQ(read("memory", "memory.memsw.limit_in_bytes"), std::to_string(size * 3 / 2));
    }
    EXPECT_EQ(read("memory", limit_file()), std::to_string(size));
  }
  Limits alone;
  alone.memory.max = 60 * kMega;
  ASSERT_TRUE(set(alone)) << "raised past what memory and swap were together";
  EXPECT_EQ(read_limits(files_)->memory.swap, 10 * kMega) << "swap stays as it was";
  Limits lifted;
  lifted.memory = {.max = kUnlimited, .swap = kUnlimited};
  auto done = set(lifted);
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(read_limits(files_)->memory.max, kUnlimited);
}

TEST_F(LimitsTest, the_kernel_stops_a_program_at_its_memory_limit_and_counts_it) {
  NEED("memory");
  Limits limits;
  limits.memory.max = 8 * kMega;
  auto done = set(limits);
  ASSERT_TRUE(done) << done.error().text();
  Child child = eater(40 * kMega);
  EXPECT_EQ(child.wait(), 128 + SIGKILL);
  auto stats = read_stats(files_);
  ASSERT_TRUE(stats) << stats.error().text();
  EXPECT_EQ(stats->oom.oom_kill, 1u);
  EXPECT_GT(stats->memory.limit_hits, 0u);
  EXPECT_EQ(stats->memory.limit, 8 * kMega);
  if (stats->memory.peak) {
    EXPECT_LE(*stats->memory.peak, 8 * kMega);
  }
}

TEST_F(LimitsTest, cpu_quota_period_and_burst_change_in_any_order) {
  NEED("cpu");
  bool burst = files_.read("cpu", is_v2("cpu") ? "cpu.max.burst" : "cpu.cfs_burst_us").has_value();
  const std::vector<Limits::Cpu> steps = {
      {.quota = 50'000},
      {.quota = 100'000, .period = 200'000, .burst = 80'000},
      {.quota = 10'000, .period = 20'000, .burst = 0},
      {.quota = 500'000, .period = 100'000, .burst = 500'000},
      {.weight = 1, .quota = 1000, .period = 1'000'000, .burst = 1000},
      {.weight = 10'000, .quota = kUnlimited, .burst = 0},
      {.weight = 100, .period = 100'000},
  };
  for (Limits::Cpu cpu : steps) {
    if (!burst) cpu.burst = std::nullopt;
    Limits limits;
    limits.cpu = cpu;
    auto done = set(limits);
    ASSERT_TRUE(done) << cpu.quota.value_or(0) << ": " << done.error().text();
    Limits::Cpu now = read_limits(files_)->cpu;
    if (cpu.weight) {
      EXPECT_EQ(now.weight, cpu.weight);
    }
    if (cpu.quota) {
      EXPECT_EQ(now.quota, cpu.quota);
    }
    if (cpu.period) {
      EXPECT_EQ(now.period, cpu.period);
    }
    if (cpu.burst) {
      EXPECT_EQ(now.burst, cpu.burst);
    }
  }
}

TEST_F(LimitsTest, a_cpuset_outside_its_parents_fails_and_stays_as_it_was) {
  NEED("cpuset");
  IdSet online = *parse_id_set(read("cpuset", is_v2("cpuset") ? "cpuset.cpus.effective" : "cpuset.cpus"));
  if (online.empty() || online.ranges.front().first == online.ranges.front().last)
    GTEST_SKIP() << "one CPU is all there is";
  std::string first = std::to_string(online.ranges.front().first);
  std::string second = std::to_string(online.ranges.front().first + 1);
  Limits limits;
  limits.cpuset = {.cpus = first, .mems = "0"};
  auto done = set(limits);
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(read("cpuset", "cpuset.cpus"), first);
  ASSERT_TRUE(sandbox_.at("cpuset").write("cpuset.cpus", first));
  limits.cpuset = {.cpus = second};
  done = set(limits);
  ASSERT_FALSE(done) << "reads " << read("cpuset", "cpuset.cpus");
  EXPECT_THAT(done.error().text(), HasSubstr("cpuset.cpus = '" + second + "'"));
  EXPECT_THAT(done.error().text(), HasSubstr("parent has"));
  EXPECT_EQ(read("cpuset", "cpuset.cpus"), first);
}

TEST_F(LimitsTest, a_pids_limit_holds) {
  NEED("pids");
  Limits limits;
  limits.pids.max = 1;
  ASSERT_TRUE(set(limits));
  Child child = child_inside([] {
    pid_t pid = ::fork();
    if (pid == 0) ::_exit(0);
    return pid < 0 && errno == EAGAIN ? 0 : 1;
  });
  EXPECT_EQ(child.wait(), 0) << "the second process was not refused";
  limits.pids.max = kUnlimited;
  ASSERT_TRUE(set(limits));
  EXPECT_EQ(read_stats(files_)->pids.max, kUnlimited);
}

/// A whole disk of this host, or nothing.
std::optional<Device> some_disk() {
  for (const auto& entry : std::filesystem::directory_iterator("/sys/block")) {
    auto dir = sys::openat(AT_FDCWD, entry.path(), O_PATH | O_DIRECTORY);
    if (!dir) continue;
    auto size = sys::read_file_at(dir->get(), "size", 64);
    auto dev = sys::read_file_at(dir->get(), "dev", 64);
    if (size && dev && trim(*size) != "0") return parse_device(trim(*dev));
  }
  return std::nullopt;
}

TEST_F(LimitsTest, io_limits_of_a_device_are_set_changed_and_lifted) {
  NEED("io");
  auto disk = some_disk();
  if (!disk) GTEST_SKIP() << "no block device with a size";
  Limits limits;
  limits.io.max = {{*disk, kMega, 2 * kMega, 100, 200}};
  auto done = set(limits);
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(read_limits(files_)->io.max, limits.io.max);
  limits.io.max = {{*disk, std::nullopt, kUnlimited, std::nullopt, 7}};
  done = set(limits);
  ASSERT_TRUE(done) << done.error().text();
  IoMax now = read_limits(files_)->io.max.at(0);
  EXPECT_EQ(now.rbps, kMega);
  EXPECT_EQ(now.wbps.value_or(kUnlimited), kUnlimited);
  EXPECT_EQ(now.wiops, 7u);
  limits.io.max = {{*disk, 4 * kMega}, {{4095, 77}, 1}};
  done = set(limits);
  ASSERT_FALSE(done) << "there is no such device";
  EXPECT_THAT(done.error().text(), HasSubstr("4095:77"));
  EXPECT_EQ(read_limits(files_)->io.max.at(0).rbps, kMega) << "the first was put back";
  limits.io.max = {{*disk, kUnlimited, kUnlimited, kUnlimited, kUnlimited}};
  done = set(limits);
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_TRUE(read_limits(files_)->io.max.empty());
}

TEST_F(LimitsTest, an_io_weight_is_read_back_as_it_was_set) {
  NEED("io");
  bool any = false;
  for (const char* file : {"io.weight", "io.bfq.weight", "blkio.bfq.weight"}) any = any || files_.read("io", file);
  if (!any) GTEST_SKIP() << "this kernel has no io weights";
  for (uint32_t weight : {1u, 100u, 1200u, 10'000u}) {
    Limits limits;
    limits.io.weight = weight;
    auto done = set(limits);
    ASSERT_TRUE(done) << done.error().text();
    EXPECT_EQ(read_limits(files_)->io.weight, weight);
  }
}

TEST_F(LimitsTest, an_io_weight_of_a_device_holds_or_fails_by_name) {
  NEED("io");
  auto disk = some_disk();
  if (!disk) GTEST_SKIP() << "no block device with a size";
  Limits limits;
  limits.io.weights = {{*disk, 200}};
  auto done = set(limits);
  if (done) {
    EXPECT_EQ(read_limits(files_)->io.weights.size(), 1u);
    return;
  }
  // No scheduler here weighs: what matters is that it does not pass in silence.
  EXPECT_EQ(done.error().kind(), ErrorKind::unsupported) << done.error().text();
  EXPECT_THAT(done.error().text(), HasSubstr("weight"));
  EXPECT_TRUE(read_limits(files_)->io.weights.empty());
}

TEST_F(LimitsTest, huge_pages_round_down_to_one_of_theirs) {
  NEED("hugetlb");
  Limits limits;
  limits.hugetlb = {{"2MB", 5 * kMega}};
  if (!files_.read("hugetlb", is_v2("hugetlb") ? "hugetlb.2MB.max" : "hugetlb.2MB.limit_in_bytes"))
    GTEST_SKIP() << "this kernel has no huge pages of 2 MB";
  auto done = set(limits);
  ASSERT_TRUE(done) << done.error().text();
  limits.hugetlb = {{"2MB", 4 * kMega}};
  Limits now = *read_limits(files_);
  for (const HugetlbMax& one : now.hugetlb)
    if (one.size == "2MB") {
      EXPECT_EQ(one.max, 4 * kMega);
    }
  limits.hugetlb = {{"2MB", kUnlimited}};
  done = set(limits);
  EXPECT_TRUE(done) << done.error().text();
}

TEST_F(LimitsTest, a_limit_without_a_file_is_unsupported_and_named) {
  NEED("pids");
  std::vector<Write> writes = {{"pids", "pids.max", "50"}, {"pids", "pids.none", "1"}};
  auto done = apply_writes(files_, writes);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind(), ErrorKind::unsupported);
  EXPECT_THAT(done.error().text(), HasSubstr("pids.none"));
  EXPECT_EQ(read("pids", "pids.max"), "max");
}

TEST_F(LimitsTest, statistics_follow_what_a_child_does) {
  NEED("memory");
  Child child = eater(16 * kMega);
  wait_ready();
  auto stats = read_stats(files_);
  ASSERT_TRUE(stats) << stats.error().text();
  EXPECT_GE(stats->memory.current, 16 * kMega);
  EXPECT_EQ(stats->oom.oom_kill, 0u);
  if (sandbox_.usable("pids")) {
    EXPECT_EQ(stats->pids.current, 1u);
  }
  if (sandbox_.hierarchy("cpuacct")) {
    ASSERT_TRUE(stats->cpu.usage);
    EXPECT_GT(*stats->cpu.usage, 0u);
  }
  // v1 counts anonymous memory in batches, a page or two late.
  EXPECT_TRUE(eventually([&] { return read_stats(files_)->memory.anon.value_or(0) >= 15 * kMega; }));
}

}  // namespace
}  // namespace cgm::cgroup
