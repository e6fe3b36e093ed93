// SPDX-License-Identifier: LGPL-2.1-or-later
// Maps of user and group ids between a user namespace and the one that it was made in. Pure but for the last part.
// user_namespaces(7).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/procfs.hpp"
#include "base/subid.hpp"

namespace cgm::ns {

using procfs::IdRange;
using IdRanges = std::vector<IdRange>;

/// Refuses what the kernel would refuse: no range, more than 340, an empty one, ids past 4294967294, overlaps inside or
/// outside. Errors: invalid, naming the ranges.
Result<void> check(std::span<const IdRange> map);

/// `INSIDE:OUTSIDE:COUNT`. Errors: invalid.
Result<IdRange> parse_range(std::string_view text);

/// What an id of the namespace is outside, or the other way; nothing where it is not mapped.
std::optional<uint32_t> to_outside(std::span<const IdRange> map, uint32_t id);
std::optional<uint32_t> to_inside(std::span<const IdRange> map, uint32_t id);

/// The map of a namespace within a namespace, as seen from outside both: `inner` leads into what `outer` leads out of.
/// What `outer` does not map is left out.
IdRanges compose(std::span<const IdRange> inner, std::span<const IdRange> outer);

/// `INSIDE:OUTSIDE:COUNT`, as parse_range takes it.
std::string format_range(const IdRange& range);
/// One line a range, as /proc/PID/uid_map takes it.
std::string format_map(std::span<const IdRange> map);

/// A block from 0 on for a user's first block of subordinate ids; `own` (an id of the user's own) keeps its place, and
/// the block goes on behind it.
IdRanges around(const SubidLine& block, std::optional<IdRange> own);

/// The part of `map` that none of `allowed` and no id of `own` covers: what lacks in a file, as `FIRST-LAST`. Empty
/// where nothing lacks.
std::string lacking(std::span<const IdRange> map, std::span<const SubidLine> allowed, uint32_t own);

}  // namespace cgm::ns
