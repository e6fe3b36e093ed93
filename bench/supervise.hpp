// SPDX-License-Identifier: LGPL-2.1-or-later
// Leaves nothing behind: the work is done in a child, and whatever becomes of it, also by a signal to us, its
// processes, cgroups and files are gone when this returns.
#pragma once

#include <functional>
#include <string>

#include "support/sandbox.hpp"

namespace cgm::bench {

/// Makes a sandbox and a temporary directory that everybody may enter, runs `work` with them in a child, and removes
/// all of it. Returns the exit status of `work`, or 128 + the signal that ended it or was sent to us.
int supervise(const std::function<int(const test::Sandbox& sandbox, const std::string& directory)>& work);

}  // namespace cgm::bench
