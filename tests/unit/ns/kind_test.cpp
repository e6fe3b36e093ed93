// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ns/kind.hpp"

#include <gtest/gtest.h>
#include <sched.h>

namespace cgm::ns {
namespace {

TEST(Kind, the_table_is_in_the_order_of_the_enum) {
  for (size_t i = 0; i < kKinds.size(); i++) {
    EXPECT_EQ(static_cast<size_t>(kKinds[i].kind), i);
    EXPECT_EQ(kind_of_flag(kKinds[i].flag), kKinds[i].kind);
    EXPECT_EQ(parse_kind(kKinds[i].name), kKinds[i].kind);
    EXPECT_EQ(parse_kind(kKinds[i].file), kKinds[i].kind);
  }
  EXPECT_FALSE(kind_of_flag(CLONE_VM));
  EXPECT_FALSE(parse_kind("pid_for_children"));
}

TEST(Kinds, reads_lists_of_names) {
  auto some = Kinds::parse("net,mnt");
  ASSERT_TRUE(some);
  EXPECT_TRUE(some->has(Kind::net) && some->has(Kind::mount) && !some->has(Kind::uts));
  EXPECT_EQ(some->flags(), CLONE_NEWNET | CLONE_NEWNS);
  EXPECT_EQ(*Kinds::parse("all"), Kinds::all());
}

TEST(Kinds, refuses_what_is_no_kind) {
  for (const char* text : {"", ",", "nets", "net,all", "net,,mnt", "NET"}) EXPECT_FALSE(Kinds::parse(text)) << text;
}

TEST(Link, is_read_as_proc_shows_it) {
  auto link = parse_link("net:[4026531840]");
  ASSERT_TRUE(link);
  EXPECT_EQ(link->kind, Kind::net);
  EXPECT_EQ(link->inode, 4026531840U);
  EXPECT_EQ(format_link(link->kind, link->inode), "net:[4026531840]");
  EXPECT_EQ(parse_link("mnt:[1]", Kind::mount), 1U);
  EXPECT_FALSE(parse_link("mnt:[1]", Kind::net));
}

TEST(Link, is_nothing_else) {
  for (const char* text : {"", "net", "net:", "net:[]", "net:[1", "net:1]", "net:[-1]", "net:[1] (deleted)", "nets:[1]",
                           "pipe:[1]", "net:[99999999999999999999999]"})
    EXPECT_FALSE(parse_link(text)) << text;
}

}  // namespace
}  // namespace cgm::ns
