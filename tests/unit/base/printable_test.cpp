// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/printable.hpp"

#include <gtest/gtest.h>

namespace cgm {
namespace {

TEST(Printable, leaves_text_as_it_is) {
  EXPECT_EQ(printable(""), "");
  EXPECT_EQ(printable("sleep 60"), "sleep 60");
  EXPECT_EQ(printable("häßlich €  𝄞"), "häßlich €  𝄞");
}

TEST(Printable, takes_commands_of_a_terminal_away) {
  EXPECT_EQ(printable("a\033[2Jb\r\n\t\x7f"), "a?[2Jb????");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "??31m");  // CSI as one C1 control character
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a?b");
}

TEST(Printable, takes_what_is_no_utf_8_away) {
  for (const char* bad : {"\x80", "\xff", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xe2\x82"}) {
    std::string text = printable(bad);
    EXPECT_EQ(text, std::string(text.size(), '?')) << bad;
  }
  EXPECT_EQ(printable("\xe2\x82x"), "??x");
}

}  // namespace
}  // namespace cgm
