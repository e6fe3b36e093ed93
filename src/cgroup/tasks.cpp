// SPDX-License-Identifier: LGPL-2.1-or-later
// Lists of tasks.
#include "cgroup/tasks.hpp"

#include <algorithm>

#include "base/number.hpp"
#include "base/procfs.hpp"
#include "base/sys.hpp"
#include "cgroup/leaf.hpp"
#include "cgroup/walk.hpp"

namespace cgm::cgroup {

namespace {

Result<void> add_ids(std::vector<pid_t>& ids, const Cgroup& cgroup, std::string_view file) {
  std::vector<pid_t> more = TRY(parse_ids(TRY(cgroup.read(file))));
  ids.insert(ids.end(), more.begin(), more.end());
  return {};
}

// How often a cgroup and its leaf are read again before their tasks are seen at rest.
constexpr int kReadings = 16;

struct Reading {
  std::vector<pid_t> ids;
  bool at_rest;  ///< nobody was on the way between cgroup and leaf, and nothing enabled or disabled meanwhile
};

/// A task on its way to the leaf is seen in the cgroup or, read after that, in the leaf. One on its way back, from a
/// leaf that was there before, may have left the leaf only after the cgroup was read: so that is read once more.
Result<Reading> read_once(const Cgroup& cgroup, std::string_view file) {
  Reading reading{.ids = {}, .at_rest = true};
  auto leaf = cgroup.is_v2() ? open_leaf(cgroup) : fail(ErrorKind::not_found, {});
  TRY_VOID(add_ids(reading.ids, cgroup, file));
  if (!leaf && cgroup.is_v2()) leaf = open_leaf(cgroup);
  if (leaf) {
    bool was_empty = reading.ids.empty();
    std::string enabled = TRY(cgroup.read("cgroup.subtree_control"));
    auto added = add_ids(reading.ids, *leaf, file);
    if (!added && !went_away(added.error())) return fail(std::move(added.error()));
    size_t before = reading.ids.size();
    TRY_VOID(add_ids(reading.ids, cgroup, file));
    reading.at_rest = was_empty && reading.ids.size() == before && !enabled.empty() &&
                      TRY(cgroup.read("cgroup.subtree_control")) == enabled && leaf->has_file(file);
  }
  sort_ids(reading.ids);
  return reading;
}

}  // namespace

Result<std::vector<pid_t>> parse_ids(std::string_view text) {
  std::vector<pid_t> ids;
  ids.reserve(text.size() / 6);
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    if (line.empty()) continue;
    auto id = parse_number<pid_t>(line);
    if (!id || *id < 0) return fail(ErrorKind::protocol, "malformed task id '" + std::string(line.substr(0, 20)) + "'");
    ids.push_back(*id);
  }
  return ids;
}

void sort_ids(std::vector<pid_t>& ids) {
  if (!std::is_sorted(ids.begin(), ids.end())) std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  if (!ids.empty() && ids.front() == 0) ids.erase(ids.begin());
}

// What was not at rest counts when two readings say the same: the leaf may have gone away for another one, and the
// kernel's list leaves out some of the tasks whose set of controllers changes while it is read (seen on 6.1).
Result<std::vector<pid_t>> ids_in(const Cgroup& cgroup, std::string_view file) {
  Reading reading = TRY(read_once(cgroup, file));
  for (int again = 1; !reading.at_rest && again < kReadings; again++) {
    std::vector<pid_t> before = std::move(reading.ids);
    reading = TRY(read_once(cgroup, file));
    if (reading.ids == before) break;
  }
  return std::move(reading.ids);
}

Result<std::vector<pid_t>> tasks_of(const Cgroup& cgroup) {
  return ids_in(cgroup, tasks_file(cgroup.hierarchy().version()));
}

Result<std::vector<pid_t>> processes_below(const Cgroup& cgroup) {
  std::vector<pid_t> ids;
  TRY_VOID(walk(cgroup, [&](const Cgroup& one) -> Result<void> {
    auto text = one.read("cgroup.procs");
    if (!text) {
      if (went_away(text.error())) return {};
      // A threaded v2 cgroup lists no processes: they stand with the domain above it.
      if (text.error().kind() == ErrorKind::unsupported && one.path() != cgroup.path()) return {};
      return fail(std::move(text.error()).with(shown(one)));
    }
    std::vector<pid_t> own = TRY(parse_ids(*text));
    ids.insert(ids.end(), own.begin(), own.end());
    return {};
  }));
  bool unseen = std::find(ids.begin(), ids.end(), 0) != ids.end();
  sort_ids(ids);
  if (unseen) ids.insert(ids.begin(), 0);
  return ids;
}

Result<bool> contains_self(const Cgroup& cgroup) {
  Fd proc = TRY(sys::openat(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY));
  for (const char* file : {"self/cgroup", "thread-self/cgroup"}) {
    auto path = cgroup.hierarchy().path_in(TRY(sys::read_file_at(proc.get(), file, 64 << 10)));
    if (!path && path.error().kind() == ErrorKind::protocol) return fail(std::move(path.error()));
    if (path && cgroup.path().contains(*path)) return true;
  }
  return false;
}

}  // namespace cgm::cgroup
