// SPDX-License-Identifier: LGPL-2.1-or-later
// Recorded files of a cgroup, for pure code that reads present values: a map from file name to text.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "cgroup/files.hpp"

namespace cgm::test {

using Recorded = std::map<std::string, std::string, std::less<>>;

/// Reads one of them; not_found where there is none, as openat says it.
inline Result<std::string> read_recorded(const Recorded& files, std::string_view file) {
  auto found = files.find(file);
  if (found == files.end()) return fail(Error::from_errno(ENOENT, "openat", file));
  return found->second;
}

/// What a fresh cgroup of Linux 6.1 holds on v2, with BFQ loaded and no cgroup.conf of any kind.
inline Recorded fresh_v2() {
  return {{"cpu.max", "max 100000"},
          {"cpu.max.burst", "0"},
          {"cpu.weight", "100"},
          {"cpu.weight.nice", "0"},
          {"cpu.stat",
           "usage_usec 330048\nuser_usec 87734\nsystem_usec 242313\nnr_periods 2\nnr_throttled 1\nthrottled_usec "
           "55\nnr_bursts 0\nburst_usec 0"},
          {"cpuset.cpus", ""},
          {"cpuset.cpus.effective", "0-1"},
          {"cpuset.mems", ""},
          {"cpuset.mems.effective", "0"},
          {"cgroup.events", "populated 0\nfrozen 0"},
          {"cgroup.freeze", "0"},
          {"cgroup.procs", "17"},
          {"cgroup.threads", "17\n18"},
          {"hugetlb.2MB.current", "0"},
          {"hugetlb.2MB.events", "max 4"},
          {"hugetlb.2MB.max", "max"},
          {"hugetlb.2MB.rsvd.current", "0"},
          {"hugetlb.2MB.rsvd.max", "max"},
          {"io.bfq.weight", "default 100"},
          {"io.max", ""},
          {"io.stat", "254:0 rbytes=42991616 wbytes=5242880 rios=67 wios=10 dbytes=8 dios=1"},
          {"io.weight", "default 100"},
          {"memory.current", "208896"},
          {"memory.events", "low 0\nhigh 0\nmax 35\noom 9642\noom_kill 1\noom_group_kill 0"},
          {"memory.high", "max"},
          {"memory.low", "0"},
          {"memory.max", "max"},
          {"memory.min", "0"},
          {"memory.peak", "23568384"},
          {"memory.stat", "anon 1000\nfile 90112\nkernel 4096\nshmem 12"},
          {"memory.swap.current", "77824"},
          {"memory.swap.max", "max"},
          {"misc.max", ""},
          {"pids.current", "2"},
          {"pids.max", "max"},
          {"pids.peak", "3"},
          {"rdma.max", ""},
          {"cpu.pressure",
           "some avg10=0.00 avg60=0.00 avg300=0.00 total=9\nfull avg10=0.00 avg60=0.00 avg300=0.00 "
           "total=0"},
          {"memory.pressure",
           "some avg10=1.50 avg60=0.00 avg300=0.00 total=8\nfull avg10=0.00 avg60=0.00 avg300=0.00 "
           "total=0"},
          {"io.pressure",
           "some avg10=0.00 avg60=0.00 avg300=0.00 total=7\nfull avg10=0.00 avg60=0.00 avg300=0.00 "
           "total=0"}};
}

/// The same on v1, the files of all controllers together.
inline Recorded fresh_v1() {
  return {
      {"cpu.cfs_burst_us", "0"},
      {"cpu.cfs_period_us", "100000"},
      {"cpu.cfs_quota_us", "-1"},
      {"cpu.shares", "1024"},
      {"cpu.stat", "nr_periods 4\nnr_throttled 2\nthrottled_time 5000\nnr_bursts 0\nburst_time 0"},
      {"cpuacct.usage", "343705205"},
      {"cpuacct.usage_sys", "248000000"},
      {"cpuacct.usage_user", "80000000"},
      {"cpuset.cpus", "0-1"},
      {"cpuset.effective_cpus", "0-1"},
      {"cpuset.mems", "0"},
      {"cpuset.effective_mems", "0"},
      {"freezer.state", "THAWED"},
      {"freezer.self_freezing", "0"},
      {"freezer.parent_freezing", "0"},
      {"cgroup.procs", "17"},
      {"tasks", "17\n18"},
      {"hugetlb.2MB.failcnt", "4"},
      {"hugetlb.2MB.limit_in_bytes", "9223372036852678656"},
      {"hugetlb.2MB.usage_in_bytes", "0"},
      {"hugetlb.2MB.rsvd.limit_in_bytes", "9223372036852678656"},
      {"hugetlb.2MB.rsvd.usage_in_bytes", "0"},
      {"blkio.bfq.io_service_bytes_recursive",
       "254:0 Read 42991616\n254:0 Write 5242880\n254:0 Sync 48234496\n254:0 Async 0\n254:0 Discard 0\n254:0 Total "
       "48234496\nTotal 48234496"},
      {"blkio.bfq.io_serviced_recursive",
       "254:0 Read 41\n254:0 Write 5\n254:0 Sync 46\n254:0 Async 0\n254:0 Discard 0\n254:0 Total 46\nTotal 46"},
      {"blkio.bfq.weight", "100"},
      {"blkio.bfq.weight_device", "default 100"},
      {"blkio.throttle.io_service_bytes_recursive",
       "8:0 Read 1\n8:0 Write 2\n8:0 Sync 3\n8:0 Async 0\n8:0 Discard 4\n8:0 Total 7\nTotal 7"},
      {"blkio.throttle.io_serviced_recursive",
       "8:0 Read 5\n8:0 Write 6\n8:0 Sync 11\n8:0 Async 0\n8:0 Discard 7\n8:0 Total 18\nTotal 18"},
      {"blkio.throttle.read_bps_device", ""},
      {"blkio.throttle.read_iops_device", ""},
      {"blkio.throttle.write_bps_device", ""},
      {"blkio.throttle.write_iops_device", ""},
      {"memory.failcnt", "30"},
      {"memory.kmem.limit_in_bytes", "9223372036854771712"},
      {"memory.kmem.usage_in_bytes", "4096"},
      {"memory.limit_in_bytes", "9223372036854771712"},
      {"memory.max_usage_in_bytes", "23568384"},
      {"memory.memsw.failcnt", "5"},
      {"memory.memsw.limit_in_bytes", "9223372036854771712"},
      {"memory.memsw.usage_in_bytes", "286720"},
      {"memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1"},
      {"memory.soft_limit_in_bytes", "9223372036854771712"},
      {"memory.stat", "cache 1\nrss 2\nswap 3\ntotal_cache 90112\ntotal_rss 1000\ntotal_shmem 12\ntotal_swap 77824"},
      {"memory.usage_in_bytes", "208896"},
      {"misc.max", ""},
      {"pids.current", "2"},
      {"pids.max", "max"},
      {"pids.peak", "3"},
      {"rdma.max", ""}};
}

/// Recorded files of one version as Files; writes are refused. The map is kept by reference.
inline cgroup::Files recorded_files(cgroup::Version version, const Recorded& files) {
  return {
      .version = [version](std::string_view controller) -> std::optional<cgroup::Version> {
        if (controller == "unified" && version == cgroup::Version::v1) return std::nullopt;
        return version;
      },
      .read = [&files](std::string_view, std::string_view file) { return read_recorded(files, file); },
      .write = [](std::string_view, std::string_view file, std::string_view) -> Result<void> {
        return fail(Error::from_errno(EROFS, "write", file));
      },
  };
}

}  // namespace cgm::test
