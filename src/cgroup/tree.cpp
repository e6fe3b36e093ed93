// SPDX-License-Identifier: LGPL-2.1-or-later
// Making, handing over and removing cgroups.
#include "cgroup/tree.hpp"

#include <dirent.h>
#include <unistd.h>

#include "base/number.hpp"
#include "base/sys.hpp"
#include "cgroup/leaf.hpp"

namespace cgm::cgroup {

namespace {

Result<void> copy_cpuset(const Cgroup& parent, const Cgroup& child) {
  for (const char* key : {"cpuset.cpus", "cpuset.mems"}) {
    if (!TRY(child.read(key)).empty()) continue;  // clone_children did it
    TRY_VOID(child.write(key, TRY(parent.read(key))));
  }
  return {};
}

/// The kernel's delegate list, without the leading paths some kernels could add; v1's are two fixed names.
std::vector<std::string> delegate_files(Version version) {
  if (version == Version::v1) return {"tasks", "cgroup.procs"};
  std::vector<std::string> files;
  auto sys_kernel = sys::openat(AT_FDCWD, "/sys/kernel/cgroup", O_PATH | O_DIRECTORY);
  auto text = sys_kernel ? sys::read_file_at(sys_kernel->get(), "delegate", 4096) : Result<std::string>(std::string());
  if (!text || text->empty()) return {"cgroup.procs", "cgroup.threads", "cgroup.subtree_control"};
  std::string_view rest = *text;
  while (!rest.empty()) {
    std::string_view line = trim(take_until(rest, '\n'));
    if (is_key(line)) files.emplace_back(line);
  }
  return files;
}

Result<void> chown_file(const Cgroup& cgroup, const std::string& file, uid_t uid, gid_t gid) {
  auto changed = sys::fchownat(cgroup.dir(), file, uid, gid, AT_SYMLINK_NOFOLLOW | (file.empty() ? AT_EMPTY_PATH : 0));
  if (!changed && changed.error().kind() != ErrorKind::not_found) return changed;
  return {};
}

}  // namespace

Result<Cgroup> make_child(const Cgroup& parent, std::string_view name) {
  TRY_VOID(check_name(name));
  if (name == kLeafName) return fail(ErrorKind::invalid, "'" + std::string(name) + "' is no name of a cgroup");
  TRY_VOID(sys::mkdirat(parent.dir(), std::string(name), 0755));
  auto prepared = [&]() -> Result<Cgroup> {
    Cgroup child = TRY(parent.child(name));
    if (!child.is_v2() && child.hierarchy().has("cpuset")) TRY_VOID(copy_cpuset(parent, child));
    return child;
  }();
  if (!prepared) (void)sys::unlinkat(parent.dir(), std::string(name), AT_REMOVEDIR);
  return prepared;
}

Result<void> hand_over(const Cgroup& cgroup, uid_t uid, gid_t gid) {
  TRY_VOID(chown_file(cgroup, "", uid, gid));
  for (const sys::DirEntry& entry : TRY(sys::list_dir(cgroup.dir())))
    if (entry.type == DT_REG) TRY_VOID(chown_file(cgroup, entry.name, uid, gid));
  return {};
}

Result<void> hand_over_new_files(const Cgroup& parent, std::string_view controller) {
  std::string prefix = std::string(controller) + ".";
  for (const std::string& name : TRY(parent.children())) {
    auto child = parent.child(name);
    // Never in the kernel's delegate list: whoever owns this file was given all of them.
    auto owner =
        child ? sys::fstatat(child->dir(), "cgroup.max.descendants", AT_SYMLINK_NOFOLLOW) : fail(Error(child.error()));
    if (!owner || owner->st_uid == ::geteuid()) continue;
    for (const sys::DirEntry& entry : TRY(sys::list_dir(child->dir())))
      if (entry.type == DT_REG && entry.name.starts_with(prefix))
        TRY_VOID(chown_file(*child, entry.name, owner->st_uid, owner->st_gid));
  }
  return {};
}

Result<void> delegate(const Cgroup& cgroup, uid_t uid, gid_t gid) {
  TRY_VOID(chown_file(cgroup, "", uid, gid));
  for (const std::string& file : delegate_files(cgroup.hierarchy().version()))
    TRY_VOID(chown_file(cgroup, file, uid, gid));
  if (!cgroup.is_v2()) return {};
  auto leaf = open_leaf(cgroup);
  if (leaf)
    for (const char* file : {"cgroup.procs", "cgroup.threads"}) TRY_VOID(chown_file(*leaf, file, uid, gid));
  return {};
}

Result<void> remove_child(const Cgroup& parent, std::string_view name) {
  TRY_VOID(check_name(name));
  if (parent.is_v2()) {
    Cgroup child = TRY(parent.child(name));
    auto leaf = open_leaf(child);
    if (leaf) {
      // An empty leaf goes first; one that holds tasks makes the cgroup busy.
      auto removed = sys::unlinkat(child.dir(), std::string(kLeafName), AT_REMOVEDIR);
      if (!removed && removed.error().kind() != ErrorKind::not_found) return removed;
    }
  }
  return sys::unlinkat(parent.dir(), std::string(name), AT_REMOVEDIR);
}

std::vector<std::string> uninherited_keys(const Cgroup& cgroup) {
  if (cgroup.is_v2()) return {};
  std::vector<std::string> keys;
  const Hierarchy& hierarchy = cgroup.hierarchy();
  if (hierarchy.has("blkio"))
    keys.insert(keys.end(), {"blkio.throttle.read_bps_device", "blkio.throttle.write_bps_device",
                             "blkio.throttle.read_iops_device", "blkio.throttle.write_iops_device"});
  if (hierarchy.has("net_cls")) keys.emplace_back("net_cls.classid");
  if (hierarchy.has("net_prio")) keys.emplace_back("net_prio.ifpriomap");
  if (hierarchy.has("memory")) {
    auto use = cgroup.read("memory.use_hierarchy");
    if (use && *use == "0") keys.insert(keys.end(), {"memory.limit_in_bytes", "memory.memsw.limit_in_bytes"});
  }
  std::erase_if(keys, [&](const std::string& key) { return !cgroup.has_file(key); });
  return keys;
}

}  // namespace cgm::cgroup
