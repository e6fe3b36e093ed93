// SPDX-License-Identifier: LGPL-2.1-or-later
// Text to integers, whole and checked. Pure.
#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string_view>

namespace cgm {

/// Parses all of `text` as a number in `base`; nothing for an empty text, a stray character or an overflow.
template <std::integral T>
std::optional<T> parse_number(std::string_view text, int base = 10) {
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

/// Cuts leading and trailing blanks and newlines.
constexpr std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

/// True if `word` is one of the words of `text`, which single blanks part.
constexpr bool has_word(std::string_view text, std::string_view word) {
  while (!text.empty()) {
    size_t at = text.find(' ');
    if (text.substr(0, at) == word) return true;
    text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  }
  return false;
}

/// Takes the part before `separator` off the front of `rest`, and the separator with it; all of it where there is none.
constexpr std::string_view take_until(std::string_view& rest, char separator) {
  size_t at = rest.find(separator);
  std::string_view part = rest.substr(0, at);
  rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + 1);
  return part;
}

}  // namespace cgm
