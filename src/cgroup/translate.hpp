// SPDX-License-Identifier: LGPL-2.1-or-later
// Keys of one cgroup version on a tree of the other: `memory.limit_in_bytes` on v2, `memory.max` on v1, values
// included. Pure: what has to be read is asked of a View, what has to be written is returned as data. The table itself
// is translate_table.cpp; docs/limits-mapping.md is made from it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "cgroup/files.hpp"

namespace cgm::cgroup::translate {

/// One cgroup as translation sees it: the hierarchy that serves the key's controller.
struct View {
  Version version = Version::v2;
  /// A file, trailing newlines cut; not_found where the cgroup has none.
  std::function<Result<std::string>(std::string_view file)> read;
  /// True where the cgroup has the file.
  std::function<bool(std::string_view file)> has;
  /// All its files' names, asked for when an error is to name the nearest.
  std::function<std::vector<std::string>()> names;
  /// The word that was last set by a key whose value does not survive (Change::keep), from wherever the caller keeps
  /// it. May be empty. A word that no longer fits what the files hold is ignored, so nobody has to forget one.
  std::function<std::optional<std::string>(std::string_view key)> kept;
  /// Bytes of a page, for what v1 shows as no limit.
  uint64_t page_size = 4096;
};

/// A word that the caller should keep, so that the key reads it back.
struct Keep {
  std::string key, word;
  bool operator==(const Keep&) const = default;
};

/// What a set comes to.
struct Change {
  /// In order; by apply.hpp, or one by one.
  std::vector<Write> writes;
  std::optional<Keep> keep = {};
  /// False where the key is the tree's own and goes through as it is.
  bool translated = false;
};

/// True where `key` is of the other version and has a row in the table, so that get and set translate it.
bool is_foreign(Version version, std::string_view key);

/// Reads a key in its own words. Errors: not_found (no such key: the nearest is named), unsupported (no counterpart, or
/// one that cannot be read: the nearest is named), protocol (a file is malformed), what `read` fails with.
Result<std::string> get(const View& view, std::string_view key);

/// Sets a key, in its own words. An empty value writes nothing. Errors as of get, and invalid (a value that the key's
/// version would refuse too, or a range).
Result<Change> set(const View& view, std::string_view key, std::string_view value);

/// The name among `names` with the smallest edit distance to `key`, where an end that is missing counts as one edit;
/// empty where there are none.
std::string nearest(std::string_view key, const std::vector<std::string>& names);

}  // namespace cgm::cgroup::translate
