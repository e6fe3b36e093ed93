// SPDX-License-Identifier: LGPL-2.1-or-later
// Worker threads.
#include "manager/workers.hpp"

#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <ctime>
#include <system_error>

#include "base/sys.hpp"

namespace cgm::manager {

namespace {

// Sent to a thread whose job is late, again and again: one that came between two system calls interrupts nothing.
constexpr int kInterrupt = SIGURG;
constexpr int64_t kInterruptAgainMs = 100;

/// Interrupts this thread's system calls once its job is late.
class Deadline final {
 public:
  Deadline() {
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = kInterrupt;
    event._sigev_un._tid = ::gettid();
    armed_ = ::timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0;
  }
  ~Deadline() {
    if (armed_) ::timer_delete(timer_);
  }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  void set(int64_t ms) {
    auto spec = [](int64_t t) { return timespec{t / 1000, (t % 1000) * 1'000'000}; };
    itimerspec when{spec(ms == 0 ? 0 : kInterruptAgainMs), spec(ms)};
    if (armed_) ::timer_settime(timer_, 0, &when, nullptr);
  }

 private:
  timer_t timer_{};
  bool armed_ = false;
};

void add_to(int eventfd, uint64_t count) {
  (void)!::write(eventfd, &count, sizeof count);
}

}  // namespace

Result<std::unique_ptr<Workers>> Workers::create(int64_t deadline_ms) {
  Fd ready(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  Fd work(::eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE));
  if (!ready || !work) return fail(Error::from_errno(errno, "eventfd"));
  struct sigaction action{};
  action.sa_handler = [](int) {};
  ::sigemptyset(&action.sa_mask);
  if (::sigaction(kInterrupt, &action, nullptr) < 0) return fail(Error::from_errno(errno, "sigaction"));
  return std::unique_ptr<Workers>(new Workers(std::move(ready), std::move(work), deadline_ms));
}

Workers::~Workers() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  add_to(work_.get(), kMaxThreads);
  for (std::thread& thread : threads_) thread.join();
}

void Workers::set_deadline(int64_t deadline_ms) {
  std::lock_guard lock(mutex_);
  deadline_ms_ = deadline_ms;
}

void Workers::submit(api::Account account, Job job, api::Reply reply, Late late) {
  std::unique_lock lock(mutex_);
  Queue& queue = queues_[account];
  queue.waiting.push_back(std::make_unique<Task>(Task{account, std::move(job), std::move(reply), late, api::Answer()}));
  if (queue.running || queue.waiting.size() > 1) return;
  runnable_.push_back(account);
  if (idle_ >= runnable_.size()) {
    bool enough_awake = idle_ - asleep_ >= runnable_.size();
    lock.unlock();
    if (!enough_awake) add_to(work_.get(), 1);
    return;
  }
  if (threads_.size() >= kMaxThreads || start_thread() || !threads_.empty()) return;
  runnable_.pop_back();
  auto task = std::move(queue.waiting.front());
  queues_.erase(account);
  lock.unlock();
  task->reply(fail(ErrorKind::quota, "no thread can be started for the request: the host has too many tasks"));
}

bool Workers::start_thread() {
  // Signals of the process are the loop's; a worker takes its own interruption alone.
  sigset_t all, old;
  ::sigfillset(&all);
  ::sigdelset(&all, kInterrupt);
  ::pthread_sigmask(SIG_SETMASK, &all, &old);
  bool started = true;
  try {
    threads_.emplace_back([this] { run(); });
    idle_++;
  } catch (const std::system_error&) {  // EAGAIN: any user can bring the host to that
    started = false;
  }
  ::pthread_sigmask(SIG_SETMASK, &old, nullptr);
  return started;
}

std::unique_ptr<Workers::Task> Workers::take(std::unique_lock<std::mutex>& lock) {
  while (!stopping_ && runnable_.empty()) {
    asleep_++;
    lock.unlock();
    uint64_t one = 0;
    (void)!::read(work_.get(), &one, sizeof one);
    lock.lock();
    asleep_--;
  }
  if (stopping_) return nullptr;
  idle_--;
  Queue& queue = queues_[runnable_.front()];
  runnable_.pop_front();
  queue.running = true;
  auto task = std::move(queue.waiting.front());
  queue.waiting.pop_front();
  return task;
}

void Workers::run() {
  // A worker that has just been woken does not take the loop's CPU: where the kernel is not preemptible, it would keep
  // it for as long as a list of 20 000 tasks takes, with another CPU idle.
  sched_param none{};
  (void)::sched_setscheduler(0, SCHED_BATCH, &none);
  Deadline deadline;
  std::unique_lock lock(mutex_);
  while (auto task = take(lock)) {
    int64_t ms = task->late == Late::interrupted ? deadline_ms_ : 0;
    lock.unlock();
    if (ms > 0) deadline.set(ms);
    task->outcome = task->job();
    if (ms > 0) deadline.set(0);
    task->job = nullptr;
    lock.lock();
    idle_++;
    auto queue = queues_.find(task->account);
    queue->second.running = false;
    if (queue->second.waiting.empty())
      queues_.erase(queue);
    else
      runnable_.push_back(task->account);
    bool first = done_.empty();
    done_.push_back(std::move(task));
    if (!first) continue;
    // The loop may take over this CPU at once: not with the lock in our hands.
    lock.unlock();
    add_to(ready_.get(), 1);
    lock.lock();
  }
}

void Workers::deliver() {
  uint64_t count = 0;
  (void)!::read(ready_.get(), &count, sizeof count);
  std::vector<std::unique_ptr<Task>> done;
  {
    std::lock_guard lock(mutex_);
    done.swap(done_);
  }
  for (auto& task : done) task->reply(std::move(task->outcome));
}

}  // namespace cgm::manager
