// SPDX-License-Identifier: LGPL-2.1-or-later
// cgroup.events.
#include "cgroup/events_file.hpp"

#include <poll.h>

#include <optional>
#include <string>

#include "base/number.hpp"
#include "base/sys.hpp"

namespace cgm::cgroup {

namespace {

constexpr size_t kMaxEvents = 4096;

Result<bool> flag(std::string_view word) {
  if (word != "0" && word != "1")
    return fail(ErrorKind::protocol, "cgroup.events: '" + std::string(word.substr(0, 20)) + "' is neither 0 nor 1");
  return word == "1";
}

}  // namespace

Result<Events> parse_events(std::string_view text) {
  Events events;
  bool told = false;
  while (!text.empty()) {
    std::string_view value = take_until(text, '\n');
    std::string_view key = take_until(value, ' ');
    if (key == "populated") {
      events.populated = TRY(flag(value));
      told = true;
    } else if (key == "frozen") {
      events.frozen = TRY(flag(value));
    }
  }
  if (!told) return fail(ErrorKind::protocol, "cgroup.events does not say whether it is populated");
  return events;
}

Result<EventsFile> EventsFile::open(const Cgroup& cgroup) {
  auto file = cgroup.open_file("cgroup.events", O_RDONLY);
  if (file) return EventsFile(std::move(*file));
  if (cgroup.path().is_root() && file.error().kind() == ErrorKind::not_found)
    return fail(ErrorKind::unsupported, "the root of the v2 tree has no events");
  return fail(std::move(file.error()).with(shown(cgroup)));
}

Result<Events> EventsFile::read() const {
  char buffer[kMaxEvents];
  // From the start each time: that is what arms poll(2) again.
  size_t length = TRY(with(sys::pread(file_.get(), buffer, 0), "cgroup.events"));
  return parse_events(std::string_view(buffer, length));
}

Result<bool> EventsFile::wait(Deadline deadline) const {
  pollfd poll{file_.get(), POLLPRI, 0};
  for (;;) {
    int n = ::poll(&poll, 1, deadline.poll_ms());
    if (n > 0) return true;
    if (n == 0) return false;
    if (errno != EINTR) return fail(Error::from_errno(errno, "poll", "cgroup.events"));
    if (deadline.has_passed()) return false;
  }
}

}  // namespace cgm::cgroup
