// SPDX-License-Identifier: LGPL-2.1-or-later
// What a TARGET on the command line means: a process, a namespace, or a pin.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/process.hpp"
#include "ns/member.hpp"

namespace cgm::cli {

/// Either a process, pinned, or open namespaces.
struct Target {
  struct Pinned {
    Process process;
    ns::Member member;
  };
  std::optional<Pinned> process;
  std::vector<ns::Namespace> namespaces;
};

/// `PID`, `fd:NUMBER` (a pidfd or a namespace), a path of a namespace, or a pin's name. Errors: invalid, gone,
/// not_found, denied.
Result<Target> find_target(const std::string& text, const ProcFs& proc);

/// What this process is in.
Result<ns::Membership> own_namespaces(const ProcFs& proc);

/// The namespaces of a target, of these kinds; of a process those that are not ours.
Result<std::vector<ns::Namespace>> namespaces_of(const std::string& text, ns::Kinds kinds);

}  // namespace cgm::cli
