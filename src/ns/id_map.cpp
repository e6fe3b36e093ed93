// SPDX-License-Identifier: LGPL-2.1-or-later
// Arithmetic of id maps.
#include "ns/id_map.hpp"

#include <algorithm>

#include "base/number.hpp"

namespace cgm::ns {

namespace {

constexpr uint64_t kIds = 0xFFFFFFFF;  // 4294967295 is no id

bool overlap(uint64_t a, uint64_t b, uint64_t count_a, uint64_t count_b) {
  return a < b + count_b && b < a + count_a;
}

/// The ids of [first, first + count) that `id` counts from, or nothing.
std::optional<uint32_t> shift(uint32_t id, uint32_t from, uint32_t to, uint32_t count) {
  if (id < from || id - from >= count) return std::nullopt;
  return to + (id - from);
}

}  // namespace

Result<void> check(std::span<const IdRange> map) {
  if (map.empty()) return fail(ErrorKind::invalid, "an id map needs a range");
  if (map.size() > procfs::kMaxIdRanges)
    return fail(ErrorKind::invalid, "an id map has at most " + std::to_string(procfs::kMaxIdRanges) +
                                        " ranges, this one has " + std::to_string(map.size()));
  for (size_t i = 0; i < map.size(); i++) {
    const IdRange& range = map[i];
    if (range.count == 0) return fail(ErrorKind::invalid, "range '" + format_range(range) + "' has no id");
    if (uint64_t{range.inside} + range.count > kIds || uint64_t{range.outside} + range.count > kIds)
      return fail(ErrorKind::invalid, "range '" + format_range(range) + "' ends behind the last id, 4294967294");
    for (size_t j = 0; j < i; j++) {
      const IdRange& other = map[j];
      bool inside = overlap(range.inside, other.inside, range.count, other.count);
      if (inside || overlap(range.outside, other.outside, range.count, other.count))
        return fail(ErrorKind::invalid, "ranges '" + format_range(other) + "' and '" + format_range(range) +
                                            "' overlap " + (inside ? "inside" : "outside"));
    }
  }
  return {};
}

Result<IdRange> parse_range(std::string_view text) {
  std::string_view rest = text;
  auto inside = parse_number<uint32_t>(take_until(rest, ':'));
  auto outside = parse_number<uint32_t>(take_until(rest, ':'));
  auto count = parse_number<uint32_t>(rest);
  if (!inside || !outside || !count)
    return fail(ErrorKind::invalid, "'" + std::string(text) + "' is no range INSIDE:OUTSIDE:COUNT");
  return IdRange{*inside, *outside, *count};
}

std::optional<uint32_t> to_outside(std::span<const IdRange> map, uint32_t id) {
  for (const IdRange& range : map)
    if (auto found = shift(id, range.inside, range.outside, range.count)) return found;
  return std::nullopt;
}

std::optional<uint32_t> to_inside(std::span<const IdRange> map, uint32_t id) {
  for (const IdRange& range : map)
    if (auto found = shift(id, range.outside, range.inside, range.count)) return found;
  return std::nullopt;
}

IdRanges compose(std::span<const IdRange> inner, std::span<const IdRange> outer) {
  IdRanges whole;
  for (const IdRange& in : inner)
    for (const IdRange& out : outer) {
      uint64_t first = std::max<uint64_t>(in.outside, out.inside);
      uint64_t end = std::min(uint64_t{in.outside} + in.count, uint64_t{out.inside} + out.count);
      if (first >= end) continue;
      whole.push_back({static_cast<uint32_t>(in.inside + (first - in.outside)),
                       static_cast<uint32_t>(out.outside + (first - out.inside)), static_cast<uint32_t>(end - first)});
    }
  std::sort(whole.begin(), whole.end(), [](const IdRange& a, const IdRange& b) { return a.inside < b.inside; });
  return whole;
}

std::string format_range(const IdRange& range) {
  return std::to_string(range.inside) + ":" + std::to_string(range.outside) + ":" + std::to_string(range.count);
}

std::string format_map(std::span<const IdRange> map) {
  std::string text;
  for (const IdRange& range : map)
    text +=
        std::to_string(range.inside) + " " + std::to_string(range.outside) + " " + std::to_string(range.count) + "\n";
  return text;
}

IdRanges around(const SubidLine& block, std::optional<IdRange> own) {
  if (!own) return {{0, block.first, block.count}};
  uint32_t before = std::min(own->inside, block.count);
  IdRanges map;
  if (before > 0) map.push_back({0, block.first, before});
  map.push_back(*own);
  if (before < block.count && own->inside == before)
    map.push_back({before + own->count, block.first + before, block.count - before});
  return map;
}

std::string lacking(std::span<const IdRange> map, std::span<const SubidLine> allowed, uint32_t own) {
  std::string text;
  for (const IdRange& range : map) {
    uint64_t at = range.outside, end = at + range.count;
    while (at < end) {
      // How far what begins at `at` is covered; else where the next covered id is.
      uint64_t covered = at == own ? at + 1 : at, next = own > at ? std::min<uint64_t>(own, end) : end;
      for (const SubidLine& block : allowed) {
        uint64_t stop = uint64_t{block.first} + block.count;
        if (block.first <= at && at < stop) covered = std::max(covered, stop);
        if (block.first > at) next = std::min<uint64_t>(next, block.first);
      }
      if (covered == at) {
        text += (text.empty() ? "" : ", ") + std::to_string(at) + (next - at > 1 ? "-" + std::to_string(next - 1) : "");
        at = next;
      } else {
        at = covered;
      }
    }
  }
  return text;
}

}  // namespace cgm::ns
