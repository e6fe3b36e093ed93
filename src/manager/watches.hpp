// SPDX-License-Identifier: LGPL-2.1-or-later
// Cgroups that go away when they are empty: for whom they are watched, and their state in a file, so that a daemon that
// starts again goes on where it stopped. The removal itself is verbs_tree.cpp's.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "api/accounts.hpp"
#include "base/log.hpp"
#include "cgroup/cgroup.hpp"
#include "cgroup/empty_watch.hpp"
#include "cgroup/watch_state.hpp"
#include "manager/access.hpp"

namespace cgm::manager {

/// A watched cgroup that was found empty: what it was by name and inode when that was asked for.
struct Emptied {
  cgroup::EmptyWatch::Id id = 0;
  const cgroup::Hierarchy* hierarchy = nullptr;
  cgroup::CgroupPath path = {};
  ino_t inode = 0;
  api::Account account = 0;
};

/// Thread-safe, but for start() and fd(). Watches nothing before start().
class Watches final {
 public:
  /// Where the state is kept.
  struct Store {
    Fd directory;
    std::string name;
  };

  Watches(const cgroup::Hierarchies& hierarchies, const Log& log) : hierarchies_(hierarchies), log_(log) {}

  /// Begins to watch at most `most` cgroups, those first that `store` holds from before: a cgroup that has another
  /// inode by now, or is of another boot, is none of them. What cannot be read is logged, and nothing is watched of it.
  Result<void> start(size_t most, Store store);
  void configure(size_t for_each_account, api::Accounts accounts);

  /// Watches a cgroup on r's account; nothing more where it is watched already. It is in the store after save(). It is
  /// found empty when its last task leaves or its last child goes, as notify_on_release is told: not if it is empty to
  /// begin with. Host root is not bound by the account's limit. Errors: quota, gone, invalid (a hierarchy's root),
  /// unsupported (not started).
  Result<void> watch(const Subject& r, const cgroup::Cgroup& cgroup);

  /// Readable when process() has something to do.
  int fd() const { return events_.get(); }
  /// The cgroups that got empty; each is told once until failed() is called for it. Never waits for the kernel.
  std::vector<Emptied> process();
  /// A cgroup was removed by us: nobody tells that of an empty v1 cgroup.
  void removed(const cgroup::Hierarchy& hierarchy, ino_t inode);
  /// An emptied one could not be removed.
  void failed(cgroup::EmptyWatch::Id id);

  /// Writes what is watched now to the store, where that has changed; removes the file where nothing is.
  void save();

 private:
  struct Watched {
    const cgroup::Hierarchy* hierarchy;
    cgroup::CgroupPath path;
    ino_t inode;
    uid_t owner;
    bool told = false;  // as emptied
  };

  using ByInode = std::map<std::pair<const cgroup::Hierarchy*, ino_t>, cgroup::EmptyWatch::Id>;

  Result<void> add(uid_t owner, const cgroup::Cgroup& cgroup, bool filled);
  void restore();
  void forget(ByInode::iterator one);
  api::Account account_of(uid_t owner) const;
  cgroup::WatchState state();
  void changed();
  bool is_changed();

  const cgroup::Hierarchies& hierarchies_;
  const Log& log_;
  Store store_;
  std::string boot_id_;
  Fd events_, timer_;
  std::mutex saving_;  // taken before mutex_
  RateLimit complaints_{5, 1};
  std::mutex mutex_;
  std::unique_ptr<cgroup::EmptyWatch> empty_;
  size_t for_each_account_ = 0;
  api::Accounts accounts_;
  std::unordered_map<cgroup::EmptyWatch::Id, Watched> watched_;
  ByInode by_inode_;
  int64_t save_ns_ = 0;  // when the store is due; 0: it is up to date
};

}  // namespace cgm::manager
