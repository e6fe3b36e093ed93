// SPDX-License-Identifier: LGPL-2.1-or-later
// /proc/PID/uid_map and gid_map.
#include "base/procfs.hpp"
#include "fuzz/fuzz.hpp"

FUZZ(text) {
  using cgm::test::promise;
  auto map = cgm::procfs::parse_id_map(text);
  if (!map) return;
  promise(map->size() <= cgm::procfs::kMaxIdRanges, "no more ranges than the kernel has");
  std::string again;
  for (const auto& range : *map) {
    promise(range.count > 0, "no empty range");
    promise(range.inside + (range.count - 1) >= range.inside, "no range wraps inside");
    promise(range.outside + (range.count - 1) >= range.outside, "no range wraps outside");
    again +=
        std::to_string(range.inside) + " " + std::to_string(range.outside) + " " + std::to_string(range.count) + "\n";
  }
  auto parsed = cgm::procfs::parse_id_map(again);
  promise(parsed && *parsed == *map, "a map reads back");
}
