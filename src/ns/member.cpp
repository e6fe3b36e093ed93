// SPDX-License-Identifier: LGPL-2.1-or-later
// Entries of /proc.
#include "ns/member.hpp"

#include <algorithm>

#include "base/number.hpp"
#include "base/sys.hpp"
#include "base/sys_ns.hpp"

namespace cgm::ns {

namespace {

constexpr size_t kMaxFile = 64 << 10;

}  // namespace

Result<Member> Member::open(const ProcFs& proc, pid_t pid) {
  if (pid <= 0) return fail(ErrorKind::invalid, "pid " + std::to_string(pid) + " is no process");
  return open_at(proc.fd(), std::to_string(pid) + "/ns", pid);
}

Result<Member> Member::of(const Process& process) {
  return open_at(process.dir(), "ns", process.pid());
}

Result<Member> Member::open_at(int dirfd, const std::string& links, pid_t pid) {
  auto opened = sys::openat(dirfd, links, O_PATH | O_DIRECTORY);
  if (opened) return Member(pid, std::move(*opened));
  if (opened.error().kind() == ErrorKind::denied) return fail(std::move(opened.error()));
  return fail(ErrorKind::gone, "there is no process " + std::to_string(pid));
}

Result<Membership> Member::membership(Kinds kinds) const {
  Membership found;
  for (const KindInfo& kind : kKinds) {
    if (!kinds.has(kind.kind)) continue;
    auto text = sys::readlinkat(links_.get(), std::string(kind.file));
    if (text) {
      auto inode = parse_link(*text, kind.kind);
      if (!inode) return fail(ErrorKind::protocol, "'" + *text + "' is no namespace link");
      found.inodes[static_cast<size_t>(kind.kind)] = *inode;
      continue;
    }
    if (text.error().kind() == ErrorKind::denied)
      return fail(ErrorKind::denied, "the namespaces of process " + std::to_string(pid_) + " may not be seen");
    // A kernel without the kind has no such link for anybody; a process that is gone has none at all.
    if (!sys::fstatat(links_.get(), std::string(kind.file), AT_SYMLINK_NOFOLLOW) &&
        sys::fstatat(links_.get(), "mnt", AT_SYMLINK_NOFOLLOW))
      continue;
    return fail(ErrorKind::gone, "process " + std::to_string(pid_) + " is gone");
  }
  return found;
}

Result<Namespace> Member::open(Kind kind) const {
  std::string file(info(kind).file);
  auto opened = Namespace::open(links_.get(), file);
  if (opened) return opened;
  std::string name = "process " + std::to_string(pid_);
  if (opened.error().kind() == ErrorKind::denied)
    return fail(ErrorKind::denied, "the namespaces of " + name + " may not be seen");
  if (sys::fstatat(links_.get(), "mnt", AT_SYMLINK_NOFOLLOW) && opened.error().code() == ENOENT &&
      !sys::fstatat(links_.get(), file, AT_SYMLINK_NOFOLLOW))
    return fail(ErrorKind::unsupported, "this kernel has no " + std::string(info(kind).name) + " namespaces");
  return fail(ErrorKind::gone, name + " is gone");
}

Result<Namespace> Member::open_for_children(Kind kind) const {
  return Namespace::open(links_.get(), std::string(info(kind).file) + "_for_children");
}

Result<uid_t> Member::uid() const {
  return TRY(sys::fstatat(links_.get(), "..", 0)).st_uid;
}

Result<procfs::Status> Member::status() const {
  return procfs::parse_status(TRY(sys::read_file_at(links_.get(), "../status", kMaxFile)));
}

Result<procfs::Stat> Member::stat() const {
  return procfs::parse_stat(TRY(sys::read_file_at(links_.get(), "../stat", kMaxFile)));
}

Result<std::string> Member::command(size_t limit) const {
  Fd file = TRY(sys::openat(links_.get(), "../cmdline", O_RDONLY));
  std::string line(limit, '\0');
  line.resize(TRY(sys::read(file.get(), line)));
  while (line.ends_with('\0')) line.pop_back();
  std::replace(line.begin(), line.end(), '\0', ' ');
  if (!line.empty()) return line;
  return "[" + TRY(stat()).comm + "]";
}

Result<void> Member::each_held(const std::function<void(int fd, const Namespace&)>& look) const {
  Fd directory = TRY(sys::openat(links_.get(), "../fd", O_RDONLY | O_DIRECTORY));
  dev_t nsfs = TRY(sys::device_at(links_.get(), "mnt"));
  for (const sys::DirEntry& entry : TRY(sys::list_dir(directory.get()))) {
    auto fd = parse_number<int>(entry.name);
    // Nothing else is opened: a device or a fifo would notice. The link's text does not tell: of a file opened where it
    // is mounted it is that path.
    auto device = sys::device_at(directory.get(), entry.name);
    if (!fd || !device || *device != nsfs) continue;
    if (auto opened = Namespace::open(directory.get(), entry.name)) look(*fd, *opened);
  }
  return {};
}

Result<IdRanges> Member::users() const {
  return procfs::parse_id_map(TRY(sys::read_file_at(links_.get(), "../uid_map", kMaxFile)));
}

Result<IdRanges> Member::groups() const {
  return procfs::parse_id_map(TRY(sys::read_file_at(links_.get(), "../gid_map", kMaxFile)));
}

Result<std::string> Member::mountinfo() const {
  return sys::read_file_at(links_.get(), "../mountinfo", procfs::kMaxText);
}

}  // namespace cgm::ns
