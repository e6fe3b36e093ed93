// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cgroup/translate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "cgroup/curves.hpp"
#include "cgroup/keyed.hpp"
#include "cgroup/translate_table.hpp"
#include "support/recorded.hpp"

namespace cgm::cgroup::translate {
namespace {

using test::Recorded;
using testing::HasSubstr;

/// Recorded files, some changed, as a View.
class Tree {
 public:
  Tree(Version version, const Recorded& changed, std::map<std::string, std::string, std::less<>> kept = {})
      : files(version == Version::v1 ? test::fresh_v1() : test::fresh_v2()), kept_words(std::move(kept)) {
    for (const auto& [file, text] : changed) {
      if (text == "absent")
        files.erase(file);
      else
        files[file] = text;
    }
    view.version = version;
    view.read = [this](std::string_view file) { return test::read_recorded(files, file); };
    view.has = [this](std::string_view file) { return files.find(file) != files.end(); };
    view.names = [this] {
      std::vector<std::string> names;
      for (const auto& [file, text] : files) names.push_back(file);
      return names;
    };
    view.kept = [this](std::string_view key) -> std::optional<std::string> {
      auto word = kept_words.find(key);
      if (word == kept_words.end()) return std::nullopt;
      return word->second;
    };
  }
  Tree(const Tree&) = delete;

