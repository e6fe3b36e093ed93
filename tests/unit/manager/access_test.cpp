// SPDX-License-Identifier: LGPL-2.1-or-later
// The access table of docs/access.md: caller, owner and mode, task, from where to where -> allowed, or why not.
#include "manager/access.hpp"

#include <gtest/gtest.h>
#include <linux/capability.h>

namespace cgm::manager {
namespace {

using cgroup::CgroupPath;

constexpr uid_t kAlice = 1000, kBob = 1001;
const Subject kHostRoot{.uid = 0, .gid = 0, .groups = {}, .host_root = true};
const Subject kLesserRoot{.uid = 0, .gid = 0, .groups = {}, .host_root = false};
const Subject kPlain{.uid = kAlice, .gid = kAlice, .groups = {}, .host_root = false};

CgroupPath path(std::string_view text) {
  return *CgroupPath::parse(text);
}

TEST(HostRoot, needs_uid_0_our_namespaces_and_the_capability) {
  constexpr uint64_t kAdmin = uint64_t{1} << CAP_SYS_ADMIN;
  EXPECT_TRUE(is_host_root(0, true, kAdmin, kAdmin));
  EXPECT_FALSE(is_host_root(0, true, 0, kAdmin));
  EXPECT_TRUE(is_host_root(0, true, 0, 0)) << "a daemon without the capability cannot ask for it";
  EXPECT_FALSE(is_host_root(0, false, kAdmin, kAdmin));
  EXPECT_FALSE(is_host_root(kAlice, true, kAdmin, kAdmin));
}

struct MayRow {
  const char* name;
  Subject subject;
  Object object;
  unsigned want;
  bool allowed;
};

TEST(May, counts_mode_bits_as_the_kernel_does) {
  static const gid_t kGroups[] = {50, 60};
  const Subject grouped{.uid = kAlice, .gid = kAlice, .groups = kGroups, .host_root = false};
  const MayRow rows[] = {
      {"the owner's bits", kPlain, {kAlice, 0, 0644}, kRead | kWrite, true},
      {"the owner's bits decide alone", kPlain, {kAlice, kAlice, 0066}, kRead, false},
      {"the group's bits", kPlain, {0, kAlice, 0060}, kRead | kWrite, true},
      {"the group's bits decide before the others'", kPlain, {0, kAlice, 0606}, kRead, false},
      {"a supplementary group", grouped, {0, 60, 0060}, kWrite, true},
      {"no such group", grouped, {0, 61, 0060}, kWrite, false},
      {"the others' bits", kPlain, {0, 0, 0644}, kRead, true},
      {"others may not write", kPlain, {0, 0, 0644}, kWrite, false},
      {"search", kPlain, {0, 0, 0700}, kSearch, false},
      {"all that is asked for", kPlain, {0, 0, 0604}, kRead | kWrite, false},
      {"host root may without bits", kHostRoot, {kBob, kBob, 0000}, kRead | kWrite, true},
      {"a lesser root is held to bits", kLesserRoot, {kBob, kBob, 0600}, kRead, false},
      {"a lesser root owns what is uid 0's", kLesserRoot, {0, 0, 0600}, kWrite, true},
  };
  for (const MayRow& row : rows) EXPECT_EQ(may(row.subject, row.object, row.want), row.allowed) << row.name;
}

TEST(MayChmod, is_the_owners_and_host_roots) {
  EXPECT_TRUE(may_chmod(kPlain, {kAlice, 0, 0}));
  EXPECT_FALSE(may_chmod(kPlain, {kBob, kAlice, 0777}));
  EXPECT_TRUE(may_chmod(kHostRoot, {kBob, 0, 0}));
  EXPECT_FALSE(may_chmod(kLesserRoot, {kBob, 0, 0777}));
}

struct MoveRow {
  const char* name;
  Subject subject;
  uid_t task_owner;
  const char* from;
  const char* to;
  const char* base;  ///< C(r) for MovePid, the floor for MovePidAbs
  const char* floor;
  Object destination;
  Object ancestor;
  MoveVerdict verdict;
};

TEST(Move, is_judged_as_the_table_says) {
  const Object mine{kAlice, kAlice, 0644}, roots{0, 0, 0644}, anyones{0, 0, 0666};
  const MoveRow rows[] = {
      {"own task further down", kPlain, kAlice, "a", "a/b", "a", "", mine, roots, MoveVerdict::allowed},
      {"own task to where it is", kPlain, kAlice, "a", "a", "a", "", mine, roots, MoveVerdict::allowed},
      {"down without the right to the destination", kPlain, kAlice, "a", "a/b", "a", "", roots, mine,
       MoveVerdict::destination},
      {"somebody else's task", kPlain, kBob, "a", "a/b", "a", "", mine, mine, MoveVerdict::not_your_task},
      {"root's task", kPlain, 0, "a", "a/b", "a", "", mine, mine, MoveVerdict::not_your_task},
      {"sideways with the common ancestor", kPlain, kAlice, "a/b", "a/c", "a", "", mine, mine, MoveVerdict::allowed},
      {"sideways without it", kPlain, kAlice, "a/b", "a/c", "a", "", mine, roots, MoveVerdict::common_ancestor},
      {"upwards without it", kPlain, kAlice, "a/b", "a", "a", "", mine, roots, MoveVerdict::common_ancestor},
      {"upwards with a world-writable tasks file above", kPlain, kAlice, "a/b", "a", "a", "", mine, anyones,
       MoveVerdict::allowed},
      {"a task outside C(r)", kPlain, kAlice, "x", "a/b", "a", "", mine, mine, MoveVerdict::task_out_of_reach},
      {"a sibling whose name begins alike", kPlain, kAlice, "a2", "a/b", "a", "", mine, mine,
       MoveVerdict::task_out_of_reach},
      {"host root from anywhere to the root", kHostRoot, kBob, "x/y", "", "", "", roots, roots, MoveVerdict::allowed},
      {"a lesser root's floor holds its tasks", kLesserRoot, 0, "x", "a/b", "a", "a", roots, roots,
       MoveVerdict::task_out_of_reach},
      {"a lesser root does not leave its floor", kLesserRoot, 0, "a/b", "", "a", "a", roots, roots,
       MoveVerdict::target_out_of_reach},
      {"a lesser root moves no other user's task", kLesserRoot, kBob, "a", "a/b", "a", "a", roots, roots,
       MoveVerdict::not_your_task},
      {"a lesser root below its floor", kLesserRoot, 0, "a", "a/b", "a", "a", roots, roots, MoveVerdict::allowed},
  };
  for (const MoveRow& row : rows) {
    Move move{.subject = row.subject,
              .caller_pid = 10,
              .task = {20, row.task_owner},
              .from = path(row.from),
              .to = path(row.to),
              .base = path(row.base),
              .floor = path(row.floor),
              .destination_tasks = row.destination,
              .ancestor_tasks = row.ancestor};
    EXPECT_EQ(to_string(judge(move)), to_string(row.verdict)) << row.name;
  }
}

TEST(Move, of_oneself_needs_no_matching_uid) {
  // A setuid program's real uid is another than the caller's; it is the caller all the same.
  Move move{.subject = kPlain,
            .caller_pid = 20,
            .task = {20, kBob},
            .from = path("a"),
            .to = path("a/b"),
            .base = path("a"),
            .floor = {},
            .destination_tasks = {kAlice, 0, 0600},
            .ancestor_tasks = {}};
  EXPECT_EQ(judge(move), MoveVerdict::allowed);
}

TEST(Keys, that_move_or_signal_tasks_are_never_written) {
  for (const char* key : {"tasks", "cgroup.procs", "cgroup.threads", "cgroup.event_control", "cgroup.kill"})
    EXPECT_TRUE(is_never_written(key)) << key;
  for (const char* key : {"release_agent", "notify_on_release", "devices.allow", "devices.deny"}) {
    EXPECT_FALSE(is_never_written(key)) << key;
    EXPECT_TRUE(is_host_root_key(key)) << key;
  }
  for (const char* key : {"devices.allow", "devices.deny", "devices.list"}) EXPECT_TRUE(is_device_key(key)) << key;
  EXPECT_FALSE(is_device_key("devices.other"));
  for (const char* key : {"cpu.pressure", "memory.pressure", "irq.pressure"}) EXPECT_TRUE(is_never_written(key)) << key;
  EXPECT_FALSE(is_never_written("cgroup.pressure"));
  EXPECT_FALSE(is_never_written("memory.max"));
  EXPECT_FALSE(is_host_root_key("memory.max"));
}

}  // namespace
}  // namespace cgm::manager
