// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bus/codec.hpp"

#include <gtest/gtest.h>

#include "api/methods.hpp"
#include "bus/dispatch.hpp"
#include "bus/frame.hpp"

namespace cgm::bus {
namespace {

/// A Ping call as bytes, little endian, written by hand: path, interface, member, signature `i`, body 5.
std::string ping_call(int32_t junk = 5) {
  std::string fields;
  auto align = [&](size_t to) {
    while (fields.size() % to != 0) fields.push_back('\0');
  };
  auto word = [](std::string& out, uint32_t value) {
    for (int i = 0; i < 4; i++) out.push_back(static_cast<char>(value >> (8 * i)));
  };
  auto text = [&](char code, char type, const std::string& value) {
    align(8);
    fields += {code, 1, type, 0};
    word(fields, static_cast<uint32_t>(value.size()));
    fields += value;
    fields.push_back('\0');
  };
  text(1, 'o', api::kObjectPath);
  text(2, 's', api::kInterface);
  text(3, 's', "Ping");
  align(8);
  fields += std::string("\x08\x01g\0\x01i\0", 7);
  std::string bytes = {'l', 1, 0, 1};
  word(bytes, 4);
  word(bytes, 7);
  word(bytes, static_cast<uint32_t>(fields.size()));
  bytes += fields;
  while (bytes.size() % 8 != 0) bytes.push_back('\0');
  word(bytes, static_cast<uint32_t>(junk));
  return bytes;
}

TEST(Codec, decodes_a_call_and_encodes_its_answer) {
  auto codec = Codec::create();
  ASSERT_TRUE(codec) << codec.error().text();
  std::string bytes = ping_call();
  ASSERT_EQ(*frame_size(bytes, 1 << 20), bytes.size());
  auto call = (*codec)->decode(bytes);
  ASSERT_TRUE(call) << call.error().text();
  auto meaning = interpret(call->get(), 1);
  ASSERT_TRUE(std::holds_alternative<api::Request>(meaning));
  EXPECT_EQ(std::get<api::Request>(meaning).method, api::Method::ping);
  EXPECT_EQ(std::get<api::Request>(meaning).first, 5);
  auto answer = (*codec)->encode(make_reply(call->get(), api::Answer()).get());
  ASSERT_TRUE(answer);
  EXPECT_EQ(*frame_size(*answer, 1 << 20), answer->size());
  EXPECT_EQ((*answer)[1], SD_BUS_MESSAGE_METHOD_RETURN);
}

TEST(Codec, goes_on_after_a_malformed_message) {
  auto codec = Codec::create();
  ASSERT_TRUE(codec);
  std::string bad = ping_call();
  bad[16] = 0x7f;    // no such header field, with the rest of a known one
  bad[18] = '\x01';  // and no such type
  EXPECT_FALSE((*codec)->decode(bad));
  EXPECT_TRUE((*codec)->is_sound());
  EXPECT_TRUE((*codec)->decode(ping_call()));
}

TEST(Codec, decodes_a_call_that_counts_descriptors_without_them) {
  auto codec = Codec::create();
  ASSERT_TRUE(codec);
  // The field that counts them, in place of the interface, which may be left out.
  std::string bytes = ping_call();
  size_t field = bytes.find(std::string("\x02\x01s\0", 4));
  size_t next = bytes.find(std::string("\x03\x01s\0", 4));
  bytes.replace(field, next - field, std::string("\x09\x01u\0\x08\0\0\0", 8));
  bytes[12] = static_cast<char>(bytes[12] - static_cast<char>(next - field - 8));
  auto call = (*codec)->decode(bytes);
  ASSERT_TRUE(call) << call.error().text();
  EXPECT_TRUE(std::holds_alternative<api::Request>(interpret(call->get(), 1)));
}

TEST(Codec, carries_an_answer_longer_than_the_pair_takes_at_once) {
  auto codec = Codec::create();
  ASSERT_TRUE(codec);
  auto call = (*codec)->decode(ping_call());
  ASSERT_TRUE(call);
  auto answer = (*codec)->encode(make_reply(call->get(), api::Answer(std::vector<int32_t>(3'000'000, 7))).get());
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_GT(answer->size(), 12'000'000u);
  EXPECT_TRUE((*codec)->decode(ping_call()));
}

TEST(Codec, answers_text_that_is_no_utf8_with_an_error) {
  auto codec = Codec::create();
  ASSERT_TRUE(codec);
  auto call = (*codec)->decode(ping_call());
  ASSERT_TRUE(call);
  auto reply = make_reply(call->get(), api::Answer(std::string("\xff\xfe")));
  ASSERT_TRUE(reply);
  EXPECT_TRUE(sd_bus_message_is_method_error(reply.get(), "org.freedesktop.DBus.Error.InvalidArgs"));
  auto error = make_reply(call->get(), fail(ErrorKind::denied, "\xff"));
  ASSERT_TRUE(error);
  EXPECT_TRUE((*codec)->encode(error.get()));
}

TEST(Codec, is_not_sound_after_a_message_that_it_could_not_send) {
  auto codec = Codec::create(), another = Codec::create();
  ASSERT_TRUE(codec && another);
  auto call = (*codec)->decode(ping_call());
  ASSERT_TRUE(call);
  // The longest that is taken out again is 64 MB.
  auto huge = make_reply(call->get(), api::Answer(std::vector<int32_t>((64 << 20) / 4, 7)));
  EXPECT_FALSE((*codec)->encode(huge.get()));
  EXPECT_FALSE((*codec)->is_sound());
  // A call is answered through the one that takes its place.
  auto answer = (*another)->encode(make_reply(call->get(), api::Answer()).get());
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_EQ((*answer)[1], SD_BUS_MESSAGE_METHOD_RETURN);
}

}  // namespace
}  // namespace cgm::bus
