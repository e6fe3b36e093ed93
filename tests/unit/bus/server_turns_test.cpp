// SPDX-License-Identifier: LGPL-2.1-or-later
// How a server divides its time between clients. In this process: a server on a loop of its own, and clients.
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "base/socket.hpp"
#include "bus/client.hpp"
#include "bus/server.hpp"

namespace cgm::bus {
namespace {

/// Answers everything at once.
class PromptService final : public api::Service {
 public:
  void submit(std::shared_ptr<const api::Caller>, api::Request, api::Reply reply) override { reply(api::Answer()); }
};

/// A server at a socket in a directory of its own; its loop runs in a thread until the object dies.
class RunningServer final {
 public:
  RunningServer() {
    EXPECT_NE(::mkdtemp(directory_.data()), nullptr);
    thread_ = std::thread([this] { run(); });
    uint64_t ready = 0;
    EXPECT_EQ(::read(started_.get(), &ready, sizeof ready), static_cast<ssize_t>(sizeof ready));
  }
  ~RunningServer() {
    constexpr uint64_t kOne = 1;
    EXPECT_EQ(::write(stop_.get(), &kOne, sizeof kOne), static_cast<ssize_t>(sizeof kOne));
    thread_.join();
    ::unlink(path().c_str());
    ::rmdir(directory_.c_str());
  }
  std::string path() const { return directory_ + "/sock"; }

 private:
  void run() {
    sd_event* event = nullptr;
    ASSERT_GE(sd_event_new(&event), 0);
    auto exit = [](sd_event_source* source, int, uint32_t, void*) {
      return sd_event_exit(sd_event_source_get_event(source), 0);
    };
    ASSERT_GE(sd_event_add_io(event, nullptr, stop_.get(), EPOLLIN, exit, nullptr), 0);
    {
      auto server = Server::create(event, service_, ServerLimits(), log_);
      ASSERT_TRUE(server) << server.error().text();
      auto listening = net::listen_at(path(), 16);
      ASSERT_TRUE(listening) << listening.error().text();
      ASSERT_TRUE((*server)->listen(std::move(*listening)));
      constexpr uint64_t kOne = 1;
      ASSERT_EQ(::write(started_.get(), &kOne, sizeof kOne), static_cast<ssize_t>(sizeof kOne));
      ASSERT_GE(sd_event_loop(event), 0);
    }
    sd_event_unref(event);
  }

  std::string directory_ = "/tmp/cgm-server.XXXXXX";
  Fd stop_{::eventfd(0, EFD_CLOEXEC)}, started_{::eventfd(0, EFD_CLOEXEC)};
  PromptService service_;
  Log log_{LogLevel::error};
  std::thread thread_;
};

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
  RunningServer server;
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

}  // namespace
}  // namespace cgm::bus
