// SPDX-License-Identifier: LGPL-2.1-or-later
// The file of what is watched.
#include "cgroup/watch_state.hpp"
#include "fuzz/fuzz.hpp"

FUZZ(text) {
  using cgm::test::promise;
  auto state = cgm::cgroup::parse_watch_state(text);
  if (!state) return;
  promise(state->records.size() <= cgm::cgroup::kMaxWatchRecords, "no more records than are read");
  promise(cgm::cgroup::format_watch_state(*state) == text, "what is taken is written again to the letter");
  for (const auto& record : state->records) promise(!record.path.is_root(), "no root is watched");
}
