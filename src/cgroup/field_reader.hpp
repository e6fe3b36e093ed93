// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads many files of one controller, where each may be missing: what is missing is absent, the first other failure is
// kept for the end. Internal to src/cgroup.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "cgroup/keyed.hpp"
#include "cgroup/limits.hpp"

namespace cgm::cgroup {

class FieldReader final {
 public:
  FieldReader(const ReadFile& read, std::string_view controller) : read_(read), controller_(controller) {}

  /// The file; nothing where there is none or the kernel does not serve it (EOPNOTSUPP: pressure that is switched off).
  std::optional<std::string> text(std::string_view file) {
    auto found = read_(controller_, file);
    if (found) return std::move(*found);
    ErrorKind kind = found.error().kind();
    if (kind != ErrorKind::not_found && kind != ErrorKind::unsupported && !error_) error_ = std::move(found.error());
    return std::nullopt;
  }
  std::optional<uint64_t> amount(std::string_view file) {
    auto found = text(file);
    if (!found) return std::nullopt;
    auto value = parse_amount(*found);
    if (!value) malformed(file, *found);
    return value;
  }
  /// What one of keyed.hpp's parsers makes of the file.
  template <class T>
  std::optional<T> parsed(std::string_view file, Result<T> (*parse)(std::string_view)) {
    auto found = text(file);
    if (!found) return std::nullopt;
    auto value = parse(*found);
    if (value) return std::move(*value);
    malformed(file, *found);
    return std::nullopt;
  }
  void malformed(std::string_view file, std::string_view text) {
    if (!error_) error_ = Error(ErrorKind::protocol, fmt::format("{} reads '{}'", file, text.substr(0, 80)));
  }
  Result<void> outcome() {
    if (error_) return fail(std::move(*error_));
    return {};
  }

 private:
  const ReadFile& read_;
  std::string_view controller_;
  std::optional<Error> error_;
};

}  // namespace cgm::cgroup
