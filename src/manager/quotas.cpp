// SPDX-License-Identifier: LGPL-2.1-or-later
// Counting cgroups.
#include "manager/quotas.hpp"

#include <dirent.h>

#include "base/sys.hpp"
#include "cgroup/cgroup.hpp"

namespace cgm::manager {

namespace {

constexpr int64_t kRecountNs = 10'000'000'000;
constexpr int kDeepest = 256;

template <class F>
void each_owner_below(int dir, F take, int depth = 0) {
  auto entries = sys::list_dir(dir);
  if (!entries || depth > kDeepest) return;
  for (const sys::DirEntry& entry : *entries) {
    if (entry.type != DT_DIR || entry.name == cgroup::kLeafName) continue;
    auto child = sys::openat(dir, entry.name, O_PATH | O_DIRECTORY | O_NOFOLLOW);
    if (!child) continue;
    if (auto st = sys::fstat(child->get())) take(st->st_uid);
    each_owner_below(child->get(), take, depth + 1);
  }
}

}  // namespace

void Quotas::configure(const QuotaLimits& limits, api::Accounts accounts) {
  std::lock_guard lock(mutex_);
  limits_ = limits;
  accounts_ = std::move(accounts);
}

void Quotas::recount() {
  std::lock_guard one(counting_);
  walk_and_count();
}

void Quotas::recount_if_old() {
  std::lock_guard one(counting_);
  {
    std::lock_guard lock(mutex_);
    if (sys::monotonic_ns() - counted_ns_ <= kRecountNs) return;
  }
  walk_and_count();
}

void Quotas::walk_and_count() {
  api::Accounts accounts;
  {
    std::lock_guard lock(mutex_);
    accounts = accounts_;
    added_.emplace();
  }
  // Without the lock: the loop asks meanwhile.
  Counts counts;
  for (const cgroup::Hierarchy& hierarchy : hierarchies_.all())
    each_owner_below(hierarchy.root(), [&](uid_t uid) {
      if (uid != 0) counts[accounts.of(uid)]++;
    });
  std::lock_guard lock(mutex_);
  for (const auto& [account, count] : *added_) counts[account] += count;
  added_.reset();
  cgroups_ = std::move(counts);
  counted_ns_ = sys::monotonic_ns();
}

void Quotas::add_locked(api::Account account) {
  cgroups_[account]++;
  // Counted twice where the walk sees it too, until the next one; what is removed meanwhile likewise.
  if (added_) (*added_)[account]++;
}

Result<void> Quotas::charge(const Subject& subject, size_t depth) {
  std::unique_lock lock(mutex_);
  if (subject.host_root) return {};
  if (depth > limits_.depth)
    return fail(ErrorKind::quota,
                "a cgroup " + std::to_string(depth) + " levels down, more than " + std::to_string(limits_.depth));
  api::Account account = accounts_.of(subject.uid);
  if (cgroups_[account] >= limits_.cgroups) {
    lock.unlock();
    recount_if_old();
    lock.lock();
  }
  size_t own = cgroups_[account];
  if (own >= limits_.cgroups)
    return fail(ErrorKind::quota,
                "account " + std::to_string(account) + " has " + std::to_string(own) + " cgroups, as many as it may");
  add_locked(account);
  return {};
}

void Quotas::removed(uid_t owner) {
  std::lock_guard lock(mutex_);
  auto found = cgroups_.find(accounts_.of(owner));
  if (found != cgroups_.end() && found->second > 0) found->second--;
}

void Quotas::given(uid_t from, uid_t to) {
  removed(from);
  std::lock_guard lock(mutex_);
  if (to != 0) add_locked(accounts_.of(to));
}

bool Quotas::is_full(uid_t uid) const {
  std::lock_guard lock(mutex_);
  auto found = cgroups_.find(accounts_.of(uid));
  return found != cgroups_.end() && found->second >= limits_.cgroups;
}

}  // namespace cgm::manager
