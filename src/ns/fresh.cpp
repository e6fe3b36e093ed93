// SPDX-License-Identifier: LGPL-2.1-or-later
// Mounts to make anew.
#include "ns/fresh.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>

#include "base/fd.hpp"
#include "base/number.hpp"
#include "base/procfs.hpp"

namespace cgm::ns {

namespace {

/// A flag by its name in mountinfo, for mount(2) and for fsmount(2).
struct Flag {
  std::string_view option;
  unsigned long flag;
  uint64_t attribute;
};
constexpr std::array kFlags = {
    Flag{"ro", MS_RDONLY, MOUNT_ATTR_RDONLY},        Flag{"nosuid", MS_NOSUID, MOUNT_ATTR_NOSUID},
    Flag{"nodev", MS_NODEV, MOUNT_ATTR_NODEV},       Flag{"noexec", MS_NOEXEC, MOUNT_ATTR_NOEXEC},
    Flag{"noatime", MS_NOATIME, MOUNT_ATTR_NOATIME}, Flag{"nodiratime", MS_NODIRATIME, MOUNT_ATTR_NODIRATIME}};

unsigned long flags_of(std::string_view options) {
  unsigned long flags = 0;
  while (!options.empty()) {
    std::string_view option = take_until(options, ',');
    for (const Flag& one : kFlags)
      if (option == one.option) flags |= one.flag;
  }
  return flags;
}

uint64_t attributes_of(unsigned long flags) {
  uint64_t attributes = 0;
  for (const Flag& one : kFlags)
    if ((flags & one.flag) != 0) attributes |= one.attribute;
  return attributes;
}

/// Which v1 hierarchy it is: its controllers, and its name. The other options belong to the hierarchy, which is there.
std::string hierarchy_of(std::string_view super_options) {
  constexpr std::array<std::string_view, 8> kOthers = {
      "rw", "ro", "xattr", "noprefix", "favordynmods", "nofavordynmods", "clone_children", "cpuset_v2_mode"};
  std::string data;
  bool controllers = false;
  while (!super_options.empty()) {
    std::string_view option = take_until(super_options, ',');
    bool is_name = option.starts_with("name=");
    bool other = option.find('=') != std::string_view::npos ||
                 std::find(kOthers.begin(), kOthers.end(), option) != kOthers.end();
    if (!is_name && other) continue;
    controllers = controllers || !is_name;
    data += (data.empty() ? "" : ",") + std::string(option);
  }
  return controllers ? data : "none," + data;
}

/// True if the mount's root is the cgroup that these lines name for its hierarchy.
bool shows_already(const procfs::Mount& mount, const std::vector<procfs::CgroupLine>& cgroups) {
  auto has = [&](const std::string& option) {
    for (std::string_view rest = mount.super_options; !rest.empty();)
      if (take_until(rest, ',') == option) return true;
    return false;
  };
  for (const procfs::CgroupLine& line : cgroups) {
    bool is_its = mount.fs_type == "cgroup2" ? line.hierarchy == 0
                                             : line.hierarchy != 0 && !line.controllers.empty() &&
                                                   std::all_of(line.controllers.begin(), line.controllers.end(), has);
    if (is_its) return line.path == mount.root;
  }
  return false;
}

/// A mount by what is mounted below it.
struct Above {
  std::string path;
  size_t below = 0, fresh = 0;
};

/// Takes away what is mounted below `path`, in one go: a copy of the mount without it takes its place. Where that may
/// not be, all is left as it was.
bool bare(const std::string& path) {
  Fd copy(static_cast<int>(
      ::syscall(SYS_open_tree, AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW)));
  if (!copy || ::umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) < 0) return true;
  return ::syscall(SYS_move_mount, copy.get(), "", AT_FDCWD, path.c_str(), MOVE_MOUNT_F_EMPTY_PATH) == 0;
}

bool configure(int context, const FreshMount& mount) {
  if (::syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "source", mount.type.c_str(), 0) < 0) return false;
  for (std::string_view rest = mount.data; !rest.empty();) {
    std::string_view option = take_until(rest, ',');
    char words[128];  // KEY, or KEY and VALUE, each ended by a zero
    if (option.size() >= sizeof words) return errno = EINVAL, false;
    words[option.copy(words, option.size())] = '\0';
    char* value = std::strchr(words, '=');
    if (value) *value++ = '\0';
    unsigned how = value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;
    if (::syscall(SYS_fsconfig, context, how, words, value, 0) < 0) return false;
  }
  return ::syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0;
}

}  // namespace

std::vector<FreshMount> fresh_mounts(std::string_view mountinfo, Kinds kinds, std::string_view cgroups) {
  auto own = procfs::parse_cgroup(cgroups);
  std::vector<FreshMount> fresh;
  std::vector<int> parents;  // of each
  std::map<int, Above> above;
  while (!mountinfo.empty()) {
    auto parsed = procfs::parse_mountinfo(take_until(mountinfo, '\n'));
    if (!parsed || parsed->size() != 1) continue;
    const procfs::Mount& mount = parsed->front();
    for (size_t i = fresh.size(); i-- > 0;) {
      // What lies over or above an earlier one hides that.
      const std::string& path = fresh[i].path;
      if (path != mount.mount_point && !path.starts_with(mount.mount_point + "/") && mount.mount_point != "/") continue;
      fresh.erase(fresh.begin() + static_cast<ptrdiff_t>(i));
      parents.erase(parents.begin() + static_cast<ptrdiff_t>(i));
    }
    bool is_v1 = mount.fs_type == "cgroup", is_v2 = mount.fs_type == "cgroup2", is_queue = mount.fs_type == "mqueue";
    bool wanted = (kinds.has(Kind::cgroup) && (is_v1 || is_v2)) || (kinds.has(Kind::ipc) && is_queue);
    above[mount.id].path = mount.mount_point;
    above[mount.parent].below++;
    if (!wanted || (own && !is_queue && shows_already(mount, *own))) continue;
    parents.push_back(mount.parent);
    fresh.push_back(
        {mount.mount_point, mount.fs_type, is_v1 ? hierarchy_of(mount.super_options) : "", flags_of(mount.options)});
  }
  for (int parent : parents) above[parent].fresh++;
  std::vector<FreshMount> bared;
  for (const auto& [id, one] : above) {
    // One that is made anew itself takes with it what is below.
    bool itself =
        std::any_of(fresh.begin(), fresh.end(), [&](const FreshMount& mount) { return mount.path == one.path; });
    if (one.fresh > 1 && one.fresh == one.below && !itself && !one.path.empty() && one.path != "/")
      bared.push_back({one.path, "", "", 0});
  }
  fresh.insert(fresh.begin(), bared.begin(), bared.end());
  return fresh;
}

bool mount_anew(const FreshMount& mount) {
  if (mount.type.empty()) return bare(mount.path);
  const char* type = mount.type.c_str();
  if (::mount(type, mount.path.c_str(), type, mount.flags, mount.data.c_str()) == 0) return true;
  if (errno != EBUSY) return false;
  // mount(2) refuses a file system over itself; one that is made first and moved there is not looked at.
  Fd context(static_cast<int>(::syscall(SYS_fsopen, type, FSOPEN_CLOEXEC)));
  if (!context || !configure(context.get(), mount)) return false;
  Fd made(static_cast<int>(::syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC, attributes_of(mount.flags))));
  if (!made) return false;
  (void)::umount2(mount.path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
  return ::syscall(SYS_move_mount, made.get(), "", AT_FDCWD, mount.path.c_str(), MOVE_MOUNT_F_EMPTY_PATH) == 0;
}

}  // namespace cgm::ns
