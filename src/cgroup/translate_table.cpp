// SPDX-License-Identifier: LGPL-2.1-or-later
// The translation table: every key of one version on a tree of the other. docs/limits-mapping.md is made from it.
//
// On soft limits: v1's memory.soft_limit_in_bytes and v2's memory.low both only say whose memory goes first when memory
// is short, and hinder nobody while there is enough; memory.high slows a cgroup down at any time, which no soft limit
// ever did. So low is the honest one, though it looks from the other side: what exceeds a soft limit goes before
// others' memory, what lies below low goes after it. Hence also no limit (-1) <-> no protection (0), the defaults of
// both.
#include "cgroup/translate_table.hpp"

#include <algorithm>

#include "cgroup/translate_rows.hpp"

namespace cgm::cgroup::translate {

namespace {

constexpr std::string_view kMinusOne = "-1 is max";
constexpr std::string_view kSharesRule = "the curve below";
constexpr std::string_view kReset = "cannot be reset to 0";
constexpr std::string_view kPolicies = "no Sync and Async lines; all policies together";
constexpr std::string_view kTree = "the subtree is counted; no Sync and Async lines; all policies together";

constexpr Row kV1OnV2[] = {
    {.key = "memory.limit_in_bytes",
     .file = "memory.max",
     .rule = "-1 is max; a memory.memsw.limit_in_bytes that was set stays, memory.swap.max follows",
     .get = get_v1_size,
     .set = set_v1_limit},
    {.key = "memory.memsw.limit_in_bytes",
     .file = "memory.swap.max memory.max",
     .rule = "memory.max + memory.swap.max; -1 is max; memory.limit_in_bytes has to be set first",
     .loss = "where attributes cannot be kept, a later memory.limit_in_bytes moves it along",
     .get = get_v1_memsw_limit,
     .set = set_v1_memsw_limit,
     .keeps = true},
    {.key = "memory.soft_limit_in_bytes",
     .file = "memory.low",
     .rule = "-1 is 0",
     .loss = "0 (to be reclaimed first) cannot be said; memory.low = max reads as no limit",
     .get = get_v1_soft_limit,
     .set = set_v1_soft_limit},
    {.key = "memory.usage_in_bytes", .file = "memory.current", .get = get_same},
    {.key = "memory.memsw.usage_in_bytes",
     .file = "memory.current memory.swap.current",
     .rule = "the sum",
     .get = get_v1_memsw_usage},
    {.key = "memory.max_usage_in_bytes", .file = "memory.peak", .loss = kReset, .get = get_same},
    {.key = "memory.failcnt", .file = "memory.events", .field = "max", .loss = kReset, .get = get_field},
    {.key = "memory.oom_control",
     .file = "memory.events",
     .field = "oom_kill",
     .rule = "oom_kill is read; 0 may be set",
     .loss = "the OOM killer cannot be switched off (1); under_oom always reads 0",
     .get = get_v1_oom_control,
     .set = set_v1_oom_control},
    {.key = "memory.kmem.usage_in_bytes", .file = "memory.stat", .field = "kernel", .get = get_field},
    {.key = "memory.use_hierarchy",
     .file = "",
     .field = "1",
     .rule = "every cgroup counts its children",
     .loss = "0 cannot be set",
     .get = get_constant,
     .set = set_constant},
    {.key = "cpu.shares",
     .file = "cpu.weight",
     .rule = kSharesRule,
     .loss = "10000 of 262143 values, where attributes cannot be kept; else lossless",
     .get = get_v1_shares,
     .set = set_v1_shares,
     .keeps = true},
    {.key = "cpu.cfs_quota_us", .file = "cpu.max", .rule = kMinusOne, .get = get_v1_quota, .set = set_v1_quota},
    {.key = "cpu.cfs_period_us", .file = "cpu.max", .get = get_v1_period, .set = set_v1_period},
    {.key = "cpu.cfs_burst_us", .file = "cpu.max.burst", .get = get_same, .set = set_burst},
    {.key = "cpuacct.usage",
     .file = "cpu.stat",
     .field = "usage_usec",
     .rule = "ns from µs",
     .loss = "below 1 µs; cannot be reset to 0",
     .get = get_v1_cpuacct},
    {.key = "cpuacct.usage_user",
     .file = "cpu.stat",
     .field = "user_usec",
     .rule = "ns from µs",
     .loss = "below 1 µs",
     .get = get_v1_cpuacct},
    {.key = "cpuacct.usage_sys",
     .file = "cpu.stat",
     .field = "system_usec",
     .rule = "ns from µs",
     .loss = "below 1 µs",
     .get = get_v1_cpuacct},
    {.key = "cpuacct.stat", .file = "cpu.stat", .rule = "ticks of 10 ms from µs", .get = get_v1_cpuacct_stat},
    {.key = "cpuset.effective_cpus", .file = "cpuset.cpus.effective", .get = get_same},
    {.key = "cpuset.effective_mems", .file = "cpuset.mems.effective", .get = get_same},
    {.key = "freezer.state",
     .file = "cgroup.freeze cgroup.events",
     .rule = "FROZEN is 1, THAWED is 0; FREEZING is 1 while cgroup.events says frozen 0",
     .get = get_freezer_state,
     .set = set_freezer_state},
    {.key = "freezer.self_freezing", .file = "cgroup.freeze", .get = get_same},
    {.key = "blkio.throttle.read_bps_device",
     .file = "io.max",
     .field = "rbps",
     .rule = "0 is max",
     .get = get_v1_throttle,
     .set = set_v1_throttle},
    {.key = "blkio.throttle.write_bps_device",
     .file = "io.max",
     .field = "wbps",
     .rule = "0 is max",
     .get = get_v1_throttle,
     .set = set_v1_throttle},
    {.key = "blkio.throttle.read_iops_device",
     .file = "io.max",
     .field = "riops",
     .rule = "0 is max",
     .get = get_v1_throttle,
     .set = set_v1_throttle},
    {.key = "blkio.throttle.write_iops_device",
     .file = "io.max",
     .field = "wiops",
     .rule = "0 is max",
     .get = get_v1_throttle,
     .set = set_v1_throttle},
    {.key = "blkio.bfq.weight",
     .file = "io.bfq.weight io.weight",
     .rule = "both are written where the kernel has both, io.weight by the curve below",
     .get = get_v1_io_weight,
     .set = set_v1_io_weight},
    {.key = "blkio.weight",
     .file = "io.bfq.weight io.weight",
     .rule = "as blkio.bfq.weight",
     .get = get_v1_io_weight,
     .set = set_v1_io_weight},
    {.key = "blkio.bfq.weight_device",
     .file = "io.bfq.weight io.weight",
     .rule = "as blkio.bfq.weight; the device's scheduler decides which of the two takes it",
     .get = get_v1_io_weight_device,
     .set = set_v1_io_weight},
    {.key = "blkio.weight_device",
     .file = "io.bfq.weight io.weight",
     .rule = "as blkio.bfq.weight_device",
     .get = get_v1_io_weight_device,
     .set = set_v1_io_weight},
    {.key = "blkio.throttle.io_service_bytes",
     .file = "io.stat",
     .field = "bytes",
     .loss = kTree,
     .get = get_v1_io_counts},
    {.key = "blkio.throttle.io_service_bytes_recursive",
     .file = "io.stat",
     .field = "bytes",
     .loss = kPolicies,
     .get = get_v1_io_counts},
    {.key = "blkio.throttle.io_serviced", .file = "io.stat", .field = "ios", .loss = kTree, .get = get_v1_io_counts},
    {.key = "blkio.throttle.io_serviced_recursive",
     .file = "io.stat",
     .field = "ios",
     .loss = kPolicies,
     .get = get_v1_io_counts},
    {.key = "blkio.bfq.io_service_bytes", .file = "io.stat", .field = "bytes", .loss = kTree, .get = get_v1_io_counts},
    {.key = "blkio.bfq.io_service_bytes_recursive",
     .file = "io.stat",
     .field = "bytes",
     .loss = kPolicies,
     .get = get_v1_io_counts},
    {.key = "blkio.bfq.io_serviced", .file = "io.stat", .field = "ios", .loss = kTree, .get = get_v1_io_counts},
    {.key = "blkio.bfq.io_serviced_recursive",
     .file = "io.stat",
     .field = "ios",
     .loss = kPolicies,
     .get = get_v1_io_counts},
    {.key = "hugetlb.*.rsvd.limit_in_bytes",
     .file = "hugetlb.*.rsvd.max",
     .rule = kMinusOne,
     .get = get_v1_hugetlb,
     .set = set_v1_hugetlb},
    {.key = "hugetlb.*.rsvd.usage_in_bytes", .file = "hugetlb.*.rsvd.current", .get = get_same},
    {.key = "hugetlb.*.limit_in_bytes",
     .file = "hugetlb.*.max",
     .rule = kMinusOne,
     .get = get_v1_hugetlb,
     .set = set_v1_hugetlb},
    {.key = "hugetlb.*.usage_in_bytes", .file = "hugetlb.*.current", .get = get_same},
    {.key = "hugetlb.*.failcnt", .file = "hugetlb.*.events", .field = "max", .loss = kReset, .get = get_field},
    {.key = "tasks",
     .file = "cgroup.procs",
     .loss = "processes, not threads; a process moves whole",
     .get = get_same,
     .set = set_same},
    {.key = "cgroup.clone_children",
     .file = "",
     .field = "1",
     .rule = "a fresh cgroup uses its parent's CPUs and memory nodes",
     .loss = "0 cannot be set",
     .get = get_constant,
     .set = set_constant},
    {.key = "notify_on_release",
     .file = "",
     .field = "0",
     .rule = "cgroup v2 runs no release agent; RemoveOnEmpty watches cgroup.events instead",
     .loss = "1 cannot be set",
     .get = get_constant,
     .set = set_constant},
};

constexpr Row kV2OnV1[] = {
    {.key = "memory.max",
     .file = "memory.limit_in_bytes memory.memsw.limit_in_bytes",
     .rule = "max is -1; swap stays what it is, so a limit of both moves along",
     .get = get_v2_size,
     .set = set_v2_max},
    {.key = "memory.swap.max",
     .file = "memory.memsw.limit_in_bytes memory.limit_in_bytes",
     .rule = "memory.memsw.limit_in_bytes - memory.limit_in_bytes; max is -1; needs a memory.max, unless it is max",
     .get = get_v2_swap_max,
     .set = set_v2_swap_max},
    {.key = "memory.low",
     .file = "memory.soft_limit_in_bytes",
     .rule = "0 is -1",
     .loss = "max cannot be said",
     .get = get_v2_low,
     .set = set_v2_low},
    {.key = "memory.current", .file = "memory.usage_in_bytes", .get = get_same},
    {.key = "memory.swap.current",
     .file = "memory.memsw.usage_in_bytes memory.usage_in_bytes",
     .rule = "the difference",
     .get = get_v2_swap_current},
    {.key = "memory.peak", .file = "memory.max_usage_in_bytes", .loss = "cannot be reset", .get = get_same},
    {.key = "memory.events",
     .file = "memory.failcnt memory.memsw.failcnt memory.oom_control",
     .rule = "max and oom_kill",
     .loss = "no low, high, oom and oom_group_kill",
     .get = get_v2_events},
    {.key = "cpu.weight", .file = "cpu.shares", .rule = kSharesRule, .get = get_v2_weight, .set = set_v2_weight},
    {.key = "cpu.weight.nice",
     .file = "cpu.shares",
     .rule = "the scheduler's table: a fifth for each step, 0 is 1024",
     .get = get_v2_nice,
     .set = set_v2_nice},
    {.key = "cpu.max",
     .file = "cpu.cfs_quota_us cpu.cfs_period_us",
     .rule = "max is -1; a quota alone leaves the period",
     .get = get_v2_cpu_max,
     .set = set_v2_cpu_max},
    {.key = "cpu.max.burst", .file = "cpu.cfs_burst_us", .get = get_same, .set = set_burst},
    {.key = "cpuset.cpus.effective", .file = "cpuset.effective_cpus", .get = get_same},
    {.key = "cpuset.mems.effective", .file = "cpuset.effective_mems", .get = get_same},
    {.key = "cgroup.freeze",
     .file = "freezer.state freezer.self_freezing",
     .rule = "1 is FROZEN, 0 is THAWED",
     .get = [](const Ask& ask) { return ask.view.read("freezer.self_freezing"); },
     .set = set_cgroup_freeze},
    {.key = "cgroup.threads", .file = "tasks", .get = get_same, .set = set_same},
    {.key = "io.max",
     .file = "blkio.throttle.read_bps_device blkio.throttle.write_bps_device blkio.throttle.read_iops_device "
             "blkio.throttle.write_iops_device",
     .rule = "max is 0",
     .loss = "children are not bound by it (blkio.throttle does not inherit)",
     .get = get_v2_io_max,
     .set = set_v2_io_max},
    {.key = "io.weight",
     .file = "blkio.bfq.weight blkio.bfq.weight_device",
     .rule = "the curve below",
     .loss = "above 100, what is not 100 and a multiple of 11",
     .get = get_v2_io_weight,
     .set = set_v2_io_weight},
    {.key = "io.bfq.weight",
     .file = "blkio.bfq.weight blkio.bfq.weight_device",
     .field = "bfq",
     .get = get_v2_io_weight,
     .set = set_v2_io_weight},
    {.key = "io.stat",
     .file = "blkio.throttle.io_service_bytes_recursive blkio.throttle.io_serviced_recursive "
             "blkio.bfq.io_service_bytes_recursive blkio.bfq.io_serviced_recursive",
     .rule = "of the throttle's and BFQ's counts of a device the larger",
     .loss = "io that neither policy handled",
     .get = get_v2_io_stat},
    {.key = "hugetlb.*.rsvd.max",
     .file = "hugetlb.*.rsvd.limit_in_bytes",
     .rule = "max is -1",
     .get = get_v2_size,
     .set = set_v2_hugetlb},
    {.key = "hugetlb.*.rsvd.current", .file = "hugetlb.*.rsvd.usage_in_bytes", .get = get_same},
    {.key = "hugetlb.*.max",
     .file = "hugetlb.*.limit_in_bytes",
     .rule = "max is -1",
     .get = get_v2_size,
     .set = set_v2_hugetlb},
    {.key = "hugetlb.*.current", .file = "hugetlb.*.usage_in_bytes", .get = get_same},
    {.key = "hugetlb.*.events", .file = "hugetlb.*.failcnt", .field = "max", .get = get_hits},
    // An old name of v1's own.
    {.key = "blkio.weight",
     .file = "blkio.bfq.weight",
     .rule = "kernels since 5.0 have the new name alone",
     .get = get_old_io_weight,
     .set = set_old_io_weight},
    {.key = "blkio.weight_device",
     .file = "blkio.bfq.weight_device",
     .rule = "kernels since 5.0 have the new name alone",
     .get = get_old_io_weight,
     .set = set_old_io_weight},
};

constexpr Missing kMissingOnV2[] = {
    {"memory.kmem.limit_in_bytes", "memory.limit_in_bytes", "kernel memory is part of what that limits"},
    {"memory.kmem.tcp.*", "memory.limit_in_bytes", "socket memory is part of what that limits"},
    {"memory.kmem.slabinfo", "memory.stat", "it has slab_reclaimable and slab_unreclaimable"},
    {"memory.kmem.max_usage_in_bytes", "memory.peak", "kernel memory's own peak is not kept"},
    {"memory.kmem.failcnt", "memory.events", "kernel memory has no limit of its own"},
    {"memory.memsw.max_usage_in_bytes", "memory.swap.peak", "the peak of memory and swap together is not kept"},
    {"memory.memsw.failcnt", "memory.swap.events", "memory and swap are limited apart"},
    {"memory.swappiness", "memory.reclaim", "it is the whole machine's (vm.swappiness), or one reclaim's"},
    {"memory.force_empty", "memory.reclaim", "reclaim takes an amount"},
    {"memory.move_charge_at_immigrate", "memory.stat", "memory stays with the cgroup that used it first"},
    {"memory.pressure_level", "memory.pressure", "pressure is told by PSI"},
    {"cpu.rt_runtime_us", "cpu.max", "realtime tasks are not limited by cgroup"},
    {"cpu.rt_period_us", "cpu.max", "realtime tasks are not limited by cgroup"},
    {"cpuacct.usage_all", "cpu.stat", "CPUs are not counted apart"},
    {"cpuacct.usage_percpu", "cpu.stat", "CPUs are not counted apart"},
    {"cpuacct.usage_percpu_*", "cpu.stat", "CPUs are not counted apart"},
    {"cpuset.cpu_exclusive", "cpuset.cpus.partition", "partitions took its place"},
    {"cpuset.sched_load_balance", "cpuset.cpus.partition", "an isolated partition is not balanced"},
    {"cpuset.memory_pressure", "memory.pressure", "pressure is told by PSI"},
    {"cpuset.memory_pressure_enabled", "memory.pressure", "pressure is told by PSI"},
    {"cpuset.memory_migrate", "cpuset.mems", "memory always moves along"},
    {"cpuset.mem_exclusive", "cpuset.cpus.partition", "partitions took its place, for CPUs alone"},
    {"cpuset.mem_hardwall", "cpuset.mems", "kernel allocations are not confined"},
    {"cpuset.memory_spread_*", "cpuset.mems", "a program's memory policy decides (set_mempolicy)"},
    {"cpuset.sched_relax_domain_level", "cpuset.cpus.partition", "the scheduler's domains follow partitions"},
    {"freezer.parent_freezing", "cgroup.events", "frozen there counts ancestors too"},
    {"blkio.reset_stats", "io.stat", "counters are not reset"},
    {"blkio.io_*", "io.stat", "it was a statistic of CFQ, which is gone"},
    {"blkio.time", "io.stat", "it was a statistic of CFQ, which is gone"},
    {"blkio.sectors", "io.stat", "it was a statistic of CFQ, which is gone"},
    {"blkio.leaf_weight", "io.weight", "an inner cgroup has no tasks of its own"},
    {"blkio.leaf_weight_device", "io.weight", "an inner cgroup has no tasks of its own"},
    {"hugetlb.*.max_usage_in_bytes", "hugetlb.*.current", "no peak is kept"},
    {"hugetlb.*.rsvd.max_usage_in_bytes", "hugetlb.*.rsvd.current", "no peak is kept"},
    {"hugetlb.*.rsvd.failcnt", "hugetlb.*.events", "failed reservations are not counted apart"},
    {"devices.*", "",
     "devices are a BPF program's affair; devices.allow, .deny and .list of the manager stand for one"},
    {"net_cls.*", "", "a BPF program on the cgroup takes its place"},
    {"net_prio.*", "", "a BPF program on the cgroup takes its place"},
    {"cgroup.event_control", "cgroup.events", "events are told by inotify and poll"},
    {"release_agent", "cgroup.events", "no program is run on release"},
    {"cgroup.sane_behavior", "cgroup.type", "it said that a tree was not v2"},
};

constexpr Missing kMissingOnV1[] = {
    {"memory.high", "memory.soft_limit_in_bytes", "nothing slows a cgroup down below its limit"},
    {"memory.min", "memory.soft_limit_in_bytes", "no memory is wholly protected"},
    {"memory.swap.high", "memory.memsw.limit_in_bytes", "nothing slows a cgroup down below its limit"},
    {"memory.swap.peak", "memory.memsw.max_usage_in_bytes", "swap is counted with memory"},
    {"memory.swap.events", "memory.memsw.failcnt", "swap is limited with memory"},
    {"memory.zswap.*", "memory.memsw.limit_in_bytes", "compressed swap is not limited apart"},
    {"memory.oom.group", "memory.oom_control", "the OOM killer takes one process"},
    {"memory.reclaim", "memory.force_empty", "all is reclaimed, not an amount"},
    {"memory.events.local", "memory.oom_control", "events are not kept apart from the subtree's"},
    {"memory.pressure", "memory.pressure_level", "PSI is told by the v2 tree alone"},
    {"*.pressure", "", "PSI is told by the v2 tree alone"},
    {"cpu.stat.local", "cpu.stat", "this kernel does not count it"},
    {"cpuset.cpus.partition", "cpuset.cpu_exclusive", "there are no partitions"},
    {"cpuset.cpus.exclusive", "cpuset.cpu_exclusive", "there are no partitions"},
    {"cpuset.cpus.exclusive.effective", "cpuset.cpu_exclusive", "there are no partitions"},
    {"io.latency", "io.max", "nothing aims at a latency"},
    {"io.cost.*", "blkio.bfq.weight", "there is no cost model"},
    {"io.prio.class", "blkio.bfq.weight", "no class is given by cgroup"},
    {"hugetlb.*.events.local", "hugetlb.*.failcnt", "events are not kept apart from the subtree's"},
    {"cgroup.kill", "tasks", "freeze, signal each task, thaw"},
    {"cgroup.events", "freezer.state", "whether a subtree is populated is not told"},
    {"cgroup.controllers", "", "each hierarchy has the controllers that it was mounted with"},
    {"cgroup.subtree_control", "", "each hierarchy has the controllers that it was mounted with"},
    {"cgroup.type", "", "every cgroup takes processes and threads"},
    {"cgroup.max.*", "", "the number of cgroups is not limited"},
    {"cgroup.stat", "", "cgroups are not counted"},
};

constexpr Missing kIgnored[] = {
    {"memory.kmem.limit_in_bytes", "memory.limit_in_bytes", "kernels take any value here and ignore it"},
};

constexpr Shared kShared[] = {
    {"cgroup.procs", "threads of a process may be in several cgroups on v1, not on v2"},
    {"cpu.stat",
     "its lines, read as they are: v1 has throttled_time in ns and no usage, v2 has throttled_usec and usage_usec"},
    {"cpu.idle", "nothing"},
    {"cpu.uclamp.*", "nothing"},
    {"cpuset.cpus", "an empty list: it takes no task on v1 and means the parent's on v2"},
    {"cpuset.mems", "an empty list: it takes no task on v1 and means the parent's on v2"},
    {"memory.stat", "its lines, read as they are (v1 cache, rss, total_*; v2 file, anon)"},
    {"memory.numa_stat", "its lines, read as they are"},
    {"pids.*", "nothing"},
    {"rdma.*", "nothing"},
    {"misc.*", "nothing"},
};

}  // namespace

std::span<const Row> rows(Version tree) {
  return tree == Version::v2 ? std::span<const Row>(kV1OnV2) : std::span<const Row>(kV2OnV1);
}

std::span<const Missing> missing(Version tree) {
  return tree == Version::v2 ? std::span<const Missing>(kMissingOnV2) : std::span<const Missing>(kMissingOnV1);
}

std::span<const Shared> shared() {
  return kShared;
}

std::span<const Missing> ignored() {
  return kIgnored;
}

const Row* find_row(Version tree, std::string_view key) {
  for (const Row& row : rows(tree))
    if (matches(row.key, key)) return &row;
  return nullptr;
}

const Missing* find_missing(Version tree, std::string_view key) {
  for (const Missing& one : missing(tree))
    if (matches(one.key, key)) return &one;
  return nullptr;
}

bool matches(std::string_view pattern, std::string_view key) {
  size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == key;
  std::string_view front = pattern.substr(0, star), back = pattern.substr(star + 1);
  if (key.size() <= front.size() + back.size() || !key.starts_with(front) || !key.ends_with(back)) return false;
  return key.substr(star, key.size() - (pattern.size() - 1)).find('.') == std::string_view::npos;
}

std::string put_in(std::string_view name, std::string_view pattern, std::string_view key) {
  std::string text(name);
  size_t from = pattern.find('*'), to = text.find('*');
  if (from == std::string_view::npos || to == std::string::npos) return text;
  return text.replace(to, 1, key.substr(from, key.size() - (pattern.size() - 1)));
}

std::string native_file(const Row& row, std::string_view key) {
  return put_in(row.file.substr(0, row.file.find(' ')), row.key, key);
}

}  // namespace cgm::cgroup::translate
