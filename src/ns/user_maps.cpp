// SPDX-License-Identifier: LGPL-2.1-or-later
// Id maps of new user namespaces.
#include "ns/user_maps.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/launch.hpp"
#include "base/number.hpp"
#include "base/process.hpp"
#include "base/sys.hpp"

namespace cgm::ns {

namespace {

constexpr size_t kMaxFile = 1 << 20;

/// The two kinds of ids: their files and tools.
struct IdKind {
  const char* name;
  const char* map_file;
  const char* subid_file;
  const char* tool;
  int capability;
};
constexpr IdKind kUsers{"user", "uid_map", "/etc/subuid", "newuidmap", CAP_SETUID};
constexpr IdKind kGroups{"group", "gid_map", "/etc/subgid", "newgidmap", CAP_SETGID};

std::string login_name() {
  const passwd* entry = ::getpwuid(::geteuid());
  return entry ? entry->pw_name : std::to_string(::geteuid());
}

/// The blocks that are the caller's, of the file's text.
std::vector<SubidLine> subids_of(std::string_view text) {
  std::vector<SubidLine> lines = parse_subids(text);
  std::string name = login_name();
  std::erase_if(lines, [&](const SubidLine& line) {
    return line.owner != name && parse_number<uid_t>(line.owner) != ::geteuid();
  });
  return lines;
}

std::string read_subids(const IdKind& kind) {
  return sys::read_file_at(AT_FDCWD, kind.subid_file, kMaxFile).value_or("");
}

Result<IdRanges> plan(const IdKind& kind, std::optional<uint32_t> inside, uint32_t own, const IdRanges& further,
                      bool automatic) {
  std::optional<IdRange> self;
  if (inside) self = IdRange{*inside, own, 1};
  IdRanges map;
  if (automatic) {
    std::string text = read_subids(kind);
    auto blocks = subids_of(text);
    if (blocks.empty())
      return fail(ErrorKind::not_found, std::string(kind.subid_file) + " gives '" + login_name() + "' no ids");
    map = around(blocks.front(), self);
  } else if (self) {
    map.push_back(*self);
  }
  map.insert(map.end(), further.begin(), further.end());
  if (map.empty()) return map;
  auto good = check(map);
  if (!good) return fail(std::move(good.error()).with(std::string(kind.name) + " map"));
  return map;
}

bool has_capability(int capability) {
  auto text = sys::read_file_at(AT_FDCWD, "/proc/self/status", 64 << 10);
  auto status = text ? procfs::parse_status(*text) : fail(std::move(text.error()));
  return status && (status->cap_effective >> capability & 1) != 0;
}

/// True if the kernel takes the map from whoever made the namespace (new_idmap_permitted).
bool is_own_id(const IdRanges& map, uint32_t own) {
  return map.size() == 1 && map.front().count == 1 && map.front().outside == own;
}

Result<void> run_tool(const IdKind& kind, pid_t pid, const IdRanges& map, uint32_t own) {
  Launch tool;
  tool.argv = {kind.tool, std::to_string(pid)};
  for (const IdRange& range : map)
    for (uint32_t number : {range.inside, range.outside, range.count}) tool.argv.push_back(std::to_string(number));
  tool.environment = own_environment();
  ::sigemptyset(&tool.mask);
  auto child = launch(tool);
  if (!child) return fail(std::move(child.error()));
  auto started = child->wait_for_exec();
  int status = 0;
  while (::waitpid(child->pid(), &status, 0) < 0 && errno == EINTR) {
  }
  if (!started && started.error().kind() == ErrorKind::not_found)
    return fail(ErrorKind::not_found, std::string("more than one's own ") + kind.name + " id needs " + kind.tool +
                                          ", which is not installed (package uidmap)");
  if (!started) return fail(std::move(started.error()).with(kind.tool));
  if (status == 0) return {};
  std::string text = read_subids(kind);
  std::string lacks = lacking(map, subids_of(text), own);
  if (!lacks.empty())
    return fail(ErrorKind::denied,
                std::string(kind.subid_file) + " does not give '" + login_name() + "' the ids " + lacks);
  return fail(ErrorKind::denied, std::string(kind.tool) + " failed; is it set-user-id root, or has it its capability?");
}

Result<void> write_file(int proc_entry, const char* name, const std::string& text) {
  Fd file = TRY(sys::openat(proc_entry, name, O_WRONLY));
  TRY_VOID(sys::write(file.get(), text, name));
  return {};
}

Result<void> write_map(const IdKind& kind, int proc_entry, pid_t pid, const IdRanges& map, uint32_t own) {
  if (map.empty()) return {};
  if (is_own_id(map, own) || has_capability(kind.capability))
    return write_file(proc_entry, kind.map_file, format_map(map));
  return run_tool(kind, pid, map, own);
}

}  // namespace

Result<UserMaps> plan_maps(const MapRequest& request) {
  UserMaps maps;
  maps.users = TRY(plan(kUsers, request.user, ::geteuid(), request.users, request.automatic));
  maps.groups = TRY(plan(kGroups, request.group, ::getegid(), request.groups, request.automatic));
  maps.setgroups = request.setgroups;
  // Who may not set groups outside does not get to drop one inside (user_namespaces(7)).
  if (is_own_id(maps.groups, ::getegid()) && !has_capability(CAP_SETGID)) {
    if (maps.setgroups == Setgroups::allow)
      return fail(ErrorKind::invalid, "setgroups cannot be allowed where only one's own group is mapped");
    maps.setgroups = Setgroups::deny;
  }
  return maps;
}

bool is_own_map(const UserMaps& maps) {
  return (maps.users.empty() || is_own_id(maps.users, ::geteuid())) &&
         (maps.groups.empty() || is_own_id(maps.groups, ::getegid()));
}

Result<void> write_maps(int proc_entry, pid_t pid, const UserMaps& maps) {
  if (maps.setgroups != Setgroups::unchanged)
    TRY_VOID(write_file(proc_entry, "setgroups", maps.setgroups == Setgroups::deny ? "deny" : "allow"));
  TRY_VOID(write_map(kGroups, proc_entry, pid, maps.groups, ::getegid()));
  return write_map(kUsers, proc_entry, pid, maps.users, ::geteuid());
}

}  // namespace cgm::ns
