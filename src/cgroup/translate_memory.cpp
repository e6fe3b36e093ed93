// SPDX-License-Identifier: LGPL-2.1-or-later
// Memory: sizes with another word for no limit, swap apart or together with memory, soft limits and protections.
#include <fmt/format.h>

#include <algorithm>

#include "cgroup/kernel_value.hpp"
#include "cgroup/keyed.hpp"
#include "cgroup/translate_rows.hpp"

namespace cgm::cgroup::translate {

namespace {

constexpr std::string_view kMemsw = "memory.memsw.limit_in_bytes";

uint64_t sum(uint64_t a, uint64_t b) {
  return a == kUnlimited || b == kUnlimited ? kUnlimited : a + b;
}

/// Memory and swap together as they are on v2 now.
Result<uint64_t> present_both(const View& view) {
  return sum(TRY(read_amount(view, "memory.max")), TRY(read_amount(view, "memory.swap.max")));
}

/// The limit of both that was set in v1's words, while it holds.
std::optional<uint64_t> kept_both(const View& view) {
  if (!view.kept) return std::nullopt;
  auto word = view.kept(kMemsw);
  auto wanted = word ? parse_kernel_bytes(*word, "-1") : std::nullopt;
  auto both = present_both(view);
  if (!wanted || !both || *wanted != *both || *both == kUnlimited) return std::nullopt;
  return wanted;
}

}  // namespace

Set set_v1_limit(const Ask& ask) {
  Limits limits;
  limits.memory.max = TRY(size_of(ask, "-1"));
  auto both = kept_both(ask.view);
  if (both) {
    // Whoever counts memory and swap together keeps what was set for both.
    if (*limits.memory.max > *both)
      return fail(ErrorKind::invalid,
                  fmt::format("{} is above {} ({}), which has to be raised first", ask.value, kMemsw, *both));
    limits.memory.swap = *both - *limits.memory.max / ask.view.page_size * ask.view.page_size;
  }
  return planned(ask.view, limits);
}

Got get_v1_soft_limit(const Ask& ask) {
  uint64_t low = TRY(read_amount(ask.view, "memory.low"));
  // max would be spared wholly, which no soft limit can say; what is never reclaimed before others comes nearest.
  return v1_size(ask.view, low == 0 ? kUnlimited : low);
}

Set set_v1_soft_limit(const Ask& ask) {
  Limits limits;
  limits.memory.low = TRY(size_of(ask, "-1"));
  if (*limits.memory.low / ask.view.page_size == 0)
    return fail(ErrorKind::unsupported,
                "0 means to be reclaimed before all others, which cgroup v2 cannot say; the "
                "nearest is -1 (memory.low = 0), to be reclaimed like all others");
  if (limits.memory.low == kUnlimited) limits.memory.low = 0;
  return planned(ask.view, limits);
}

Got get_v1_memsw_limit(const Ask& ask) {
  return v1_size(ask.view, TRY(present_both(ask.view)));
}

Set set_v1_memsw_limit(const Ask& ask) {
  uint64_t both = TRY(size_of(ask, "-1"));
  Limits limits;
  limits.memory.swap = kUnlimited;
  if (both == kUnlimited) return planned(ask.view, limits);
  uint64_t max = TRY(read_amount(ask.view, "memory.max"));
  both = both / ask.view.page_size * ask.view.page_size;
  if (max == kUnlimited || both < max)
    return fail(ErrorKind::invalid, fmt::format("{} is below memory.limit_in_bytes ({}), which has to be set first",
                                                ask.value, v1_size(ask.view, max)));
  limits.memory.swap = both - max;
  Change change = TRY(planned(ask.view, limits));
  change.keep = Keep{std::string(kMemsw), std::to_string(both)};
  return change;
}

Got get_v1_memsw_usage(const Ask& ask) {
  return std::to_string(TRY(read_amount(ask.view, "memory.current")) +
                        TRY(read_amount(ask.view, "memory.swap.current")));
}

Got get_v1_oom_control(const Ask& ask) {
  return fmt::format("oom_kill_disable 0\nunder_oom 0\noom_kill {}",
                     TRY(read_field(ask.view, "memory.events", "oom_kill")));
}

Set set_v1_oom_control(const Ask& ask) {
  if (ask.value == "0") return Change{};
  if (ask.value != "1") return bad_value(ask, "0 or 1");
  return fail(ErrorKind::unsupported,
              "cgroup v2 cannot switch the OOM killer off; the nearest is memory.high, which "
              "slows down instead");
}

Set set_v2_max(const Ask& ask) {
  Limits limits;
  limits.memory.max = TRY(size_of(ask, "max"));
  return planned(ask.view, limits);
}

Got get_v2_low(const Ask& ask) {
  uint64_t soft = TRY(read_amount(ask.view, "memory.soft_limit_in_bytes"));
  return std::to_string(soft == kUnlimited ? 0 : soft);
}

Set set_v2_low(const Ask& ask) {
  Limits limits;
  limits.memory.low = TRY(size_of(ask, "max"));
  if (*limits.memory.low / ask.view.page_size == 0) limits.memory.low = 0;
  return planned(ask.view, limits);
}

Got get_v2_swap_max(const Ask& ask) {
  uint64_t both = TRY(read_amount(ask.view, kMemsw));
  uint64_t limit = TRY(read_amount(ask.view, "memory.limit_in_bytes"));
  return format_amount(both == kUnlimited ? kUnlimited : both - std::min(both, limit));
}

Set set_v2_swap_max(const Ask& ask) {
  Limits limits;
  limits.memory.swap = TRY(size_of(ask, "max"));
  return planned(ask.view, limits);
}

Got get_v2_swap_current(const Ask& ask) {
  uint64_t both = TRY(read_amount(ask.view, "memory.memsw.usage_in_bytes"));
  // Two files, read one after the other.
  return std::to_string(both - std::min(both, TRY(read_amount(ask.view, "memory.usage_in_bytes"))));
}

Got get_v2_events(const Ask& ask) {
  uint64_t hits = TRY(read_amount(ask.view, "memory.failcnt"));
  if (ask.view.has("memory.memsw.failcnt")) hits += TRY(read_amount(ask.view, "memory.memsw.failcnt"));
  return fmt::format("max {}\noom_kill {}", hits, TRY(read_field(ask.view, "memory.oom_control", "oom_kill")));
}

}  // namespace cgm::cgroup::translate
