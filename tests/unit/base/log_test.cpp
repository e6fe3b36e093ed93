// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/log.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "base/fd.hpp"

namespace cgm {
namespace {

std::string written(std::string_view text) {
  int pipe[2];
  EXPECT_EQ(::pipe(pipe), 0);
  Fd out(pipe[0]);
  {
    Fd in(pipe[1]);
    Log(LogLevel::notice, false, in.get()).write(LogLevel::notice, text);
  }
  char buffer[4096];
  ssize_t n = ::read(out.get(), buffer, sizeof buffer);
  return {buffer, static_cast<size_t>(n > 0 ? n : 0)};
}

TEST(Log, shows_what_a_terminal_would_obey_as_question_marks) {
  EXPECT_EQ(written("a\nb\x1b[2Jc\x7f"), "cgmanager: a?b?[2Jc?\n");
  EXPECT_EQ(written("\xc2\x9b"
                    "2J \xc2\x80\xc2\x9f"),
            "cgmanager: ?2J ??\n");
}

TEST(Log, leaves_letters_alone) {
  EXPECT_EQ(written("caf\xc3\xa9 \xc2\xa0\xe4\xb8\x80\xc2"), "cgmanager: caf\xc3\xa9 \xc2\xa0\xe4\xb8\x80\xc2\n");
}

}  // namespace
}  // namespace cgm
