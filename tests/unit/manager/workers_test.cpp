// SPDX-License-Identifier: LGPL-2.1-or-later
#include "manager/workers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <latch>

#include "base/sys.hpp"

namespace cgm::manager {
namespace {

constexpr int64_t kLong = 60'000;

/// Delivers outcomes until `count` have come.
void deliver(Workers& workers, const int& delivered, int count) {
  while (delivered < count) {
    pollfd poll{workers.fd(), POLLIN, 0};
    ASSERT_EQ(::poll(&poll, 1, 30'000), 1) << "no outcome came";
    workers.deliver();
  }
}

TEST(Workers, run_one_job_of_an_account_at_a_time_in_order) {
  auto workers = *Workers::create(kLong);
  std::atomic<int> running = 0, most = 0;
  std::vector<int> order;
  int delivered = 0;
  for (int i = 0; i < 20; i++)
    workers->submit(
        1000,
        [&, i]() -> Result<api::Answer> {
          most = std::max(most.load(), ++running);
          running--;
          return int32_t{i};
        },
        [&](Result<api::Answer> outcome) {
          order.push_back(std::get<int32_t>(*outcome));
          delivered++;
        });
  deliver(*workers, delivered, 20);
  EXPECT_EQ(most, 1);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(Workers, run_another_account_beside_one_that_waits) {
  auto workers = *Workers::create(kLong);
  std::latch gate(1);
  int slow = 0, quick = 0;
  workers->submit(
      1000,
      [&]() -> Result<api::Answer> {
        gate.wait();
        return api::Answer();
      },
      [&](auto) { slow++; });
  workers->submit(1001, []() -> Result<api::Answer> { return api::Answer(); }, [&](auto) { quick++; });
  deliver(*workers, quick, 1);
  EXPECT_EQ(slow, 0);
  gate.count_down();
  deliver(*workers, slow, 1);
}

TEST(Workers, interrupt_a_system_call_past_its_deadline) {
  auto workers = *Workers::create(50);
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  Fd out(pipe[0]), in(pipe[1]);
  int delivered = 0;
  workers->submit(
      1000,
      [&]() -> Result<api::Answer> {
        char byte;
        ssize_t n = ::read(out.get(), &byte, 1);  // never comes
        if (n < 0) return fail(Error::from_errno(errno, "read"));
        return api::Answer();
      },
      [&](Result<api::Answer> outcome) {
        ASSERT_FALSE(outcome);
        EXPECT_EQ(outcome.error().kind(), ErrorKind::timeout);
        delivered++;
      });
  deliver(*workers, delivered, 1);
}

TEST(Workers, finish_what_runs_and_drop_what_waits_when_they_end) {
  auto workers = *Workers::create(kLong);
  std::latch started(1), gate(1);
  std::atomic<int> ran = 0;
  workers->submit(
      1000,
      [&]() -> Result<api::Answer> {
        started.count_down();
        gate.wait();
        ran++;
        return api::Answer();
      },
      [](auto) {});
  workers->submit(
      1000,
      [&]() -> Result<api::Answer> {
        ran += 100;
        return api::Answer();
      },
      [](auto) {});
  started.wait();
  gate.count_down();
  workers.reset();
  EXPECT_EQ(ran % 100, 1);
}

}  // namespace
}  // namespace cgm::manager
