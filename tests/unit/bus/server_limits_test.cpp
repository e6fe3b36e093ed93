// SPDX-License-Identifier: LGPL-2.1-or-later
// What clients make grow in a server, and what becomes of them when there is no more.
#include <sys/resource.h>

#include <deque>

#include "unit/bus/raw_client.hpp"
#include "unit/bus/running_server.hpp"

namespace cgm::bus {
namespace {

/// Answers Ping at once and keeps the other requests until it is told to answer them. On the loop's thread.
class HoldingService final : public api::Service {
 public:
  void submit(std::shared_ptr<const api::Caller>, api::Request request, api::Reply reply) override {
    if (request.method == api::Method::ping) return reply(api::Answer());
    held_.push_back(std::move(reply));
  }
  size_t held() const { return held_.size(); }
  void answer_all() {
    for (; !held_.empty(); held_.pop_front()) held_.front()(api::Answer());
  }

 private:
  std::deque<api::Reply> held_;
};

struct ServerLimitsTest : testing::Test {
  HoldingService service;
  ServerLimits limits;

  void SetUp() override { limits.connections_reserve = 0; }
  /// How many connections this user gets of those that there are: root all, others a quarter.
  size_t mine() const { return ::geteuid() == 0 ? limits.connections_total : limits.connections_total / 4; }
};

TEST_F(ServerLimitsTest, count_a_connection_until_its_request_is_done) {
  limits.connections_total = 32;
  size_t most = mine();
  RunningServer running(service, limits);
  // They have left before the server looks at them: what it answers to the first call cannot be sent.
  running.on_loop([&] {
    for (int i = 0; i < 50; i++) {
      RawClient gone(running.path());
      gone.send(call_bytes("Ping") + call_bytes("GetTasks", {"memory", "a"}));
    }
  });
  RawClient last(running.path());  // sees the end once all before it were looked at
  EXPECT_TRUE(last.wait(POLLIN));
  running.on_loop([&] {
    EXPECT_EQ(service.held(), most);
    EXPECT_EQ(running.server().connections(), most);
    service.answer_all();
    EXPECT_EQ(running.server().connections(), 0u);
    EXPECT_TRUE(running.holdings().accounts.empty());
    EXPECT_EQ(running.holdings().connections, 0u);
  });
}

TEST_F(ServerLimitsTest, count_the_bytes_of_requests_that_are_under_way) {
  limits.unread_bytes = 1 << 20;
  RunningServer running(service, limits);
  std::deque<RawClient> clients;
  std::string request = call_bytes("SetValue", {"memory", "a", "memory.max", std::string(250'000, 'x')});
  size_t refused = 0;
  for (int i = 0; i < 10; i++) {
    RawClient& client = clients.emplace_back(running.path());
    client.send(request);
    bool held = false, closed = false;
    while (!held && !closed) {
      running.on_loop([&] { held = service.held() == clients.size() - refused; });
      closed = client.wait(POLLRDHUP, 0);
    }
    if (!held) refused++;
    running.on_loop([&] {
      for (const auto& [account, held_by_it] : running.holdings().accounts) EXPECT_LE(held_by_it.bytes, 1u << 20);
    });
  }
  EXPECT_GE(refused, 7u);
  running.on_loop([&] { service.answer_all(); });
  EXPECT_EQ(clients.front().next(), 2);
  running.on_loop([&] {
    for (const auto& [account, held_by_it] : running.holdings().accounts) EXPECT_EQ(held_by_it.bytes, 0u);
  });
}

TEST_F(ServerLimitsTest, share_what_an_account_may_hold_among_sockets) {
  limits.connections_total = 8;
  RunningServer running(service, limits);
  std::string other = running.path() + "2";
  running.on_loop([&] {
    auto listening = net::listen_at(other, 16);
    ASSERT_TRUE(listening);
    ASSERT_TRUE(running.add_server(std::move(*listening)));
  });
  std::deque<RawClient> clients;
  for (size_t i = 0; i < mine(); i++) {
    clients.emplace_back(i % 2 == 0 ? running.path() : other).send(call_bytes("Ping"));
    EXPECT_EQ(clients.back().next(), 2);
  }
  EXPECT_EQ(RawClient(running.path()).next(), 0);
  EXPECT_EQ(RawClient(other).next(), 0);
  ::unlink(other.c_str());
}

TEST_F(ServerLimitsTest, say_so_where_an_answer_of_the_servers_own_is_more_than_may_be_held) {
  limits.unread_bytes = 1 << 16;
  RunningServer running(service, limits);
  RawClient hog(running.path()), client(running.path());
  std::string long_call = call_bytes("SetValue", {"memory", "a", "memory.max", std::string(62'000, 'x')});
  hog.send(call_bytes("Ping"));
  EXPECT_EQ(hog.next(), 2);
  hog.send(long_call.substr(0, long_call.size() - 1));
  auto all_there = [&] {
    size_t bytes = 0;
    running.on_loop([&] {
      for (const auto& [account, held] : running.holdings().accounts) bytes += held.bytes;
    });
    return bytes >= long_call.size() - 1;
  };
  while (!all_there()) std::this_thread::yield();
  client.send(call_bytes("Introspect", {}, "org.freedesktop.DBus.Introspectable"));
  EXPECT_EQ(client.next(), 3);
}

TEST_F(ServerLimitsTest, answer_the_calls_before_a_malformed_one) {
  RunningServer running(service, limits);
  RawClient client(running.path());
  client.send(call_bytes("Ping") + std::string(64, 'x'));
  EXPECT_EQ(client.next(), 2);
  EXPECT_EQ(client.next(), 0);
}

/// No new descriptor for this process, while it lives.
class NoDescriptors final {
 public:
  NoDescriptors() {
    EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
    rlimit none{1, before_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  }
  ~NoDescriptors() { EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before_), 0); }

 private:
  rlimit before_{};
};

TEST_F(ServerLimitsTest, accept_again_when_descriptors_come_back_though_no_connection_ends) {
  RunningServer running(service, limits);
  auto waiting = [&] {
    RawClient client(running.path());
    NoDescriptors none;
    // Once around the loop with the client in the queue, and once more.
    for (int turn = 0; turn < 3; turn++) running.on_loop([] {});
    return client;
  }();
  waiting.send(call_bytes("Ping"));
  EXPECT_EQ(waiting.next(), 2);
}

}  // namespace
}  // namespace cgm::bus
