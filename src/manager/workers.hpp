// SPDX-License-Identifier: LGPL-2.1-or-later
// Threads for kernel work that may wait: at most one for each account, so that nobody's slow writes stand before
// another's, and a few in all. Outcomes are handed back on the loop's thread. A job past its deadline is interrupted.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "api/accounts.hpp"
#include "api/service.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"

namespace cgm::manager {

class Workers final {
 public:
  using Job = std::function<Result<api::Answer>()>;

  static constexpr size_t kMaxThreads = 16;

  /// `deadline_ms`: how long a job may take before its system calls are interrupted (and fail with EINTR, kind
  /// timeout).
  static Result<std::unique_ptr<Workers>> create(int64_t deadline_ms);
  /// Finishes what runs, drops what waits.
  ~Workers();

  /// Readable when there are outcomes for deliver().
  int fd() const { return ready_.get(); }
  /// Queues a job of `account`; those of one account run one after the other, in this order.
  void submit(api::Account account, Job job, api::Reply reply);
  /// Calls the replies of what is done, on the caller's thread.
  void deliver();
  void set_deadline(int64_t deadline_ms);

 private:
  struct Task {
    api::Account account;
    Job job;
    api::Reply reply;
    Result<api::Answer> outcome;
  };
  struct Queue {
    std::deque<std::unique_ptr<Task>> waiting;
    bool running = false;
  };

  explicit Workers(Fd ready, int64_t deadline_ms) : ready_(std::move(ready)), deadline_ms_(deadline_ms) {}
  void run();
  /// The next task whose account has none running; the lock is held.
  std::unique_ptr<Task> take();

  Fd ready_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::unordered_map<api::Account, Queue> queues_;
  std::deque<api::Account> runnable_;
  std::vector<std::unique_ptr<Task>> done_;
  std::vector<std::thread> threads_;
  size_t idle_ = 0;
  bool stopping_ = false;
  int64_t deadline_ms_;
};

}  // namespace cgm::manager
