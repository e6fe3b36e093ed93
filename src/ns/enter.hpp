// SPDX-License-Identifier: LGPL-2.1-or-later
// Joining namespaces that there are. setns(2).
#pragma once

#include <span>

#include "base/error.hpp"
#include "ns/namespace.hpp"

namespace cgm::ns {

/// Moves the calling process, which has one thread, into all of them; into a pid namespace go its children alone. All
/// at once by `pidfd`, where that is given (the namespaces are then this process'), and the kernel can; else one by
/// one, those that our own rights reach before the user namespace, the rest after it. Errors: denied, naming the
/// namespace; what was entered by then stays entered.
Result<void> enter(std::span<const Namespace> namespaces, int pidfd = -1);

}  // namespace cgm::ns
