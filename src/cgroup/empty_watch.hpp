// SPDX-License-Identifier: LGPL-2.1-or-later
// Tells when cgroups become empty, on v1 and v2, as the classic notify_on_release does (cgroups-v1: "if the last task
// in a cgroup leaves and the last child cgroup is removed") but without the kernel running a program.
//
// v2 announces it: inotify on cgroup.events. v1 announces nothing when a task forks or exits: one member is pinned by a
// pidfd, and another one when it ends. A member that is moved out alive is seen by fanotify, one mark for each v1
// hierarchy, on whatever mount the write is made. All are looked at every 30 s besides, for what no event tells: acts
// on a mount of another cgroup namespace, threads that end before their process (v1 before Linux 6.9), and, where we
// lack CAP_SYS_ADMIN for fanotify, v1 members that are moved out alive.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/work_budget.hpp"
#include "cgroup/cgroup.hpp"
#include "cgroup/member_pin.hpp"

namespace cgm::cgroup {

class EmptyWatch final {
 public:
  using Id = uint64_t;

  /// Descriptors that it needs: these, 32 of them for a moment alone, and one for each watch on v1.
  static constexpr size_t kDescriptors = 40;

  enum class Change {
    filled,  ///< it has a task or a child now; once, until it is empty
    empty,   ///< it has neither a task nor a child any more (our leaf counts as none), and had one since it was watched
    gone,    ///< it was removed; the id is no longer valid
  };
  struct Found {
    Id id;
    Change change;
  };

  /// `most`: how many cgroups can be watched at once.
  static Result<std::unique_ptr<EmptyWatch>> create(size_t most);

  /// Readable when ready() has something to do.
  int fd() const { return outer_.get(); }
  /// What has changed since the last call. Never waits, does a bounded piece of work (about a millisecond), and takes
  /// no more than a tenth of a processor however much others make change: what is left is for the next call.
  std::vector<Found> ready();

  /// Watches a cgroup that is not a hierarchy's root; its Hierarchy must outlive the watch. `filled` says that it is
  /// known to have had a task or child: it is then told to be empty also where it is so already. Errors: quota (as many
  /// as there may be, or the kernel's limits), exists (it is watched), gone, not_found.
  Result<Id> add(const Cgroup& cgroup, bool filled = false);
  /// Ends a watch; unknown ids are nothing.
  void drop(Id id);
  /// Has ready() look at it, where its owner knows of a change.
  void look_again(Id id);
  /// True from Change::filled on until Change::empty.
  bool is_filled(Id id) const;

  size_t size() const { return watched_.size(); }
  size_t most() const { return most_; }
  /// False where tasks that are moved out of v1 cgroups alive are seen by the look of every 30 s alone.
  bool sees_moves() const { return static_cast<bool>(fanotify_); }

 private:
  struct Watched {
    const Hierarchy* hierarchy = nullptr;
    CgroupPath path = {};
    ino_t inode = 0;
    bool filled = false;
    bool touched = false;   // it had a task or child since the last look, whatever the next one finds
    bool notified = false;  // v2: its events changed since the last look
    bool frozen = false;    // v2: what the last look found
    bool queued = false;
    int directory_watch = -1, events_watch = -1;  // inotify
    MemberPin pin = {};                           // v1
    bool doubted = false;                         // v1: the pinned task may have left
    bool marked = false;                          // v1: counted in its hierarchy's mark
    ino_t task_files[2] = {};                     // v1: tasks, cgroup.procs
  };
  /// What a v1 hierarchy's mark is needed for.
  struct Marked {
    size_t watches = 0;
    dev_t device = 0;
    bool moved = false;  // tasks were moved somewhere in the hierarchy
    std::unordered_map<ino_t, Id> task_files;
  };

  EmptyWatch(size_t most, int64_t now_ns);
  Result<void> announce(Id id, Watched& watched, const Cgroup& cgroup);
  Result<void> announce_v1(Id id, Watched& watched, const Cgroup& cgroup);
  /// Looks at one; says what changed. A gone one is dropped.
  std::optional<Change> look(Id id);
  /// True where it has a task; v1: holds on to one.
  Result<bool> has_task(Id id, Watched& watched, const Cgroup& cgroup);
  void unpin(Watched& watched);
  void queue(Id id);
  /// Queues a watch, and does not rely on the task that it holds.
  void doubt(Id id, Watched& watched);
  void collect();
  void take_inotify();
  void take_fanotify();
  /// Sets timer and descriptor to when ready() is needed next.
  void arm();

  size_t most_;
  Id next_ = 1;
  Fd outer_, inner_, inotify_, fanotify_, timer_, proc_;
  bool listening_ = false;  // inner_ is in outer_: not while the budget is overdrawn
  WorkBudget budget_;
  int64_t resume_ns_ = 0;
  int64_t next_safety_ns_;
  int64_t retry_ns_ = 0;  // when those of retry_ are looked at again; 0: none
  std::vector<Id> retry_;
  std::unordered_map<Id, Watched> watched_;
  std::unordered_map<int, Id> by_inotify_;
  std::unordered_map<const Hierarchy*, Marked> marks_;
  std::deque<Id> queue_;
};

}  // namespace cgm::cgroup
