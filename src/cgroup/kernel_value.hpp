// SPDX-License-Identifier: LGPL-2.1-or-later
// How the kernel keeps what is written to the file of a limit: which rounding shows when it is read back, and what has
// to be written to undo it. Pure; knows file names of both versions, reads nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cgroup/files.hpp"

namespace cgm::cgroup {

/// True if `text`, read from the file of `write`, says that its value is in force: sizes rounded down to a page of
/// `page_size` bytes (hugetlb: to a huge page), cpu.shares clamped to 2-262144, lists as sets, one device's line of a
/// file that has several. Other files are compared as text.
bool is_in_force(const Write& write, std::string_view text, uint64_t page_size);

/// The value that puts back what the file held when it read `before`, as far as `write` changes it.
std::string undo_value(const Write& write, std::string_view before);

/// The bytes that a file of a memory limit gets from `value`, not rounded (`10M`, `max`, -1); nothing for other files
/// or values.
std::optional<uint64_t> memory_bytes(const Write& write);

/// A word as the kernel's memory files take it: digits with at most one of K M G T P E, or `unlimited`. Strict where
/// the kernel is not: no 0x, no leading zeros, nothing that overflows.
std::optional<uint64_t> parse_kernel_bytes(std::string_view word, std::string_view unlimited);

}  // namespace cgm::cgroup
