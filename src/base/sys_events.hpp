// SPDX-License-Identifier: LGPL-2.1-or-later
// System calls that announce things: epoll, timerfd, inotify, fanotify. One thin function each, as in sys.hpp.
#pragma once

#include <sys/epoll.h>

#include <cstdint>
#include <span>
#include <string>

#include "base/error.hpp"
#include "base/fd.hpp"

namespace cgm::sys {

Result<Fd> epoll_create();
/// epoll_ctl(2) ADD and DEL for input; `data` comes back with the event.
Result<void> epoll_add(int epoll, int fd, uint64_t data);
Result<void> epoll_remove(int epoll, int fd);
/// The events there are now, without waiting: how many of `events` were filled.
Result<size_t> epoll_take(int epoll, std::span<epoll_event> events);

/// A timer on CLOCK_MONOTONIC, which reads without waiting, and setting it to a point of that clock (not 0).
Result<Fd> timerfd_create();
Result<void> timerfd_set(int timer, int64_t at_ns);

/// An inotify instance that reads without waiting. inotify_watch returns the watch's descriptor, the same one for the
/// same object; errors of kind quota where fs.inotify.max_user_watches is reached.
Result<Fd> inotify_init();
Result<int> inotify_watch(int inotify, const std::string& path, uint32_t mask);
Result<void> inotify_unwatch(int inotify, int watch);

/// A fanotify group whose events carry descriptors of the files concerned, opened read-only; reads without waiting.
/// Needs CAP_SYS_ADMIN.
Result<Fd> fanotify_init();
/// Marks (or no longer) the whole file system that the directory `dirfd` lies on, for writes to any file.
Result<void> fanotify_mark_filesystem(int fanotify, int dirfd, bool marked);

}  // namespace cgm::sys
