// SPDX-License-Identifier: LGPL-2.1-or-later
// Discovery of hierarchies.
#include "cgroup/hierarchy.hpp"

#include <linux/magic.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include <algorithm>

#include "base/number.hpp"
#include "base/sys.hpp"

namespace cgm::cgroup {

namespace {

constexpr std::string_view kNamed = "name=";

std::string_view bare(std::string_view controller) {
  return controller.starts_with(kNamed) ? controller.substr(kNamed.size()) : controller;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    std::string_view part = take_until(text, separator);
    if (!part.empty()) parts.emplace_back(part);
  }
  return parts;
}

void sort_bare(std::vector<std::string>& controllers) {
  std::sort(controllers.begin(), controllers.end(), [](const auto& a, const auto& b) { return bare(a) < bare(b); });
}

/// Opens the mount itself, checked to be what mountinfo spoke of and not something mounted over it.
Result<Fd> open_root(const FoundHierarchy& found, bool detach) {
  Fd root = TRY(sys::openat(AT_FDCWD, found.mount_point, O_PATH | O_DIRECTORY | O_NOFOLLOW));
  struct stat st = TRY(sys::fstat(root.get()));
  if (::major(st.st_dev) != found.major || ::minor(st.st_dev) != found.minor)
    return fail(ErrorKind::unsupported, "'" + found.mount_point + "' is hidden by another mount");
  struct statfs fs;
  if (::fstatfs(root.get(), &fs) < 0) return fail(Error::from_errno(errno, "fstatfs", found.mount_point));
  auto magic = static_cast<unsigned long>(fs.f_type);
  if (magic != (found.version == Version::v2 ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC))
    return fail(ErrorKind::unsupported, "'" + found.mount_point + "' is no cgroup file system");
  if (!detach) return root;
  return sys::clone_mount(root.get(), "");
}

/// What the v2 tree offers, read from its root as we see it.
std::vector<std::string> v2_controllers_of(int root) {
  auto text = sys::read_file_at(root, "cgroup.controllers", 4096);
  if (!text) return {};
  std::vector<std::string> controllers = split(trim(*text), ' ');
  sort_bare(controllers);
  return controllers;
}

}  // namespace

bool Hierarchy::has(std::string_view controller) const {
  return std::find(found_.controllers.begin(), found_.controllers.end(), controller) != found_.controllers.end();
}

std::string Hierarchy::label() const {
  if (found_.controllers.empty()) return "unified";
  std::string text;
  for (const std::string& controller : found_.controllers) text.append(text.empty() ? "" : ",").append(controller);
  return text;
}

bool Hierarchy::is_in(std::string_view line) const {
  if (is_v2()) return line.starts_with("0::");
  (void)take_until(line, ':');
  std::string_view controllers = take_until(line, ':');
  while (!controllers.empty())
    if (take_until(controllers, ',') == found_.controllers.front()) return true;
  return false;
}

Result<CgroupPath> Hierarchy::path_in(std::string_view cgroups) const {
  // A cgroup's name holds no newline (the kernel refuses it), so lines are lines.
  while (!cgroups.empty()) {
    std::string_view text = take_until(cgroups, '\n');
    if (text.empty() || !is_in(text)) continue;
    procfs::CgroupLine line = TRY(procfs::parse_cgroup_line(text));
    if (line.deleted) return fail(ErrorKind::gone, "cgroup '" + line.path + "' was removed");
    return locate(line.path);
  }
  return fail(ErrorKind::not_found, "no cgroup in hierarchy " + label());
}

Result<CgroupPath> Hierarchy::locate(std::string_view proc_path) const {
  auto outside = [&] {
    return fail(ErrorKind::not_found, "'" + std::string(proc_path) + "' lies outside the mount of " + label());
  };
  // Both are relative to our cgroup namespace's root; `/..` in either is text that must agree.
  std::string_view root = found_.mount_root;
  while (root.ends_with('/')) root.remove_suffix(1);
  if (!proc_path.starts_with(root)) return outside();
  std::string_view rest = proc_path.substr(root.size());
  if (!rest.empty() && rest.front() != '/') return outside();
  auto path = CgroupPath::from_kernel(rest);
  if (!path) return outside();
  return path;
}

std::vector<FoundHierarchy> find_hierarchies(std::span<const procfs::Mount> mounts,
                                             std::span<const procfs::Subsystem> subsystems) {
  std::vector<FoundHierarchy> found;
  for (const procfs::Mount& mount : mounts) {
    FoundHierarchy one;
    if (mount.fs_type == "cgroup2") {
      one.version = Version::v2;
    } else if (mount.fs_type == "cgroup") {
      for (std::string& option : split(mount.super_options, ',')) {
        bool known = std::any_of(subsystems.begin(), subsystems.end(), [&](const auto& s) { return s.name == option; });
        if (known || option.starts_with(kNamed)) one.controllers.push_back(std::move(option));
      }
      if (one.controllers.empty()) continue;
      sort_bare(one.controllers);
    } else {
      continue;
    }
    one.mount_point = mount.mount_point;
    one.mount_root = mount.root;
    one.major = mount.major;
    one.minor = mount.minor;
    auto same = std::find_if(found.begin(), found.end(), [&](const FoundHierarchy& f) {
      return f.version == one.version && f.controllers == one.controllers;
    });
    if (same == found.end())
      found.push_back(std::move(one));
    else if (one.mount_root.size() < same->mount_root.size())
      *same = std::move(one);
  }
  return found;
}

