// SPDX-License-Identifier: LGPL-2.1-or-later
// The header of a message, which is all that is looked at before the message is complete.
#include <algorithm>

#include "bus/frame.hpp"
#include "fuzz/fuzz.hpp"

FUZZ(text) {
  using cgm::test::promise;
  if (auto changed = cgm::bus::without_descriptor_count(text)) {
    promise(changed->size() == text.size(), "what is changed stays as long");
    size_t at = static_cast<size_t>(std::mismatch(text.begin(), text.end(), changed->begin()).first - text.begin());
    promise(at < text.size() && text[at] == 9 && changed->substr(at + 1) == text.substr(at + 1),
            "one field's code is changed, and nothing else");
  }
  for (size_t limit : {size_t{100}, size_t{1} << 20, size_t{1} << 27}) {
    auto size = cgm::bus::frame_size(text, limit);
    if (!size) continue;
    promise(*size >= cgm::bus::kFixedHeader && *size <= limit, "a message is bounded");
    auto header = cgm::bus::frame_size(text.substr(0, cgm::bus::kFixedHeader), limit);
    promise(header && *header == *size, "the fixed part alone tells the length");
    auto more = cgm::bus::frame_size(text, *size);
    promise(more && *more == *size, "a message may be as long as the limit");
    promise(!cgm::bus::frame_size(text, *size - 1), "and no longer");
  }
}
