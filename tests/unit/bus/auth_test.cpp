// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bus/auth.hpp"

#include <gtest/gtest.h>

namespace cgm::bus {
namespace {

using namespace std::string_literals;
using State = Authenticator::State;

constexpr const char* kGuid = "00112233445566778899aabbccddeeff";
const std::string kOk = "OK 00112233445566778899aabbccddeeff\r\n";

struct Conversation {
  Authenticator server{kGuid};
  std::string said;

  size_t hear(const std::string& bytes) {
    size_t used = server.feed(bytes);
    said += server.take_output();
    return used;
  }
};

TEST(Authenticator, takes_external_with_initial_data_and_a_first_message_in_one_packet) {
  Conversation c;
  std::string bytes = "\0AUTH EXTERNAL 30\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\nl\1\0\1"s;
  EXPECT_EQ(c.hear(bytes), bytes.size() - 4);
  EXPECT_EQ(c.said, kOk + "AGREE_UNIX_FD\r\n");
  EXPECT_EQ(c.server.state(), State::done);
  EXPECT_TRUE(c.server.passes_descriptors());
}

TEST(Authenticator, asks_for_data_where_external_brings_none) {
  Conversation c;
  c.hear("\0AUTH EXTERNAL\r\n"s);
  EXPECT_EQ(c.said, "DATA\r\n");
  c.hear("DATA\r\nBEGIN\r\n");
  EXPECT_EQ(c.said, "DATA\r\n" + kOk);
  EXPECT_EQ(c.server.state(), State::done);
}

TEST(Authenticator, takes_anonymous_after_a_refused_mechanism) {
  Conversation c;
  c.hear("\0AUTH\r\nAUTH DBUS_COOKIE_SHA1 30\r\nAUTH ANONYMOUS\r\nBEGIN\r\n"s);
  EXPECT_EQ(c.said, "REJECTED EXTERNAL ANONYMOUS\r\nREJECTED EXTERNAL ANONYMOUS\r\n" + kOk);
  EXPECT_EQ(c.server.state(), State::done);
}

TEST(Authenticator, takes_a_conversation_byte_by_byte) {
  Authenticator server(kGuid);
  std::string all = "\0AUTH ANONYMOUS\r\nBEGIN\r\n"s, pending, said;
  for (char c : all) {
    pending.push_back(c);
    pending.erase(0, server.feed(pending));
    said += server.take_output();
  }
  EXPECT_EQ(said, kOk);
  EXPECT_EQ(server.state(), State::done);
}

TEST(Authenticator, ends_at_begin_before_anything_was_accepted) {
  Conversation c;
  c.hear("\0BEGIN\r\n"s);
  EXPECT_EQ(c.server.state(), State::failed);
}

TEST(Authenticator, wants_the_nul_byte_first) {
  Conversation c;
  c.hear("AUTH ANONYMOUS\r\n");
  EXPECT_EQ(c.server.state(), State::failed);
}

TEST(Authenticator, agrees_to_descriptors_only_when_authenticated) {
  Conversation c;
  c.hear("\0NEGOTIATE_UNIX_FD\r\n"s);
  EXPECT_EQ(c.said, "ERROR \"unknown or untimely command\"\r\n");
  EXPECT_FALSE(c.server.passes_descriptors());
}

TEST(Authenticator, takes_the_longest_line_with_its_end_cut_in_half) {
  Conversation c;
  size_t used = c.hear(std::string("\0", 1) + std::string(Authenticator::kMaxLine, 'x') + "\r");
  EXPECT_EQ(used, 1u);
  EXPECT_EQ(c.server.state(), State::going_on);
  c.hear(std::string(Authenticator::kMaxLine, 'x') + "\r\n");
  EXPECT_EQ(c.server.state(), State::going_on);
}

TEST(Authenticator, ends_an_endless_line_and_an_endless_talk) {
  Conversation line;
  line.hear(std::string("\0", 1) + std::string(Authenticator::kMaxLine + 1, 'x'));
  EXPECT_EQ(line.server.state(), State::failed);
  Conversation talk;
  talk.hear(std::string("\0", 1));
  for (int i = 0; i <= Authenticator::kMaxLines; i++) talk.hear("CANCEL\r\n");
  EXPECT_EQ(talk.server.state(), State::failed);
}

}  // namespace
}  // namespace cgm::bus
