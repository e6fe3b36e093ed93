// SPDX-License-Identifier: LGPL-2.1-or-later
// Pinned processes.
#include "base/process.hpp"

#include <linux/magic.h>
#include <sys/vfs.h>

#include "base/number.hpp"
#include "base/sys.hpp"

namespace cgm {

namespace {

constexpr size_t kMaxProcFile = 64 << 10;

}  // namespace

Result<ProcFs> ProcFs::open() {
  Fd root = TRY(sys::openat(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW));
  struct statfs fs;
  if (::fstatfs(root.get(), &fs) < 0) return fail(Error::from_errno(errno, "fstatfs", "/proc"));
  if (fs.f_type != PROC_SUPER_MAGIC) return fail(ErrorKind::unsupported, "/proc is not a proc file system");
  return ProcFs(std::move(root));
}

Result<Process> Process::open(const ProcFs& proc, pid_t pid) {
  if (pid <= 0) return fail(ErrorKind::invalid, "pid " + std::to_string(pid) + " is no process");
  return adopt(proc, TRY(sys::pidfd_open(pid)), pid);
}

Result<Process> Process::adopt(const ProcFs& proc, Fd pidfd, pid_t pid) {
  auto dir = sys::openat(proc.fd(), std::to_string(pid), O_PATH | O_DIRECTORY);
  if (!dir) {
    if (dir.error().code() == ENOENT) return fail(ErrorKind::gone, "process " + std::to_string(pid) + " is gone");
    return fail(std::move(dir.error()));
  }
  Process process(pid, std::move(pidfd), std::move(*dir));
  // The pid was this process's both before and after /proc/PID was opened only if the process lives still.
  if (!process.is_alive()) return fail(ErrorKind::gone, "process " + std::to_string(pid) + " is gone");
  return process;
}

bool Process::is_alive() const {
  return !sys::has_exited(pidfd_.get());
}

Result<procfs::Status> Process::status() const {
  return procfs::parse_status(TRY(sys::read_file_at(dir_.get(), "status", kMaxProcFile)));
}

Result<procfs::Stat> Process::stat() const {
  return procfs::parse_stat(TRY(sys::read_file_at(dir_.get(), "stat", kMaxProcFile)));
}

Result<uint64_t> Process::namespace_inode(const std::string& kind) const {
  return TRY(sys::fstatat(dir_.get(), "ns/" + kind, 0)).st_ino;
}

Result<void> Process::signal(int signal) const {
  return sys::pidfd_send_signal(pidfd_.get(), signal);
}

Result<pid_t> pid_of_pidfd(int pidfd) {
  Fd info = TRY(sys::openat(AT_FDCWD, "/proc/self/fdinfo/" + std::to_string(pidfd), O_RDONLY));
  std::string text = TRY(sys::read_all(info.get(), kMaxProcFile));
  std::string_view rest = text;
  while (!rest.empty()) {
    std::string_view line = take_until(rest, '\n');
    if (!line.starts_with("Pid:")) continue;
    auto pid = parse_number<pid_t>(trim(line.substr(4)));
    if (!pid || *pid == 0) return fail(ErrorKind::invalid, "the process has no pid in this pid namespace");
    if (*pid < 0) return fail(ErrorKind::gone, "the process is gone");
    return *pid;
  }
  return fail(ErrorKind::invalid, "descriptor " + std::to_string(pidfd) + " is no pidfd");
}

}  // namespace cgm
