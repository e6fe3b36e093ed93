// SPDX-License-Identifier: LGPL-2.1-or-later
#include "manager/audit.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "base/sys.hpp"

namespace cgm::manager {
namespace {

using testing::HasSubstr;

api::Request move_request() {
  api::Request request;
  request.method = api::Method::move_pid;
  request.controller = "memory";
  request.cgroup = "a/b";
  request.first = 7;
  return request;
}

TEST(AuditText, says_who_what_and_why) {
  api::Caller caller;
  caller.credentials = {42, 1000, 1000};
  EXPECT_EQ(audit_text(caller, move_request(), Error(ErrorKind::denied, "the task is not yours")),
            "refused uid=1000 pid=42 MovePid('memory', 'a/b', 7): the task is not yours");
}

/// What `write` logs, as text.
template <class F>
std::string logged(LogLevel level, F write) {
  int pipe[2];
  EXPECT_EQ(::pipe2(pipe, O_CLOEXEC | O_NONBLOCK), 0);
  Fd out(pipe[0]), in(pipe[1]);
  {
    Log log(level, false, in.get());
    write(log);
  }
  in.reset();
  return *sys::read_all(out.get(), 1 << 20);
}

TEST(Audit, keeps_refusals_to_a_rate_and_counts_the_rest) {
  api::Caller caller, other;
  caller.credentials = {42, 1000, 1000};
  other.credentials = {43, 1001, 1001};
  std::string text = logged(LogLevel::notice, [&](const Log& log) {
    Audit audit(log);
    for (int i = 0; i < 200; i++) audit.failed(caller, move_request(), Error(ErrorKind::denied, "no"));
    audit.failed(other, move_request(), Error(ErrorKind::denied, "no"));
  });
  auto lines = std::count(text.begin(), text.end(), '\n');
  EXPECT_LT(lines, 60);
  EXPECT_GT(lines, 10);
  EXPECT_THAT(text, HasSubstr("uid=1001")) << "one user's flood hides nobody else's refusal";
}

TEST(Audit, lets_no_client_write_lines_of_its_own) {
  api::Caller caller;
  api::Request request = move_request();
  request.cgroup = "x\ncgmanager: all is well";
  std::string text = logged(
      LogLevel::notice, [&](const Log& log) { Audit(log).failed(caller, request, Error(ErrorKind::denied, "no")); });
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
}

TEST(Audit, is_silent_about_what_is_no_refusal) {
  api::Caller caller;
  EXPECT_EQ(logged(LogLevel::notice,
                   [&](const Log& log) { Audit(log).failed(caller, move_request(), Error(ErrorKind::gone, "gone")); }),
            "");
}

}  // namespace
}  // namespace cgm::manager
