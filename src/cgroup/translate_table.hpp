// SPDX-License-Identifier: LGPL-2.1-or-later
// The rows of the translation table, as data. For translate.cpp and the program that writes docs/limits-mapping.md.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cgroup/translate.hpp"

namespace cgm::cgroup::translate {

struct Row;

/// What a row's function is asked: the key as it was written, and for a set the value, trimmed and not empty.
struct Ask {
  const View& view;
  const Row& row;
  std::string_view key;
  std::string_view value = {};
};

/// One key of the other version. `*` in a name stands for a size of huge pages, in both names the same.
struct Row {
  std::string_view key;
  std::string_view file;  ///< the native file that stands for it; several, separated by blanks; none for a constant
  std::string_view field = {};  ///< the key within a keyed file, or the constant that is always read
  std::string_view rule = {};   ///< how the value is changed, for people; empty: not at all
  std::string_view loss = {};   ///< what is lost; empty: lossless
  Result<std::string> (*get)(const Ask&) = nullptr;  ///< null: cannot be read
  Result<Change> (*set)(const Ask&) = nullptr;       ///< null: read-only
  bool keeps = false;                                ///< the word set is worth keeping
};

/// A key that has no counterpart, and why. `*` stands for any text without a point.
struct Missing {
  std::string_view key;
  std::string_view nearest;  ///< empty where nothing is near
  std::string_view why;
};

/// A key that both versions have, and what differs.
struct Shared {
  std::string_view key;
  std::string_view note;
};

/// Keys of v1 on a v2 tree, and of v2 on a v1 tree.
std::span<const Row> rows(Version tree);
std::span<const Missing> missing(Version tree);
std::span<const Shared> shared();
/// Keys that kernels take and ignore, refused on both versions.
std::span<const Missing> ignored();

/// The row of a key; null where there is none.
const Row* find_row(Version tree, std::string_view key);
const Missing* find_missing(Version tree, std::string_view key);

/// True where `key` is what `pattern` says; `*` is any text without a point that is not empty.
bool matches(std::string_view pattern, std::string_view key);

/// `name` with what `*` of `pattern` stands for in `key` put in for its own.
std::string put_in(std::string_view name, std::string_view pattern, std::string_view key);

/// The row's first native file for this key.
std::string native_file(const Row& row, std::string_view key);

}  // namespace cgm::cgroup::translate