  Recorded files;
  std::map<std::string, std::string, std::less<>> kept_words;
  View view;
};

std::string shown(const Result<std::string>& text) {
  return text ? *text : std::string(to_string(text.error().kind())) + ": " + text.error().text();
}

/// The writes as `file=value; file=value`.
std::string shown(const Result<Change>& change) {
  if (!change) return std::string(to_string(change.error().kind())) + ": " + change.error().text();
  std::string text;
  for (const Write& write : change->writes) text += (text.empty() ? "" : "; ") + write.file + "=" + write.value;
  return text;
}

struct Reading {
  Version tree;
  const char* key;
  Recorded present;
  const char* text;
};

constexpr const char* kNone = "9223372036854771712";

const std::vector<Reading>& readings() {
  static const std::vector<Reading> all = {
      {Version::v2, "memory.limit_in_bytes", {}, kNone},
      {Version::v2, "memory.limit_in_bytes", {{"memory.max", "9998336"}}, "9998336"},
      {Version::v2, "memory.memsw.limit_in_bytes", {}, kNone},
      {Version::v2, "memory.memsw.limit_in_bytes", {{"memory.max", "4096"}}, kNone},
      {Version::v2, "memory.memsw.limit_in_bytes", {{"memory.max", "4096"}, {"memory.swap.max", "8192"}}, "12288"},
      {Version::v2, "memory.soft_limit_in_bytes", {}, kNone},
      {Version::v2, "memory.soft_limit_in_bytes", {{"memory.low", "8192"}}, "8192"},
      {Version::v2, "memory.usage_in_bytes", {}, "208896"},
      {Version::v2, "memory.memsw.usage_in_bytes", {}, "286720"},
      {Version::v2, "memory.max_usage_in_bytes", {}, "23568384"},
      {Version::v2, "memory.failcnt", {}, "35"},
      {Version::v2, "memory.oom_control", {}, "oom_kill_disable 0\nunder_oom 0\noom_kill 1"},
      {Version::v2, "memory.kmem.usage_in_bytes", {}, "4096"},
      {Version::v2, "memory.use_hierarchy", {}, "1"},
      {Version::v2, "cpu.shares", {}, "1024"},
      {Version::v2, "cpu.shares", {{"cpu.weight", "10000"}}, "262144"},
      {Version::v2, "cpu.cfs_quota_us", {}, "-1"},
      {Version::v2, "cpu.cfs_quota_us", {{"cpu.max", "50000 200000"}}, "50000"},
      {Version::v2, "cpu.cfs_period_us", {{"cpu.max", "50000 200000"}}, "200000"},
      {Version::v2, "cpu.cfs_burst_us", {{"cpu.max.burst", "7"}}, "7"},
      {Version::v2, "cpuacct.usage", {}, "330048000"},
      {Version::v2, "cpuacct.usage_user", {}, "87734000"},
      {Version::v2, "cpuacct.usage_sys", {}, "242313000"},
      {Version::v2, "cpuacct.stat", {}, "user 8\nsystem 24"},
      {Version::v2, "cpuset.effective_cpus", {}, "0-1"},
      {Version::v2, "cpuset.effective_mems", {}, "0"},
      {Version::v2, "freezer.state", {}, "THAWED"},
      {Version::v2, "freezer.state", {{"cgroup.freeze", "1"}}, "FREEZING"},
      {Version::v2, "freezer.state", {{"cgroup.freeze", "1"}, {"cgroup.events", "populated 1\nfrozen 1"}}, "FROZEN"},
      {Version::v2, "freezer.state", {{"cgroup.events", "populated 1\nfrozen 1"}}, "FROZEN"},
      {Version::v2, "freezer.self_freezing", {{"cgroup.freeze", "1"}}, "1"},
      {Version::v2, "blkio.throttle.read_bps_device", {}, ""},
      {Version::v2,
       "blkio.throttle.read_bps_device",
       {{"io.max", "254:0 rbps=1024 wbps=max riops=max wiops=9\n8:0 rbps=max wbps=5 riops=max wiops=max"}},
       "254:0 1024"},
      {Version::v2,
       "blkio.throttle.write_bps_device",
       {{"io.max", "254:0 rbps=1 wbps=2 riops=3 wiops=4\n8:0 rbps=max wbps=5 riops=max wiops=max"}},
       "254:0 2\n8:0 5"},
      {Version::v2, "blkio.throttle.read_iops_device", {{"io.max", "254:0 rbps=1 wbps=2 riops=3 wiops=4"}}, "254:0 3"},
      {Version::v2, "blkio.throttle.write_iops_device", {{"io.max", "254:0 rbps=1 wbps=2 riops=3 wiops=4"}}, "254:0 4"},
      {Version::v2, "blkio.bfq.weight", {{"io.bfq.weight", "default 300\n8:0 7"}}, "300"},
      {Version::v2, "blkio.bfq.weight", {{"io.bfq.weight", "absent"}, {"io.weight", "default 1200"}}, "200"},
      {Version::v2, "blkio.weight", {{"io.bfq.weight", "default 300"}}, "300"},
      {Version::v2, "blkio.bfq.weight_device", {{"io.bfq.weight", "default 300\n8:0 7"}}, "default 300\n8:0 7"},
      {Version::v2,
       "blkio.weight_device",
       {{"io.bfq.weight", "absent"}, {"io.weight", "default 1200\n8:0 50"}},
       "default 200\n8:0 50"},
      {Version::v2,
       "blkio.throttle.io_service_bytes",
       {},
       "254:0 Read 42991616\n254:0 Write 5242880\n254:0 Discard 8\n254:0 Total 48234504\nTotal 48234504"},
      {Version::v2, "blkio.throttle.io_service_bytes_recursive", {{"io.stat", ""}}, "Total 0"},
      {Version::v2,
       "blkio.throttle.io_serviced",
       {},
       "254:0 Read 67\n254:0 Write 10\n254:0 Discard 1\n254:0 Total 78\nTotal 78"},
      {Version::v2, "blkio.throttle.io_serviced_recursive", {{"io.stat", ""}}, "Total 0"},
      {Version::v2, "blkio.bfq.io_service_bytes", {{"io.stat", ""}}, "Total 0"},
      {Version::v2, "blkio.bfq.io_service_bytes_recursive", {{"io.stat", ""}}, "Total 0"},
      {Version::v2, "blkio.bfq.io_serviced", {{"io.stat", ""}}, "Total 0"},
      {Version::v2, "blkio.bfq.io_serviced_recursive", {{"io.stat", ""}}, "Total 0"},
      {Version::v2, "hugetlb.2MB.limit_in_bytes", {}, "9223372036852678656"},
      {Version::v2, "hugetlb.2MB.limit_in_bytes", {{"hugetlb.2MB.max", "4194304"}}, "4194304"},
      {Version::v2, "hugetlb.2MB.rsvd.limit_in_bytes", {{"hugetlb.2MB.rsvd.max", "2097152"}}, "2097152"},
      {Version::v2, "hugetlb.2MB.rsvd.usage_in_bytes", {{"hugetlb.2MB.rsvd.current", "2097152"}}, "2097152"},
      {Version::v2, "hugetlb.2MB.usage_in_bytes", {{"hugetlb.2MB.current", "2097152"}}, "2097152"},
      {Version::v2, "hugetlb.2MB.failcnt", {}, "4"},
      {Version::v2, "tasks", {}, "17"},
      {Version::v2, "cgroup.clone_children", {}, "1"},
      {Version::v2, "notify_on_release", {}, "0"},

      {Version::v1, "memory.max", {}, "max"},
      {Version::v1, "memory.max", {{"memory.limit_in_bytes", "9998336"}}, "9998336"},
      {Version::v1, "memory.swap.max", {}, "max"},
      {Version::v1,
       "memory.swap.max",
       {{"memory.limit_in_bytes", "4096"}, {"memory.memsw.limit_in_bytes", "12288"}},
       "8192"},
      {Version::v1, "memory.low", {}, "0"},
      {Version::v1, "memory.low", {{"memory.soft_limit_in_bytes", "8192"}}, "8192"},
      {Version::v1, "memory.current", {}, "208896"},
      {Version::v1, "memory.swap.current", {}, "77824"},
      {Version::v1, "memory.peak", {}, "23568384"},
      {Version::v1, "memory.events", {}, "max 35\noom_kill 1"},
      {Version::v1, "cpu.weight", {}, "100"},
      {Version::v1, "cpu.weight", {{"cpu.shares", "2"}}, "1"},
      {Version::v1, "cpu.weight.nice", {}, "0"},
      {Version::v1, "cpu.weight.nice", {{"cpu.shares", "335"}}, "5"},
      {Version::v1, "cpu.max", {}, "max 100000"},
      {Version::v1, "cpu.max", {{"cpu.cfs_quota_us", "50000"}}, "50000 100000"},
      {Version::v1, "cpu.max.burst", {{"cpu.cfs_burst_us", "7"}}, "7"},
      {Version::v1, "cpuset.cpus.effective", {}, "0-1"},
      {Version::v1, "cpuset.mems.effective", {}, "0"},
      {Version::v1, "cgroup.freeze", {{"freezer.self_freezing", "1"}}, "1"},
      {Version::v1, "cgroup.threads", {}, "17\n18"},
      {Version::v1, "io.max", {}, ""},
      {Version::v1,
       "io.max",
       {{"blkio.throttle.read_bps_device", "254:0 1024"}, {"blkio.throttle.write_iops_device", "254:0 9\n8:0 7"}},
       "254:0 rbps=1024 wbps=max riops=max wiops=9\n8:0 rbps=max wbps=max riops=max wiops=7"},
      {Version::v1, "io.weight", {}, "default 100"},
      {Version::v1,
       "io.weight",
       {{"blkio.bfq.weight", "200"}, {"blkio.bfq.weight_device", "default 200\n8:0 50"}},
       "default 1200\n8:0 50"},
      {Version::v1,
       "io.bfq.weight",
       {{"blkio.bfq.weight", "200"}, {"blkio.bfq.weight_device", "default 200\n8:0 50"}},
       "default 200\n8:0 50"},
      {Version::v1,
       "io.stat",
       {},
       "8:0 rbytes=1 wbytes=2 rios=5 wios=6 dbytes=4 dios=7\n254:0 rbytes=42991616 wbytes=5242880 rios=41 wios=5 "
       "dbytes=0 dios=0"},
      {Version::v1, "hugetlb.2MB.rsvd.max", {}, "max"},
      {Version::v1, "hugetlb.2MB.rsvd.current", {}, "0"},
      {Version::v1, "hugetlb.2MB.max", {}, "max"},
      {Version::v1, "hugetlb.2MB.max", {{"hugetlb.2MB.limit_in_bytes", "4194304"}}, "4194304"},
      {Version::v1, "hugetlb.2MB.current", {}, "0"},
      {Version::v1, "hugetlb.2MB.events", {}, "max 4"},
      {Version::v1, "blkio.weight", {{"blkio.bfq.weight", "300"}}, "300"},
      {Version::v1, "blkio.weight", {{"blkio.bfq.weight", "300"}, {"blkio.weight", "500"}}, "500"},
      {Version::v1, "blkio.weight_device", {}, "default 100"},
  };
  return all;
}

struct Setting {
  Version tree;
  const char* key;
  const char* value;
  Recorded present;
  const char* writes;
};

const std::vector<Setting>& settings() {
  static const std::vector<Setting> all = {
      {Version::v2, "memory.limit_in_bytes", "10000000", {}, "memory.max=10000000"},
      {Version::v2, "memory.limit_in_bytes", "10M\n", {}, "memory.max=10485760"},
      {Version::v2, "memory.limit_in_bytes", "-1", {}, "memory.max=max"},
      {Version::v2, "memory.limit_in_bytes", kNone, {}, "memory.max=max"},
      {Version::v2, "memory.memsw.limit_in_bytes", "12288", {{"memory.max", "4096"}}, "memory.swap.max=8192"},
      {Version::v2, "memory.memsw.limit_in_bytes", "-1", {}, "memory.swap.max=max"},
      {Version::v2, "memory.soft_limit_in_bytes", "8192", {}, "memory.low=8192"},
      {Version::v2, "memory.soft_limit_in_bytes", "-1", {}, "memory.low=0"},
      {Version::v2, "memory.oom_control", "0", {}, ""},
      {Version::v2, "memory.use_hierarchy", "1", {}, ""},
      {Version::v2, "cpu.shares", "1024", {}, "cpu.weight=100"},
      {Version::v2, "cpu.shares", "1", {}, "cpu.weight=1"},
      {Version::v2, "cpu.shares", "1000000", {}, "cpu.weight=10000"},
      {Version::v2, "cpu.cfs_quota_us", "50000", {}, "cpu.max=50000 100000"},
      {Version::v2, "cpu.cfs_quota_us", "-1", {{"cpu.max", "50000 20000"}}, "cpu.max=max 20000"},
      {Version::v2, "cpu.cfs_quota_us", "-5", {}, "cpu.max=max 100000"},
      {Version::v2, "cpu.cfs_period_us", "20000", {{"cpu.max", "5000 100000"}}, "cpu.max=5000 20000"},
      {Version::v2, "cpu.cfs_burst_us", "1000", {{"cpu.max", "5000 100000"}}, "cpu.max.burst=1000"},
      {Version::v2, "freezer.state", "FROZEN", {}, "cgroup.freeze=1"},
      {Version::v2, "freezer.state", "THAWED\n", {}, "cgroup.freeze=0"},
      {Version::v2, "blkio.throttle.read_bps_device", "254:0 1024", {}, "io.max=254:0 rbps=1024"},
      {Version::v2, "blkio.throttle.write_bps_device", "254:0 0", {}, "io.max=254:0 wbps=max"},
      {Version::v2, "blkio.throttle.read_iops_device", "254:0 7", {}, "io.max=254:0 riops=7"},
      {Version::v2, "blkio.throttle.write_iops_device", "254:0 8", {}, "io.max=254:0 wiops=8"},
      {Version::v2, "blkio.bfq.weight", "200", {}, "io.weight=default 1200; io.bfq.weight=default 200"},
      {Version::v2, "blkio.weight", "200", {{"io.weight", "absent"}}, "io.bfq.weight=default 200"},
      {Version::v2, "blkio.bfq.weight_device", "8:0 50", {}, "io.weight=8:0 50; io.bfq.weight=8:0 50"},
      {Version::v2, "blkio.weight_device", "8:0 default", {}, "io.weight=8:0 default; io.bfq.weight=8:0 default"},
      {Version::v2, "hugetlb.2MB.limit_in_bytes", "4M", {}, "hugetlb.2MB.max=4194304"},
      {Version::v2, "hugetlb.2MB.limit_in_bytes", "-1", {}, "hugetlb.2MB.max=max"},
      {Version::v2, "hugetlb.2MB.rsvd.limit_in_bytes", "-1", {}, "hugetlb.2MB.rsvd.max=max"},
      {Version::v2, "tasks", "17", {}, "cgroup.procs=17"},
      {Version::v2, "cgroup.clone_children", "1", {}, ""},
      {Version::v2, "notify_on_release", "0", {}, ""},

      {Version::v1, "memory.max", "10000000", {}, "memory.limit_in_bytes=10000000"},
      {Version::v1, "memory.max", "max", {}, "memory.limit_in_bytes=-1"},
      {Version::v1,
       "memory.max",
       "40960",
       {{"memory.limit_in_bytes", "4096"}, {"memory.memsw.limit_in_bytes", "8192"}},
       "memory.memsw.limit_in_bytes=45056; memory.limit_in_bytes=40960"},
      {Version::v1,
       "memory.swap.max",
       "8192",
       {{"memory.limit_in_bytes", "4096"}},
       "memory.memsw.limit_in_bytes=12288"},
      {Version::v1,
       "memory.swap.max",
       "max",
       {{"memory.limit_in_bytes", "4096"}, {"memory.memsw.limit_in_bytes", "8192"}},
       "memory.memsw.limit_in_bytes=-1"},
      {Version::v1, "memory.low", "8192", {}, "memory.soft_limit_in_bytes=8192"},
      {Version::v1, "memory.low", "0", {}, "memory.soft_limit_in_bytes=-1"},
      {Version::v1, "memory.low", "4095", {}, "memory.soft_limit_in_bytes=-1"},
      {Version::v1, "cpu.weight", "100", {}, "cpu.shares=1024"},
      {Version::v1, "cpu.weight.nice", "-20", {}, "cpu.shares=88761"},
      {Version::v1, "cpu.max", "50000 20000", {}, "cpu.cfs_quota_us=50000; cpu.cfs_period_us=20000"},
      {Version::v1, "cpu.max", "50000", {}, "cpu.cfs_quota_us=50000"},
      {Version::v1, "cpu.max", "max", {}, "cpu.cfs_quota_us=-1"},
      {Version::v1, "cpu.max", "max 200000", {}, "cpu.cfs_period_us=200000; cpu.cfs_quota_us=-1"},
      {Version::v1, "cpu.max.burst", "1000", {}, "cpu.cfs_burst_us=1000"},
      {Version::v1, "cgroup.freeze", "1", {}, "freezer.state=FROZEN"},
      {Version::v1, "cgroup.freeze", "0", {}, "freezer.state=THAWED"},
      {Version::v1, "cgroup.threads", "17", {}, "tasks=17"},
      {Version::v1,
       "io.max",
       "254:0 rbps=1024 wiops=max",
       {},
       "blkio.throttle.read_bps_device=254:0 1024; blkio.throttle.write_iops_device=254:0 0"},
      {Version::v1, "io.weight", "default 1200", {}, "blkio.bfq.weight=200"},
      {Version::v1, "io.weight", "8:0 default", {}, "blkio.bfq.weight_device=8:0 default"},
      {Version::v1, "io.bfq.weight", "200", {}, "blkio.bfq.weight=200"},
      {Version::v1, "hugetlb.2MB.rsvd.max", "max", {}, "hugetlb.2MB.rsvd.limit_in_bytes=-1"},
      {Version::v1, "hugetlb.2MB.max", "max", {}, "hugetlb.2MB.limit_in_bytes=-1"},
      {Version::v1, "blkio.weight", "200", {}, "blkio.bfq.weight=200"},
      {Version::v1, "blkio.weight", "200", {{"blkio.weight", "500"}}, "blkio.weight=200"},
      {Version::v1, "blkio.weight_device", "8:0 200", {}, "blkio.bfq.weight_device=8:0 200"},
  };
  return all;
}

TEST(Translate, reads_each_row) {
  for (const Reading& one : readings()) {
    Tree tree(one.tree, one.present);
    EXPECT_EQ(shown(get(tree.view, one.key)), one.text) << one.key;
  }
}

TEST(Translate, sets_each_row) {
  for (const Setting& one : settings()) {
    Tree tree(one.tree, one.present);
    auto change = set(tree.view, one.key, one.value);
    EXPECT_EQ(shown(change), one.writes) << one.key << " = " << one.value;
    if (!change) continue;
    EXPECT_TRUE(change->translated);
    for (const Write& write : change->writes) EXPECT_EQ(write.controller, controller_of_file(write.file));
  }
}

TEST(Translate, has_no_row_that_is_not_tested) {
  for (Version version : {Version::v1, Version::v2}) {
    for (const Row& row : rows(version)) {
      auto read = [&](const Reading& one) { return one.tree == version && find_row(version, one.key) == &row; };
      auto written = [&](const Setting& one) { return one.tree == version && find_row(version, one.key) == &row; };
      EXPECT_EQ(std::any_of(readings().begin(), readings().end(), read), row.get != nullptr) << row.key;
      EXPECT_EQ(std::any_of(settings().begin(), settings().end(), written), row.set != nullptr) << row.key;
    }
  }
}

TEST(Translate, writes_files_that_the_tree_has) {
  for (const Setting& one : settings()) {
    Tree tree(one.tree, one.present);
    auto change = set(tree.view, one.key, one.value);
    if (!change) continue;
    for (const Write& write : change->writes)
      EXPECT_TRUE(tree.view.has(write.file)) << one.key << " writes " << write.file;
  }
}

TEST(Translate, leaves_the_trees_own_keys_as_they_are) {
  Tree two(Version::v2, {}), one(Version::v1, {});
  EXPECT_EQ(shown(get(two.view, "memory.max")), "max");
  EXPECT_EQ(shown(get(one.view, "memory.limit_in_bytes")), kNone);
  EXPECT_EQ(shown(get(one.view, "cpu.stat")), one.files["cpu.stat"]);
  auto change = set(two.view, "memory.max", "10M");
  ASSERT_TRUE(change);
  EXPECT_FALSE(change->translated);
  EXPECT_EQ(change->writes, (std::vector<Write>{{"memory", "memory.max", "10M"}}));
  EXPECT_FALSE(is_foreign(Version::v2, "memory.max"));
  EXPECT_TRUE(is_foreign(Version::v1, "memory.max"));
}

TEST(Translate, writes_nothing_for_an_empty_value) {
  Tree two(Version::v2, {});
  for (const char* key : {"memory.limit_in_bytes", "memory.max"}) {
    auto change = set(two.view, key, "");
    ASSERT_TRUE(change) << key;
    EXPECT_TRUE(change->writes.empty());
    EXPECT_FALSE(change->keep);
  }
}

TEST(Translate, keeps_every_weight_over_shares_and_back) {
  for (uint32_t weight = 1; weight <= 10'000; weight++) {
    Tree one(Version::v1, {});
    auto change = set(one.view, "cpu.weight", std::to_string(weight));
    ASSERT_TRUE(change) << change.error().text();
    one.files["cpu.shares"] = change->writes.at(0).value;
    ASSERT_EQ(shown(get(one.view, "cpu.weight")), std::to_string(weight));
  }
}

TEST(Translate, reads_back_any_shares_that_were_set_while_the_word_is_kept) {
  for (uint64_t shares = 2; shares <= 262'144; shares = shares * 21 / 20 + 1) {
    Tree two(Version::v2, {});
    auto change = set(two.view, "cpu.shares", std::to_string(shares));
    ASSERT_TRUE(change) << change.error().text();
    two.files["cpu.weight"] = change->writes.at(0).value;
    uint64_t without = *parse_amount(shown(get(two.view, "cpu.shares")));
    ASSERT_EQ(weight_from_shares(without), weight_from_shares(shares)) << "the same weight, at least";
    ASSERT_TRUE(change->keep);
    two.kept_words[change->keep->key] = change->keep->word;
    ASSERT_EQ(shown(get(two.view, "cpu.shares")), std::to_string(shares));
    two.files["cpu.weight"] = two.files["cpu.weight"] == "7" ? "8" : "7";
    ASSERT_NE(shown(get(two.view, "cpu.shares")), std::to_string(shares)) << "somebody else has set the weight since";
  }
}

TEST(Translate, ignores_a_kept_word_that_is_no_value) {
  Tree two(Version::v2, {}, {{"cpu.shares", "many"}, {"memory.memsw.limit_in_bytes", "x"}});
  EXPECT_EQ(shown(get(two.view, "cpu.shares")), "1024");
  EXPECT_EQ(shown(get(two.view, "memory.memsw.limit_in_bytes")), kNone);
  EXPECT_EQ(shown(set(two.view, "memory.limit_in_bytes", "4096")), "memory.max=4096");
}

TEST(Translate, holds_what_was_set_for_memory_and_swap_when_the_limit_changes) {
  Tree two(Version::v2, {{"memory.max", "40960"}});
  auto change = set(two.view, "memory.memsw.limit_in_bytes", "82000");
  ASSERT_TRUE(change) << change.error().text();
  EXPECT_EQ(shown(change), "memory.swap.max=40960");
  ASSERT_TRUE(change->keep);
  EXPECT_EQ(change->keep->word, "81920") << "rounded to a page as the kernel does";
  two.files["memory.swap.max"] = "40960";
  two.kept_words[change->keep->key] = change->keep->word;
  EXPECT_EQ(shown(set(two.view, "memory.limit_in_bytes", "61440")), "memory.max=61440; memory.swap.max=20480");
  EXPECT_EQ(shown(set(two.view, "memory.limit_in_bytes", "20480")), "memory.swap.max=61440; memory.max=20480");
  EXPECT_THAT(shown(set(two.view, "memory.limit_in_bytes", "86016")), HasSubstr("invalid: "));
  EXPECT_THAT(shown(set(two.view, "memory.limit_in_bytes", "-1")), HasSubstr("memory.memsw.limit_in_bytes"));
  two.files["memory.swap.max"] = "0";
  EXPECT_EQ(shown(set(two.view, "memory.limit_in_bytes", "86016")), "memory.max=86016")
      << "swap was set in v2's words since: it stays";
}

TEST(Translate, refuses_a_value_that_the_keys_version_would_refuse) {
  struct Bad {
    Version tree;
    const char* key;
    const char* value;
  };
  for (auto [version, key, value] : {Bad{Version::v2, "memory.limit_in_bytes", "ten"},
                                     Bad{Version::v2, "memory.limit_in_bytes", "max"},
                                     Bad{Version::v2, "memory.limit_in_bytes", "-2"},
                                     Bad{Version::v2, "memory.limit_in_bytes", "10MB"},
                                     Bad{Version::v2, "memory.limit_in_bytes", "18446744073709551616"},
                                     Bad{Version::v2, "memory.memsw.limit_in_bytes", "4096"},
                                     Bad{Version::v2, "cpu.shares", "-1"},
                                     Bad{Version::v2, "cpu.shares", "5x"},
                                     Bad{Version::v2, "cpu.cfs_quota_us", "max"},
                                     Bad{Version::v2, "cpu.cfs_quota_us", "999"},
                                     Bad{Version::v2, "cpu.cfs_period_us", "-1"},
                                     Bad{Version::v2, "freezer.state", "FREEZING"},
                                     Bad{Version::v2, "freezer.state", "1"},
                                     Bad{Version::v2, "blkio.throttle.read_bps_device", "1024"},
                                     Bad{Version::v2, "blkio.throttle.read_bps_device", "254:0 10M"},
                                     Bad{Version::v2, "blkio.throttle.read_bps_device", "default 5"},
                                     Bad{Version::v2, "blkio.throttle.read_iops_device", "254:0 5000000000"},
                                     Bad{Version::v2, "blkio.bfq.weight", "1001"},
                                     Bad{Version::v2, "blkio.bfq.weight", "0"},
                                     Bad{Version::v2, "hugetlb.2MB.limit_in_bytes", "max"},
                                     Bad{Version::v2, "memory.oom_control", "2"},
                                     Bad{Version::v1, "memory.max", "-1"},
                                     Bad{Version::v1, "cpu.weight", "0"},
                                     Bad{Version::v1, "cpu.weight", "10001"},
                                     Bad{Version::v1, "cpu.weight", "99999999999"},
                                     Bad{Version::v1, "cpu.weight.nice", "20"},
                                     Bad{Version::v1, "cpu.max", "-1 100000"},
                                     Bad{Version::v1, "cpu.max", "50000 100000 5"},
                                     Bad{Version::v1, "cpu.max", "999"},
                                     Bad{Version::v1, "cgroup.freeze", "2"},
                                     Bad{Version::v1, "io.max", "254:0"},
                                     Bad{Version::v1, "io.max", "254:0 rbps=5M"},
                                     Bad{Version::v1, "io.max", "254:0 bps=5"},
                                     Bad{Version::v1, "io.max", "254:0 rbps=0"},
                                     Bad{Version::v1, "io.max", "rbps=5"},
                                     Bad{Version::v1, "io.max", "254:0 rbps=5\n8:0 rbps=5"},
                                     Bad{Version::v1, "io.weight", "10001"},
                                     Bad{Version::v1, "io.weight", "x 5"}}) {
    Tree tree(version, {});
    auto change = set(tree.view, key, value);
    ASSERT_FALSE(change) << key << " = " << value << ": " << shown(change);
    EXPECT_EQ(change.error().kind(), ErrorKind::invalid) << change.error().text();
    EXPECT_THAT(change.error().text(), HasSubstr(std::string("'") + key + "'"));
  }
  Tree two(Version::v2, {});
  EXPECT_FALSE(set(two.view, "memory.limit_in_bytes", std::string(5000, '1')));
}

TEST(Translate, names_what_cannot_be_said_and_the_nearest) {
  struct Unsaid {
    Version tree;
    const char* key;
    const char* value;
    const char* nearest;
  };
  for (auto [version, key, value, near] :
       {Unsaid{Version::v2, "memory.oom_control", "1", "memory.high"},
        Unsaid{Version::v2, "memory.soft_limit_in_bytes", "0", "-1"},
        Unsaid{Version::v2, "memory.use_hierarchy", "0", "always 1"},
        Unsaid{Version::v2, "notify_on_release", "1", "cgroup.events"},
        Unsaid{Version::v2, "memory.failcnt", "0", "memory.events"},
        Unsaid{Version::v2, "memory.swappiness", "10", "memory.reclaim"},
        Unsaid{Version::v1, "memory.low", "max", "memory.soft_limit_in_bytes"},
        Unsaid{Version::v1, "memory.high", "4096", "memory.soft_limit_in_bytes"},
        Unsaid{Version::v1, "memory.swap.max", "4096", "memory.memsw.limit_in_bytes"},
        Unsaid{Version::v1, "memory.peak", "0", "memory.max_usage_in_bytes"},
        Unsaid{Version::v1, "hugetlb.2MB.events.local", "1", "'hugetlb.2MB.failcnt'"},
        Unsaid{Version::v2, "hugetlb.1GB.max_usage_in_bytes", "0", "'hugetlb.1GB.current'"},
        Unsaid{Version::v2, "devices.allow", "a *:* rwm", "BPF program"},
        Unsaid{Version::v1, "cgroup.kill", "1", "tasks"}}) {
    Tree tree(version, {});
    auto change = set(tree.view, key, value);
    ASSERT_FALSE(change) << key;
    EXPECT_EQ(change.error().kind(), ErrorKind::unsupported) << change.error().text();
    EXPECT_THAT(change.error().text(), HasSubstr(std::string("'") + key + "'"));
    EXPECT_THAT(change.error().text(), HasSubstr(near)) << key;
  }
}

TEST(Translate, refuses_the_limit_that_kernels_ignore_on_both_versions) {
  for (Version version : {Version::v1, Version::v2}) {
    Tree tree(version, {});
    auto change = set(tree.view, "memory.kmem.limit_in_bytes", "10000000");
    ASSERT_FALSE(change);
    EXPECT_EQ(change.error().kind(), ErrorKind::unsupported);
    EXPECT_THAT(change.error().text(), HasSubstr("'memory.kmem.limit_in_bytes'"));
    EXPECT_THAT(change.error().text(), HasSubstr("'memory.limit_in_bytes'"));
  }
  Tree two(Version::v2, {});
  EXPECT_THAT(shown(get(two.view, "memory.kmem.limit_in_bytes")), HasSubstr("'memory.limit_in_bytes'"));
}

TEST(Translate, names_the_nearest_key_for_one_that_does_not_exist) {
  struct Typo {
    Version tree;
    const char* key;
    const char* nearest;
  };
  for (auto [version, key, near] :
       {Typo{Version::v2, "memory.maximum", "memory.max"},
        Typo{Version::v2, "memory.limit_in_byte", "memory.limit_in_bytes"}, Typo{Version::v2, "pid.max", "pids.max"},
        Typo{Version::v1, "memory.limit", "memory.limit_in_bytes"}, Typo{Version::v1, "cpu.share", "cpu.shares"},
        Typo{Version::v1, "cpu.wight", "cpu.weight"}}) {
    Tree tree(version, {});
    auto text = get(tree.view, key);
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().kind(), ErrorKind::not_found);
    EXPECT_THAT(text.error().text(), HasSubstr(std::string("'") + key + "' is no key"));
    EXPECT_THAT(text.error().text(), HasSubstr(std::string("'") + near + "'"));
    EXPECT_FALSE(set(tree.view, key, "1"));
  }
}

TEST(Translate, says_what_a_kernel_lacks) {
  Tree two(Version::v2, {{"memory.stat", "anon 0"}, {"cpu.max.burst", "absent"}, {"io.stat", "absent"}});
  EXPECT_THAT(shown(get(two.view, "memory.kmem.usage_in_bytes")), HasSubstr("memory.stat has no line 'kernel'"));
  EXPECT_THAT(shown(get(two.view, "cpu.cfs_burst_us")), HasSubstr("not_found"));
  EXPECT_THAT(shown(set(two.view, "cpu.cfs_burst_us", "5")), HasSubstr("unsupported"));
  EXPECT_THAT(shown(get(two.view, "blkio.throttle.io_serviced")), HasSubstr("not_found"));
  two.files["cpu.max"] = "max";
  EXPECT_THAT(shown(get(two.view, "cpu.cfs_quota_us")), HasSubstr("protocol"));
}

TEST(TranslateTable, finds_each_row_by_its_own_key_and_no_key_twice) {
  for (Version version : {Version::v1, Version::v2}) {
    for (const Row& row : rows(version)) {
      std::string key(row.key);
      if (size_t star = key.find('*'); star != std::string::npos) key.replace(star, 1, "2MB");
      EXPECT_EQ(find_row(version, key), &row) << key;
      EXPECT_EQ(find_missing(version, key), nullptr) << key;
      EXPECT_TRUE(row.get != nullptr || row.set != nullptr) << key;
    }
    for (const Missing& one : missing(version)) {
      std::string key(one.key);
      if (size_t star = key.find('*'); star != std::string::npos) key.replace(star, 1, "x");
      EXPECT_EQ(find_missing(version, key), &one) << key;
      EXPECT_EQ(find_row(version, key), nullptr) << key;
    }
  }
}

TEST(Nearest, takes_the_smallest_edit_distance) {
  EXPECT_EQ(nearest("abc", {"xyz", "abd", "abcdefg"}), "abd");
  EXPECT_EQ(nearest("abc", {}), "");
  EXPECT_EQ(nearest("", {"a", "ab"}), "a");
  EXPECT_EQ(nearest(std::string(100'000, 'a'), {"b", std::string(255, 'a')}), std::string(255, 'a'));
}

}  // namespace
}  // namespace cgm::cgroup::translate
