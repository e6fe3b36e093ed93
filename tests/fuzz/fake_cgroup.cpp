// SPDX-License-Identifier: LGPL-2.1-or-later
// A cgroup in memory.
#include "fuzz/fake_cgroup.hpp"

#include <algorithm>
#include <functional>
#include <vector>

#include "base/number.hpp"
#include "cgroup/kernel_value.hpp"
#include "cgroup/keyed.hpp"
#include "cgroup/units.hpp"

namespace cgm::test {

namespace {

using cgroup::kEndless;
using cgroup::kUnlimited;
using cgroup::Version;

constexpr uint64_t kHugePage = 2 << 20;
constexpr int64_t kMaxQuota = (int64_t{1} << 44) - 1;  // µs, kernel/sched/core.c: MAX_BW

std::unexpected<Error> refused(int err, std::string_view file) {
  return fail(Error::from_errno(err, "write", file));
}

bool is_limit_of(std::string_view file, std::string_view controller) {
  if (!file.starts_with(controller) || file[controller.size()] != '.') return false;
  for (std::string_view end : {".max", ".high", ".low", ".min", "limit_in_bytes"})
    if (file.ends_with(end)) return true;
  return false;
}

/// A size as it reads back; nothing where it is none.
std::optional<std::string> kept_size(Version version, std::string_view value, uint64_t page) {
  auto bytes = cgroup::parse_kernel_bytes(value, version == Version::v1 ? "-1" : "max");
  if (!bytes) return std::nullopt;
  uint64_t whole = *bytes / page * page;
  if (version == Version::v1) return std::to_string(std::min(whole, cgroup::v1_unlimited(page)));
  return *bytes >= kEndless ? "max" : std::to_string(whole);
}

struct Line {
  std::string key, text;
};

std::vector<Line> lines_of(std::string_view text) {
  std::vector<Line> lines;
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    std::string_view key = take_until(line, ' ');
    lines.push_back({std::string(key), std::string(line)});
  }
  return lines;
}

std::string joined(const std::vector<Line>& lines) {
  std::string text;
  for (const Line& line : lines) text += (text.empty() ? "" : "\n") + line.key + " " + line.text;
  return text;
}

/// The file with the line of `key` as `change` makes it; an empty one is taken away.
std::string with_line(std::string_view text, std::string_view key, const std::function<void(std::string&)>& change) {
  std::vector<Line> lines = lines_of(text);
  auto found = std::find_if(lines.begin(), lines.end(), [&](const Line& line) { return line.key == key; });
  if (found == lines.end()) found = lines.insert(lines.end(), {std::string(key), ""});
  change(found->text);
  if (found->text.empty()) lines.erase(found);
  return joined(lines);
}

/// `8:0 rbps=1 wiops=max` of io.max; empty where nothing is limited.
bool merge_io_max(std::string& line, std::string_view pairs) {
  constexpr std::string_view kNames[] = {"rbps", "wbps", "riops", "wiops"};
  std::string values[] = {"max", "max", "max", "max"};
  for (std::string_view source : {std::string_view(line), pairs})
    while (!source.empty()) {
      std::string_view value = take_until(source, ' ');
      std::string_view name = take_until(value, '=');
      auto at = std::find(std::begin(kNames), std::end(kNames), name) - std::begin(kNames);
      auto number = parse_number<uint64_t>(value);
      if (at == 4 || (value != "max" && (!number || *number == 0))) return false;
      values[at] = value;
    }
  std::string merged;
  for (int i = 0; i < 4; i++) merged.append(i ? " " : "").append(kNames[i]).append("=").append(values[i]);
  line = merged == "rbps=max wbps=max riops=max wiops=max" ? "" : merged;
  return true;
}

/// `mlx4_0 hca_handle=2 hca_object=max` of rdma.max; empty where nothing is limited.
void merge_rdma_max(std::string& line, std::string_view pairs) {
  std::string values[] = {"max", "max"};
  for (std::string_view source : {std::string_view(line), pairs})
    while (!source.empty()) {
      std::string_view value = take_until(source, ' ');
      values[take_until(value, '=') == "hca_object"] = value;
    }
  line = "hca_handle=" + values[0] + " hca_object=" + values[1];
  if (values[0] == "max" && values[1] == "max") line.clear();
}

}  // namespace

FakeCgroup::FakeCgroup(Version version) : version_(version), files_(version == Version::v1 ? fresh_v1() : fresh_v2()) {}

void FakeCgroup::corrupt(std::string_view text) {
  for (auto& [file, content] : files_) content = text;
}

Result<void> FakeCgroup::write(std::string_view file, std::string_view value) {
  if (fail_in_ > 0 && --fail_in_ == 0) return refused(EIO, file);
  if (files_.find(file) == files_.end()) return refused(ENOENT, file);
  return store(file, value);
}

