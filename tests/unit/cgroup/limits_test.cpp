// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cgroup/limits.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/recorded.hpp"

namespace cgm::cgroup {
namespace {

using test::fresh_v1;
using test::fresh_v2;
using test::Recorded;
using testing::HasSubstr;

constexpr Device kDisk{254, 0};

Result<std::vector<Write>> plan_on(Version version, const Limits& limits, Recorded changed = {}) {
  Recorded files = version == Version::v1 ? fresh_v1() : fresh_v2();
  for (auto& [file, text] : changed) {
    if (text == "absent")
      files.erase(file);
    else
      files[file] = text;
  }
  auto read = [&](std::string_view, std::string_view file) { return test::read_recorded(files, file); };
  return version == Version::v1 ? v1::plan(limits, read) : v2::plan(limits, read);
}

/// The writes as `file=value file=value`, in order.
std::string shown(const Result<std::vector<Write>>& writes) {
  if (!writes) return std::string(to_string(writes.error().kind())) + ": " + writes.error().text();
  std::string text;
  for (const Write& write : *writes) {
    EXPECT_EQ(write.controller, controller_of_file(write.file));
    text += (text.empty() ? "" : "; ") + write.file + "=" + write.value;
  }
  return text;
}

/// Limits from `f`, which sets them.
template <class F>
Limits make(F f) {
  Limits limits;
  f(limits);
  return limits;
}

struct Case {
  const char* name;
  Limits limits;
  Recorded present;
  const char* v1;
  const char* v2;
};

std::vector<Case> cases() {
  return {
      {"nothing", {}, {}, "", ""},
      {"weight", make([](Limits& l) { l.cpu.weight = 100; }), {}, "cpu.shares=1024", "cpu.weight=100"},
      {"weight, least and most",
       make([](Limits& l) { l.cpu.weight = 10'000; }),
       {},
       "cpu.shares=262144",
       "cpu.weight=10000"},
      {"pids", make([](Limits& l) { l.pids.max = 50; }), {}, "pids.max=50", "pids.max=50"},
      {"pids lifted", make([](Limits& l) { l.pids.max = kUnlimited; }), {}, "pids.max=max", "pids.max=max"},
      {"cpuset",
       make([](Limits& l) { l.cpuset = {"1,0", "0"}; }),
       {},
       "cpuset.mems=0; cpuset.cpus=0-1",
       "cpuset.mems=0; cpuset.cpus=0-1"},
      {"low",
       make([](Limits& l) { l.memory.low = 1 << 20; }),
       {},
       "memory.soft_limit_in_bytes=1048576",
       "memory.low=1048576"},
      {"low lifted", make([](Limits& l) { l.memory.low = 0; }), {}, "memory.soft_limit_in_bytes=-1", "memory.low=0"},
      {"rdma",
       make([](Limits& l) { l.rdma = {{"mlx4_0", 2, kUnlimited}}; }),
       {},
       "rdma.max=mlx4_0 hca_handle=2 hca_object=max",
       "rdma.max=mlx4_0 hca_handle=2 hca_object=max"},
      {"misc", make([](Limits& l) { l.misc = {{"sev", 3}}; }), {}, "misc.max=sev 3", "misc.max=sev 3"},
      {"hugetlb",
       make([](Limits& l) { l.hugetlb = {{"2MB", 4 << 20}, {"1GB", kUnlimited}}; }),
       {},
       "hugetlb.2MB.limit_in_bytes=4194304; hugetlb.1GB.limit_in_bytes=-1",
       "hugetlb.2MB.max=4194304; "
       "hugetlb.1GB.max=max"},
      {"io max",
       make([](Limits& l) { l.io.max = {{kDisk, 1024, kUnlimited, 100, 200}}; }),
       {},
       "blkio.throttle.read_bps_device=254:0 1024; blkio.throttle.write_bps_device=254:0 0; "
       "blkio.throttle.read_iops_device=254:0 100; blkio.throttle.write_iops_device=254:0 200",
       "io.max=254:0 rbps=1024 wbps=max riops=100 wiops=200"},
      {"io weight",
       make([](Limits& l) { l.io.weight = 1200; }),
       {},
       "blkio.bfq.weight=200",
       "io.weight=default 1200; io.bfq.weight=default 200"},
      {"io weight of the cost model alone",
       make([](Limits& l) { l.io.weight = 300; }),
       {{"io.bfq.weight", "absent"}},
       "blkio.bfq.weight=118",
       "io.weight=default 300"},
      {"io weight of a device",
       make([](Limits& l) { l.io.weights = {{kDisk, 50}, {{8, 0}, std::nullopt}}; }),
       {},
       "blkio.bfq.weight_device=254:0 50; blkio.bfq.weight_device=8:0 default",
       "io.weight=254:0 50; io.bfq.weight=254:0 50; io.weight=8:0 default; io.bfq.weight=8:0 default"},
  };
}

TEST(Plan, turns_each_limit_into_the_writes_of_v1_and_v2) {
  for (const Case& one : cases()) {
    EXPECT_EQ(shown(plan_on(Version::v1, one.limits, one.present)), one.v1) << one.name;
    EXPECT_EQ(shown(plan_on(Version::v2, one.limits, one.present)), one.v2) << one.name;
  }
}

TEST(Plan, lets_the_kernel_choose_which_weight_of_a_device_counts) {
  auto writes = plan_on(Version::v2, make([](Limits& l) { l.io.weights = {{kDisk, 50}}; }));
  ASSERT_TRUE(writes);
  for (const Write& write : *writes) EXPECT_TRUE(write.alternative);
  writes = plan_on(Version::v2, make([](Limits& l) { l.io.weights = {{kDisk, 50}}; }), {{"io.bfq.weight", "absent"}});
  ASSERT_EQ(writes->size(), 1u);
  EXPECT_FALSE(writes->front().alternative);
}

struct CpuCase {
  const char* name;
  Limits::Cpu cpu;
  Recorded v1_present;
  const char* v1;
  Recorded v2_present;
  const char* v2;
};

TEST(PlanCpu, writes_quota_period_and_burst_in_an_order_that_the_kernel_takes) {
  const std::vector<CpuCase> all = {
      {"quota alone keeps the period", {.quota = 50'000}, {}, "cpu.cfs_quota_us=50000", {}, "cpu.max=50000 100000"},
      {"quota lifted",
       {.quota = kUnlimited},
       {{"cpu.cfs_quota_us", "50000"}},
       "cpu.cfs_quota_us=-1",
       {{"cpu.max", "50000 20000"}},
       "cpu.max=max 20000"},
      {"period alone keeps the quota",
       {.period = 200'000},
       {{"cpu.cfs_quota_us", "50000"}},
       "cpu.cfs_period_us=200000",
       {{"cpu.max", "50000 100000"}},
       "cpu.max=50000 200000"},
      {"longer period first",
       {.quota = 100'000, .period = 200'000},
       {{"cpu.cfs_quota_us", "50000"}},
       "cpu.cfs_period_us=200000; cpu.cfs_quota_us=100000",
       {},
       "cpu.max=100000 200000"},
      {"shorter period last",
       {.quota = 10'000, .period = 20'000},
       {{"cpu.cfs_quota_us", "50000"}},
       "cpu.cfs_quota_us=10000; cpu.cfs_period_us=20000",
       {},
       "cpu.max=10000 20000"},
      {"more burst last",
       {.quota = 80'000, .burst = 60'000},
       {{"cpu.cfs_quota_us", "50000"}},
       "cpu.cfs_quota_us=80000; cpu.cfs_burst_us=60000",
       {{"cpu.max", "50000 100000"}},
       "cpu.max=80000 100000; cpu.max.burst=60000"},
      {"less burst first",
       {.quota = 20'000, .burst = 10'000},
       {{"cpu.cfs_quota_us", "50000"}, {"cpu.cfs_burst_us", "50000"}},
       "cpu.cfs_burst_us=10000; cpu.cfs_quota_us=20000",
       {{"cpu.max", "50000 100000"}, {"cpu.max.burst", "50000"}},
       "cpu.max.burst=10000; cpu.max=20000 100000"},
      {"a quota below the burst that stays",
       {.quota = 20'000},
       {{"cpu.cfs_burst_us", "50000"}},
       "invalid: cpu burst 50000 is above the quota 20000",
       {{"cpu.max.burst", "50000"}},
       "invalid: cpu burst 50000 is above the quota 20000"},
      {"burst without a quota", {.burst = 70'000}, {}, "cpu.cfs_burst_us=70000", {}, "cpu.max.burst=70000"},
  };
  for (const CpuCase& one : all) {
    Limits limits;
    limits.cpu = one.cpu;
    EXPECT_EQ(shown(plan_on(Version::v1, limits, one.v1_present)), one.v1) << one.name;
    EXPECT_EQ(shown(plan_on(Version::v2, limits, one.v2_present)), one.v2) << one.name;
  }
}

struct MemoryCase {
  const char* name;
  const char *limit, *both;  ///< present, of v1
  Limits::Memory memory;
  const char* writes;
};

TEST(PlanMemoryV1, keeps_memsw_at_or_above_the_limit_at_every_moment) {
  constexpr const char* kNone = "9223372036854771712";
  const std::vector<MemoryCase> all = {
      {"limit alone, memsw unlimited", kNone, kNone, {.max = 4096}, "memory.limit_in_bytes=4096"},
      {"raising both",
       "4096",
       "8192",
       {.max = 40960, .swap = 4096},
       "memory.memsw.limit_in_bytes=45056; memory.limit_in_bytes=40960"},
      {"lowering both",
       "40960",
       "45056",
       {.max = 4096, .swap = 4096},
       "memory.limit_in_bytes=4096; memory.memsw.limit_in_bytes=8192"},
      {"raising the limit takes the swap along",
       "4096",
       "8192",
       {.max = 40960},
       "memory.memsw.limit_in_bytes=45056; memory.limit_in_bytes=40960"},
      {"lowering the limit takes the swap along",
       "40960",
       "45056",
       {.max = 4096},
       "memory.limit_in_bytes=4096; memory.memsw.limit_in_bytes=8192"},
      {"no swap", "40960", kNone, {.swap = 0}, "memory.memsw.limit_in_bytes=40960"},
      {"no swap and a first limit",
       kNone,
       kNone,
       {.max = 40960, .swap = 0},
       "memory.limit_in_bytes=40960; memory.memsw.limit_in_bytes=40960"},
      {"swap lifted", "40960", "45056", {.swap = kUnlimited}, "memory.memsw.limit_in_bytes=-1"},
      {"both lifted",
       "40960",
       "45056",
       {.max = kUnlimited, .swap = kUnlimited},
       "memory.memsw.limit_in_bytes=-1; memory.limit_in_bytes=-1"},
      {"swap as it is", "40960", "45056", {.swap = 4096}, ""},
  };
  for (const MemoryCase& one : all) {
    Limits limits;
    limits.memory = one.memory;
    Recorded present = {{"memory.limit_in_bytes", one.limit}, {"memory.memsw.limit_in_bytes", one.both}};
    EXPECT_EQ(shown(plan_on(Version::v1, limits, present)), one.writes) << one.name;
  }
}

TEST(PlanMemoryV1, refuses_a_swap_limit_without_a_memory_limit) {
  Limits limits = make([](Limits& l) { l.memory.swap = 4096; });
  auto writes = plan_on(Version::v1, limits);
  ASSERT_FALSE(writes);
  EXPECT_EQ(writes.error().kind(), ErrorKind::unsupported);
  EXPECT_THAT(writes.error().text(), HasSubstr("memory.memsw.limit_in_bytes"));
  limits = make([](Limits& l) { l.memory.max = kUnlimited; });
  writes = plan_on(Version::v1, limits, {{"memory.limit_in_bytes", "4096"}, {"memory.memsw.limit_in_bytes", "8192"}});
  ASSERT_FALSE(writes) << "the swap limit would vanish in silence";
  EXPECT_EQ(writes.error().kind(), ErrorKind::unsupported);
}

TEST(PlanMemoryV1, does_without_memsw_where_the_kernel_has_none) {
  EXPECT_EQ(shown(plan_on(Version::v1, make([](Limits& l) { l.memory.max = kUnlimited; }),
                          {{"memory.memsw.limit_in_bytes", "absent"}})),
            "memory.limit_in_bytes=-1");
}

TEST(PlanMemoryV2, raises_swap_before_and_lowers_it_after_memory) {
  Limits limits = make([](Limits& l) { l.memory = {.max = 4096, .swap = 8192}; });
  EXPECT_EQ(shown(plan_on(Version::v2, limits, {{"memory.swap.max", "0"}})), "memory.swap.max=8192; memory.max=4096");
  EXPECT_EQ(shown(plan_on(Version::v2, limits)), "memory.max=4096; memory.swap.max=8192");
  limits = make([](Limits& l) { l.memory = {.max = 3, .high = 2, .low = 1, .min = 0}; });
  EXPECT_EQ(shown(plan_on(Version::v2, limits)), "memory.min=0; memory.low=1; memory.high=2; memory.max=3");
}

TEST(Plan, names_what_a_version_cannot_express_and_the_nearest) {
  struct Row {
    Version version;
    Limits limits;
    Recorded present;
    const char* limit;
    const char* nearest;
  };
  const std::vector<Row> rows = {
      {Version::v1, make([](Limits& l) { l.memory.high = 1; }), {}, "memory high", "memory.soft_limit_in_bytes"},
      {Version::v1, make([](Limits& l) { l.memory.min = 1; }), {}, "memory min", "memory.soft_limit_in_bytes"},
      {Version::v1, make([](Limits& l) { l.memory.low = kUnlimited; }), {}, "memory low", "memory.soft_limit_in_bytes"},
      {Version::v1, make([](Limits& l) { l.cpuset.cpus = ""; }), {}, "cpuset cpus", "parent's list"},
      {Version::v1,
       make([](Limits& l) { l.cpu.burst = 1; }),
       {{"cpu.cfs_burst_us", "absent"}},
       "cpu burst",
       "cpu period"},
      {Version::v2, make([](Limits& l) { l.cpu.burst = 1; }), {{"cpu.max.burst", "absent"}}, "cpu burst", "cpu period"},
      {Version::v1,
       make([](Limits& l) { l.memory.swap = 1; }),
       {{"memory.memsw.limit_in_bytes", "absent"}},
       "memory swap",
       "memory max"},
      {Version::v2,
       make([](Limits& l) { l.memory.swap = 1; }),
       {{"memory.swap.max", "absent"}},
       "memory swap",
       "memory max"},
      {Version::v1, make([](Limits& l) { l.io.weight = 1; }), {{"blkio.bfq.weight", "absent"}}, "io weight", "io max"},
      {Version::v2,
       make([](Limits& l) { l.io.weight = 1; }),
       {{"io.bfq.weight", "absent"}, {"io.weight", "absent"}},
       "io weight",
       "io max"},
  };
  for (const Row& row : rows) {
    auto writes = plan_on(row.version, row.limits, row.present);
    ASSERT_FALSE(writes) << row.limit;
    EXPECT_EQ(writes.error().kind(), ErrorKind::unsupported) << row.limit;
    EXPECT_THAT(writes.error().text(), HasSubstr(row.limit));
    EXPECT_THAT(writes.error().text(), HasSubstr(row.nearest));
  }
}

TEST(Plan, empties_a_v2_cpuset_with_a_newline) {
  EXPECT_EQ(shown(plan_on(Version::v2, make([](Limits& l) { l.cpuset.cpus = ""; }))), "cpuset.cpus=\n");
}

TEST(Check, refuses_what_is_out_of_range_and_says_the_range) {
  struct Row {
    Limits limits;
    const char* text;
  };
  const std::vector<Row> rows = {
      {make([](Limits& l) { l.cpu.weight = 0; }), "cpu weight 0 is not within 1-10000"},
      {make([](Limits& l) { l.cpu.weight = 10'001; }), "cpu weight 10001 is not within 1-10000"},
      {make([](Limits& l) { l.cpu.quota = 999; }), "cpu quota 999"},
      {make([](Limits& l) { l.cpu.period = 999; }), "cpu period 999 is not within 1000-1000000"},
      {make([](Limits& l) { l.cpu.period = 1'000'001; }), "cpu period 1000001"},
      {make([](Limits& l) { l.cpu.period = kUnlimited; }), "cpu period cannot be max"},
      {make([](Limits& l) { l.cpu.burst = kUnlimited; }), "cpu burst cannot be max"},
      {make([](Limits& l) { l.cpu.quota = 1000, l.cpu.burst = 1001; }), "cpu burst 1001 is above the quota 1000"},
      {make([](Limits& l) { l.cpuset.cpus = "0-"; }), "cpuset cpus: '0-'"},
      {make([](Limits& l) { l.cpuset.mems = "x"; }), "cpuset mems: 'x'"},
      {make([](Limits& l) { l.memory.max = kEndless; }), "memory max 4611686018427387904"},
      {make([](Limits& l) { l.io.weight = 0; }), "io weight 0"},
      {make([](Limits& l) { l.io.weights = {{kDisk, 10'001}}; }), "254:0: io weight 10001"},
      {make([](Limits& l) { l.io.max = {{kDisk, 0, {}, {}, {}}}; }), "254:0: io rbps 0"},
      {make([](Limits& l) { l.io.max = {{kDisk, {}, {}, 4'294'967'295, {}}}; }), "io riops 4294967295"},
      {make([](Limits& l) { l.io.max = {{kDisk, {}, {}, {}, {}}}; }), "io max of 254:0 says nothing"},
      {make([](Limits& l) { l.hugetlb = {{"2M", 1}}; }), "'2M' is no size of huge pages"},
      {make([](Limits& l) { l.hugetlb = {{"../2MB", 1}}; }), "'../2MB'"},
      {make([](Limits& l) { l.rdma = {{"a b", 1, 1}}; }), "'a b'"},
      {make([](Limits& l) { l.rdma = {{"mlx", {}, {}}}; }), "rdma max of 'mlx' says nothing"},
      {make([](Limits& l) { l.misc = {{"", 1}}; }), "''"},
      {make([](Limits& l) { l.misc = {{"a\nb", 1}}; }), "'a\nb'"},
  };
  for (const Row& row : rows) {
    auto checked = check(row.limits);
    ASSERT_FALSE(checked) << row.text;
    EXPECT_EQ(checked.error().kind(), ErrorKind::invalid);
    EXPECT_THAT(checked.error().text(), HasSubstr(row.text));
    EXPECT_FALSE(plan_on(Version::v1, row.limits));
    EXPECT_FALSE(plan_on(Version::v2, row.limits));
  }
}

TEST(Plan, takes_each_controller_where_it_is_mounted) {
  Recorded files = fresh_v1();
  for (auto& [file, text] : fresh_v2()) files[file] = text;
  Files hybrid = test::recorded_files(Version::v1, files);
  hybrid.version = [](std::string_view controller) -> std::optional<Version> {
    if (controller == "memory") return Version::v2;
    if (controller == "pids") return std::nullopt;
    return Version::v1;
  };
  Limits limits = make([](Limits& l) { l.memory.max = 4096, l.cpu.weight = 100; });
  EXPECT_EQ(shown(plan(limits, hybrid)), "cpu.shares=1024; memory.max=4096");
  limits.pids.max = 3;
  auto writes = plan(limits, hybrid);
  ASSERT_FALSE(writes);
  EXPECT_EQ(writes.error().kind(), ErrorKind::unsupported);
  EXPECT_THAT(writes.error().text(), HasSubstr("pids"));
}

TEST(ReadLimits, gives_a_fresh_cgroup_the_same_limits_on_v1_and_v2) {
  Recorded files1 = fresh_v1(), files2 = fresh_v2();
  files2["cpuset.cpus"] = "0-1";
  files2["cpuset.mems"] = "0";
  auto one = read_limits(test::recorded_files(Version::v1, files1));
  auto two = read_limits(test::recorded_files(Version::v2, files2));
  ASSERT_TRUE(one) << one.error().text();
  ASSERT_TRUE(two) << two.error().text();
  EXPECT_EQ(one->cpu, two->cpu);
  EXPECT_EQ(one->cpuset, two->cpuset);
  EXPECT_EQ(one->pids, two->pids);
  EXPECT_EQ(one->io, two->io);
  EXPECT_EQ(one->hugetlb, two->hugetlb);
  EXPECT_EQ(one->memory.max, kUnlimited);
  EXPECT_EQ(two->memory.max, kUnlimited);
  EXPECT_EQ(one->memory.swap, two->memory.swap);
  EXPECT_EQ(one->memory.low, 0u);
  EXPECT_EQ(two->memory.low, 0u);
  EXPECT_EQ(one->memory.high, std::nullopt);
  EXPECT_EQ(two->cpu.weight, 100u);
}

TEST(ReadLimits, reads_what_was_set) {
  Recorded files = fresh_v1();
  files["memory.limit_in_bytes"] = "40960";
  files["memory.memsw.limit_in_bytes"] = "45056";
  files["memory.soft_limit_in_bytes"] = "8192";
  files["blkio.throttle.read_bps_device"] = "254:0 1024";
  files["blkio.throttle.write_iops_device"] = "8:0 7\n254:0 9";
  files["blkio.bfq.weight_device"] = "default 100\n8:0 200";
  auto limits = read_limits(test::recorded_files(Version::v1, files));
  ASSERT_TRUE(limits) << limits.error().text();
  EXPECT_EQ(limits->memory, (Limits::Memory{.max = 40960, .low = 8192, .swap = 4096}));
  EXPECT_EQ(limits->io.max, (std::vector<IoMax>{{kDisk, 1024, {}, {}, 9}, {{8, 0}, {}, {}, {}, 7}}));
  EXPECT_EQ(limits->io.weights, (std::vector<IoWeight>{{{8, 0}, 1200}}));

  files = fresh_v2();
  files["io.max"] = "254:0 rbps=1024 wbps=max riops=max wiops=9";
  files["rdma.max"] = "mlx4_0 hca_handle=2 hca_object=max";
  files["misc.max"] = "sev 5\nsev_es max";
  limits = read_limits(test::recorded_files(Version::v2, files));
  ASSERT_TRUE(limits) << limits.error().text();
  EXPECT_EQ(limits->io.max, (std::vector<IoMax>{{kDisk, 1024, kUnlimited, kUnlimited, 9}}));
  EXPECT_EQ(limits->rdma, (std::vector<RdmaMax>{{"mlx4_0", 2, kUnlimited}}));
  EXPECT_EQ(limits->misc, (std::vector<MiscMax>{{"sev", 5}, {"sev_es", kUnlimited}}));
}

TEST(ReadLimits, refuses_a_malformed_file) {
  Recorded files = fresh_v2();
  files["cpu.max"] = "max";
  auto limits = read_limits(test::recorded_files(Version::v2, files));
  ASSERT_FALSE(limits);
  EXPECT_EQ(limits.error().kind(), ErrorKind::protocol);
  EXPECT_THAT(limits.error().text(), HasSubstr("cpu.max"));
}

}  // namespace
}  // namespace cgm::cgroup
