// SPDX-License-Identifier: LGPL-2.1-or-later
// cgm ns cgroup-view: /proc/PID/cgroup and the cgroup mounts of /proc/PID/mountinfo, as another process reads them.
// cgroup_namespaces(7).
#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/printable.hpp"
#include "base/procfs.hpp"
#include "base/sys.hpp"
#include "cgm/json.hpp"
#include "cgm/ns.hpp"
#include "cgm/ns_target.hpp"
#include "cgm/verb.hpp"
#include "ns/enter.hpp"

namespace cgm::cli {

namespace {

struct View {
  std::vector<procfs::CgroupLine> cgroups;
  std::vector<procfs::Mount> mounts;
};

/// Reads what the kernel tells a reader in the cgroup namespace of `reader`: what it says depends on who reads, not on
/// who has opened.
Result<View> read_view(const Process& process, const std::string& reader) {
  Fd cgroup = TRY(sys::openat(process.dir(), "cgroup", O_RDONLY));
  Fd mountinfo = TRY(sys::openat(process.dir(), "mountinfo", O_RDONLY));
  if (!reader.empty()) {
    // A user namespace of ours gives the right to enter it, where we have none.
    ns::Kinds kinds = ns::Kinds::only(ns::Kind::cgroup);
    kinds.add(ns::Kind::user);
    auto there = TRY(namespaces_of(reader, kinds));
    if (std::any_of(there.begin(), there.end(), [](const auto& one) { return one.kind() == ns::Kind::cgroup; }))
      TRY_VOID(ns::enter(there));
  }
  View view;
  view.cgroups = TRY(procfs::parse_cgroup(TRY(sys::read_all(cgroup.get(), 64 << 10))));
  for (procfs::Mount& mount : TRY(procfs::parse_mountinfo(TRY(sys::read_all(mountinfo.get(), procfs::kMaxText)))))
    if (mount.fs_type == "cgroup" || mount.fs_type == "cgroup2") view.mounts.push_back(std::move(mount));
  return view;
}

std::string name_of(const procfs::CgroupLine& line) {
  return line.hierarchy == 0 && line.controllers.empty() ? "v2" : fmt::format("{}", fmt::join(line.controllers, ","));
}

void print(const View& view) {
  fmt::print("{:<24} {}\n", "HIERARCHY", "CGROUP");
  for (const procfs::CgroupLine& line : view.cgroups)
    fmt::print("{:<24} {}{}\n", printable(name_of(line)), printable(line.path), line.deleted ? " (deleted)" : "");
  if (view.mounts.empty()) return;
  fmt::print("\n{:<32} {:<8} {}\n", "MOUNT", "TYPE", "ROOT");
  for (const procfs::Mount& mount : view.mounts)
    fmt::print("{:<32} {:<8} {}\n", printable(mount.mount_point), mount.fs_type, printable(mount.root));
}

Json to_json(const View& view) {
  Json document = {{"cgroups", Json::array()}, {"mounts", Json::array()}};
  for (const procfs::CgroupLine& line : view.cgroups)
    document["cgroups"].push_back({{"version", line.hierarchy == 0 ? 2 : 1},
                                   {"controllers", line.controllers},
                                   {"path", line.path},
                                   {"deleted", line.deleted}});
  for (const procfs::Mount& mount : view.mounts)
    document["mounts"].push_back({{"mount", mount.mount_point}, {"type", mount.fs_type}, {"root", mount.root}});
  return document;
}

}  // namespace

int run_ns_cgroup_view(Invocation& invocation) {
  std::string target, from;
  Verb verb(invocation, "ns cgroup-view [OPTIONS] PID",
            "Shows the cgroups of a process and the roots of its cgroup mounts, as you, or another process, see them.",
            "A path is told from the root of the reader's cgroup namespace; '/..' leads out of it.\n\n"
            "Examples:\n  cgm ns cgroup-view 4711\n  cgm ns cgroup-view 4711 --from 4711\n"
            "  cgm ns cgroup-view 1 --from 4711 --json\n",
            Verb::Asks::kernel);
  verb.app().add_option("--from", from, "the process that reads (cgm itself)")->type_name("PID");
  verb.app().add_option("pid", target, "the process that is looked at")->type_name("PID")->required();
  if (auto status = verb.parse()) return *status;
  auto proc = ProcFs::open();
  auto found = proc ? find_target(target, *proc) : fail(std::move(proc.error()));
  if (!found) return failed(found.error());
  if (!found->process) return verb.usage_error("'" + target + "' is no process");
  auto view = read_view(found->process->process, from);
  if (!view) return failed(view.error());
  if (invocation.json)
    print_json(to_json(*view));
  else
    print(*view);
  return 0;
}

}  // namespace cgm::cli
