// SPDX-License-Identifier: LGPL-2.1-or-later
// Workers where the kernel lets no further task be made.
#include "manager/workers.hpp"

#include <gtest/gtest.h>

#include "support/sandbox.hpp"

namespace cgm::manager {
namespace {

TEST(WorkersTest, refuse_a_request_where_no_thread_can_be_started) {
  test::Sandbox sandbox;
  if (!sandbox.usable("pids")) GTEST_SKIP() << "the pids controller cannot be used here";
  cgroup::Cgroup full = sandbox.at("pids", "full");
  ASSERT_TRUE(full.write("pids.max", "1"));
  test::Child child([&] {
    if (!full.write("cgroup.procs", "0")) return 2;
    auto workers = Workers::create(1000);
    if (!workers) return 3;
    bool refused = false;
    (*workers)->submit(
        1000, []() -> Result<api::Answer> { return api::Answer(); },
        [&](Result<api::Answer> outcome) { refused = !outcome && outcome.error().kind() == ErrorKind::quota; });
    if (!refused) return 4;
    // Room again: the next request finds a thread.
    if (!full.write("pids.max", "max")) return 5;
    bool answered = false;
    (*workers)->submit(
        1000, []() -> Result<api::Answer> { return api::Answer(); },
        [&](Result<api::Answer> outcome) { answered = outcome.has_value(); });
    return test::eventually([&] {
      (*workers)->deliver();
      return answered;
    })
               ? 0
               : 6;
  });
  EXPECT_EQ(child.wait(), 0);
}

}  // namespace
}  // namespace cgm::manager
