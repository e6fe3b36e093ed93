// SPDX-License-Identifier: LGPL-2.1-or-later
// What the kernel makes of a written value.
#include "cgroup/kernel_value.hpp"

#include <algorithm>

#include "base/number.hpp"
#include "cgroup/curves.hpp"
#include "cgroup/keyed.hpp"
#include "cgroup/units.hpp"

namespace cgm::cgroup {

namespace {

/// The shapes of limit files.
enum class Shape {
  text,
  bytes,           ///< one size, rounded down to a page
  huge_bytes,      ///< one size, rounded down to a huge page
  amount,          ///< one number, `max` or a negative one
  shares,          ///< clamped
  quota_period,    ///< cpu.max
  id_set,          ///< cpuset
  device_amounts,  ///< v1's blkio.throttle.*: `8:0 N`, 0 is none
  device_weights,  ///< io.weight and v1's *weight_device: `default N`, `8:0 N`, `8:0 default`
  nested,          ///< io.max, rdma.max: `KEY SUB=N …`
  flat,            ///< misc.max: `KEY N`
};

Shape shape_of(std::string_view file) {
  if (file.starts_with("memory."))
    for (std::string_view end : {".max", ".high", ".low", ".min", "limit_in_bytes"})
      if (file.ends_with(end)) return Shape::bytes;
  if (file.starts_with("hugetlb."))
    for (std::string_view end : {".max", "limit_in_bytes"})
      if (file.ends_with(end)) return Shape::huge_bytes;
  if (file == "pids.max" || file == "cpu.cfs_quota_us") return Shape::amount;
  if (file == "cpu.shares") return Shape::shares;
  if (file == "cpu.max") return Shape::quota_period;
  if (file == "cpuset.cpus" || file == "cpuset.mems") return Shape::id_set;
  if (file.starts_with("blkio.throttle.") && file.ends_with("_device")) return Shape::device_amounts;
  if (file == "io.weight" || file == "io.bfq.weight" || file.ends_with("weight_device")) return Shape::device_weights;
  if (file == "io.max" || file == "rdma.max") return Shape::nested;
  if (file == "misc.max") return Shape::flat;
  return Shape::text;
}

/// The page that a hugetlb file counts in: `hugetlb.2MB.max` -> 2^21.
uint64_t huge_page_of(std::string_view file, uint64_t page_size) {
  take_until(file, '.');
  std::string_view size = take_until(file, '.');
  if (!size.ends_with('B')) return page_size;
  size.remove_suffix(1);
  return parse_kernel_bytes(size, "max").value_or(page_size);
}

std::optional<uint64_t> parse_limit_bytes(std::string_view word) {
  return parse_kernel_bytes(trim(word), trim(word) == "-1" ? "-1" : "max");
}

bool bytes_in_force(std::string_view wanted, std::string_view text, uint64_t page) {
  auto want = parse_limit_bytes(wanted);
  auto have = parse_amount(text);
  if (!want || !have || page == 0) return false;
  if (*want >= kEndless) return *have == kUnlimited;
  return *have == *want / page * page;
}

/// The line that starts with `key` and a blank, without both; a line of one word counts as `default`.
std::optional<std::string_view> line_of(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    std::string_view line = trim(take_until(text, '\n'));
    if (line.empty()) continue;
    if (line.find(' ') == std::string_view::npos && key == "default") return line;
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == ' ')
      return trim(line.substr(key.size()));
  }
  return std::nullopt;
}

/// `8:0 300` or `default 300` or `300`, as key and value.
Pair split_keyed(std::string_view value) {
  value = trim(value);
  if (value.find(' ') == std::string_view::npos) return {"default", value};
  std::string_view key = take_until(value, ' ');
  return {key, trim(value)};
}

bool device_weight_in_force(std::string_view wanted, std::string_view text) {
  auto [key, value] = split_keyed(wanted);
  auto line = line_of(text, key);
  if (value == "default") return !line;
  return line == value;
}

/// Calls `each(sub, value)` for the pairs of `SUB=VALUE SUB=VALUE`.
template <class F>
void each_pair(std::string_view pairs, F each) {
  while (!trim(pairs).empty()) {
    pairs = trim(pairs);
    std::string_view value = take_until(pairs, ' ');
    std::string_view sub = take_until(value, '=');
    each(sub, value);
  }
}

