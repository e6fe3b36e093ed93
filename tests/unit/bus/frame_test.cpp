// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bus/frame.hpp"

#include <gtest/gtest.h>

namespace cgm::bus {
namespace {

std::string header(char endian, uint32_t body, uint32_t fields, char version = 1) {
  std::string bytes{endian, 1, 0, version};
  for (uint32_t word : {body, uint32_t{1}, fields})
    for (int i = 0; i < 4; i++) bytes.push_back(static_cast<char>(word >> (8 * (endian == 'l' ? i : 3 - i))));
  return bytes;
}

constexpr size_t kLimit = 1 << 20;

TEST(FrameSize, counts_header_padding_and_body_in_either_endianness) {
  EXPECT_EQ(*frame_size(header('l', 4, 13), kLimit), 16u + 16 + 4);
  EXPECT_EQ(*frame_size(header('B', 4, 13), kLimit), 16u + 16 + 4);
  EXPECT_EQ(*frame_size(header('l', 0, 0), kLimit), 16u);
  EXPECT_EQ(*frame_size(header('l', 7, 8), kLimit), 16u + 8 + 7);
}

TEST(FrameSize, refuses_what_is_one_byte_too_long) {
  EXPECT_TRUE(frame_size(header('l', kLimit - 16, 0), kLimit));
  EXPECT_FALSE(frame_size(header('l', kLimit - 15, 0), kLimit));
}

TEST(FrameSize, does_not_overflow) {
  EXPECT_FALSE(frame_size(header('l', 0xffffffff, 0xffffffff), kLimit));
  EXPECT_FALSE(frame_size(header('B', 0, 0xfffffff9), kLimit));
}

TEST(FrameSize, refuses_what_is_no_message) {
  EXPECT_FALSE(frame_size(header('x', 0, 0), kLimit));
  EXPECT_FALSE(frame_size(header('l', 0, 0, 2), kLimit));
  EXPECT_FALSE(frame_size("l", kLimit));
}

}  // namespace
}  // namespace cgm::bus
