// SPDX-License-Identifier: LGPL-2.1-or-later
// The state of watches as a file.
#include "cgroup/watch_state.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/number.hpp"
#include "base/sys.hpp"

namespace cgm::cgroup {

namespace {

constexpr std::string_view kHeader = "cgmanager-watches-1";
constexpr size_t kMaxWord = 256;  // of a boot id, and of a hierarchy's name

bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= kMaxWord &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return c > ' ' && c < 0x7f; });
}

/// Takes the next number of a line, as format_watch_state() writes it.
template <class T>
std::optional<T> take_number(std::string_view& line) {
  std::string_view word = take_until(line, ' ');
  auto number = parse_number<T>(word);
  if (!number || std::to_string(*number) != word) return std::nullopt;
  return number;
}

std::optional<WatchRecord> parse_record(std::string_view line) {
  WatchRecord record;
  auto id = take_number<uint64_t>(line);
  auto owner = take_number<uid_t>(line);
  auto filled = take_number<int>(line);
  record.hierarchy = take_until(line, ' ');
  if (!id || !owner || !filled || *filled < 0 || *filled > 1 || !is_word(record.hierarchy)) return std::nullopt;
  if (!line.starts_with('/')) return std::nullopt;
  auto path = CgroupPath::from_kernel(line.substr(1));
  if (!path || path->is_root() || path->absolute() != line) return std::nullopt;
  record.path = std::move(*path);
  record.cgroup_id = *id;
  record.owner = *owner;
  record.filled = *filled == 1;
  return record;
}

std::unexpected<Error> malformed(size_t line) {
  return fail(ErrorKind::protocol, fmt::format("the state of watches: line {} makes no sense", line));
}

}  // namespace

std::string watch_label(const Hierarchy& hierarchy) {
  return hierarchy.is_v2() ? "unified" : hierarchy.label();
}

std::string format_watch_state(const WatchState& state) {
  std::string text = fmt::format("{} {}\n", kHeader, state.boot_id);
  for (const WatchRecord& record : state.records)
    text += fmt::format("{} {} {} {} {}\n", record.cgroup_id, record.owner, record.filled ? 1 : 0, record.hierarchy,
                        record.path.absolute());
  return text;
}

Result<WatchState> parse_watch_state(std::string_view text) {
  if (text.size() > kMaxWatchState) return fail(ErrorKind::quota, "the state of watches is longer than 8 MB");
  WatchState state;
  if (text.find('\n') == std::string_view::npos) return malformed(1);
  std::string_view header = take_until(text, '\n');
  if (take_until(header, ' ') != kHeader || !is_word(header)) return malformed(1);
  state.boot_id = header;
  while (!text.empty()) {
    if (state.records.size() >= kMaxWatchRecords) return fail(ErrorKind::quota, "the state of watches is too long");
    size_t end = text.find('\n');
    auto record = end == std::string_view::npos ? std::nullopt : parse_record(text.substr(0, end));
    if (!record) return malformed(state.records.size() + 2);
    state.records.push_back(std::move(*record));
    text.remove_prefix(end + 1);
  }
  return state;
}

Result<std::string> read_boot_id() {
  Fd proc = TRY(sys::openat(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY));
  return std::string(trim(TRY(sys::read_file_at(proc.get(), "sys/kernel/random/boot_id", kMaxWord))));
}

Result<std::optional<WatchState>> read_watch_state(int dirfd, const std::string& name) {
  auto file = sys::openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!file && file.error().kind() == ErrorKind::not_found) return std::nullopt;
  if (!file) return fail(std::move(file.error()));
  struct stat st = TRY(sys::fstat(file->get()));
  if (!S_ISREG(st.st_mode) || st.st_uid != ::geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return fail(ErrorKind::denied, "'" + name + "' is not ours alone to write");
  return TRY(parse_watch_state(TRY(sys::read_all(file->get(), kMaxWatchState))));
}

Result<void> write_watch_state(int dirfd, const std::string& name, const WatchState& state) {
  std::string fresh = name + ".new";
  auto cleared = sys::unlinkat(dirfd, fresh, 0);
  if (!cleared && cleared.error().kind() != ErrorKind::not_found) return cleared;
  Fd file = TRY(sys::openat(dirfd, fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  auto written = [&]() -> Result<void> {
    std::string text = format_watch_state(state);
    for (std::string_view rest = text; !rest.empty();) rest.remove_prefix(TRY(sys::write(file.get(), rest, fresh)));
    return sys::renameat(dirfd, fresh, dirfd, name);
  }();
  if (!written) (void)sys::unlinkat(dirfd, fresh, 0);
  return written;
}

}  // namespace cgm::cgroup
