// SPDX-License-Identifier: LGPL-2.1-or-later
// How many cgroups an account has, and may have. A cgroup is charged to the account of the user who owns its directory,
// so that the count can be made anew from the tree at any time: no state of ours has to survive a restart. Rule 18.
#pragma once

#include <mutex>
#include <optional>
#include <unordered_map>

#include "api/accounts.hpp"
#include "base/error.hpp"
#include "cgroup/hierarchy.hpp"
#include "manager/access.hpp"

namespace cgm::manager {

struct QuotaLimits {
  size_t cgroups = 1024;  ///< for each account, in all hierarchies together
  size_t depth = 16;      ///< levels below the caller's floor
};

/// Thread-safe.
class Quotas final {
 public:
  Quotas(const cgroup::Hierarchies& hierarchies, const QuotaLimits& limits)
      : hierarchies_(hierarchies), limits_(limits) {}

  /// Takes other limits and accounts; recount() then.
  void configure(const QuotaLimits& limits, api::Accounts accounts);
  /// Counts all directories there are, by owner; walks every hierarchy.
  void recount();

  /// Charges one cgroup at `depth` below the floor to r's account, before it is made; removed() gives it back. Host
  /// root is not bound. Errors: quota. Where the count is full it is made anew first, at most every ten seconds.
  Result<void> charge(const Subject& subject, size_t depth);
  /// A cgroup whose directory was `owner`'s is gone, or was not made after all.
  void removed(uid_t owner);
  /// A cgroup's directory has changed hands.
  void given(uid_t from, uid_t to);
  /// True where the next charge() would walk the tree: work for a worker.
  bool is_full(uid_t uid) const;

 private:
  using Counts = std::unordered_map<api::Account, size_t>;

  void recount_if_old();
  void walk_and_count();
  void add_locked(api::Account account);

  const cgroup::Hierarchies& hierarchies_;
  std::mutex counting_;  // one walk at a time; taken before mutex_
  mutable std::mutex mutex_;
  QuotaLimits limits_;
  api::Accounts accounts_;
  Counts cgroups_;
  std::optional<Counts> added_;  // since the walk began that is under way
  int64_t counted_ns_ = 0;
};

}  // namespace cgm::manager
