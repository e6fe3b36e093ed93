// SPDX-License-Identifier: LGPL-2.1-or-later
// Notes on cgroups.
#include "cgroup/note.hpp"

#include <unistd.h>

#include "base/sys.hpp"

namespace cgm::cgroup {

namespace {

std::string trusted(std::string_view name) {
  return "trusted.cgmanager." + std::string(name);
}

std::string untrusted(std::string_view name) {
  return "user.cgmanager." + std::string(name);
}

/// Attributes want a descriptor that is not O_PATH.
Result<Fd> open_dir(const Cgroup& cgroup) {
  return sys::openat(cgroup.dir(), ".", O_RDONLY | O_DIRECTORY);
}

/// True where user.* attributes were set by root or by ourselves: they take write permission, or to own the directory.
bool is_only_ours(int dir) {
  auto st = sys::fstat(dir);
  return st && (st->st_uid == 0 || st->st_uid == ::geteuid()) && (st->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

}  // namespace

Result<void> set_note(const Cgroup& cgroup, std::string_view name, std::string_view value, NoteFor readers) {
  Fd dir = TRY(open_dir(cgroup));
  auto set = sys::fsetxattr(dir.get(), trusted(name), value);
  if (set && readers == NoteFor::us) return {};
  auto set_untrusted = sys::fsetxattr(dir.get(), untrusted(name), value);
  return set ? Result<void>() : set_untrusted;
}

std::optional<std::string> read_note(const Cgroup& cgroup, std::string_view name) {
  auto dir = open_dir(cgroup);
  if (!dir) return std::nullopt;
  if (auto value = sys::fgetxattr(dir->get(), trusted(name))) return *value;
  if (!is_only_ours(dir->get())) return std::nullopt;
  if (auto value = sys::fgetxattr(dir->get(), untrusted(name))) return *value;
  return std::nullopt;
}

void remove_note(const Cgroup& cgroup, std::string_view name) {
  auto dir = open_dir(cgroup);
  if (!dir) return;
  (void)sys::fremovexattr(dir->get(), trusted(name));
  if (is_only_ours(dir->get())) (void)sys::fremovexattr(dir->get(), untrusted(name));
}

}  // namespace cgm::cgroup
