// SPDX-License-Identifier: LGPL-2.1-or-later
// Keys and values.
#include "manager/values.hpp"

#include <dirent.h>

#include "base/sys.hpp"
#include "cgroup/apply.hpp"
#include "cgroup/devices.hpp"
#include "cgroup/tasks.hpp"
#include "cgroup/translate.hpp"
#include "manager/resolve.hpp"

namespace cgm::manager {

using cgroup::Cgroup;
namespace translate = cgroup::translate;

namespace {

// What a caller set in words that the kernel's value does not keep. On v2 directories alone: v1 has no trusted.*.
constexpr const char* kKeptWords = "trusted.cgmanager.word.";

bool lists_ids(std::string_view key) {
  return key == "tasks" || key == "cgroup.procs" || key == "cgroup.threads";
}

/// The ids in a file that lists them, the leaf's too, one a line.
Result<std::string> render_ids(const Cgroup& cgroup, std::string_view key) {
  std::vector<pid_t> ids = TRY(cgroup::ids_in(cgroup, key));
  std::string rendered;
  for (pid_t id : ids) rendered.append(rendered.empty() ? "" : "\n").append(std::to_string(id));
  return rendered;
}

Result<std::string> read_judged(const Subject& subject, const Cgroup& cgroup, std::string_view file) {
  Fd fd = TRY(open_judged(subject, cgroup, file, O_RDONLY, kRead));
  return cgroup::read_file(fd.get(), file);
}

Result<void> write_judged(const Subject& subject, const Cgroup& cgroup, std::string_view file, std::string_view value) {
  Fd fd = TRY(open_judged(subject, cgroup, file, O_WRONLY, kWrite));
  if (value.empty()) return {};
  std::string line = value.ends_with('\n') ? std::string(value) : std::string(value) + "\n";
  return cgroup::write_file(fd.get(), file, line);
}

std::optional<std::string> kept_word(const Cgroup& cgroup, std::string_view key) {
  auto dir = sys::openat(cgroup.dir(), ".", O_RDONLY | O_DIRECTORY);
  if (!dir) return std::nullopt;
  auto word = sys::fgetxattr(dir->get(), kKeptWords + std::string(key));
  if (!word) return std::nullopt;
  return *word;
}

/// Best effort: without the attribute the value reads back as the table says.
void keep_word(const Cgroup& cgroup, const translate::Keep& keep) {
  if (auto dir = sys::openat(cgroup.dir(), ".", O_RDONLY | O_DIRECTORY))
    (void)sys::fsetxattr(dir->get(), kKeptWords + keep.key, keep.word);
}

/// The cgroup as r sees it; both arguments have to outlive the view.
translate::View view_for(const Subject& subject, const Cgroup& cgroup) {
  return {.version = cgroup.hierarchy().version(),
          .read = [&](std::string_view file) { return read_judged(subject, cgroup, file); },
          .has = [&](std::string_view file) { return cgroup.has_file(file); },
          .names =
              [&] {
                std::vector<std::string> names;
                if (auto entries = sys::list_dir(cgroup.dir()))
                  for (sys::DirEntry& entry : *entries)
                    if (entry.type == DT_REG) names.push_back(std::move(entry.name));
                return names;
              },
          .kept = [&](std::string_view key) { return kept_word(cgroup, key); }};
}

cgroup::Files files_for(const Subject& subject, const Cgroup& cgroup) {
  return {.version = [&](std::string_view) -> std::optional<cgroup::Version> { return cgroup.hierarchy().version(); },
          .read = [&](std::string_view, std::string_view file) { return read_judged(subject, cgroup, file); },
          .write = [&](std::string_view, std::string_view file,
                       std::string_view value) { return write_judged(subject, cgroup, file, value); }};
}

/// Limits that are about present use: v2 would take one below it and kill, v1 refuses it with nothing but EBUSY.
bool is_memory_limit(std::string_view key) {
  return key == "memory.max" || key == "memory.swap.max" || key == "memory.limit_in_bytes" ||
         key == "memory.memsw.limit_in_bytes";
}

Result<std::string> read_v2_devices(const Subject& subject, const Cgroup& cgroup, std::string_view key) {
  if (key != "devices.list") return fail(ErrorKind::denied, "'" + std::string(key) + "' is only written");
  return TRY(cgroup::read_devices(cgroup, subject.uid)).format_list();
}

/// Device rules have no file on v2: who owns the limits, as cgroup.max.descendants shows, sets them (rule 9).
Result<void> write_v2_devices(const Subject& subject, const Cgroup& cgroup, std::string_view key,
                              std::string_view value) {
  if (key == "devices.list") return fail(ErrorKind::denied, "'devices.list' is only read");
  auto st = sys::fstatat(cgroup.dir(), "cgroup.max.descendants", AT_SYMLINK_NOFOLLOW);
  if (!st && st.error().kind() == ErrorKind::not_found && cgroup.path().is_root())
    return fail(ErrorKind::unsupported, "the root of the v2 tree has no device rules");
  if (!st) return fail(std::move(st.error()));
  if (!subject.host_root && subject.uid != st->st_uid)
    return fail(ErrorKind::denied, "only the owner of its 'cgroup.max.descendants' sets its device rules");
  if (value.empty()) return {};
  return cgroup::change_devices(cgroup, subject.uid, TRY(cgroup::parse_device_rule(value)), key == "devices.allow");
}

}  // namespace

Result<std::string> read_value(const Subject& subject, const Cgroup& cgroup, std::string_view key) {
  if (cgroup.is_v2() && is_device_key(key))
    return with(read_v2_devices(subject, cgroup, key), name_of(cgroup.hierarchy(), cgroup.path()));
  if (lists_ids(key) && open_judged(subject, cgroup, key, O_RDONLY, kRead)) return render_ids(cgroup, key);
  auto text = read_judged(subject, cgroup, key);
  if (text) return text;
  if (cgroup.is_v2() && key == "tasks") return read_value(subject, cgroup, "cgroup.procs");
  if (text.error().kind() == ErrorKind::not_found) text = translate::get(view_for(subject, cgroup), key);
  return with(std::move(text), name_of(cgroup.hierarchy(), cgroup.path()));
}

Result<std::vector<cgroup::Write>> write_value(const Subject& subject, const Cgroup& cgroup, std::string_view key,
                                               std::string_view value, const cgroup::ApplyOptions& options) {
  std::string name = name_of(cgroup.hierarchy(), cgroup.path());
  if (cgroup.is_v2() && is_device_key(key)) {
    TRY_VOID(with(write_v2_devices(subject, cgroup, key, value), name));
    return std::vector<cgroup::Write>();
  }
  auto change = TRY(with(translate::set(view_for(subject, cgroup), key, value), name));
  bool plain = !change.translated && (!is_memory_limit(key) || value.empty());
  if (plain)
    TRY_VOID(with(write_judged(subject, cgroup, key, value), name));
  else
    TRY_VOID(with(cgroup::apply_writes(files_for(subject, cgroup), change.writes, options), name));
  if (change.keep) keep_word(cgroup, *change.keep);
  return std::move(change.writes);
}

}  // namespace cgm::manager
