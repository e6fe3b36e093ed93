// SPDX-License-Identifier: LGPL-2.1-or-later
// CPU: weights, quota and period in one file or in two, times in other units.
#include <fmt/format.h>

#include <algorithm>

#include "base/number.hpp"
#include "cgroup/curves.hpp"
#include "cgroup/keyed.hpp"
#include "cgroup/translate_rows.hpp"

namespace cgm::cgroup::translate {

namespace {

constexpr uint64_t kTick = 10'000;  // µs; USER_HZ is 100 on every architecture that this runs on

struct QuotaPeriod {
  uint64_t quota, period;
};

Result<QuotaPeriod> read_cpu_max(const View& view) {
  std::string text = TRY(view.read("cpu.max"));
  std::string_view rest = text;
  auto quota = parse_amount(take_until(rest, ' '));
  auto period = parse_number<uint64_t>(trim(rest));
  if (!quota || !period) return fail(ErrorKind::protocol, fmt::format("cpu.max reads '{}'", text.substr(0, 80)));
  return QuotaPeriod{*quota, *period};
}

Set set_cpu(const Ask& ask, const Limits::Cpu& cpu) {
  Limits limits;
  limits.cpu = cpu;
  return planned(ask.view, limits);
}

}  // namespace

Got get_v1_shares(const Ask& ask) {
  uint64_t weight = TRY(read_amount(ask.view, "cpu.weight"));
  return std::to_string(shares_from_weight(static_cast<uint32_t>(std::min<uint64_t>(weight, kMaxWeight))));
}

Set set_v1_shares(const Ask& ask) {
  uint64_t shares = std::clamp(TRY(number_of(ask)), kMinShares, kMaxShares);
  Change change = TRY(set_cpu(ask, {.weight = weight_from_shares(shares)}));
  change.keep = Keep{std::string(ask.key), std::to_string(shares)};
  return change;
}

Got get_v1_quota(const Ask& ask) {
  uint64_t quota = TRY(read_cpu_max(ask.view)).quota;
  return quota == kUnlimited ? "-1" : std::to_string(quota);
}

Set set_v1_quota(const Ask& ask) {
  // Any negative number lifts the quota on v1.
  auto quota = parse_number<int64_t>(ask.value);
  if (!quota) return bad_value(ask, "a number of µs, or -1");
  return set_cpu(ask, {.quota = *quota < 0 ? kUnlimited : static_cast<uint64_t>(*quota)});
}

Got get_v1_period(const Ask& ask) {
  return std::to_string(TRY(read_cpu_max(ask.view)).period);
}

Set set_v1_period(const Ask& ask) {
  return set_cpu(ask, {.period = TRY(number_of(ask))});
}

Set set_burst(const Ask& ask) {
  return set_cpu(ask, {.burst = TRY(number_of(ask))});
}

Got get_v1_cpuacct(const Ask& ask) {
  return std::to_string(TRY(read_field(ask.view, "cpu.stat", ask.row.field)) * 1000);
}

Got get_v1_cpuacct_stat(const Ask& ask) {
  return fmt::format("user {}\nsystem {}", TRY(read_field(ask.view, "cpu.stat", "user_usec")) / kTick,
                     TRY(read_field(ask.view, "cpu.stat", "system_usec")) / kTick);
}

Got get_v2_weight(const Ask& ask) {
  return std::to_string(weight_from_shares(TRY(read_amount(ask.view, "cpu.shares"))));
}

Set set_v2_weight(const Ask& ask) {
  uint64_t weight = TRY(number_of(ask));
  // Past the range whatever it is; check() names it.
  return set_cpu(ask, {.weight = static_cast<uint32_t>(std::min<uint64_t>(weight, UINT32_MAX))});
}

Got get_v2_nice(const Ask& ask) {
  return std::to_string(nice_from_shares(TRY(read_amount(ask.view, "cpu.shares"))));
}

Set set_v2_nice(const Ask& ask) {
  auto nice = parse_number<int>(ask.value);
  if (!nice || *nice < -20 || *nice > 19) return bad_value(ask, "a nice value, -20 to 19");
  return Change{{{"cpu", "cpu.shares", std::to_string(shares_from_nice(*nice))}}};
}

Got get_v2_cpu_max(const Ask& ask) {
  return fmt::format("{} {}", format_amount(TRY(read_amount(ask.view, "cpu.cfs_quota_us"))),
                     TRY(read_amount(ask.view, "cpu.cfs_period_us")));
}

Set set_v2_cpu_max(const Ask& ask) {
  std::string_view rest = ask.value;
  std::string_view word = take_until(rest, ' ');
  auto quota = word == "max" ? kUnlimited : parse_number<uint64_t>(word);
  rest = trim(rest);
  auto period = parse_number<uint64_t>(rest);
  if (!quota || (!rest.empty() && !period))
    return bad_value(ask, "QUOTA or QUOTA PERIOD in µs, where QUOTA may be max");
  return set_cpu(ask, {.quota = quota, .period = period});
}

}  // namespace cgm::cgroup::translate