std::string_view sub_value(std::string_view line, std::string_view sub) {
  std::string_view found = "max";  // io.max has no line for a device without limits
  each_pair(line, [&](std::string_view key, std::string_view value) {
    if (key == sub) found = value;
  });
  return found;
}

bool nested_in_force(std::string_view wanted, std::string_view text) {
  std::string_view pairs = trim(wanted);
  std::string_view line = line_of(text, take_until(pairs, ' ')).value_or("");
  bool good = true;
  each_pair(pairs, [&](std::string_view sub, std::string_view value) {
    good = good && parse_amount(sub_value(line, sub)) == parse_amount(value);
  });
  return good;
}

}  // namespace

bool is_in_force(const Write& write, std::string_view text, uint64_t page_size) {
  std::string_view value = write.value;
  switch (shape_of(write.file)) {
    case Shape::text: return trim(value) == trim(text);
    case Shape::bytes: return bytes_in_force(value, text, page_size);
    case Shape::huge_bytes: return bytes_in_force(value, text, huge_page_of(write.file, page_size));
    case Shape::amount: return parse_amount(value) && parse_amount(value) == parse_amount(text);
    case Shape::shares: {
      auto want = parse_number<uint64_t>(trim(value));
      return want && parse_number<uint64_t>(trim(text)) == std::clamp(*want, kMinShares, kMaxShares);
    }
    case Shape::quota_period: {
      // `max` alone, or a quota alone, leaves the period as it is.
      std::string_view want = trim(value), have = trim(text);
      return have == want || (want.find(' ') == std::string_view::npos && take_until(have, ' ') == want);
    }
    case Shape::id_set: {
      auto want = parse_id_set(value), have = parse_id_set(text);
      return want && have && *want == *have;
    }
    case Shape::device_amounts: {
      auto [key, amount] = split_keyed(value);
      return line_of(text, key).value_or("0") == amount;
    }
    case Shape::device_weights: return device_weight_in_force(value, text);
    case Shape::nested: return nested_in_force(value, text);
    case Shape::flat: {
      auto [key, amount] = split_keyed(value);
      return line_of(text, key) == amount;
    }
  }
  return false;
}

std::string undo_value(const Write& write, std::string_view before) {
  auto keyed = [](std::string_view key, std::string_view value) { return std::string(key).append(" ").append(value); };
  switch (shape_of(write.file)) {
    case Shape::text:
    case Shape::bytes:
    case Shape::huge_bytes:
    case Shape::amount:
    case Shape::shares:
    case Shape::quota_period: return std::string(trim(before));
    // An empty write(2) does nothing; a newline empties the list.
    case Shape::id_set: return trim(before).empty() ? "\n" : std::string(trim(before));
    case Shape::device_amounts: {
      auto [key, value] = split_keyed(write.value);
      return keyed(key, line_of(before, key).value_or("0"));
    }
    case Shape::device_weights: {
      auto [key, value] = split_keyed(write.value);
      return keyed(key, line_of(before, key).value_or("default"));
    }
    case Shape::flat: {
      auto [key, value] = split_keyed(write.value);
      return keyed(key, line_of(before, key).value_or("max"));
    }
    case Shape::nested: {
      std::string_view pairs = trim(write.value);
      std::string text(take_until(pairs, ' '));
      std::string_view line = line_of(before, text).value_or("");
      each_pair(pairs, [&](std::string_view sub, std::string_view) {
        text.append(" ").append(sub).append("=").append(sub_value(line, sub));
      });
      return text;
    }
  }
  return std::string(before);
}

std::optional<uint64_t> memory_bytes(const Write& write) {
  if (shape_of(write.file) != Shape::bytes) return std::nullopt;
  return parse_limit_bytes(write.value);
}

std::optional<uint64_t> parse_kernel_bytes(std::string_view word, std::string_view unlimited) {
  constexpr std::string_view kUnits = "KMGTPE";
  if (word == unlimited) return kUnlimited;
  if (word.empty() || (word.size() > 1 && word.front() == '0')) return std::nullopt;
  unsigned shift = 0;
  char last = word.back();
  if (last >= 'a' && last <= 'z') last = static_cast<char>(last - 'a' + 'A');
  if (size_t unit = kUnits.find(last); unit != std::string_view::npos) {
    shift = static_cast<unsigned>(unit + 1) * 10;
    word.remove_suffix(1);
  }
  auto number = parse_number<uint64_t>(word);
  if (!number || *number > (UINT64_MAX >> shift)) return std::nullopt;
  return *number << shift;
}

}  // namespace cgm::cgroup
