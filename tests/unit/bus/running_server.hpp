// SPDX-License-Identifier: LGPL-2.1-or-later
// A server on a loop of its own in a thread of its own, at a socket in a directory of its own, for tests that are its
// clients.
#pragma once

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/socket.hpp"
#include "bus/server.hpp"

namespace cgm::bus {

/// Answers everything at once.
class PromptService final : public api::Service {
 public:
  void submit(std::shared_ptr<const api::Caller>, api::Request, api::Reply reply) override { reply(api::Answer()); }
};

/// Runs from the constructor to the destructor.
class RunningServer final {
 public:
  explicit RunningServer(api::Service& service, const ServerLimits& limits = {}) : service_(service), limits_(limits) {
    EXPECT_NE(::mkdtemp(directory_.data()), nullptr);
    thread_ = std::thread([this] { run(); });
    wait_for(started_);
  }
  ~RunningServer() {
    on_loop([this] { sd_event_exit(event_, 0); });
    thread_.join();
    ::unlink(path().c_str());
    ::rmdir(directory_.c_str());
  }
  std::string path() const { return directory_ + "/sock"; }
  Server& server() { return *server_; }
  const Holdings& holdings() const { return holdings_; }
  /// Another socket of the same holdings. On the loop's thread.
  Result<void> add_server(Fd socket) {
    others_.push_back(TRY(Server::create(event_, service_, limits_, holdings_, log_)));
    return others_.back()->listen(std::move(socket));
  }
  /// Runs `work` on the loop's thread and waits until it is done.
  void on_loop(std::function<void()> work) {
    work_ = std::move(work);
    signal(wanted_);
    wait_for(done_);
  }

 private:
  static void signal(const Fd& fd) {
    constexpr uint64_t kOne = 1;
    EXPECT_EQ(::write(fd.get(), &kOne, sizeof kOne), static_cast<ssize_t>(sizeof kOne));
  }
  static void wait_for(const Fd& fd) {
    uint64_t count = 0;
    EXPECT_EQ(::read(fd.get(), &count, sizeof count), static_cast<ssize_t>(sizeof count));
  }
  static int on_wanted(sd_event_source*, int, uint32_t, void* data) {
    auto* self = static_cast<RunningServer*>(data);
    wait_for(self->wanted_);
    self->work_();
    signal(self->done_);
    return 0;
  }

  void run() {
    ASSERT_GE(sd_event_new(&event_), 0);
    ASSERT_GE(sd_event_add_io(event_, nullptr, wanted_.get(), EPOLLIN, on_wanted, this), 0);
    auto server = Server::create(event_, service_, limits_, holdings_, log_);
    ASSERT_TRUE(server) << server.error().text();
    server_ = std::move(*server);
    auto listening = net::listen_at(path(), 1024);
    ASSERT_TRUE(listening) << listening.error().text();
    ASSERT_TRUE(server_->listen(std::move(*listening)));
    signal(started_);
    EXPECT_GE(sd_event_loop(event_), 0);
    others_.clear();
    server_.reset();
    sd_event_unref(event_);
  }

  api::Service& service_;
  ServerLimits limits_;
  std::string directory_ = "/tmp/cgm-server.XXXXXX";
  Fd started_{::eventfd(0, EFD_CLOEXEC)}, wanted_{::eventfd(0, EFD_CLOEXEC)}, done_{::eventfd(0, EFD_CLOEXEC)};
  std::function<void()> work_;
  Holdings holdings_;
  Log log_{LogLevel::error};
  sd_event* event_ = nullptr;
  std::unique_ptr<Server> server_;
  std::vector<std::unique_ptr<Server>> others_;
  std::thread thread_;
};

}  // namespace cgm::bus
