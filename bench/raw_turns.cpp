// SPDX-License-Identifier: LGPL-2.1-or-later
// The same kernel work, and nothing around it: plain system calls on absolute paths, nothing allocated but what a list
// needs. What it costs is the lower bound of what any server can reach.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <vector>

#include "base/fd.hpp"
#include "cgroup/tasks.hpp"
#include "support/sandbox.hpp"
#include "work.hpp"

namespace cgm::bench {

namespace {

std::unexpected<Error> failed(const char* call, const std::string& path) {
  return fail(Error::from_errno(errno, call, path));
}

Result<void> read_once(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return failed("open", path);
  char text[4096];
  if (::read(fd.get(), text, sizeof text) < 0) return failed("read", path);
  return {};
}

Result<void> write_once(const std::string& path, std::string_view text) {
  Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd) return failed("open", path);
  if (::write(fd.get(), text.data(), text.size()) < 0) return failed("write", path);
  return {};
}

/// Gives a directory and all of its files to `id`, as Create does for its caller.
Result<void> give_all(const std::string& path, uid_t id) {
  if (::chown(path.c_str(), id, id) < 0) return failed("chown", path);
  std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
  if (!directory) return failed("opendir", path);
  while (const dirent* entry = ::readdir(directory.get()))
    if (entry->d_type == DT_REG && ::fchownat(::dirfd(directory.get()), entry->d_name, id, id, AT_SYMLINK_NOFOLLOW) < 0)
      return failed("fchownat", path);
  return {};
}

class RawTurns final : public Turns {
 public:
  explicit RawTurns(const Spot& spot)
      : uid_(spot.uid),
        victim_(test::Child::sleeper()),
        own_("/proc/" + std::to_string(::getpid()) + "/cgroup"),
        value_(spot.value_directory + "/" + std::string(Spot::kValueName) + "/" + spot.value.key),
        value_text_(spot.value.text + "\n"),
        pids_(spot.pids_directory + "/" + std::string(Spot::kValueName) + "/" + spot.pids.key),
        pids_text_(spot.pids.text + "\n"),
        fresh_(spot.tree_directory + "/raw" + spot.tag),
        homes_{spot.tree_directory + "/left" + spot.tag + "/" + spot.tasks_file,
               spot.tree_directory + "/right" + spot.tag + "/" + spot.tasks_file},
        crowd_(spot.tree_directory + "/" + std::string(Spot::kCrowdName) + "/" + spot.tasks_file),
        victim_text_(std::to_string(victim_.pid())) {}

  Result<void> turn(Work work, bool) override {
    switch (work) {
      case Work::ping: return {};
      case Work::get_pid_cgroup: return read_once(own_);
      case Work::get_value: return read_once(value_);
      case Work::set_value: return write_once(value_, value_text_);
      case Work::set_pids: return write_once(pids_, pids_text_);
      case Work::create_remove:
        if (::mkdir(fresh_.c_str(), 0755) < 0) return failed("mkdir", fresh_);
        if (uid_ != 0) TRY_VOID(give_all(fresh_, uid_));
        if (::rmdir(fresh_.c_str()) < 0) return failed("rmdir", fresh_);
        return {};
      case Work::move_pid: side_ = !side_; return write_once(homes_[side_ ? 1 : 0], victim_text_);
      case Work::get_tasks: return list(crowd_);
    }
    return {};
  }

 private:
  Result<void> list(const std::string& path) {
    Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return failed("open", path);
    size_t used = 0;
    for (;;) {
      ssize_t n = ::read(fd.get(), list_.data() + used, list_.size() - used);
      if (n < 0) return failed("read", path);
      if (n == 0) break;
      used += static_cast<size_t>(n);
      if (used == list_.size()) list_.resize(2 * used);
    }
    TRY_VOID(cgroup::parse_ids(std::string_view(list_.data(), used)));
    return {};
  }

  uid_t uid_;
  test::Child victim_;
  std::string own_, value_, value_text_, pids_, pids_text_, fresh_;
  std::array<std::string, 2> homes_;
  std::string crowd_, victim_text_;
  bool side_ = false;
  std::vector<char> list_ = std::vector<char>(64 << 10);
};

}  // namespace

Result<std::unique_ptr<Turns>> raw_turns(const Spot& spot) {
  return std::make_unique<RawTurns>(spot);
}

}  // namespace cgm::bench
