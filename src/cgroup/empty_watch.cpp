// SPDX-License-Identifier: LGPL-2.1-or-later
// Watches for emptiness.
#include "cgroup/empty_watch.hpp"

#include <sys/fanotify.h>
#include <sys/inotify.h>

#include <algorithm>

#include "base/sys.hpp"
#include "base/sys_events.hpp"
#include "cgroup/events_file.hpp"

namespace cgm::cgroup {

namespace {

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kSafetyNs = 30'000 * kMs;
constexpr int64_t kRetryNs = 10 * kMs;  // after members that were gone before they could be pinned
constexpr int64_t kBurstNs = 20 * kMs;
constexpr size_t kLooksAtOnce = 32;
constexpr size_t kEventsAtOnce = 64;
constexpr size_t kWritesAtOnce = 32;  // each event of fanotify brings a descriptor

// What an event of the inner epoll is about; ids of watches are none of these.
constexpr uint64_t kInotify = UINT64_MAX, kFanotify = UINT64_MAX - 1;

std::string by_descriptor(int fd) {
  return "/proc/self/fd/" + std::to_string(fd);
}

/// True where it has children beside a leaf. A cgroup's directory has a link more for each (kernfs).
Result<bool> has_children(const Cgroup& cgroup, const struct stat& st) {
  if (st.st_nlink <= 2) return false;
  return !TRY(cgroup.children()).empty();
}

bool moves_tasks(int file) {
  auto path = sys::readlinkat(AT_FDCWD, by_descriptor(file));
  return !path || path->ends_with("/tasks") || path->ends_with("/cgroup.procs");
}

}  // namespace

EmptyWatch::EmptyWatch(size_t most, int64_t now_ns)
    : most_(most), budget_(kBurstNs, now_ns), next_safety_ns_(now_ns + kSafetyNs) {}

Result<std::unique_ptr<EmptyWatch>> EmptyWatch::create(size_t most) {
  std::unique_ptr<EmptyWatch> watch(new EmptyWatch(most, sys::monotonic_ns()));
  watch->outer_ = TRY(sys::epoll_create());
  watch->inner_ = TRY(sys::epoll_create());
  watch->inotify_ = TRY(sys::inotify_init());
  watch->timer_ = TRY(sys::timerfd_create());
  watch->proc_ = TRY(sys::openat(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY));
  TRY_VOID(sys::epoll_add(watch->outer_.get(), watch->timer_.get(), 0));
  TRY_VOID(sys::epoll_add(watch->inner_.get(), watch->inotify_.get(), kInotify));
  if (auto fanotify = sys::fanotify_init()) {
    watch->fanotify_ = std::move(*fanotify);
    TRY_VOID(sys::epoll_add(watch->inner_.get(), watch->fanotify_.get(), kFanotify));
  }
  watch->arm();
  return watch;
}

Result<EmptyWatch::Id> EmptyWatch::add(const Cgroup& cgroup, bool filled) {
  if (watched_.size() >= most_)
    return fail(ErrorKind::quota, "as many cgroups are watched as can be: " + std::to_string(most_));
  Id id = next_++;
  Watched& watched = watched_[id];
  watched.hierarchy = &cgroup.hierarchy();
  watched.path = cgroup.path();
  watched.filled = filled;
  auto prepared = [&]() -> Result<void> {
    watched.inode = TRY(sys::fstat(cgroup.dir())).st_ino;
    // What announces changes is there before the first look, so that none is missed.
    return announce(id, watched, cgroup);
  }();
  if (!prepared) {
    drop(id);
    return fail(std::move(prepared.error()).with(shown(cgroup)));
  }
  if (filled) {
    queue(id);  // what the look finds is for ready() to tell
    arm();
  } else {
    if (look(id) == Change::gone) return fail(ErrorKind::gone, shown(cgroup) + " was removed");
    arm();  // its first member may have to be looked for again
  }
  return id;
}

Result<void> EmptyWatch::announce(Id id, Watched& watched, const Cgroup& cgroup) {
  std::string directory = by_descriptor(cgroup.dir());
  watched.directory_watch = TRY(sys::inotify_watch(inotify_.get(), directory, IN_DELETE | IN_ONLYDIR));
  if (!by_inotify_.emplace(watched.directory_watch, id).second) {
    watched.directory_watch = -1;  // the other's
    return fail(ErrorKind::exists, "it is watched already");
  }
  if (!cgroup.is_v2()) return announce_v1(id, watched, cgroup);
  watched.events_watch = TRY(sys::inotify_watch(inotify_.get(), directory + "/cgroup.events", IN_MODIFY));
  by_inotify_[watched.events_watch] = id;
  return {};
}

Result<void> EmptyWatch::announce_v1(Id id, Watched& watched, const Cgroup& cgroup) {
  Marked& marked = marks_[watched.hierarchy];
  watched.marked = true;
  if (marked.watches++ == 0) {
    marked.device = TRY(sys::fstat(watched.hierarchy->root())).st_dev;
    if (fanotify_) TRY_VOID(sys::fanotify_mark_filesystem(fanotify_.get(), watched.hierarchy->root(), true));
  }
  ino_t* file = watched.task_files;
  for (const char* name : {"tasks", "cgroup.procs"}) {
    *file = TRY(sys::fstatat(cgroup.dir(), name, AT_SYMLINK_NOFOLLOW)).st_ino;
    marked.task_files[*file++] = id;
  }
  return {};
}

void EmptyWatch::drop(Id id) {
  auto found = watched_.find(id);
  if (found == watched_.end()) return;
  Watched& watched = found->second;
  unpin(watched);
  for (int watch : {watched.directory_watch, watched.events_watch}) {
    if (watch < 0) continue;
    by_inotify_.erase(watch);
    (void)sys::inotify_unwatch(inotify_.get(), watch);
  }
  if (watched.marked) {
    auto mark = marks_.find(watched.hierarchy);
    for (ino_t file : watched.task_files) mark->second.task_files.erase(file);
    if (--mark->second.watches == 0) {
      if (fanotify_) (void)sys::fanotify_mark_filesystem(fanotify_.get(), watched.hierarchy->root(), false);
      marks_.erase(mark);
    }
  }
  watched_.erase(found);
}

void EmptyWatch::unpin(Watched& watched) {
  if (watched.pin.task) (void)sys::epoll_remove(inner_.get(), watched.pin.task.get());
  watched.pin = {};
}

bool EmptyWatch::is_filled(Id id) const {
  auto found = watched_.find(id);
  return found != watched_.end() && found->second.filled;
}

void EmptyWatch::look_again(Id id) {
  queue(id);
  arm();
}

void EmptyWatch::queue(Id id) {
  auto found = watched_.find(id);
  if (found == watched_.end() || std::exchange(found->second.queued, true)) return;
  queue_.push_back(id);
}

Result<bool> EmptyWatch::has_task(Id id, Watched& watched, const Cgroup& cgroup) {
  if (cgroup.is_v2()) {
    Events events = TRY(TRY(EventsFile::open(cgroup)).read());
    // A change of events is one of tasks, unless it was the cgroup that froze or thawed.
    if (std::exchange(watched.notified, false) && events.frozen == watched.frozen) watched.touched = true;
    watched.frozen = events.frozen;
    return events.populated;
  }
  if (watched.pin.task) {
    if (!std::exchange(watched.doubted, false) || is_member(proc_.get(), watched.pin.id, cgroup)) return true;
    unpin(watched);
  }
  MemberPin pin = TRY(pin_member(proc_.get(), cgroup));
  if (pin.found == MemberPin::Found::missed) retry_.push_back(id);
  if (pin.found == MemberPin::Found::pinned) {
    TRY_VOID(sys::epoll_add(inner_.get(), pin.task.get(), id));
    watched.pin = std::move(pin);
    return true;
  }
  return pin.found != MemberPin::Found::none;
}

std::optional<EmptyWatch::Change> EmptyWatch::look(Id id) {
  auto at = watched_.find(id);
  if (at == watched_.end()) return std::nullopt;
  Watched& watched = at->second;
  watched.queued = false;
  auto occupied = [&]() -> Result<bool> {
    Cgroup cgroup = TRY(Cgroup::open(*watched.hierarchy, watched.path));
    struct stat st = TRY(sys::fstat(cgroup.dir()));
    if (st.st_ino != watched.inode) return fail(ErrorKind::gone, "it was made anew");
    // Both are asked: the tasks of a cgroup that has children are to be seen leaving, once those have gone.
    bool children = TRY(has_children(cgroup, st));
    return TRY(has_task(id, watched, cgroup)) || children;
  }();
  if (!occupied) {
    if (!went_away(occupied.error())) {
      retry_.push_back(id);
      return std::nullopt;
    }
    drop(id);
    return Change::gone;
  }
  bool was_filled = std::exchange(watched.filled, *occupied);
  bool touched = std::exchange(watched.touched, false);
  if (*occupied) return was_filled ? std::nullopt : std::optional(Change::filled);
  return was_filled || touched ? std::optional(Change::empty) : std::nullopt;
}

void EmptyWatch::take_inotify() {
  alignas(inotify_event) char buffer[4096];
  auto length = sys::read(inotify_.get(), buffer);
  if (!length) return;
  for (size_t at = 0; at + sizeof(inotify_event) <= *length;) {
    const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
    at += sizeof(inotify_event) + event->len;
    if ((event->mask & IN_Q_OVERFLOW) != 0) next_safety_ns_ = 0;
    auto found = by_inotify_.find(event->wd);
    if (found == by_inotify_.end()) continue;
    Watched& watched = watched_.at(found->second);
    if ((event->mask & IN_DELETE) != 0) {
      if ((event->mask & IN_ISDIR) == 0 || event->name == kLeafName) continue;
      watched.touched = true;
    }
    if ((event->mask & IN_MODIFY) != 0) watched.notified = true;
    queue(found->second);
  }
}

void EmptyWatch::doubt(Id id, Watched& watched) {
  watched.doubted = true;
  queue(id);
}

void EmptyWatch::take_fanotify() {
  alignas(fanotify_event_metadata) char buffer[kWritesAtOnce * sizeof(fanotify_event_metadata)];
  auto read = sys::read(fanotify_.get(), buffer);
  if (!read && read.error().code() == EAGAIN) return;
  auto moved_to = [this](Marked& marked, ino_t file) {
    marked.moved = true;
    auto into = marked.task_files.find(file);
    if (into != marked.task_files.end()) watched_.at(into->second).touched = true;
  };
  long left = read ? static_cast<long>(*read) : 0;
  // Where the file of an event could not be opened, or events were lost, it may have been any.
  bool any = !read;
  for (auto* event = reinterpret_cast<fanotify_event_metadata*>(buffer); FAN_EVENT_OK(event, left);
       event = FAN_EVENT_NEXT(event, left)) {
    Fd file(event->fd);
    auto st = file ? sys::fstat(file.get()) : fail(ErrorKind::quota, "events were lost");
    any = any || !st;
    if (!st || !moves_tasks(file.get())) continue;
    for (auto& [hierarchy, marked] : marks_)
      if (marked.device == st->st_dev) moved_to(marked, st->st_ino);
  }
  for (auto& [id, watched] : watched_) {
    if (watched.hierarchy->is_v2()) continue;
    if (any || marks_.at(watched.hierarchy).moved) doubt(id, watched);
  }
  for (auto& [hierarchy, marked] : marks_) marked.moved = false;
}

void EmptyWatch::collect() {
  epoll_event events[kEventsAtOnce];
  auto count = sys::epoll_take(inner_.get(), events);
  for (size_t i = 0; count && i < *count; i++) {
    uint64_t about = events[i].data.u64;
    if (about == kInotify) {
      take_inotify();
    } else if (about == kFanotify) {
      take_fanotify();
    } else if (auto found = watched_.find(about); found != watched_.end()) {
      unpin(found->second);
      queue(about);
    }
  }
}

std::vector<EmptyWatch::Found> EmptyWatch::ready() {
  int64_t begun = sys::monotonic_ns();
  uint64_t ticks;
  (void)sys::read(timer_.get(), {reinterpret_cast<char*>(&ticks), sizeof ticks});
  collect();
  if (begun >= next_safety_ns_) {
    next_safety_ns_ = begun + kSafetyNs;
    for (auto& [id, watched] : watched_) doubt(id, watched);
  }
  if (retry_ns_ != 0 && begun >= retry_ns_) {
    retry_ns_ = 0;
    for (Id id : std::exchange(retry_, {})) queue(id);
  }
  std::vector<Found> found;
  for (size_t looks = 0; looks < kLooksAtOnce && !queue_.empty(); looks++) {
    Id id = queue_.front();
    queue_.pop_front();
    if (auto change = look(id)) found.push_back({id, *change});
  }
  resume_ns_ = budget_.spend(begun, sys::monotonic_ns());
  arm();
  return found;
}

void EmptyWatch::arm() {
  int64_t now = sys::monotonic_ns();
  if (!retry_.empty() && retry_ns_ == 0) retry_ns_ = now + kRetryNs;
  bool overdrawn = resume_ns_ > now;
  if (overdrawn == listening_) {
    (void)(overdrawn ? sys::epoll_remove(outer_.get(), inner_.get()) : sys::epoll_add(outer_.get(), inner_.get(), 0));
    listening_ = !overdrawn;
  }
  int64_t next = next_safety_ns_;
  if (retry_ns_ != 0) next = std::min(next, retry_ns_);
  // What comes while nobody listens is looked at when the budget allows it again.
  if (!queue_.empty() || overdrawn) next = now;
  (void)sys::timerfd_set(timer_.get(), std::max<int64_t>({next, resume_ns_, 1}));
}

}  // namespace cgm::cgroup
