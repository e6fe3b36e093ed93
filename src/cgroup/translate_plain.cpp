// SPDX-License-Identifier: LGPL-2.1-or-later
// Rows whose values are the same, constant, sizes, single numbers, or the freezer's words.
#include <fmt/format.h>

#include "base/number.hpp"
#include "cgroup/kernel_value.hpp"
#include "cgroup/keyed.hpp"
#include "cgroup/translate_rows.hpp"

namespace cgm::cgroup::translate {

namespace {

/// `2MB` of hugetlb.2MB.limit_in_bytes.
std::string page_name(std::string_view key) {
  take_until(key, '.');
  return std::string(take_until(key, '.'));
}

Set set_hugetlb(const Ask& ask, std::string_view unlimited, std::string_view end) {
  uint64_t bytes = TRY(size_of(ask, unlimited));
  if (ask.key.find(".rsvd.") == std::string_view::npos) {
    Limits limits;
    limits.hugetlb = {{page_name(ask.key), bytes}};
    return planned(ask.view, limits);
  }
  std::string value = bytes == kUnlimited ? (end == ".max" ? "max" : "-1") : std::to_string(bytes);
  return Change{{{"hugetlb", native_file(ask.row, ask.key), value}}};
}

/// A write that no limit of ours stands for.
Set one_write(std::string_view file, std::string_view value) {
  return Change{{{std::string(controller_of_file(file)), std::string(file), std::string(value)}}};
}

}  // namespace

Got get_same(const Ask& ask) {
  return ask.view.read(native_file(ask.row, ask.key));
}

Set set_same(const Ask& ask) {
  return one_write(native_file(ask.row, ask.key), ask.value);
}

Got get_field(const Ask& ask) {
  return std::to_string(TRY(read_field(ask.view, native_file(ask.row, ask.key), ask.row.field)));
}

Got get_constant(const Ask& ask) {
  return std::string(ask.row.field);
}

Set set_constant(const Ask& ask) {
  if (ask.value != ask.row.field)
    return fail(ErrorKind::unsupported, fmt::format("it is always {} here: {}", ask.row.field, ask.row.rule));
  return Change{};
}

Got get_v1_size(const Ask& ask) {
  return v1_size(ask.view, TRY(read_amount(ask.view, native_file(ask.row, ask.key))));
}

Got get_v2_size(const Ask& ask) {
  return format_amount(TRY(read_amount(ask.view, native_file(ask.row, ask.key))));
}

Got get_v1_hugetlb(const Ask& ask) {
  uint64_t bytes = TRY(read_amount(ask.view, native_file(ask.row, ask.key)));
  std::string size = page_name(ask.key);
  if (size.ends_with('B')) size.pop_back();
  uint64_t page = parse_kernel_bytes(size, "max").value_or(0);
  return std::to_string(bytes == kUnlimited ? v1_unlimited(page != 0 ? page : ask.view.page_size) : bytes);
}

Set set_v1_hugetlb(const Ask& ask) {
  return set_hugetlb(ask, "-1", ".max");
}

Set set_v2_hugetlb(const Ask& ask) {
  return set_hugetlb(ask, "max", ".limit_in_bytes");
}

Got get_hits(const Ask& ask) {
  return fmt::format("max {}", TRY(read_amount(ask.view, native_file(ask.row, ask.key))));
}

Got get_freezer_state(const Ask& ask) {
  if (TRY(read_field(ask.view, "cgroup.events", "frozen")) == 1) return "FROZEN";
  return TRY(read_amount(ask.view, "cgroup.freeze")) == 1 ? "FREEZING" : "THAWED";
}

Set set_freezer_state(const Ask& ask) {
  if (ask.value != "FROZEN" && ask.value != "THAWED") return bad_value(ask, "FROZEN or THAWED");
  return one_write("cgroup.freeze", ask.value == "FROZEN" ? "1" : "0");
}

Set set_cgroup_freeze(const Ask& ask) {
  if (ask.value != "0" && ask.value != "1") return bad_value(ask, "0 or 1");
  return one_write("freezer.state", ask.value == "1" ? "FROZEN" : "THAWED");
}

}  // namespace cgm::cgroup::translate
