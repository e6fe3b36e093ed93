// SPDX-License-Identifier: LGPL-2.1-or-later
// What an error is called on the wire.
#pragma once

#include <string>

#include "base/error.hpp"

namespace cgm::api {

/// Every failure of the classic interface's own methods bears this name; its clients compare it.
inline constexpr const char* kClassicError = "org.freedesktop.DBus.Error.InvalidArgs";

/// What the classic interface says of a failure: `invalid request: <text>`. Old clients look for the first two words.
inline std::string classic_text(const Error& error) {
  return "invalid request: " + error.text();
}

}  // namespace cgm::api
