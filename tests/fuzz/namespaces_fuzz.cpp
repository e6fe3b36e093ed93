// SPDX-License-Identifier: LGPL-2.1-or-later
// What cgm ns reads: two id maps with an empty line between, ranges of options, links, pins and mounts of a mountinfo,
// and anybody's words on their way to a terminal.
#include <set>

#include "base/number.hpp"
#include "base/printable.hpp"
#include "fuzz/fuzz.hpp"
#include "ns/fresh.hpp"
#include "ns/id_map.hpp"
#include "ns/survey.hpp"

namespace {

using namespace cgm::ns;
using cgm::test::promise;

constexpr uint32_t kNone = UINT32_MAX;  // no id

void maps(std::string_view text) {
  size_t middle = text.find("\n\n");
  if (middle == std::string_view::npos) return;
  auto inner = cgm::procfs::parse_id_map(text.substr(0, middle));
  auto outer = cgm::procfs::parse_id_map(text.substr(middle + 2));
  if (!inner || !outer || !check(*inner) || !check(*outer)) return;
  IdRanges whole = compose(*inner, *outer);
  for (const IdRanges& map : {*inner, *outer, whole})
    for (const IdRange& range : map)
      for (uint32_t id : {range.inside - 1, range.inside, range.inside + range.count / 2, range.inside + range.count}) {
        uint32_t step = to_outside(*inner, id).value_or(kNone);
        uint32_t both = step == kNone ? kNone : to_outside(*outer, step).value_or(kNone);
        promise(to_outside(whole, id).value_or(kNone) == both, "a composed map is one map after the other");
        promise(both == kNone || to_inside(whole, both).value_or(kNone) == id, "a map has a way back");
      }
  std::vector<cgm::SubidLine> allowed;
  for (const IdRange& range : *outer) allowed.push_back({"", range.outside, range.count});
  promise(lacking(*outer, allowed, 0).empty(), "what is given does not lack");
}

}  // namespace

FUZZ(text) {
  maps(text);
  if (auto range = parse_range(text)) {
    std::string again =
        std::to_string(range->inside) + ":" + std::to_string(range->outside) + ":" + std::to_string(range->count);
    promise(parse_range(again) == *range, "a range reads back");
  }
  if (auto link = parse_link(text)) {
    auto again = parse_link(format_link(link->kind, link->inode));
    promise(again && again->kind == link->kind && again->inode == link->inode, "a link reads back");
  }
  for (const PinMount& pin : pins_in(text)) promise(!pin.path.empty(), "a pin is somewhere");
  std::set<std::string> paths;
  for (const FreshMount& mount : fresh_mounts(text, Kinds::all()))
    promise(paths.insert(mount.path).second, "a mount is made once");
  std::string clean = cgm::printable(text);
  promise(clean.size() <= text.size() && cgm::printable(clean) == clean, "what is clean stays as it is");
  for (char c : clean) promise(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f, "no control character is left");
}
