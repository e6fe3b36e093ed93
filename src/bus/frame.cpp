// SPDX-License-Identifier: LGPL-2.1-or-later
// Framing.
#include "bus/frame.hpp"

namespace cgm::bus {

namespace {

uint32_t word_at(std::string_view bytes, size_t at, bool little) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; i++)
    value |= uint32_t{static_cast<unsigned char>(bytes[at + i])} << (8 * (little ? i : 3 - i));
  return value;
}

}  // namespace

std::optional<std::string> without_descriptor_count(std::string_view message) {
  constexpr char kDescriptorCount = 9, kUnknown = 127;
  constexpr size_t kFieldsLength = 12;
  if (!frame_size(message, message.size())) return std::nullopt;
  bool little = message[0] == 'l';
  size_t end = kFixedHeader + word_at(message, kFieldsLength, little);
  // A field is its code, the signature of its value (of one letter: length, letter, NUL) and the value.
  for (size_t at = kFixedHeader; at + 8 <= end; at = (at + 7) & ~size_t{7}) {
    if (message[at] == kDescriptorCount) {
      std::string changed(message);
      changed[at] = kUnknown;
      return changed;
    }
    size_t length = message[at + 2] == 'g'   ? size_t{static_cast<unsigned char>(message[at + 4])} + 2
                    : message[at + 2] == 'u' ? 4
                                             : size_t{word_at(message, at + 4, little)} + 5;
    if (length > end - at - 4) break;
    at += 4 + length;
  }
  return std::nullopt;
}

Result<size_t> frame_size(std::string_view header, size_t limit) {
  constexpr size_t kEndian = 0, kVersion = 3, kBodyLength = 4, kFieldsLength = 12;
  if (header.size() < kFixedHeader) return fail(ErrorKind::protocol, "message header cut short");
  bool little = header[kEndian] == 'l';
  if (!little && header[kEndian] != 'B') return fail(ErrorKind::protocol, "message of no known endianness");
  if (header[kVersion] != 1) return fail(ErrorKind::protocol, "message of another protocol version");
  uint64_t fields = word_at(header, kFieldsLength, little);
  uint64_t size = kFixedHeader + ((fields + 7) & ~uint64_t{7}) + word_at(header, kBodyLength, little);
  if (size > limit)
    return fail(ErrorKind::protocol,
                "message of " + std::to_string(size) + " bytes, longer than " + std::to_string(limit));
  return static_cast<size_t>(size);
}

}  // namespace cgm::bus
