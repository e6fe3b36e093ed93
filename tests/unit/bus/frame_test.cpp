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

std::string with_fields(const std::string& fields) {
  std::string bytes = header('l', 0, static_cast<uint32_t>(fields.size())) + fields;
  while (bytes.size() % 8 != 0) bytes.push_back('\0');
  return bytes;
}

TEST(DescriptorCount, is_found_behind_other_fields_and_made_unknown) {
  std::string path("\x01\x01o\0\x02\0\0\0/a\0\0\0\0\0\0", 16), signature("\x08\x01g\0\x01i\0\0", 8);
  std::string count("\x09\x01u\0\x01\0\0\0", 8), unknown = count;
  unknown[0] = 127;
  EXPECT_EQ(without_descriptor_count(with_fields(path + signature + count)), with_fields(path + signature + unknown));
  EXPECT_EQ(without_descriptor_count(with_fields(count + path)), with_fields(unknown + path));
  EXPECT_EQ(without_descriptor_count(with_fields(path + signature)), std::nullopt);
}

TEST(DescriptorCount, is_not_looked_for_beyond_the_fields) {
  for (std::string fields : {std::string("\x01\x01o\0\xff\xff\xff\xff", 8), std::string("\x08\x01g\0\xff\0\0\0", 8),
                             std::string("\x01\x01o\0", 4), std::string()})
    EXPECT_EQ(without_descriptor_count(with_fields(fields)), std::nullopt);
  EXPECT_EQ(without_descriptor_count("l"), std::nullopt);
  EXPECT_EQ(without_descriptor_count(header('l', 0, 64)), std::nullopt);
}

TEST(FrameSize, refuses_what_is_no_message) {
  EXPECT_FALSE(frame_size(header('x', 0, 0), kLimit));
  EXPECT_FALSE(frame_size(header('l', 0, 0, 2), kLimit));
  EXPECT_FALSE(frame_size("l", kLimit));
}

}  // namespace
}  // namespace cgm::bus
