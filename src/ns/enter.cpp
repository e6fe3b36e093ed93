// SPDX-License-Identifier: LGPL-2.1-or-later
// Orders of setns.
#include "ns/enter.hpp"

#include <vector>

#include "base/sys_ns.hpp"

namespace cgm::ns {

namespace {

Result<void> enter_one(const Namespace& one) {
  auto entered = sys::setns(one.fd(), info(one.kind()).flag);
  if (entered) return {};
  return fail(std::move(entered.error()).with("enter " + format_link(one.kind(), one.inode())));
}

}  // namespace

Result<void> enter(std::span<const Namespace> namespaces, int pidfd) {
  Kinds kinds;
  for (const Namespace& one : namespaces) kinds.add(one.kind());
  if (kinds.empty()) return {};
  // All or nothing. Before 5.8 a pidfd is no namespace (EINVAL), and a namespace that the user namespace on the way
  // gives no right to makes it fail as a whole.
  if (pidfd >= 0 && sys::setns(pidfd, kinds.flags())) return {};

  // A privileged caller enters what is not owned by the new user namespace before it gives its privileges up; an
  // unprivileged one gets its rights by the user namespace.
  std::vector<const Namespace*> left;
  for (const Namespace& one : namespaces)
    if (one.kind() == Kind::user || !enter_one(one)) left.push_back(&one);
  auto enter_left = [&](bool user) -> Result<void> {
    for (const Namespace* one : left)
      if ((one->kind() == Kind::user) == user) TRY_VOID(enter_one(*one));
    return {};
  };
  TRY_VOID(enter_left(true));
  return enter_left(false);
}

}  // namespace cgm::ns