Hierarchies::Hierarchies(std::vector<Hierarchy> hierarchies) {
  auto key = [](const Hierarchy& h) {
    return h.controllers().empty() ? std::string_view() : bare(h.controllers().front());
  };
  std::stable_sort(hierarchies.begin(), hierarchies.end(), [&](const Hierarchy& a, const Hierarchy& b) {
    if (key(a).empty() != key(b).empty()) return key(b).empty();
    return key(a) < key(b);
  });
  for (Hierarchy& hierarchy : hierarchies) hierarchies_.push_back(std::move(hierarchy));
}

Result<Hierarchies> Hierarchies::discover(const DiscoverOptions& options) {
  Fd proc = TRY(sys::openat(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY));
  auto mounts = TRY(procfs::parse_mountinfo(TRY(sys::read_file_at(proc.get(), "self/mountinfo", procfs::kMaxText))));
  auto subsystems = TRY(procfs::parse_cgroups(TRY(sys::read_file_at(proc.get(), "cgroups", 64 << 10))));
  std::vector<Hierarchy> opened;
  std::vector<Error> problems;
  auto skipped = [&](const FoundHierarchy& found) {
    return !found.controllers.empty() &&
           std::all_of(found.controllers.begin(), found.controllers.end(), [&](const auto& c) {
             return std::find_if(options.skip.begin(), options.skip.end(),
                                 [&](const auto& s) { return bare(s) == bare(c); }) != options.skip.end();
           });
  };
  auto add = [&](FoundHierarchy found, Fd root) {
    if (found.version == Version::v2) found.controllers = v2_controllers_of(root.get());
    if (!skipped(found)) opened.emplace_back(std::move(found), std::move(root));
  };
  bool have_v2 = false;
  for (FoundHierarchy& found : find_hierarchies(mounts, subsystems)) {
    auto root = open_root(found, options.detach);
    if (!root) {
      problems.push_back(std::move(root.error()));
      continue;
    }
    have_v2 = have_v2 || found.version == Version::v2;
    add(std::move(found), std::move(*root));
  }
  if (!have_v2 && options.mount_unified) {
    auto root = sys::mount_detached("cgroup2", {});
    if (root)
      add({.version = Version::v2, .controllers = {}, .mount_point = "", .mount_root = "/"}, std::move(*root));
    else
      problems.push_back(std::move(root.error()));
  }
  for (const std::string& wanted : options.mount_v1) {
    FoundHierarchy found{
        .version = Version::v1, .controllers = split(wanted, ','), .mount_point = "", .mount_root = "/"};
    sort_bare(found.controllers);
    bool present = std::any_of(opened.begin(), opened.end(), [&](const Hierarchy& h) {
      return std::any_of(found.controllers.begin(), found.controllers.end(), [&](const auto& c) { return h.has(c); });
    });
    if (present || found.controllers.empty()) continue;
    std::vector<std::string> mount_options = found.controllers;
    if (found.controllers.front().starts_with(kNamed)) mount_options.insert(mount_options.begin(), "none");
    auto root = sys::mount_detached("cgroup", mount_options);
    if (root)
      add(std::move(found), std::move(*root));
    else
      problems.push_back(std::move(root.error()).with("mount v1 hierarchy '" + wanted + "'"));
  }
  Hierarchies all(std::move(opened));
  all.problems_ = std::move(problems);
  return all;
}

const Hierarchy* Hierarchies::unified() const {
  for (const Hierarchy& hierarchy : hierarchies_)
    if (hierarchy.is_v2()) return &hierarchy;
  return nullptr;
}

const Hierarchy* Hierarchies::find(std::string_view controller) const {
  for (const Hierarchy& hierarchy : hierarchies_) {
    if (hierarchy.is_v2()) continue;
    for (const std::string& own : hierarchy.controllers())
      if (own == controller || bare(own) == controller) return &hierarchy;
    // A v2 name for a controller that is mounted on v1.
    if (controller == "io" && hierarchy.has("blkio")) return &hierarchy;
  }
  const Hierarchy* tree = unified();
  if (!tree) return nullptr;
  constexpr std::string_view kTree[] = {"unified", "freezer", "devices", "systemd", "name=systemd"};
  if (std::find(std::begin(kTree), std::end(kTree), controller) != std::end(kTree)) return tree;
  return tree->has(v2_controller(controller)) ? tree : nullptr;
}

std::string_view v2_controller(std::string_view name) {
  constexpr std::string_view kTree[] = {"unified", "freezer", "devices"};
  if (name == "blkio") return "io";
  if (name == "cpuacct") return "cpu";
  if (name == "systemd" || name.starts_with(kNamed)) return {};
  if (std::find(std::begin(kTree), std::end(kTree), name) != std::end(kTree)) return {};
  return name;
}

}  // namespace cgm::cgroup
