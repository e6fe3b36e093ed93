// SPDX-License-Identifier: LGPL-2.1-or-later
// /proc/PID/mountinfo, and the hierarchies that are found in it.
#include <algorithm>

#include "base/procfs.hpp"
#include "cgroup/hierarchy.hpp"
#include "fuzz/fuzz.hpp"

namespace {

using cgm::cgroup::FoundHierarchy;
using cgm::cgroup::Version;
using cgm::procfs::Mount;
using cgm::test::promise;

/// As the kernel writes it: what would end a field, and the backslash, in octal.
std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (byte > ' ' && c != '\\') {
      out.push_back(c);
      continue;
    }
    for (int shift : {6, 3, 0}) out.push_back(static_cast<char>('0' + ((byte >> shift) & 7)));
    out.insert(out.size() - 3, "\\");
  }
  return out;
}

std::string line_of(const Mount& mount) {
  return std::to_string(mount.id) + " " + std::to_string(mount.parent) + " " + std::to_string(mount.major) + ":" +
         std::to_string(mount.minor) + " " + escaped(mount.root) + " " + escaped(mount.mount_point) + " " +
         mount.options + " - " + escaped(mount.fs_type) + " " + escaped(mount.source) + " " +
         escaped(mount.super_options) + "\n";
}

void reads_back(const Mount& mount) {
  auto again = cgm::procfs::parse_mountinfo(line_of(mount));
  promise(again && again->size() == 1, "a mount that was parsed can be parsed again");
  const Mount& one = again->front();
  promise(one.id == mount.id && one.parent == mount.parent && one.major == mount.major && one.minor == mount.minor,
          "numbers read back");
  promise(one.root == mount.root && one.mount_point == mount.mount_point && one.options == mount.options,
          "paths read back");
  promise(one.fs_type == mount.fs_type && one.source == mount.source && one.super_options == mount.super_options,
          "the file system reads back");
}

void is_consistent(const FoundHierarchy& found, const std::vector<Mount>& mounts) {
  promise(found.version == Version::v2 || !found.controllers.empty(), "a v1 hierarchy has controllers or a name");
  auto is_its_mount = [&](const Mount& mount) {
    return mount.mount_point == found.mount_point && mount.root == found.mount_root && mount.major == found.major &&
           mount.minor == found.minor;
  };
  promise(std::any_of(mounts.begin(), mounts.end(), is_its_mount), "a hierarchy is one of the mounts");
  std::string root = found.mount_root;
  while (root.ends_with('/')) root.pop_back();
  cgm::cgroup::Hierarchy hierarchy(found, cgm::Fd());
  auto below = cgm::cgroup::CgroupPath::parse("a..b/c");
  auto located = hierarchy.locate(root + "/a..b/c");
  promise(located && *located == *below, "what lies below a mount's root is found there");
  promise(!hierarchy.locate(root + "/../c"), "what climbs out of a mount is not found in it");
}

}  // namespace

FUZZ(text) {
  auto mounts = cgm::procfs::parse_mountinfo(text);
  if (!mounts) return;
  for (const Mount& mount : *mounts) reads_back(mount);
  std::vector<cgm::procfs::Subsystem> subsystems;
  for (const char* name : {"cpu", "cpuacct", "memory", "freezer"}) subsystems.push_back({name, 0, 1, true});
  auto found = cgm::cgroup::find_hierarchies(*mounts, subsystems);
  for (size_t i = 0; i < found.size(); i++) {
    is_consistent(found[i], *mounts);
    for (size_t other = 0; other < i; other++)
      promise(found[i].version != found[other].version || found[i].controllers != found[other].controllers,
              "each hierarchy is found once");
  }
}
