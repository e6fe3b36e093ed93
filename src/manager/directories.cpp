// SPDX-License-Identifier: LGPL-2.1-or-later
// Open directories.
#include "manager/directories.hpp"

#include "base/path.hpp"
#include "base/sys.hpp"
#include "base/sys_events.hpp"

namespace cgm::manager {

namespace {

Result<FoundDirectory> open_in(int above_fd, std::string_view name, DirectoryPtr above) {
  Directory directory;
  directory.fd = TRY(open_beneath(above_fd, name, O_PATH | O_DIRECTORY));
  struct stat now = TRY(sys::fstat(directory.fd.get()));
  directory.device = now.st_dev;
  directory.inode = now.st_ino;
  directory.above = std::move(above);
  return FoundDirectory{std::make_shared<const Directory>(std::move(directory)), now};
}

}  // namespace

Result<std::unique_ptr<Directories>> Directories::create() {
  return std::unique_ptr<Directories>(new Directories(TRY(sys::timerfd_create())));
}

Result<FoundDirectory> Directories::at(const cgroup::Hierarchy& hierarchy, const cgroup::CgroupPath& path) {
  if (DirectoryPtr known = find({&hierarchy, path.text()})) {
    auto now = path.is_root() ? sys::fstat(hierarchy.root())
                              : sys::fstatat(hierarchy.root(), path.text(), AT_SYMLINK_NOFOLLOW);
    if (now && now->st_ino == known->inode && now->st_dev == known->device)
      return FoundDirectory{std::move(known), *now};
  }
  auto open = [&]() -> Result<FoundDirectory> {
    if (path.is_root()) return open_in(hierarchy.root(), "", nullptr);
    DirectoryPtr above = TRY(at(hierarchy, path.parent())).directory;
    int fd = above->fd.get();
    return open_in(fd, path.name(), std::move(above));
  };
  FoundDirectory opened = TRY(open());
  keep({&hierarchy, path.text()}, opened.directory);
  return opened;
}

DirectoryPtr Directories::find(const Key& key) {
  std::lock_guard lock(mutex_);
  auto found = known_.find(key);
  return found == known_.end() ? nullptr : found->second;
}

void Directories::keep(Key key, DirectoryPtr directory) {
  std::lock_guard lock(mutex_);
  // Whoever is at work has references of his own.
  if (known_.size() >= kMost) known_.clear();
  if (known_.empty()) (void)sys::timerfd_set(timer_.get(), sys::monotonic_ns() + kSpanNs);
  known_.insert_or_assign(std::move(key), std::move(directory));
}

void Directories::forget() {
  uint64_t count = 0;
  (void)!::read(timer_.get(), &count, sizeof count);
  std::lock_guard lock(mutex_);
  known_.clear();
}

}  // namespace cgm::manager
