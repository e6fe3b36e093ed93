// SPDX-License-Identifier: LGPL-2.1-or-later
// bpf(2).
#include "base/bpf.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

namespace cgm::bpf {

namespace {

// More is not to be had: the kernel attaches at most 64 programs to a cgroup (BPF_CGROUP_MAX_PROGS).
constexpr size_t kMaxAttached = 64;

long call(bpf_cmd command, bpf_attr& attr) {
  return ::syscall(SYS_bpf, command, &attr, sizeof attr);
}

uint64_t pointer(const void* p) {
  return reinterpret_cast<uintptr_t>(p);
}

std::unexpected<Error> failed(const char* what) {
  return fail(Error::from_errno(errno, what));
}

}  // namespace

Result<Fd> load(bpf_prog_type type, const std::string& name, std::span<const bpf_insn> program) {
  bpf_attr attr{};
  attr.prog_type = type;
  attr.insns = pointer(program.data());
  attr.insn_cnt = static_cast<uint32_t>(program.size());
  // It calls no helper that asks for another one.
  attr.license = pointer("LGPL-2.1-or-later");
  name.copy(attr.prog_name, kMaxName);
  int fd = static_cast<int>(call(BPF_PROG_LOAD, attr));
  if (fd < 0) return failed("bpf BPF_PROG_LOAD");
  return Fd(fd);
}

Result<std::vector<uint32_t>> attached(int cgroup, bpf_attach_type type) {
  std::vector<uint32_t> ids(kMaxAttached);
  bpf_attr attr{};
  attr.query.target_fd = static_cast<uint32_t>(cgroup);
  attr.query.attach_type = type;
  attr.query.prog_ids = pointer(ids.data());
  attr.query.prog_cnt = static_cast<uint32_t>(ids.size());
  if (call(BPF_PROG_QUERY, attr) < 0) {
    if (errno == EINVAL)
      return fail(Error(ErrorKind::unsupported, EINVAL, "bpf BPF_PROG_QUERY: no cgroup programs here"));
    return failed("bpf BPF_PROG_QUERY");
  }
  ids.resize(attr.query.prog_cnt);
  return ids;
}

Result<Fd> open(uint32_t id) {
  bpf_attr attr{};
  attr.prog_id = id;
  int fd = static_cast<int>(call(BPF_PROG_GET_FD_BY_ID, attr));
  if (fd < 0) return failed("bpf BPF_PROG_GET_FD_BY_ID");
  return Fd(fd);
}

Result<ProgramInfo> info(int program) {
  bpf_prog_info raw{};
  bpf_attr attr{};
  attr.info.bpf_fd = static_cast<uint32_t>(program);
  attr.info.info_len = sizeof raw;
  attr.info.info = pointer(&raw);
  if (call(BPF_OBJ_GET_INFO_BY_FD, attr) < 0) return failed("bpf BPF_OBJ_GET_INFO_BY_FD");
  ProgramInfo info{.name = std::string(raw.name, ::strnlen(raw.name, sizeof raw.name))};
  static_assert(sizeof raw.tag == sizeof info.tag);
  std::memcpy(&info.tag, raw.tag, sizeof info.tag);
  return info;
}

Result<void> attach(int cgroup, bpf_attach_type type, int program, int replaced) {
  bpf_attr attr{};
  attr.target_fd = static_cast<uint32_t>(cgroup);
  attr.attach_bpf_fd = static_cast<uint32_t>(program);
  attr.attach_type = type;
  attr.attach_flags = BPF_F_ALLOW_MULTI;
  if (replaced >= 0) {
    attr.attach_flags |= BPF_F_REPLACE;
    attr.replace_bpf_fd = static_cast<uint32_t>(replaced);
  }
  if (call(BPF_PROG_ATTACH, attr) < 0) return failed("bpf BPF_PROG_ATTACH");
  return {};
}

Result<void> detach(int cgroup, bpf_attach_type type, int program) {
  bpf_attr attr{};
  attr.target_fd = static_cast<uint32_t>(cgroup);
  attr.attach_bpf_fd = static_cast<uint32_t>(program);
  attr.attach_type = type;
  if (call(BPF_PROG_DETACH, attr) < 0) return failed("bpf BPF_PROG_DETACH");
  return {};
}

}  // namespace cgm::bpf
