// SPDX-License-Identifier: LGPL-2.1-or-later
// cgm ns show and same: one process or namespace, and two processes side by side.
#include <fmt/format.h>

#include <fcntl.h>

#include <cstdio>

#include "base/number.hpp"
#include "base/printable.hpp"
#include "cgm/json.hpp"
#include "cgm/ns.hpp"
#include "cgm/ns_target.hpp"
#include "cgm/verb.hpp"
#include "ns/member.hpp"
#include "ns/survey.hpp"

namespace cgm::cli {

namespace {

constexpr size_t kCommandLimit = 256;

/// A process with all that is told of it, read at one time.
struct Shown {
  pid_t pid = 0;
  uid_t uid = 0;
  std::string command;
  std::vector<pid_t> pids;  ///< its own in each pid namespace, from ours inwards
  ns::Membership in;
  ns::Membership owners;       ///< of each, the user namespace that owns it; 0 where out of sight
  ns::Membership next;         ///< what its children will be in, where that is another
  ns::IdRanges users, groups;  ///< the ids of its user namespace, and what they are in ours
};

Result<Shown> look_at(const ProcFs& proc, pid_t pid) {
  ns::Member member = TRY(ns::Member::open(proc, pid));
  Shown shown{
      .pid = pid, .uid = 0, .command = {}, .pids = {}, .in = {}, .owners = {}, .next = {}, .users = {}, .groups = {}};
  shown.in = TRY(member.membership(ns::Kinds::all()));
  shown.uid = TRY(member.uid());
  shown.command = TRY(member.command(kCommandLimit));
  shown.pids = TRY(member.status()).ns_pid;
  shown.users = TRY(member.users());
  shown.groups = TRY(member.groups());
  for (const ns::KindInfo& kind : ns::kKinds) {
    if (shown.in.of(kind.kind) == 0) continue;
    auto at = static_cast<size_t>(kind.kind);
    auto opened = member.open(kind.kind);
    auto owner = opened ? opened->owner() : std::nullopt;
    shown.owners.inodes[at] = owner ? owner->inode() : 0;
    if (kind.kind != ns::Kind::pid && kind.kind != ns::Kind::time) continue;
    auto next = member.open_for_children(kind.kind);
    if (next && next->inode() != shown.in.of(kind.kind)) shown.next.inodes[at] = next->inode();
  }
  return shown;
}

std::string joined(const std::vector<pid_t>& pids) {
  return fmt::format("{}", fmt::join(pids, " "));
}

Json to_json(const ns::IdRanges& map) {
  Json list = Json::array();
  for (const ns::IdRange& range : map)
    list.push_back({{"inside", range.inside}, {"outside", range.outside}, {"count", range.count}});
  return list;
}

std::string text_of(const ns::IdRanges& map) {
  std::string text;
  for (const ns::IdRange& range : map) text += (text.empty() ? "" : " ") + ns::format_range(range);
  return text.empty() ? "none" : text;
}

int print_process(const Shown& shown, const ns::Membership& own, bool json) {
  if (json) {
    Json list = Json::array();
    for (const ns::KindInfo& kind : ns::kKinds) {
      uint64_t inode = shown.in.of(kind.kind);
      if (inode == 0) continue;
      Json one = {{"kind", kind.name}, {"ns", inode}, {"same_as_ours", inode == own.of(kind.kind)}};
      if (shown.owners.of(kind.kind) != 0) one["owner"] = shown.owners.of(kind.kind);
      if (shown.next.of(kind.kind) != 0) one["for_children"] = shown.next.of(kind.kind);
      list.push_back(std::move(one));
    }
    print_json({{"pid", shown.pid},
                {"pids", shown.pids},
                {"uid", shown.uid},
                {"user", user_name(shown.uid)},
                {"command", shown.command},
                {"uid_map", to_json(shown.users)},
                {"gid_map", to_json(shown.groups)},
                {"namespaces", std::move(list)}});
    return 0;
  }
  fmt::print("process   {}\ncommand   {}\nuser      {}\n", shown.pid, printable(shown.command), user_name(shown.uid));
  if (shown.pids.size() > 1) fmt::print("pids      {} (from ours inwards)\n", joined(shown.pids));
  if (shown.in.of(ns::Kind::user) != own.of(ns::Kind::user))
    fmt::print("users     {} (INSIDE:OUTSIDE:COUNT)\ngroups    {}\n", text_of(shown.users), text_of(shown.groups));
  fmt::print("\n{:<8} {:<12} {:<6} {:<12} {}\n", "KIND", "NS", "OURS", "OWNER", "FOR CHILDREN");
  for (const ns::KindInfo& kind : ns::kKinds) {
    uint64_t inode = shown.in.of(kind.kind);
    if (inode == 0) continue;
    auto or_dash = [](uint64_t value) { return value == 0 ? std::string("-") : std::to_string(value); };
    fmt::print("{:<8} {:<12} {:<6} {:<12} {}\n", kind.name, inode, inode == own.of(kind.kind) ? "yes" : "no",
               or_dash(shown.owners.of(kind.kind)), or_dash(shown.next.of(kind.kind)));
  }
  return 0;
}

/// Who is in a namespace, and what else keeps it.
Result<int> show_namespace(const ProcFs& proc, ns::Link link, bool json) {
  ns::Kinds kind = ns::Kinds::only(link.kind);
  ns::Survey found = TRY(ns::survey(proc, {.kinds = kind, .thorough = true}));
  const ns::Entry* entry = nullptr;
  for (const ns::Entry& one : found.entries)
    if (one.inode == link.inode) entry = &one;
  if (!entry) return fail(ErrorKind::not_found, "no namespace " + ns::format_link(link.kind, link.inode) + " is seen");
  struct Row {
    pid_t pid;
    uid_t uid;
    std::string command;
  };
  std::vector<Row> rows;
  for (pid_t pid : entry->members) {
    auto member = ns::Member::open(proc, pid);
    auto in = member ? member->membership(kind) : fail(std::move(member.error()));
    if (!in || in->of(link.kind) != link.inode) continue;
    auto uid = member->uid();
    auto command = member->command(kCommandLimit);
    if (uid && command) rows.push_back({pid, *uid, std::move(*command)});
  }
  if (json) {
    Json document = {{"kind", ns::info(link.kind).name}, {"ns", link.inode}};
    if (entry->owner != 0) document["owner"] = entry->owner;
    if (entry->parent != 0) document["parent"] = entry->parent;
    document["processes"] = Json::array();
    for (const Row& row : rows)
      document["processes"].push_back(
          {{"pid", row.pid}, {"uid", row.uid}, {"user", user_name(row.uid)}, {"command", row.command}});
    document["mounts"] = entry->mounts;
    document["descriptors"] = Json::array();
    for (const ns::Descriptor& one : entry->descriptors)
      document["descriptors"].push_back({{"pid", one.pid}, {"fd", one.fd}});
    document["for_children_of"] = entry->waiting_for_children;
    print_json(document);
    return 0;
  }
  fmt::print("namespace  {}\n", ns::format_link(link.kind, link.inode));
  if (entry->owner != 0) fmt::print("owner      {}\n", ns::format_link(ns::Kind::user, entry->owner));
  if (entry->parent != 0) fmt::print("parent     {}\n", ns::format_link(link.kind, entry->parent));
  for (const std::string& path : entry->mounts) fmt::print("mounted    {}\n", printable(path));
  for (const ns::Descriptor& one : entry->descriptors)
    fmt::print("held       by process {} as descriptor {}\n", one.pid, one.fd);
  for (pid_t pid : entry->waiting_for_children) fmt::print("children   of process {} will be in it\n", pid);
  fmt::print("processes  {}\n", rows.size());
  for (const Row& row : rows) fmt::print("  {:<8} {:<12} {}\n", row.pid, user_name(row.uid), printable(row.command));
  return 0;
}

}  // namespace

int run_ns_show(Invocation& invocation) {
  std::string target;
  Verb verb(invocation, "ns show [OPTIONS] PID | NAMESPACE",
            "Shows the namespaces of a process and its pid in each pid namespace, or who is in a namespace.",
            "NAMESPACE is a file that is one, or what a link in /proc/PID/ns says: 'net:[4026531840]'.\n\n"
            "Examples:\n  cgm ns show 1\n  cgm ns show /proc/self/ns/net\n  cgm ns show 'uts:[4026531838]' --json\n",
            Verb::Asks::kernel);
  verb.app().add_option("target", target, "a process or a namespace")->type_name("PID | NAMESPACE")->required();
  if (auto status = verb.parse()) return *status;
  auto proc = ProcFs::open();
  if (!proc) return failed(proc.error());
  if (auto pid = parse_number<int64_t>(target)) {
    if (*pid <= 0 || *pid > INT32_MAX) return failed(Error(ErrorKind::invalid, "pid " + target + " is no process"));
    auto shown = look_at(*proc, static_cast<pid_t>(*pid));
    auto own = own_namespaces(*proc);
    if (!shown) return failed(shown.error());
    if (!own) return failed(own.error());
    return print_process(*shown, *own, invocation.json);
  }
  auto link = ns::parse_link(target);
  if (!link) {
    auto opened = ns::Namespace::open(AT_FDCWD, target);
    if (!opened) return failed(opened.error());
    link = ns::Link{opened->kind(), opened->inode()};
  }
  auto status = show_namespace(*proc, *link, invocation.json);
  return status ? *status : failed(status.error());
}

int run_ns_same(Invocation& invocation) {
  std::vector<pid_t> pids;
  Verb verb(invocation, "ns same [OPTIONS] PID PID", "Shows which namespaces two processes share.",
            "Exit status: 0 where they share all, 1 where they do not, 2 where one cannot be looked at.\n\n"
            "Examples:\n  cgm ns same 1 $$\n",
            Verb::Asks::kernel);
  verb.app().add_option("pids", pids, "the processes")->type_name("PID")->required()->expected(2);
  if (auto status = verb.parse()) return *status;
  auto proc = ProcFs::open();
  if (!proc) return failed(proc.error()), kUsage;
  std::vector<ns::Membership> in;
  for (pid_t pid : pids) {
    auto member = ns::Member::open(*proc, pid);
    auto found = member ? member->membership(ns::Kinds::all()) : fail(std::move(member.error()));
    if (!found) return failed(found.error()), kUsage;
    in.push_back(*found);
  }
  bool all = true;
  Json list = Json::array();
  if (!invocation.json) fmt::print("{:<8} {:<12} {:<12} {}\n", "KIND", pids[0], pids[1], "SAME");
  for (const ns::KindInfo& kind : ns::kKinds) {
    uint64_t a = in[0].of(kind.kind), b = in[1].of(kind.kind);
    if (a == 0 && b == 0) continue;
    all = all && a == b;
    if (invocation.json)
      list.push_back({{"kind", kind.name}, {"ns", {a, b}}, {"same", a == b}});
    else
      fmt::print("{:<8} {:<12} {:<12} {}\n", kind.name, a, b, a == b ? "yes" : "no");
  }
  if (invocation.json) print_json({{"pids", pids}, {"same", all}, {"namespaces", std::move(list)}});
  return all ? 0 : kFailed;
}

}  // namespace cgm::cli
