// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cgroup/kernel_value.hpp"

#include <gtest/gtest.h>

#include "cgroup/keyed.hpp"

namespace cgm::cgroup {
namespace {

constexpr uint64_t kPage = 4096;

Write write(const char* file, const char* value) {
  return {std::string(controller_of_file(file)), file, value};
}

struct Row {
  const char *file, *value, *text;
};

TEST(InForce, knows_the_rounding_that_linux_does) {
  for (auto [file, value, text] :
       {Row{"memory.max", "10000000", "9998336\n"},
        Row{"memory.limit_in_bytes", "10000000", "9998336"},
        Row{"memory.limit_in_bytes", "4095", "0"},
        Row{"memory.limit_in_bytes", "-1", "9223372036854771712"},
        Row{"memory.limit_in_bytes", "10M", "10485760"},
        Row{"memory.max", "max", "max"},
        Row{"memory.max", "9223372036854775807", "max"},
        Row{"memory.swap.max", "5000", "4096"},
        Row{"hugetlb.2MB.max", "5242880", "4194304"},
        Row{"hugetlb.2MB.max", "max", "max"},
        Row{"hugetlb.1GB.max", "3000000000", "2147483648"},
        Row{"hugetlb.2MB.limit_in_bytes", "-1", "9223372036852678656"},
        Row{"pids.max", "max", "max"},
        Row{"pids.max", "50", "50"},
        Row{"cpu.shares", "1", "2"},
        Row{"cpu.shares", "300000", "262144"},
        Row{"cpu.weight", "100", "100"},
        Row{"cpu.cfs_quota_us", "-1", "-1"},
        Row{"cpu.max", "max 100000", "max 100000"},
        Row{"cpu.max", "50000", "50000 200000"},
        Row{"cpuset.cpus", "0,1", "0-1"},
        Row{"cpuset.cpus", "\n", ""},
        Row{"blkio.throttle.read_bps_device", "254:0 10", "8:0 7\n254:0 10"},
        Row{"blkio.throttle.read_bps_device", "254:0 0", "8:0 7"},
        Row{"io.weight", "default 300", "default 300\n8:0 5"},
        Row{"io.weight", "300", "default 300"},
        Row{"io.bfq.weight", "8:0 5", "default 300\n8:0 5"},
        Row{"io.bfq.weight", "8:0 default", "default 300"},
        Row{"blkio.bfq.weight", "200", "200"},
        Row{"blkio.bfq.weight_device", "8:0 50", "default 200\n8:0 50"},
        Row{"io.max", "254:0 rbps=1048576 wiops=max", "254:0 rbps=1048576 wbps=max riops=max wiops=max"},
        Row{"io.max", "254:0 rbps=max", ""},
        Row{"rdma.max", "mlx hca_handle=2", "mlx hca_handle=2 hca_object=max"},
        Row{"misc.max", "sev 5", "sev_es 4\nsev 5"}})
    EXPECT_TRUE(is_in_force(write(file, value), text, kPage)) << file << " " << value << " / " << text;
}

TEST(InForce, tells_a_limit_that_does_not_hold) {
  for (auto [file, value, text] : {Row{"memory.max", "10000000", "max"},
                                   Row{"memory.max", "10000000", "9994240"},
                                   Row{"memory.max", "18446744073709551616", "0"},
                                   Row{"memory.max", "4096", ""},
                                   Row{"memory.max", "max", "4096"},
                                   Row{"hugetlb.2MB.max", "5242880", "5242880"},
                                   Row{"pids.max", "50", "max"},
                                   Row{"pids.max", "x", "x"},
                                   Row{"cpu.shares", "300000", "300000"},
                                   Row{"cpu.shares", "x", "2"},
                                   Row{"cpu.weight", "100", "99"},
                                   Row{"cpu.max", "50000 100000", "50000 200000"},
                                   Row{"cpuset.cpus", "0-2", "0-1"},
                                   Row{"blkio.throttle.read_iops_device", "254:0 5000000000", "254:0 705032704"},
                                   Row{"blkio.throttle.read_bps_device", "254:0 10", "8:0 10"},
                                   Row{"io.weight", "8:0 5", "default 5"},
                                   Row{"io.weight", "8:0 default", "default 5\n8:0 6"},
                                   Row{"io.max", "254:0 rbps=1", ""},
                                   Row{"io.max", "254:0 wbps=5242880", "254:0 rbps=max wbps=5 riops=max wiops=max"},
                                   Row{"misc.max", "sev 5", "sev_es 5"}})
    EXPECT_FALSE(is_in_force(write(file, value), text, kPage)) << file << " " << value << " / " << text;
}

TEST(Undo, writes_what_brings_the_old_value_back) {
  struct UndoRow {
    const char *file, *value, *before, *undo;
  };
  for (auto [file, value, before, undo] :
       {UndoRow{"memory.max", "4096", "max\n", "max"}, UndoRow{"cpu.max", "1000 1000", "max 100000", "max 100000"},
        UndoRow{"cpuset.cpus", "0", "", "\n"}, UndoRow{"cpuset.cpus", "0", "0-1", "0-1"},
        UndoRow{"io.max", "254:0 rbps=1 wiops=2", "8:0 rbps=7 wbps=max riops=max wiops=max",
                "254:0 rbps=max wiops=max"},
        UndoRow{"io.max", "254:0 rbps=1", "254:0 rbps=9 wbps=8 riops=max wiops=max", "254:0 rbps=9"},
        UndoRow{"blkio.throttle.read_bps_device", "254:0 1", "8:0 3", "254:0 0"},
        UndoRow{"blkio.throttle.read_bps_device", "254:0 1", "254:0 3", "254:0 3"},
        UndoRow{"io.weight", "default 300", "default 100\n8:0 5", "default 100"},
        UndoRow{"io.bfq.weight", "8:0 300", "default 100", "8:0 default"},
        UndoRow{"io.bfq.weight", "8:0 300", "default 100\n8:0 5", "8:0 5"},
        UndoRow{"blkio.bfq.weight", "300", "100", "100"}, UndoRow{"misc.max", "sev 1", "sev 7\nsev_es max", "sev 7"},
        UndoRow{"rdma.max", "mlx hca_handle=1", "mlx hca_handle=max hca_object=5", "mlx hca_handle=max"}})
    EXPECT_EQ(undo_value(write(file, value), before), undo) << file << " " << value;
}

TEST(KernelBytes, takes_what_linux_takes_and_nothing_that_it_misreads) {
  EXPECT_EQ(parse_kernel_bytes("10M", "max"), 10485760u);
  EXPECT_EQ(parse_kernel_bytes("1e", "max"), uint64_t{1} << 60);
  EXPECT_EQ(parse_kernel_bytes("max", "max"), kUnlimited);
  EXPECT_EQ(parse_kernel_bytes("-1", "-1"), kUnlimited);
  EXPECT_EQ(parse_kernel_bytes("0", "max"), 0u);
  for (const char* word : {"", "M", "-1", "010", "0x10", "10MB", "1.5G", " 1", "18446744073709551616", "16E", "10 M"})
    EXPECT_EQ(parse_kernel_bytes(word, "max"), std::nullopt) << word;
}

}  // namespace
}  // namespace cgm::cgroup