Result<void> FakeCgroup::store(std::string_view file, std::string_view written) {
  std::string& now = files_.find(file)->second;
  std::string_view value = trim(written);
  auto number = parse_number<int64_t>(value);
  auto set_number = [&](int64_t least, int64_t most, int err) -> Result<void> {
    if (!number || *number < least || *number > most) return refused(number ? err : EINVAL, file);
    now = std::to_string(*number);
    return {};
  };
  auto keyed = [&](std::string& key) {
    std::string_view rest = value;
    key = take_until(rest, ' ');
    return trim(rest);
  };
  std::string key;
  if (is_limit_of(file, "memory") || is_limit_of(file, "hugetlb")) {
    auto size = kept_size(version_, value, file.starts_with("memory") ? kPage : kHugePage);
    if (!size) return refused(EINVAL, file);
    std::string before = std::exchange(now, *size);
    auto limit = files_.find("memory.limit_in_bytes"), both = files_.find("memory.memsw.limit_in_bytes");
    if (limit == files_.end() || *parse_number<uint64_t>(limit->second) <= *parse_number<uint64_t>(both->second))
      return {};
    now = before;
    return refused(EINVAL, file);
  }
  if (file == "cpu.shares") {
    if (!number || *number < 0) return refused(EINVAL, file);
    now = std::to_string(std::clamp<int64_t>(*number, 2, 262'144));
    return {};
  }
  if (file == "cpu.weight") return set_number(1, 10'000, ERANGE);
  if (file == "cpu.cfs_period_us") return set_number(1000, 1'000'000, EINVAL);
  if (file == "cpu.cfs_burst_us" || file == "cpu.max.burst") return set_number(0, kMaxQuota, EINVAL);
  if (file == "cpu.cfs_quota_us") {
    if (!number || *number > kMaxQuota || (*number >= 0 && *number < 1000)) return refused(EINVAL, file);
    now = std::to_string(std::max<int64_t>(*number, -1));
    return {};
  }
  if (file == "cpu.max") {
    std::string_view period = keyed(key);
    auto quota = parse_number<int64_t>(key), length = parse_number<int64_t>(period);
    bool good = key == "max" || (quota && *quota >= 1000 && *quota <= kMaxQuota);
    if (!good || (!period.empty() && (!length || *length < 1000 || *length > 1'000'000))) return refused(EINVAL, file);
    std::string_view old = now;
    take_until(old, ' ');
    now = key + " " + std::string(period.empty() ? old : period);
    return {};
  }
  if (file == "cpuset.cpus" || file == "cpuset.mems") {
    auto set = cgroup::parse_id_set(value);
    if (!set) return refused(EINVAL, file);
    now = cgroup::format_id_set(*set);
    return {};
  }
  if (file == "pids.max") {
    if (value != "max" && (!number || *number < 0 || *number > 4'194'304)) return refused(EINVAL, file);
    now = value;
    return {};
  }
  if (file == "io.max" || file.ends_with("_device") || file.ends_with("bfq.weight")) {
    std::string_view rest = keyed(key);
    bool weight = file.ends_with("weight") || file.ends_with("weight_device");
    if (rest.empty() && weight) rest = std::exchange(key, "default") == "" ? rest : value;
    bool known = cgroup::parse_device(key).has_value() || (weight && key == "default");
    auto amount = parse_number<uint64_t>(rest);
    if (!known || (file != "io.max" && !amount && rest != "default")) return refused(EINVAL, file);
    if (file == "blkio.bfq.weight" && key != "default") return refused(EINVAL, file);
    if (file == "blkio.bfq.weight") {
      now = rest;
      return {};
    }
    bool good = true;
    now = with_line(now, key, [&](std::string& line) {
      if (file == "io.max")
        good = merge_io_max(line, rest);
      else
        line = rest == "default" || (!weight && *amount == 0) ? "" : rest;
    });
    return good ? Result<void>{} : refused(EINVAL, file);
  }
  if (file == "io.weight") {
    std::string_view rest = keyed(key);
    if (rest.empty()) rest = std::exchange(key, "default") == "" ? rest : value;
    auto amount = parse_number<uint64_t>(rest);
    if (rest != "default" && (!amount || *amount < 1 || *amount > 10'000)) return refused(ERANGE, file);
    now = with_line(now, key, [&](std::string& line) { line = rest == "default" ? "" : rest; });
    return {};
  }
  if (file == "cgroup.freeze") {
    if (value != "0" && value != "1") return refused(ERANGE, file);
    now = value;
    files_["cgroup.events"] = "populated 1\nfrozen " + now;
    return {};
  }
  if (file == "freezer.state") {
    if (value != "FROZEN" && value != "THAWED") return refused(EINVAL, file);
    now = value;
    files_["freezer.self_freezing"] = value == "FROZEN" ? "1" : "0";
    return {};
  }
  if (file == "misc.max" || file == "rdma.max") {
    std::string_view rest = keyed(key);
    now = with_line(now, key, [&](std::string& line) {
      if (file == "rdma.max")
        merge_rdma_max(line, rest);
      else
        line = rest == "max" ? "" : rest;
    });
    return {};
  }
  if (file == "tasks" || file == "cgroup.procs" || file == "cgroup.threads") return {};
  now = value;
  return {};
}

cgroup::translate::View FakeCgroup::view() {
  return {.version = version_,
          .read = [this](std::string_view file) { return read(file); },
          .has = [this](std::string_view file) { return files_.find(file) != files_.end(); },
          .names =
              [this] {
                std::vector<std::string> names;
                for (const auto& [file, text] : files_) names.push_back(file);
                return names;
              },
          .kept = [this](std::string_view key) -> std::optional<std::string> {
            auto found = kept.find(key);
            if (found == kept.end()) return std::nullopt;
            return found->second;
          },
          .page_size = kPage};
}

cgroup::Files FakeCgroup::access() {
  return {
      .version = [this](std::string_view) -> std::optional<Version> { return version_; },
      .read = [this](std::string_view, std::string_view file) { return read(file); },
      .write = [this](std::string_view, std::string_view file, std::string_view value) { return write(file, value); }};
}

}  // namespace cgm::test
