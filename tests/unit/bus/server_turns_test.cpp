// SPDX-License-Identifier: LGPL-2.1-or-later
// How a server divides its time between clients. In this process: a server on a loop of its own, and clients.
#include <gtest/gtest.h>
#include <systemd/sd-bus.h>

#include <atomic>
#include <deque>
#include <thread>

#include "base/sys.hpp"
#include "bus/client.hpp"
#include "unit/bus/raw_client.hpp"
#include "unit/bus/running_server.hpp"

namespace cgm::bus {
namespace {

/// Keeps a thousand calls under way until it is told to stop.
class Flood final {
 public:
  explicit Flood(const std::string& path) : thread_([this, path] { run(path); }) {}
  ~Flood() {
    stopping_ = true;
    thread_.join();
  }
  long answers() const { return answers_; }

 private:
  void run(const std::string& path) {
    sd_bus* bus = nullptr;
    ASSERT_GE(sd_bus_new(&bus), 0);
    ASSERT_GE(sd_bus_set_address(bus, ("unix:path=" + path).c_str()), 0);
    ASSERT_GE(sd_bus_start(bus), 0);
    auto answered = [](sd_bus_message*, void* self, sd_bus_error*) {
      static_cast<Flood*>(self)->answers_++;
      return 1;
    };
    for (long sent = 0; !stopping_;) {
      for (; sent - answers_ < 1000; sent++)
        ASSERT_GE(sd_bus_call_method_async(bus, nullptr, nullptr, api::kObjectPath, api::kInterface, "Ping", answered,
                                           this, "i", 0),
                  0);
      if (sd_bus_process(bus, nullptr) == 0) sd_bus_wait(bus, 100'000);
    }
    sd_bus_close_unref(bus);
  }

  std::atomic<long> answers_ = 0;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

TEST(ServerTurns, a_pipeline_without_end_does_not_keep_others_waiting) {
  PromptService service;
  RunningServer server(service);
  auto client = Client::connect(server.path());
  ASSERT_TRUE(client) << client.error().text();
  ASSERT_TRUE((*client)->call(api::Request()));
  Flood flood(server.path());
  while (flood.answers() < 5000) std::this_thread::yield();
  long before = flood.answers();
  for (int i = 0; i < 10; i++) {
    auto answer = (*client)->call(api::Request());
    ASSERT_TRUE(answer) << answer.error().text();
  }
  // A turn is some dozens of answers; a client that comes last waits for the flood to pause, hundreds of thousands.
  EXPECT_LT(flood.answers() - before, 100'000);
}

/// Connects and leaves, for as long as it lives.
class Passerby final {
 public:
  explicit Passerby(const std::string& path)
      : thread_([this, path] {
          while (!stopping_) (void)net::connect_to(path);
        }) {}
  ~Passerby() {
    stopping_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

TEST(ServerTurns, who_is_always_connecting_keeps_nobody_waiting) {
  constexpr int kPassersby = 4, kCalls = 20;
  PromptService service;
  RunningServer running(service);
  RawClient client(running.path());
  std::deque<Passerby> many;
  for (int i = 0; i < kPassersby; i++) many.emplace_back(running.path());
  int64_t began = sys::monotonic_ns();
  for (int i = 0; i < kCalls; i++) {
    client.send(call_bytes("Ping"));
    ASSERT_EQ(client.next(), 2);
    RawClient newcomer(running.path());
    newcomer.send(call_bytes("Ping"));
    ASSERT_EQ(newcomer.next(), 2);
  }
  EXPECT_LT(sys::monotonic_ns() - began, 20'000'000'000);
}

/// Counts the requests that it answers, each of which takes 100 µs.
class BusyService final : public api::Service {
 public:
  void submit(std::shared_ptr<const api::Caller>, api::Request, api::Reply reply) override {
    for (int64_t until = sys::monotonic_ns() + 100'000; sys::monotonic_ns() < until;) {
    }
    answered_++;
    reply(api::Answer());
  }
  long answered() const { return answered_; }

 private:
  std::atomic<long> answered_ = 0;
};

TEST(ServerTurns, many_connections_of_an_account_get_shorter_turns) {
  constexpr size_t kConnections = 200;
  ServerLimits limits;
  limits.connections_total = 8 * kConnections;
  BusyService service;
  RunningServer running(service, limits);
  std::string calls;
  for (int i = 0; i < 50; i++) calls += call_bytes("Ping");
  std::deque<RawClient> busy;
  // All have something to be served before the first of them is.
  running.on_loop([&] {
    for (size_t i = 0; i < kConnections; i++) busy.emplace_back(running.path()).send(calls);
  });
  RawClient client(running.path());
  for (int i = 0; i < 3; i++) {
    long before = service.answered();
    client.send(call_bytes("Ping"));
    ASSERT_EQ(client.next(), 2);
    // A round of turns of one or two requests each; full turns are of five.
    EXPECT_LT(service.answered() - before, 3 * long{kConnections});
  }
}

}  // namespace
}  // namespace cgm::bus
