// SPDX-License-Identifier: LGPL-2.1-or-later
// Who pays for what a client makes grow: an account. A uid pays for itself; a subordinate uid for the user whose range
// it is in, so that nobody multiplies himself. Pure.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace cgm::api {

/// The uid that pays. 0 is the host's root.
using Account = uid_t;
/// All that are uid 0 here without being the host's root; nobody's uid.
inline constexpr Account kLesserRoots = static_cast<Account>(-1);

/// Ranges of /etc/subuid.
class Accounts final {
 public:
  struct Range {
    uid_t first = 0;
    uid_t count = 0;
    uid_t owner = 0;
  };

  Accounts() = default;
  explicit Accounts(std::vector<Range> ranges);

  /// A range of root's own pays as its first uid: it has no part in the host root's reserve.
  Account of(uid_t uid) const;

 private:
  std::vector<Range> ranges_;    // sorted by first
  std::vector<uint64_t> reach_;  // where the ranges up to here end at the furthest
};

/// A line of /etc/subuid names its user by name or uid.
using UidOfName = uid_t (*)(std::string_view name);  ///< (uid_t)-1 for an unknown name

/// Reads /etc/subuid's text (subuid(5)); lines that make no sense, name nobody, or give away low uids (below 1000:
/// those are the system's, whatever the file says) are passed over, as newuidmap does.
std::vector<Accounts::Range> parse_subuid(std::string_view text, UidOfName uid_of);

}  // namespace cgm::api
