// SPDX-License-Identifier: LGPL-2.1-or-later
// Threads for kernel work that may wait: at most one for each account, so that nobody's slow writes stand before
// another's, and a few in all. Outcomes are handed back on the loop's thread. A job past its deadline is interrupted.
#pragma once

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

  /// What becomes of a job that takes too long: writes that wait for memory are interrupted (they fail with EINTR, kind
  /// timeout); what the kernel does not let us interrupt is left alone, and spared the timer.
  enum class Late { interrupted, left_alone };

  /// `deadline_ms`: how long a job may take before it is late.
  static Result<std::unique_ptr<Workers>> create(int64_t deadline_ms);
  /// Finishes what runs, drops what waits.
  ~Workers();

  /// Readable when there are outcomes for deliver().
  int fd() const { return ready_.get(); }
  /// Queues a job of `account`; those of one account run one after the other, in this order. Where there is no thread
  /// and none can be started, `reply` is called at once with an error of kind quota.
  void submit(api::Account account, Job job, api::Reply reply, Late late = Late::interrupted);
  /// Calls the replies of what is done, on the caller's thread.
  void deliver();
  void set_deadline(int64_t deadline_ms);

 private:
  struct Task {
    api::Account account;
    Job job;
    api::Reply reply;
    Late late;
    Result<api::Answer> outcome;
  };
  struct Queue {
    std::deque<std::unique_ptr<Task>> waiting;
    bool running = false;
  };

  Workers(Fd ready, Fd work, int64_t deadline_ms)
      : ready_(std::move(ready)), work_(std::move(work)), deadline_ms_(deadline_ms) {}
  /// Starts one more; false where the system lets us have none. The lock is held.
  bool start_thread();
  void run();
  /// Waits for a task whose account has none running and takes it; nothing where we stop. The lock is held, but for the
  /// wait.
  std::unique_ptr<Task> take(std::unique_lock<std::mutex>& lock);

  Fd ready_;
  Fd work_;  // an eventfd: one for each worker that is to look for work; cheaper than a condition variable
  std::mutex mutex_;
  std::unordered_map<api::Account, Queue> queues_;
  std::deque<api::Account> runnable_;
  std::vector<std::unique_ptr<Task>> done_;
  std::vector<std::thread> threads_;
  size_t idle_ = 0;    // threads without a task
  size_t asleep_ = 0;  // those of them that do not look for one until they are woken
  bool stopping_ = false;
  int64_t deadline_ms_;
};

}  // namespace cgm::manager
