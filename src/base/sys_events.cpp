// SPDX-License-Identifier: LGPL-2.1-or-later
// Thin system calls about events.
#include "base/sys_events.hpp"

#include <fcntl.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>

namespace cgm::sys {

namespace {

Result<Fd> opened(int fd, std::string_view call) {
  if (fd < 0) return failed(call);
  return Fd(fd);
}

Result<void> done(int r, std::string_view call, std::string_view argument = {}) {
  if (r < 0) return failed(call, argument);
  return {};
}

}  // namespace

Result<Fd> epoll_create() {
  return opened(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
}

Result<void> epoll_add(int epoll, int fd, uint64_t data) {
  epoll_event event{.events = EPOLLIN, .data = {.u64 = data}};
  return done(::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

Result<void> epoll_remove(int epoll, int fd) {
  return done(::epoll_ctl(epoll, EPOLL_CTL_DEL, fd, nullptr), "epoll_ctl");
}

Result<size_t> epoll_take(int epoll, std::span<epoll_event> events) {
  int n;
  do n = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 0);
  while (n < 0 && errno == EINTR);
  if (n < 0) return failed("epoll_wait");
  return static_cast<size_t>(n);
}

Result<Fd> timerfd_create() {
  return opened(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), "timerfd_create");
}

Result<void> timerfd_set(int timer, int64_t at_ns) {
  constexpr int64_t kSecond = 1'000'000'000;
  itimerspec spec{.it_interval = {}, .it_value = {.tv_sec = at_ns / kSecond, .tv_nsec = at_ns % kSecond}};
  return done(::timerfd_settime(timer, TFD_TIMER_ABSTIME, &spec, nullptr), "timerfd_settime");
}

Result<Fd> inotify_init() {
  return opened(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK), "inotify_init1");
}

Result<int> inotify_watch(int inotify, const std::string& path, uint32_t mask) {
  int watch = ::inotify_add_watch(inotify, path.c_str(), mask);
  if (watch < 0 && errno == ENOSPC)
    return fail(Error(ErrorKind::quota, ENOSPC, "inotify_add_watch: fs.inotify.max_user_watches is reached"));
  if (watch < 0) return failed("inotify_add_watch", path);
  return watch;
}

Result<void> inotify_unwatch(int inotify, int watch) {
  return done(::inotify_rm_watch(inotify, watch), "inotify_rm_watch");
}

Result<Fd> fanotify_init() {
  return opened(::fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY | O_CLOEXEC), "fanotify_init");
}

Result<void> fanotify_mark_filesystem(int fanotify, int dirfd, bool marked) {
  unsigned flags = (marked ? FAN_MARK_ADD : FAN_MARK_REMOVE) | FAN_MARK_FILESYSTEM;
  return done(::fanotify_mark(fanotify, flags, FAN_MODIFY, dirfd, "."), "fanotify_mark");
}

}  // namespace cgm::sys
