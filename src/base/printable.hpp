// SPDX-License-Identifier: LGPL-2.1-or-later
// Text of strangers for a terminal. Pure.
#pragma once

#include <string>
#include <string_view>

namespace cgm {

/// The text with a question mark for whatever would command a terminal: control characters, and bytes that are no
/// UTF-8.
std::string printable(std::string_view text);

}  // namespace cgm
