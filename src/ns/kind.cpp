// SPDX-License-Identifier: LGPL-2.1-or-later
// The table of kinds.
#include "ns/kind.hpp"

#include <sched.h>

#include "base/number.hpp"

namespace cgm::ns {

const std::array<KindInfo, 8> kKinds = {{
    {Kind::mount, "mount", "mnt", CLONE_NEWNS},
    {Kind::uts, "uts", "uts", CLONE_NEWUTS},
    {Kind::ipc, "ipc", "ipc", CLONE_NEWIPC},
    {Kind::pid, "pid", "pid", CLONE_NEWPID},
    {Kind::net, "net", "net", CLONE_NEWNET},
    {Kind::user, "user", "user", CLONE_NEWUSER},
    {Kind::cgroup, "cgroup", "cgroup", CLONE_NEWCGROUP},
    {Kind::time, "time", "time", CLONE_NEWTIME},
}};

const KindInfo& info(Kind kind) {
  return kKinds[static_cast<size_t>(kind)];
}

std::optional<Kind> parse_kind(std::string_view text) {
  for (const KindInfo& one : kKinds)
    if (text == one.name || text == one.file) return one.kind;
  return std::nullopt;
}

std::optional<Kind> kind_of_flag(int flag) {
  for (const KindInfo& one : kKinds)
    if (flag == one.flag) return one.kind;
  return std::nullopt;
}

Result<Kinds> Kinds::parse(std::string_view text) {
  if (text == "all") return all();
  Kinds kinds;
  for (std::string_view rest = text; !rest.empty();) {
    std::string_view word = take_until(rest, ',');
    auto kind = parse_kind(word);
    if (!kind)
      return fail(ErrorKind::invalid,
                  "'" + std::string(word) + "' is no kind of namespace: mount, uts, ipc, pid, net, user, cgroup, time");
    kinds.add(*kind);
  }
  if (kinds.empty()) return fail(ErrorKind::invalid, "no kind of namespace");
  return kinds;
}

int Kinds::flags() const {
  int flags = 0;
  for (const KindInfo& one : kKinds)
    if (has(one.kind)) flags |= one.flag;
  return flags;
}

std::optional<Link> parse_link(std::string_view text) {
  std::string_view rest = text;
  auto kind = parse_kind(take_until(rest, ':'));
  if (!kind || !rest.starts_with('[') || !rest.ends_with(']')) return std::nullopt;
  auto inode = parse_number<uint64_t>(rest.substr(1, rest.size() - 2));
  if (!inode) return std::nullopt;
  return Link{*kind, *inode};
}

std::optional<uint64_t> parse_link(std::string_view text, Kind kind) {
  auto link = parse_link(text);
  if (!link || link->kind != kind) return std::nullopt;
  return link->inode;
}

std::string format_link(Kind kind, uint64_t inode) {
  return std::string(info(kind).file) + ":[" + std::to_string(inode) + "]";
}

}  // namespace cgm::ns
