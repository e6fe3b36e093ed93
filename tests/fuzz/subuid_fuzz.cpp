// SPDX-License-Identifier: LGPL-2.1-or-later
// /etc/subuid, and who pays for a uid by it.
#include <algorithm>

#include "api/accounts.hpp"
#include "fuzz/fuzz.hpp"

namespace {

using cgm::api::Accounts;

/// The same answer without an index: of the ranges that hold the uid the one that begins last, of those the last.
cgm::api::Account slowly(const std::vector<Accounts::Range>& ranges, uid_t uid) {
  const Accounts::Range* found = nullptr;
  for (const Accounts::Range& range : ranges)
    if (uid >= range.first && uid - range.first < range.count && (!found || range.first >= found->first))
      found = &range;
  if (!found) return uid;
  return found->owner == 0 ? found->first : found->owner;
}

}  // namespace

FUZZ(text) {
  using cgm::test::promise;
  auto ranges =
      cgm::api::parse_subuid(text, [](std::string_view name) { return name == "bork" ? uid_t{1000} : uid_t(-1); });
  Accounts accounts(ranges);
  promise(accounts.of(0) == 0 && accounts.of(999) == 999, "low uids pay for themselves");
  for (const auto& range : ranges) {
    promise(range.first >= 1000 && range.count > 0, "low uids are nobody's to give away");
    for (uid_t uid : {range.first - 1, range.first, range.first + range.count / 2, range.first + range.count - 1,
                      range.first + range.count})
      promise(accounts.of(uid) == slowly(ranges, uid), "the index finds what a search finds");
    if (ranges.size() > 64) break;
  }
}
