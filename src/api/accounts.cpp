// SPDX-License-Identifier: LGPL-2.1-or-later
// Accounts.
#include "api/accounts.hpp"

#include <algorithm>

#include "base/number.hpp"
#include "base/subid.hpp"

namespace cgm::api {

Accounts::Accounts(std::vector<Range> ranges) : ranges_(std::move(ranges)) {
  std::stable_sort(ranges_.begin(), ranges_.end(), [](const Range& a, const Range& b) { return a.first < b.first; });
  uint64_t end = 0;
  for (const Range& range : ranges_) reach_.push_back(end = std::max(end, uint64_t{range.first} + range.count));
}

Account Accounts::of(uid_t uid) const {
  auto after =
      std::upper_bound(ranges_.begin(), ranges_.end(), uid, [](uid_t u, const Range& r) { return u < r.first; });
  // Ranges may overlap: the nearest one that begins at or before the uid and holds it decides.
  for (auto at = static_cast<size_t>(after - ranges_.begin()); at-- > 0 && reach_[at] > uid;) {
    const Range& range = ranges_[at];
    if (uid - range.first < range.count) return range.owner == 0 ? range.first : range.owner;
  }
  return uid;
}

std::vector<Accounts::Range> parse_subuid(std::string_view text, UidOfName uid_of) {
  constexpr uid_t kLowest = 1000;
  std::vector<Accounts::Range> ranges;
  for (const SubidLine& line : parse_subids(text)) {
    if (line.first < kLowest) continue;
    auto number = parse_number<uid_t>(line.owner);
    uid_t owner = number ? *number : uid_of(line.owner);
    if (owner != static_cast<uid_t>(-1)) ranges.push_back({line.first, line.count, owner});
  }
  return ranges;
}

}  // namespace cgm::api
