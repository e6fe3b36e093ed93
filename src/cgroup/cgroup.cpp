// SPDX-License-Identifier: LGPL-2.1-or-later
// Cgroup handles.
#include "cgroup/cgroup.hpp"

#include <dirent.h>

#include "base/number.hpp"
#include "base/path.hpp"
#include "base/sys.hpp"

namespace cgm::cgroup {

Result<Cgroup> Cgroup::open(const Hierarchy& hierarchy, CgroupPath path) {
  Fd dir = TRY(open_beneath(hierarchy.root(), path.text(), O_PATH | O_DIRECTORY));
  return Cgroup(hierarchy, std::move(path), std::move(dir));
}

Result<Fd> Cgroup::open_file(std::string_view key, int flags) const {
  if (!is_key(key))
    return fail(ErrorKind::invalid, "'" + std::string(key.substr(0, 64)) + "' is no file name of a cgroup");
  return sys::openat(dir_, std::string(key), flags | O_NOFOLLOW | O_NONBLOCK);
}

Result<std::string> Cgroup::read(std::string_view key) const {
  Fd fd = TRY(open_file(key, O_RDONLY));
  return read_file(fd.get(), key);
}

Result<void> Cgroup::write(std::string_view key, std::string_view value) const {
  Fd fd = TRY(open_file(key, O_WRONLY));
  return write_file(fd.get(), key, value);
}

Result<void> check_name(std::string_view name) {
  if (is_key(name)) return {};
  return fail(ErrorKind::invalid, "'" + std::string(name.substr(0, 64)) + "' is no name of a cgroup");
}

bool Cgroup::has_file(std::string_view key) const {
  return is_key(key) && sys::fstatat(dir_, std::string(key), AT_SYMLINK_NOFOLLOW).has_value();
}

Result<Cgroup> Cgroup::child(std::string_view name) const {
  TRY_VOID(check_name(name));
  Fd dir = TRY(open_beneath(dir_, name, O_PATH | O_DIRECTORY));
  return Cgroup(*hierarchy_, path_ / TRY(CgroupPath::from_kernel(name)), std::move(dir));
}

Result<std::vector<std::string>> Cgroup::children() const {
  std::vector<std::string> names;
  for (sys::DirEntry& entry : TRY(sys::list_dir(dir_)))
    if (entry.type == DT_DIR && entry.name != kLeafName) names.push_back(std::move(entry.name));
  return names;
}

std::string shown(const Cgroup& cgroup) {
  return "cgroup '" + cgroup.path().absolute() + "'";
}

Result<void> write_file(int fd, std::string_view key, std::string_view value) {
  auto written = sys::write(fd, value);
  std::string shown(trim(value.substr(0, 80)));
  if (!written) {
    Error& error = written.error();
    std::string call = "write '" + shown + "' to \"" + std::string(key) + "\"";
    return fail(Error::from_errno(error.code(), call));
  }
  if (*written != value.size())
    return fail(ErrorKind::os, "write '" + shown + "' to \"" + std::string(key) + "\": only " +
                                   std::to_string(*written) + " bytes were taken");
  return {};
}

Result<std::string> read_file(int fd, std::string_view key) {
  std::string text;
  char chunk[4096];
  for (;;) {
    auto n = sys::read(fd, chunk);
    if (!n) return fail(std::move(n.error()).with("\"" + std::string(key) + "\""));
    text.append(chunk, *n);
    if (text.size() > kMaxFile) return fail(ErrorKind::quota, "\"" + std::string(key) + "\" is longer than 16 MB");
    // The kernel fills a page with whole lines, and no line here is that long: less than half a page is the end.
    if (*n < sizeof chunk / 2) break;
  }
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace cgm::cgroup
