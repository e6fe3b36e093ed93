// SPDX-License-Identifier: LGPL-2.1-or-later
// Translation: from a key to its row, and what rows share.
#include "cgroup/translate.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/number.hpp"
#include "cgroup/kernel_value.hpp"
#include "cgroup/keyed.hpp"
#include "cgroup/translate_rows.hpp"
#include "cgroup/translate_table.hpp"

namespace cgm::cgroup::translate {

namespace {

constexpr size_t kMaxValue = 4096;
constexpr size_t kMaxShown = 255;
constexpr size_t kMaxCompared = 64;  // no key is longer, and the comparison grows with both lengths

std::string_view shown(Version version) {
  return version == Version::v1 ? "cgroup v1" : "cgroup v2";
}

std::unexpected<Error> no_counterpart(Version version, std::string_view key, const Missing& missing) {
  std::string text = fmt::format("'{}' has no counterpart on {}: {}", key, shown(version), missing.why);
  if (!missing.nearest.empty()) text += fmt::format("; the nearest is '{}'", put_in(missing.nearest, missing.key, key));
  return fail(ErrorKind::unsupported, text);
}

std::unexpected<Error> no_such_key(const View& view, std::string_view key) {
  if (const Missing* missing = find_missing(view.version, key)) return no_counterpart(view.version, key, *missing);
  std::vector<std::string> names = view.names();
  for (const Row& row : rows(view.version))
    if (row.key.find('*') == std::string_view::npos) names.emplace_back(row.key);
  std::string near = nearest(key, names);
  std::string text = fmt::format("'{}' is no key of this cgroup", key.substr(0, kMaxShown));
  if (!near.empty()) text += fmt::format("; the nearest is '{}'", near);
  return fail(ErrorKind::not_found, text);
}

/// Refused on both versions: the kernel would take the value and ignore it.
const Missing* find_ignored(std::string_view key) {
  for (const Missing& one : ignored())
    if (matches(one.key, key)) return &one;
  return nullptr;
}

/// True while the files hold what setting `word` would write.
bool still_holds(const Ask& ask) {
  auto change = ask.row.set(ask);
  if (!change) return false;
  return std::all_of(change->writes.begin(), change->writes.end(), [&](const Write& write) {
    auto text = ask.view.read(write.file);
    return text && is_in_force(write, *text, ask.view.page_size);
  });
}

}  // namespace

bool is_foreign(Version version, std::string_view key) {
  return find_row(version, key) != nullptr;
}

Result<std::string> get(const View& view, std::string_view key) {
  const Row* row = find_row(view.version, key);
  if (!row) {
    auto text = view.read(key);
    if (!text && text.error().kind() == ErrorKind::not_found) return no_such_key(view, key);
    return text;
  }
  if (row->keeps && view.kept) {
    auto word = view.kept(key);
    if (word && still_holds({view, *row, key, *word})) return *word;
  }
  return with(row->get({view, *row, key}), fmt::format("'{}'", key));
}

Result<Change> set(const View& view, std::string_view key, std::string_view value) {
  if (const Missing* one = find_ignored(key))
    return fail(ErrorKind::unsupported, fmt::format("'{}': {}; set '{}'", key, one->why, one->nearest));
  const Row* row = find_row(view.version, key);
  if (!row) {
    if (!view.has(key)) return no_such_key(view, key);
    Change change;
    if (!value.empty())
      change.writes.push_back({std::string(controller_of_file(key)), std::string(key), std::string(value)});
    return change;
  }
  Change change;
  if (!trim(value).empty()) {
    if (!row->set)
      return fail(ErrorKind::unsupported, fmt::format("'{}' can only be read on {}, where {} stands for it", key,
                                                      shown(view.version), row->file));
    if (value.size() > kMaxValue) return fail(ErrorKind::invalid, fmt::format("'{}': the value is too long", key));
    change = TRY(with(row->set({view, *row, key, trim(value)}), fmt::format("'{}'", key)));
  }
  change.translated = true;
  return change;
}

std::string nearest(std::string_view key, const std::vector<std::string>& names) {
  key = key.substr(0, kMaxCompared);
  std::string best;
  size_t best_distance = SIZE_MAX;
  std::vector<size_t> row(key.size() + 1);
  for (const std::string& name : names) {
    for (size_t i = 0; i < row.size(); i++) row[i] = i;
    for (size_t n = 0; n < std::min(name.size(), kMaxCompared); n++) {
      size_t diagonal = row[0];
      row[0] = n + 1;
      for (size_t k = 0; k < key.size(); k++) {
        size_t replaced = diagonal + (key[k] == name[n] ? 0 : 1);
        diagonal = row[k + 1];
        row[k + 1] = std::min({replaced, row[k] + 1, row[k + 1] + 1});
      }
    }
    // A name that was not written to its end is one edit away.
    size_t distance = !key.empty() && name.starts_with(key) ? std::min<size_t>(row.back(), 1) : row.back();
    if (distance >= best_distance) continue;
    best_distance = distance;
    best = name;
  }
  return best;
}

Set planned(const View& view, const Limits& limits) {
  ReadFile read = [&view](std::string_view, std::string_view file) { return view.read(file); };
  return Change{TRY(view.version == Version::v1 ? v1::plan(limits, read) : v2::plan(limits, read))};
}

std::unexpected<Error> bad_value(const Ask& ask, std::string_view expected) {
  return fail(ErrorKind::invalid, fmt::format("'{}' is not {}", ask.value.substr(0, 80), expected));
}

Result<uint64_t> size_of(const Ask& ask, std::string_view unlimited) {
  auto bytes = parse_kernel_bytes(ask.value, unlimited);
  if (!bytes)
    return bad_value(ask, fmt::format("a size: decimal digits with at most one of K, M, G, T, P, E, or {}", unlimited));
  return *bytes >= kEndless ? kUnlimited : *bytes;
}

Result<uint64_t> number_of(const Ask& ask) {
  auto number = parse_number<uint64_t>(ask.value);
  if (!number) return bad_value(ask, "a number");
  return *number;
}

std::string v1_size(const View& view, uint64_t bytes) {
  return std::to_string(bytes == kUnlimited ? v1_unlimited(view.page_size) : bytes);
}

Result<uint64_t> read_amount(const View& view, std::string_view file) {
  std::string text = TRY(view.read(file));
  auto amount = parse_amount(text);
  if (!amount) return fail(ErrorKind::protocol, fmt::format("{} reads '{}'", file, text.substr(0, 80)));
  return *amount;
}

Result<uint64_t> read_field(const View& view, std::string_view file, std::string_view field) {
  auto value = flat_value(TRY(view.read(file)), field);
  if (!value) return fail(ErrorKind::unsupported, fmt::format("this kernel's {} has no line '{}'", file, field));
  return *value;
}

Files files_of(const View& view, std::string_view controller) {
  return {
      .version = [&view, controller](std::string_view asked) -> std::optional<Version> {
        if (asked != controller) return std::nullopt;
        return view.version;
      },
      .read = [&view](std::string_view, std::string_view file) { return view.read(file); },
      .write = {},
  };
}

}  // namespace cgm::cgroup::translate
