// SPDX-License-Identifier: LGPL-2.1-or-later
// How long a D-Bus message is, from the first 16 bytes of it: all that is looked at before a message is complete, so
// that no byte of an overlong or malformed one reaches libsystemd; and the one header field that libsystemd is not
// shown. Pure. D-Bus specification, "Message Format".
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace cgm::bus {

/// Bytes of the fixed part of a header, with the length of the field array.
inline constexpr size_t kFixedHeader = 16;

/// The length in bytes of the whole message that begins with `header` (at least kFixedHeader bytes). Errors, kind
/// protocol: neither endianness, another protocol version, longer than `limit`.
Result<size_t> frame_size(std::string_view header, size_t limit);

/// A complete message with its field UNIX_FDS, the number of descriptors that came with it, turned into a field of a
/// code that nobody knows; nothing where it has none.
std::optional<std::string> without_descriptor_count(std::string_view message);

}  // namespace cgm::bus
