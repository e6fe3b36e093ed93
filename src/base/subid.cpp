// SPDX-License-Identifier: LGPL-2.1-or-later
// Lines of /etc/subuid.
#include "base/subid.hpp"

#include "base/number.hpp"

namespace cgm {

std::vector<SubidLine> parse_subids(std::string_view text) {
  constexpr size_t kMost = 65536;
  constexpr uint64_t kEnd = 0xFFFFFFFF;
  std::vector<SubidLine> lines;
  while (!text.empty() && lines.size() < kMost) {
    std::string_view line = trim(take_until(text, '\n'));
    std::string_view owner = take_until(line, ':');
    auto first = parse_number<uint32_t>(take_until(line, ':'));
    auto count = parse_number<uint32_t>(line);
    if (owner.empty() || !first || !count || *count == 0 || uint64_t{*first} + *count > kEnd) continue;
    lines.push_back({owner, *first, *count});
  }
  return lines;
}

}  // namespace cgm
