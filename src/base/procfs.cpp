// SPDX-License-Identifier: LGPL-2.1-or-later
// Parsers of /proc files.
#include "base/procfs.hpp"

#include "base/number.hpp"

namespace cgm::procfs {

namespace {

constexpr size_t kMaxLines = 65536;

std::unexpected<Error> malformed(std::string_view file, std::string_view line) {
  return fail(ErrorKind::protocol,
              "malformed " + std::string(file) + " line '" + std::string(line.substr(0, 80)) + "'");
}

/// Calls `parse_line` for each non-empty line until it fails.
template <class F>
Result<void> each_line(std::string_view text, std::string_view file, F parse_line) {
  if (text.size() > kMaxText) return fail(ErrorKind::protocol, std::string(file) + " is too long");
  for (size_t lines = 0; !text.empty(); lines++) {
    std::string_view line = take_until(text, '\n');
    if (line.empty()) continue;
    if (lines >= kMaxLines) return fail(ErrorKind::protocol, std::string(file) + " has too many lines");
    if (!parse_line(line)) return malformed(file, line);
  }
  return {};
}

/// The next blank-separated field.
std::string_view field(std::string_view& rest) {
  size_t first = rest.find_first_not_of(" \t");
  if (first == std::string_view::npos) {
    rest = {};
    return {};
  }
  rest.remove_prefix(first);
  size_t end = rest.find_first_of(" \t");
  std::string_view found = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end);
  return found;
}

template <class T>
bool number(std::string_view text, T& out, int base = 10) {
  auto value = parse_number<T>(text, base);
  if (value) out = *value;
  return value.has_value();
}

bool numbers(std::string_view rest, std::vector<pid_t>& out) {
  constexpr size_t kMaxNesting = 33;  // MAX_PID_NS_LEVEL is 32
  for (std::string_view one = field(rest); !one.empty(); one = field(rest)) {
    pid_t value;
    if (out.size() >= kMaxNesting || !number(one, value)) return false;
    out.push_back(value);
  }
  return !out.empty();
}

std::string unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); i++) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      if (auto code = parse_number<unsigned char>(text.substr(i + 1, 3), 8)) {
        out.push_back(static_cast<char>(*code));
        i += 3;
        continue;
      }
    }
    out.push_back(text[i]);
  }
  return out;
}

}  // namespace

Result<Status> parse_status(std::string_view text) {
  Status status;
  bool have_pid = false, have_uid = false;
  TRY_VOID(each_line(text, "status", [&](std::string_view line) {
    std::string_view rest = line;
    std::string_view key = take_until(rest, ':');
    if (key == "State") {
      std::string_view state = field(rest);
      if (state.empty()) return false;
      status.state = state.front();
      return true;
    }
    if (key == "Tgid") return number(field(rest), status.tgid);
    if (key == "Pid") return have_pid = number(field(rest), status.pid);
    if (key == "PPid") return number(field(rest), status.ppid);
    if (key == "Uid")
      return have_uid = number(field(rest), status.real_uid) && number(field(rest), status.effective_uid);
    if (key == "Gid") return number(field(rest), status.real_gid) && number(field(rest), status.effective_gid);
    if (key == "SigIgn") return number(field(rest), status.signals_ignored, 16);
    if (key == "SigCgt") return number(field(rest), status.signals_caught, 16);
    if (key == "CapEff") return number(field(rest), status.cap_effective, 16);
    if (key == "CapBnd") return number(field(rest), status.cap_bounding, 16);
    if (key == "NStgid") return status.ns_tgid.empty() && numbers(rest, status.ns_tgid);
    if (key == "NSpid") return status.ns_pid.empty() && numbers(rest, status.ns_pid);
    return true;
  }));
  if (!have_pid || !have_uid) return fail(ErrorKind::protocol, "status lacks Pid or Uid");
  return status;
}

Result<CgroupLine> parse_cgroup_line(std::string_view line) {
  std::string_view rest = line;
  CgroupLine one;
  std::string_view id = take_until(rest, ':');
  if (!number(id, one.hierarchy) || one.hierarchy < 0 || (id.front() == '0' && id.size() > 1) || id.front() == '-')
    return malformed("cgroup", line);
  if (rest.find(':') == std::string_view::npos) return malformed("cgroup", line);
  std::string_view controllers = take_until(rest, ':');
  while (!controllers.empty()) one.controllers.emplace_back(take_until(controllers, ','));
  if (rest.empty() || rest.front() != '/') return malformed("cgroup", line);
  constexpr std::string_view kDeleted = " (deleted)";
  one.deleted = rest.ends_with(kDeleted);
  if (one.deleted) rest.remove_suffix(kDeleted.size());
  one.path = rest;
  return one;
}

