// SPDX-License-Identifier: LGPL-2.1-or-later
// Putting planned limits in force: all of them, or none and an error. Knows the kernel's rounding (kernel_value.hpp)
// and nothing of who may do what.
#pragma once

#include <cstdint>
#include <span>

#include "base/error.hpp"
#include "cgroup/files.hpp"

namespace cgm::cgroup {

struct ApplyOptions {
  /// Write a v2 memory limit below present use all the same: the kernel then kills. v1 refuses it whatever is said
  /// here.
  bool force = false;
  /// Bytes of a page, to which the kernel rounds sizes down; 0: this machine's.
  uint64_t page_size = 0;
};

/// Does `writes` in order. Each file is read before and after; a value is in force when the file shows it, after the
/// kernel's rounding. On the first that is refused, or that does not show, what was written before is put back in
/// reverse order.
///
/// A v2 memory.max or memory.swap.max below present use fails as it does on v1: first the surplus is reclaimed (by
/// memory.reclaim, where the kernel has it, 5.19), which can take as long as there is memory and which a signal
/// interrupts; what does not go is an error of kind busy that names limit and use.
///
/// Errors name file and value: invalid (the kernel refuses it, or keeps another one), busy (below present use),
/// unsupported (no such file here), denied, timeout (a signal came), gone. A value that could not be put back is named
/// too.
Result<void> apply_writes(const Files& files, std::span<const Write> writes, const ApplyOptions& options = {});

}  // namespace cgm::cgroup
