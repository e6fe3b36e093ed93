// SPDX-License-Identifier: LGPL-2.1-or-later
// The daemon put together: hierarchies, manager, server and event loop, from ready to stopped.
#pragma once

#include <functional>

#include "base/log.hpp"
#include "cgmanager/options.hpp"

namespace cgm::cgmanager {

/// Serves until a signal ends it. `ready` is called once, when the first client can be served. Errors are those of the
/// start; what fails later is logged.
Result<void> run_daemon(const Options& options, const manager::Config& config, Log& log,
                        const std::function<void()>& ready);

}  // namespace cgm::cgmanager