Result<std::vector<CgroupLine>> parse_cgroup(std::string_view text) {
  std::vector<CgroupLine> lines;
  TRY_VOID(each_line(text, "cgroup", [&](std::string_view line) {
    auto one = parse_cgroup_line(line);
    if (one) lines.push_back(std::move(*one));
    return one.has_value();
  }));
  return lines;
}

Result<Stat> parse_stat(std::string_view text) {
  Stat stat;
  size_t open = text.find('(');
  size_t close = text.rfind(')');
  if (text.size() > 8192 || open == std::string_view::npos || close == std::string_view::npos || close < open)
    return malformed("stat", text);
  stat.comm = text.substr(open + 1, close - open - 1);
  std::string_view rest = trim(text.substr(close + 1));
  std::string_view state = field(rest);
  bool good = number(trim(text.substr(0, open)), stat.pid) && state.size() == 1 && number(field(rest), stat.ppid);
  for (int skip = 5; skip <= 8; skip++) field(rest);  // pgrp session tty_nr tpgid
  good = good && number(field(rest), stat.flags);
  for (int skip = 10; skip <= 21; skip++) field(rest);  // minflt … itrealvalue
  good = good && number(field(rest), stat.start_time);
  if (!good) return malformed("stat", text);
  stat.state = state.front();
  return stat;
}

Result<std::vector<Mount>> parse_mountinfo(std::string_view text) {
  std::vector<Mount> mounts;
  TRY_VOID(each_line(text, "mountinfo", [&](std::string_view line) {
    Mount mount;
    std::string_view rest = line;
    if (!number(field(rest), mount.id) || !number(field(rest), mount.parent)) return false;
    std::string_view device = field(rest);
    if (!number(take_until(device, ':'), mount.major) || !number(device, mount.minor)) return false;
    mount.root = unescape(field(rest));
    mount.mount_point = unescape(field(rest));
    mount.options = field(rest);
    if (mount.root.empty() || mount.mount_point.empty()) return false;
    std::string_view optional = field(rest);
    while (optional != "-") {
      if (optional.empty()) return false;
      optional = field(rest);
    }
    mount.fs_type = unescape(field(rest));
    // A source may be empty, which the kernel shows as two blanks in a row.
    if (!rest.empty()) rest.remove_prefix(1);
    mount.source = unescape(take_until(rest, ' '));
    mount.super_options = unescape(trim(rest));
    if (mount.fs_type.empty()) return false;
    mounts.push_back(std::move(mount));
    return true;
  }));
  return mounts;
}

Result<std::vector<IdRange>> parse_id_map(std::string_view text) {
  std::vector<IdRange> ranges;
  TRY_VOID(each_line(text, "id map", [&](std::string_view line) {
    IdRange range;
    std::string_view rest = line;
    if (ranges.size() >= kMaxIdRanges) return false;
    if (!number(field(rest), range.inside) || !number(field(rest), range.outside) || !number(field(rest), range.count))
      return false;
    if (!field(rest).empty() || range.count == 0) return false;
    constexpr uint64_t kEnd = uint64_t{1} << 32;
    if (uint64_t{range.inside} + range.count > kEnd || uint64_t{range.outside} + range.count > kEnd) return false;
    ranges.push_back(range);
    return true;
  }));
  return ranges;
}

Result<std::vector<Subsystem>> parse_cgroups(std::string_view text) {
  std::vector<Subsystem> subsystems;
  TRY_VOID(each_line(text, "cgroups", [&](std::string_view line) {
    if (line.front() == '#') return true;
    Subsystem one;
    std::string_view rest = line;
    one.name = field(rest);
    int enabled = 0;
    if (one.name.empty() || !number(field(rest), one.hierarchy) || !number(field(rest), one.cgroups) ||
        !number(field(rest), enabled))
      return false;
    one.enabled = enabled != 0;
    subsystems.push_back(std::move(one));
    return true;
  }));
  return subsystems;
}

}  // namespace cgm::procfs
