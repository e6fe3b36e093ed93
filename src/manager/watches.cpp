// SPDX-License-Identifier: LGPL-2.1-or-later
// What is watched to be removed, and its store.
#include "manager/watches.hpp"

#include <algorithm>

#include "base/sys.hpp"
#include "base/sys_events.hpp"

namespace cgm::manager {

namespace {

// What is not kept before an answer, such as that a cgroup has got its first task, may be lost for so long.
constexpr int64_t kSaveWithinNs = 1'000'000'000;

/// Who pays, as the store names him: host root 0, any other uid 0 kLesserRoots.
uid_t owner_of(const Subject& r) {
  return r.is_lesser_root() ? api::kLesserRoots : r.uid;
}

const cgroup::Hierarchy* find(const cgroup::Hierarchies& hierarchies, std::string_view label) {
  for (const cgroup::Hierarchy& one : hierarchies.all())
    if (cgroup::watch_label(one) == label) return &one;
  return nullptr;
}

}  // namespace

Result<void> Watches::start(size_t most, Store store) {
  boot_id_ = TRY(cgroup::read_boot_id());
  timer_ = TRY(sys::timerfd_create());
  events_ = TRY(sys::epoll_create());
  auto empty = TRY(cgroup::EmptyWatch::create(most));
  TRY_VOID(sys::epoll_add(events_.get(), timer_.get(), 0));
  TRY_VOID(sys::epoll_add(events_.get(), empty->fd(), 0));
  std::lock_guard lock(mutex_);
  empty_ = std::move(empty);
  store_ = std::move(store);
  if (!empty_->sees_moves())
    log_.write(LogLevel::warning,
               "tasks that are moved out of v1 cgroups are noticed within 30 s: CAP_SYS_ADMIN is missing");
  restore();
  return {};
}

void Watches::restore() {
  auto before = cgroup::read_watch_state(store_.directory.get(), store_.name);
  if (!before) return log_.write(LogLevel::warning, "what was watched before is lost: " + before.error().text());
  if (!*before) return;
  changed();  // what is not taken over goes from the store
  if ((*before)->boot_id != boot_id_) return;
  for (const cgroup::WatchRecord& record : (*before)->records) {
    const cgroup::Hierarchy* hierarchy = find(hierarchies_, record.hierarchy);
    if (hierarchy == nullptr) continue;
    auto cgroup = cgroup::Cgroup::open(*hierarchy, record.path);
    if (!cgroup) continue;
    auto st = sys::fstat(cgroup->dir());
    if (!st || st->st_ino != record.cgroup_id) continue;
    auto added = add(record.owner, *cgroup, record.filled);
    if (added) continue;
    log_.write(LogLevel::warning, "no longer watched: " + added.error().text());
    if (added.error().kind() == ErrorKind::quota) return;
  }
}

void Watches::configure(size_t for_each_account, api::Accounts accounts) {
  std::lock_guard lock(mutex_);
  for_each_account_ = for_each_account;
  accounts_ = std::move(accounts);
}

api::Account Watches::account_of(uid_t owner) const {
  return owner == api::kLesserRoots ? owner : accounts_.of(owner);
}

Result<void> Watches::add(uid_t owner, const cgroup::Cgroup& cgroup, bool filled) {
  ino_t inode = TRY(sys::fstat(cgroup.dir())).st_ino;
  auto id = TRY(empty_->add(cgroup, filled));
  watched_.emplace(id, Watched{&cgroup.hierarchy(), cgroup.path(), inode, owner});
  by_inode_[{&cgroup.hierarchy(), inode}] = id;
  changed();
  return {};
}

void Watches::forget(ByInode::iterator one) {
  empty_->drop(one->second);
  watched_.erase(one->second);
  by_inode_.erase(one);
  changed();
}

void Watches::removed(const cgroup::Hierarchy& hierarchy, ino_t inode) {
  std::lock_guard lock(mutex_);
  if (auto one = by_inode_.find({&hierarchy, inode}); one != by_inode_.end()) forget(one);
}

Result<void> Watches::watch(const Subject& r, const cgroup::Cgroup& cgroup) {
  if (cgroup.path().is_root()) return fail(ErrorKind::invalid, "the root of a hierarchy is never removed");
  uid_t owner = owner_of(r);
  std::lock_guard lock(mutex_);
  if (!empty_)
    return fail(ErrorKind::unsupported, "a cgroup that goes when it is empty takes the daemon, which watches it");
  api::Account account = account_of(owner);
  auto same = [&](const auto& one) { return account_of(one.second.owner) == account; };
  auto count = static_cast<size_t>(std::count_if(watched_.begin(), watched_.end(), same));
  if (!r.host_root && count >= for_each_account_)
    return fail(ErrorKind::quota, "account " + std::to_string(account) + " has " + std::to_string(count) +
                                      " cgroups watched, as many as it may");
  auto added = add(owner, cgroup, false);
  if (!added && added.error().kind() == ErrorKind::exists) return {};
  return added;
}

std::vector<Emptied> Watches::process() {
  std::vector<Emptied> emptied;
  bool save_now = false;
  {
    std::lock_guard lock(mutex_);
    uint64_t ticks;
    (void)sys::read(timer_.get(), {reinterpret_cast<char*>(&ticks), sizeof ticks});
    for (const auto& found : empty_->ready()) {
      auto at = watched_.find(found.id);
      if (at == watched_.end()) continue;
      Watched& watched = at->second;
      if (found.change == cgroup::EmptyWatch::Change::gone) {
        forget(by_inode_.find({watched.hierarchy, watched.inode}));
        continue;
      }
      changed();
      if (found.change == cgroup::EmptyWatch::Change::empty && !std::exchange(watched.told, true))
        emptied.push_back({found.id, watched.hierarchy, watched.path, watched.inode, account_of(watched.owner)});
    }
    save_now = save_ns_ != 0 && sys::monotonic_ns() >= save_ns_;
  }
  if (save_now) save();
  return emptied;
}

void Watches::changed() {
  if (save_ns_ != 0) return;
  save_ns_ = sys::monotonic_ns() + kSaveWithinNs;
  (void)sys::timerfd_set(timer_.get(), save_ns_);
}

void Watches::failed(cgroup::EmptyWatch::Id id) {
  std::lock_guard lock(mutex_);
  auto at = watched_.find(id);
  if (at == watched_.end()) return;
  // It may have been filled and emptied meanwhile.
  at->second.told = false;
  empty_->look_again(id);
}

bool Watches::is_changed() {
  std::lock_guard lock(mutex_);
  return save_ns_ != 0;
}

cgroup::WatchState Watches::state() {
  cgroup::WatchState state{.boot_id = boot_id_, .records = {}};
  std::lock_guard lock(mutex_);
  save_ns_ = 0;
  for (const auto& [id, one] : watched_)
    state.records.push_back(
        {cgroup::watch_label(*one.hierarchy), one.path, one.inode, one.owner, one.told || empty_->is_filled(id)});
  return state;
}

void Watches::save() {
  // Who waits here for another's writing has what he asked for kept by it.
  std::lock_guard one(saving_);
  if (!is_changed()) return;
  cgroup::WatchState now = state();
  auto saved = now.records.empty() ? sys::unlinkat(store_.directory.get(), store_.name, 0)
                                   : cgroup::write_watch_state(store_.directory.get(), store_.name, now);
  if (saved || (now.records.empty() && saved.error().kind() == ErrorKind::not_found)) return;
  if (complaints_.pass(sys::monotonic_ns()))
    log_.write(LogLevel::warning, "what is watched would not survive a restart: " + saved.error().text());
}

}  // namespace cgm::manager
