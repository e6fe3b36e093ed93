// SPDX-License-Identifier: LGPL-2.1-or-later
// Options of new namespaces.
#include "cgm/ns_options.hpp"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/number.hpp"
#include "base/process.hpp"

namespace cgm::cli {

namespace {

using ns::Kind;

struct KindOption {
  Kind kind;
  const char* letter;
  const char* help;
};
constexpr KindOption kKindOptions[] = {
    // in the order of the enum
    {Kind::mount, "-m", "new mounts"},
    {Kind::uts, "-u", "new host and domain name"},
    {Kind::ipc, "-i", "new System V IPC and message queues"},
    {Kind::pid, "-p", "new process ids, with a /proc of their own (and --mount)"},
    {Kind::net, "-n", "new network: devices, addresses, ports"},
    {Kind::user, "-U", "new user and group ids"},
    {Kind::cgroup, "-C", "new view of the cgroups, with mounts that show it (and --mount)"},
    {Kind::time, "-T", "new clocks"},
};

/// A number, or the id that `look_up` finds for a name.
template <class F>
Result<uint32_t> parse_id(const std::string& text, const char* what, F look_up) {
  if (auto number = parse_number<uint32_t>(text)) {
    if (*number != UINT32_MAX) return *number;
  } else if (auto found = look_up(text.c_str())) {
    return *found;
  }
  return fail(ErrorKind::invalid, std::string("there is no ") + what + " '" + text + "'");
}

std::optional<uint32_t> find_user(const char* name) {
  const passwd* entry = ::getpwnam(name);
  return entry ? std::optional<uint32_t>(entry->pw_uid) : std::nullopt;
}

std::optional<uint32_t> find_group(const char* name) {
  const group* entry = ::getgrnam(name);
  return entry ? std::optional<uint32_t>(entry->gr_gid) : std::nullopt;
}

Result<ns::IdRanges> parse_ranges(const std::vector<std::string>& texts) {
  ns::IdRanges ranges;
  for (const std::string& text : texts) ranges.push_back(TRY(ns::parse_range(text)));
  return ranges;
}

Result<std::optional<int64_t>> parse_offset(const std::string& text, const char* option) {
  if (text.empty()) return std::nullopt;
  if (auto seconds = parse_number<int64_t>(text)) return seconds;
  return fail(ErrorKind::invalid, std::string(option) + ": '" + text + "' is no number of seconds");
}

ns::Propagation propagation_of(std::string_view text) {
  if (text == "unchanged") return ns::Propagation::unchanged;
  if (text == "slave") return ns::Propagation::slave;
  return text == "shared" ? ns::Propagation::shared : ns::Propagation::isolated;
}

}  // namespace

std::string option_of(Kind kind, bool with_letter) {
  std::string name = "--" + std::string(ns::info(kind).name);
  return with_letter ? std::string(kKindOptions[static_cast<size_t>(kind)].letter) + "," + name : name;
}

void NamespaceOptions::add_to(CLI::App& app, bool short_names) {
  const std::string group = "Namespaces";
  for (const KindOption& one : kKindOptions)
    app.add_flag(option_of(one.kind, short_names), kinds[static_cast<size_t>(one.kind)], one.help)->group(group);
  app.add_flag(short_names ? "-a,--all" : "--all-namespaces", all, "all of them, but for user and time")->group(group);
  app.add_flag("--keep-mounts", keep_mounts, "leave /proc, cgroup and mqueue mounts as they are")->group(group);
  app.add_option("--mount-proc", proc, "mount a proc file system there")->type_name("DIR")->group(group);
  app.add_option("--propagation", propagation, "of all mounts in a new mount namespace (private)")
      ->type_name("HOW")
      ->check(CLI::IsMember({"private", "slave", "shared", "unchanged"}))
      ->group(group);
  app.add_option("--hostname", hostname, "the host's name inside (and --uts)")->type_name("NAME")->group(group);
  app.add_option("--monotonic", monotonic, "add this to the monotonic clock (and --time)")
      ->type_name("SECONDS")
      ->group(group);
  app.add_option("--boottime", boottime, "add this to the clock since boot (and --time)")
      ->type_name("SECONDS")
      ->group(group);
  const std::string ids = "Ids (each means --user)";
  app.add_flag(short_names ? "-r,--map-root" : "--map-root", map_root, "you are root inside")->group(ids);
  app.add_flag(short_names ? "-c,--map-current" : "--map-current", map_current, "you are yourself inside")->group(ids);
  app.add_flag("--map-auto", map_auto, "also map your subordinate ids, from 0 on")->group(ids);
  app.add_option("--map-user", map_user, "you are this user inside")->type_name("USER")->group(ids);
  app.add_option("--map-group", map_group, "your group is this one inside")->type_name("GROUP")->group(ids);
  app.add_option("--map-users", map_users, "map COUNT user ids, INSIDE:OUTSIDE:COUNT")
      ->type_name("RANGE")
      ->allow_extra_args(false)
      ->group(ids);
  app.add_option("--map-groups", map_groups, "map COUNT group ids")
      ->type_name("RANGE")
      ->allow_extra_args(false)
      ->group(ids);
  app.add_option("--setgroups", setgroups, "whether further groups may be set inside")
      ->type_name("HOW")
      ->check(CLI::IsMember({"allow", "deny"}))
      ->group(ids);
  const std::string program = "The program";
  app.add_option(short_names ? "-R,--root" : "--root", root, "its root directory")->type_name("DIR")->group(program);
  app.add_option(short_names ? "-w,--wd" : "--wd", directory, "its working directory")
      ->type_name("DIR")
      ->group(program);
  app.add_option(short_names ? "-S,--setuid" : "--setuid", setuid, "its user id inside")
      ->type_name("USER")
      ->group(program);
  app.add_option(short_names ? "-G,--setgid" : "--setgid", setgid, "its group id inside, with no further groups")
      ->type_name("GROUP")
      ->group(program);
  app.add_flag("--keep-caps", keep_caps, "it keeps the capabilities of a new user namespace, whoever it is")
      ->group(program);
}

Result<NamespaceOptions::Wanted> NamespaceOptions::wanted() const {
  Wanted wanted;
  ns::NewOptions& options = wanted.options;
  for (const ns::KindInfo& kind : ns::kKinds) {
    bool in_all = all && kind.kind != Kind::user && kind.kind != Kind::time;
    if (kinds[static_cast<size_t>(kind.kind)] || in_all) options.kinds.add(kind.kind);
  }
  ns::MapRequest request;
  if (map_root) request.user = request.group = 0;
  if (map_current) {
    request.user = ::geteuid();
    request.group = ::getegid();
  }
  if (!map_user.empty()) request.user = TRY(parse_id(map_user, "user", find_user));
  if (!map_group.empty()) request.group = TRY(parse_id(map_group, "group", find_group));
  request.users = TRY(with(parse_ranges(map_users), "--map-users"));
  request.groups = TRY(with(parse_ranges(map_groups), "--map-groups"));
  request.automatic = map_auto;
  if (!setgroups.empty()) request.setgroups = setgroups == "allow" ? ns::Setgroups::allow : ns::Setgroups::deny;
  if (!request.empty() || !setgroups.empty()) {
    options.kinds.add(Kind::user);
    wanted.maps = TRY(ns::plan_maps(request));
  }

  if (!hostname.empty()) options.kinds.add(Kind::uts);
  options.hostname = hostname;
  options.monotonic = TRY(parse_offset(monotonic, "--monotonic"));
  options.boottime = TRY(parse_offset(boottime, "--boottime"));
  if (options.monotonic || options.boottime) options.kinds.add(Kind::time);

  options.proc = proc;
  options.fresh = !keep_mounts;
  if (options.fresh && options.kinds.has(Kind::pid) && proc.empty()) options.proc = "/proc";
  if (options.fresh && (options.kinds.has(Kind::pid) || options.kinds.has(Kind::cgroup)))
    options.kinds.add(Kind::mount);
  if (!options.proc.empty()) options.kinds.add(Kind::mount);
  options.propagation = propagation_of(propagation);
  options.root = root;
  options.directory = directory;
  if (!setuid.empty()) options.uid = TRY(parse_id(setuid, "user", find_user));
  if (!setgid.empty()) options.gid = TRY(parse_id(setgid, "group", find_group));
  options.keep_capabilities = keep_caps;
  // Who has no id inside, of the caller's, is root there, if there is one.
  auto is_root_inside = [](const ns::IdRanges& map, uint32_t own) {
    return !ns::to_inside(map, own) && ns::to_outside(map, 0);
  };
  if (!options.uid && is_root_inside(wanted.maps.users, ::geteuid())) options.uid = 0;
  if (!options.gid && is_root_inside(wanted.maps.groups, ::getegid())) options.gid = 0;
  return wanted;
}

Result<void> map_child(const StartedChild& child, const ns::UserMaps& maps) {
  if (maps.empty()) return {};
  // Not reaped yet, the pid is the child's.
  ProcFs proc = TRY(ProcFs::open());
  Process process = TRY(Process::open(proc, child.pid()));
  return ns::write_maps(process.dir(), child.pid(), maps);
}

}  // namespace cgm::cli
