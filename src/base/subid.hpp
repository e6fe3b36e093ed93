// SPDX-License-Identifier: LGPL-2.1-or-later
// /etc/subuid and /etc/subgid (subuid(5)): blocks of ids that belong to a user beside its own. Pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace cgm {

/// One line, `OWNER:FIRST:COUNT`. The owner is a name or a number, a view of the text.
struct SubidLine {
  std::string_view owner;
  uint32_t first = 0, count = 0;
};

/// The lines that make sense, in order; those that do not, or that end behind the last id (4294967294), are passed
/// over, as newuidmap does.
std::vector<SubidLine> parse_subids(std::string_view text);

}  // namespace cgm
