// SPDX-License-Identifier: LGPL-2.1-or-later
// Units that people use.
#include "cgroup/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/number.hpp"

namespace cgm::cgroup {

namespace {

constexpr std::string_view kUnits = "KMGTPE";
constexpr size_t kMaxDigits = 9;  // behind a point
constexpr uint64_t kMillion = 1'000'000;

// libstdc++ has no name for it that -Wpedantic would pass.
__extension__ using Wide = unsigned __int128;

std::unexpected<Error> bad(std::string_view word, std::string_view why) {
  return fail(ErrorKind::invalid, fmt::format("'{}' {}", word.substr(0, 80), why));
}

char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

/// A number with a point in it, exactly: (whole + part / scale).
struct Decimal {
  uint64_t whole = 0, part = 0, scale = 1;
  /// This times `factor`, cut to an integer; kUnlimited where that does not fit.
  uint64_t times(uint64_t factor) const {
    Wide product = Wide{whole} * factor + Wide{part} * factor / scale;
    return product < kEndless ? static_cast<uint64_t>(product) : kUnlimited;
  }
};

/// Takes `DIGITS[.DIGITS]` off the front of `rest`.
std::optional<Decimal> take_decimal(std::string_view& rest) {
  auto digits = [&] {
    size_t end = std::min(rest.find_first_not_of("0123456789"), rest.size());
    std::string_view found = rest.substr(0, end);
    rest.remove_prefix(end);
    return found;
  };
  Decimal decimal;
  auto whole = parse_number<uint64_t>(digits());
  if (!whole) return std::nullopt;
  decimal.whole = *whole;
  if (!rest.starts_with('.')) return decimal;
  rest.remove_prefix(1);
  std::string_view part = digits();
  auto value = parse_number<uint64_t>(part);
  if (!value || part.size() > kMaxDigits) return std::nullopt;
  decimal.part = *value;
  for (size_t i = 0; i < part.size(); i++) decimal.scale *= 10;
  return decimal;
}

/// The factor of a unit; nothing for a word that is none.
std::optional<uint64_t> unit_factor(std::string_view unit) {
  if (unit.empty()) return 1;
  if (unit.size() == 1 && upper(unit.front()) == 'B') return 1;
  size_t power = kUnits.find(upper(unit.front()));
  if (power == std::string_view::npos) return std::nullopt;
  unit.remove_prefix(1);
  uint64_t base = 1024;
  if (unit.size() == 1 && upper(unit.front()) == 'B')
    base = 1000;
  else if (!unit.empty() && !(unit.size() == 2 && unit.front() == 'i' && upper(unit.back()) == 'B'))
    return std::nullopt;
  uint64_t factor = base;
  for (size_t i = 0; i < power; i++) factor *= base;
  return factor;
}

}  // namespace

Result<uint64_t> parse_bytes(std::string_view word) {
  if (word == "max") return kUnlimited;
  std::string_view rest = word;
  auto number = take_decimal(rest);
  auto factor = number ? unit_factor(rest) : std::nullopt;
  if (!factor) return bad(word, "is no size: a number with K, M, G, T, P or E (of 1024), or max");
  if (*factor == 1 && number->scale != 1) return bad(word, "is no size: there are no parts of a byte");
  uint64_t bytes = number->times(*factor);
  if (bytes == kUnlimited) return bad(word, "is too large a size: write max where no limit is meant");
  return bytes;
}

std::string format_bytes(uint64_t bytes) {
  if (bytes == kUnlimited) return "max";
  size_t power = 0;
  uint64_t unit = 1;
  while (power < kUnits.size() && bytes / 1024 >= unit) {
    unit *= 1024;
    power++;
  }
  if (power == 0) return std::to_string(bytes);
  uint64_t tenths = static_cast<uint64_t>((Wide{bytes} * 10 + unit / 2) / unit);
  if (tenths >= 10240 && power < kUnits.size()) {  // rounded up into the next unit
    tenths = 10;
    power++;
  }
  char letter = kUnits[power - 1];
  if (tenths % 10 == 0) return fmt::format("{}{}", tenths / 10, letter);
  return fmt::format("{}.{}{}", tenths / 10, tenths % 10, letter);
}

Result<CpuBandwidth> parse_cpus(std::string_view word) {
  if (word == "max") return CpuBandwidth{};
  constexpr uint64_t kMinQuota = 1000, kLongPeriod = 1'000'000;
  std::string_view rest = word;
  auto number = take_decimal(rest);
  if (!number || !(rest.empty() || rest == "%"))
    return bad(word, "is no number of CPUs: write 0.5, 2, 50% (of one CPU) or max");
  uint64_t millionths = number->times(rest.empty() ? kMillion : kMillion / 100);
  if (millionths > 100'000 * kMillion) return bad(word, "is more CPUs than there can be");
  CpuBandwidth bandwidth;
  bandwidth.quota = millionths * bandwidth.period / kMillion;
  if (bandwidth.quota < kMinQuota) bandwidth = {millionths * kLongPeriod / kMillion, kLongPeriod};
  if (bandwidth.quota < kMinQuota) return bad(word, "is too small a part of a CPU: at least 0.001");
  return bandwidth;
}

std::string format_cpus(CpuBandwidth bandwidth) {
  if (bandwidth.quota == kUnlimited || bandwidth.period == 0) return "max";
  uint64_t thousandths =
      static_cast<uint64_t>((Wide{bandwidth.quota} * 1000 + bandwidth.period / 2) / bandwidth.period);
  std::string text = fmt::format("{}.{:03}", thousandths / 1000, thousandths % 1000);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

bool IdSet::contains(const IdSet& other) const {
  return std::all_of(other.ranges.begin(), other.ranges.end(), [&](const Range& wanted) {
    return std::any_of(ranges.begin(), ranges.end(),
                       [&](const Range& own) { return own.first <= wanted.first && wanted.last <= own.last; });
  });
}

Result<IdSet> parse_id_set(std::string_view text) {
  IdSet set;
  std::string_view rest = trim(text);
  bool more = !rest.empty();
  while (more) {
    more = rest.find(',') != std::string_view::npos;
    std::string_view part = take_until(rest, ',');
    std::string_view last_word = part;
    auto first = parse_number<unsigned>(take_until(last_word, '-'));
    auto last = part.find('-') == std::string_view::npos ? first : parse_number<unsigned>(last_word);
    if (!first || !last || *first > *last || *last > kMaxId)
      return bad(part, fmt::format("is no number or range of numbers in the list '{}'", text.substr(0, 80)));
    set.ranges.push_back({*first, *last});
  }
  std::sort(set.ranges.begin(), set.ranges.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<IdSet::Range> merged;
  for (const IdSet::Range& range : set.ranges) {
    if (!merged.empty() && range.first <= merged.back().last + 1)
      merged.back().last = std::max(merged.back().last, range.last);
    else
      merged.push_back(range);
  }
  set.ranges = std::move(merged);
  return set;
}

std::string format_id_set(const IdSet& set) {
  std::string text;
  for (const IdSet::Range& range : set.ranges) {
    if (!text.empty()) text += ',';
    text += std::to_string(range.first);
    if (range.last != range.first) text.append("-").append(std::to_string(range.last));
  }
  return text;
}

Result<uint64_t> parse_count(std::string_view word) {
  if (word == "max") return kUnlimited;
  std::string_view rest = word;
  auto number = take_decimal(rest);
  uint64_t factor = 1;
  constexpr std::string_view kCountUnits = "KMG";
  if (rest.size() == 1 && kCountUnits.find(upper(rest.front())) != std::string_view::npos)
    for (size_t i = 0; i <= kCountUnits.find(upper(rest.front())); i++) factor *= 1000;
  else if (!rest.empty())
    number.reset();
  if (!number || (factor == 1 && number->scale != 1))
    return bad(word, "is no count: a number with K, M or G (of 1000), or max");
  uint64_t count = number->times(factor);
  if (count == kUnlimited) return bad(word, "is too large a count: write max where no limit is meant");
  return count;
}

Result<IoOption> parse_io_option(std::string_view text) {
  auto malformed = [&](std::string_view word) {
    return bad(word, fmt::format("is wrong in '{}': write DEVICE:KEY=VALUE,… with the keys rbps, wbps, riops, wiops, "
                                 "weight",
                                 text.substr(0, 120)));
  };
  // A path may hold colons, values hold none.
  size_t split = text.find(' ');
  if (split == std::string_view::npos) split = text.rfind(':');
  if (split == std::string_view::npos || split == 0) return malformed(text);
  IoOption option{.device = std::string(text.substr(0, split))};
  std::string_view rest = trim(text.substr(split + 1));
  if (rest.empty()) return malformed(text);
  struct Key {
    std::string_view name;
    std::optional<uint64_t> IoMax::* member;
    bool bytes;
  };
  static constexpr std::array kKeys = {Key{"rbps", &IoMax::rbps, true}, Key{"wbps", &IoMax::wbps, true},
                                       Key{"riops", &IoMax::riops, false}, Key{"wiops", &IoMax::wiops, false}};
  while (!rest.empty()) {
    size_t end = std::min(rest.find_first_of(", "), rest.size());
    std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    std::string_view value = pair;
    std::string_view name = take_until(value, '=');
    if (name == "weight") {
      auto weight = parse_number<uint32_t>(value);
      if (!weight || option.weight) return malformed(pair);
      option.weight = weight;
      continue;
    }
    auto key = std::find_if(kKeys.begin(), kKeys.end(), [&](const Key& one) { return one.name == name; });
    if (key == kKeys.end() || value.empty() || option.max.*key->member) return malformed(pair);
    option.max.*key->member = TRY(key->bytes ? parse_bytes(value) : parse_count(value));
  }
  return option;
}

Result<void> add_io_option(Limits& limits, const IoOption& option, Device device) {
  auto twice = [&] {
    return fail(ErrorKind::invalid, fmt::format("io limits of device '{}' are given twice", option.device));
  };
  if (option.weight) {
    for (const IoWeight& one : limits.io.weights)
      if (one.device == device) return twice();
    limits.io.weights.push_back({device, option.weight});
  }
  IoMax max = option.max;
  max.device = device;
  if (max == IoMax{.device = device}) return {};
  for (IoMax& one : limits.io.max) {
    if (one.device != device) continue;
    for (auto member : {&IoMax::rbps, &IoMax::wbps, &IoMax::riops, &IoMax::wiops}) {
      if (!(max.*member)) continue;
      if (one.*member) return twice();
      one.*member = max.*member;
    }
    return {};
  }
  limits.io.max.push_back(max);
  return {};
}

}  // namespace cgm::cgroup
