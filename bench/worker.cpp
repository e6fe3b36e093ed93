// SPDX-License-Identifier: LGPL-2.1-or-later
// Workers.
#include "worker.hpp"

#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <ctime>

#include "base/sys.hpp"
#include "report.hpp"
#include "setting.hpp"

namespace cgm::bench {

namespace {

constexpr double kTail = 0.99;

/// An Outcome, or why there is none, as it goes through the socket.
struct Answer {
  Outcome outcome;
  char failure[512];
};

int64_t own_cpu_ns() {
  timespec now;
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

Result<Outcome> carry_out(Turns& turns, const Order& order) {
  Outcome outcome;
  int64_t cpu = own_cpu_ns(), began = sys::monotonic_ns(), now;
  std::vector<double> took;
  do {
    if (order.pause_us > 0) ::usleep(static_cast<useconds_t>(order.pause_us));
    int64_t start = sys::monotonic_ns();
    TRY_VOID(turns.turn(order.work, order.fresh));
    now = sys::monotonic_ns();
    took.push_back(static_cast<double>(now - start));
  } while (now - began < order.duration_ns);
  outcome.turns = took.size();
  outcome.elapsed_ns = now - began;
  outcome.cpu_ns = own_cpu_ns() - cpu;
  outcome.tail_ns = static_cast<int64_t>(percentile(std::move(took), kTail));
  return outcome;
}

void tell(int control, const Result<Outcome>& result) {
  Answer answer{};
  if (result)
    answer.outcome = *result;
  else
    ::strncpy(answer.failure, result.error().text().c_str(), sizeof answer.failure - 1);
  (void)!::write(control, &answer, sizeof answer);
}

int serve(int control, const Worker::Maker& make) {
  auto turns = make();
  if (!turns) {
    tell(control, fail(std::move(turns.error())));
    return 1;
  }
  tell(control, Outcome());
  Order order;
  while (::read(control, &order, sizeof order) == static_cast<ssize_t>(sizeof order))
    tell(control, carry_out(**turns, order));
  return 0;
}

}  // namespace

Result<std::unique_ptr<Worker>> Worker::start(const Maker& make) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
    return fail(Error::from_errno(errno, "socketpair"));
  Fd ours(ends[0]), theirs(ends[1]);
  test::Child child([&] {
    ours.reset();
    return serve(theirs.get(), make);
  });
  theirs.reset();
  std::unique_ptr<Worker> worker(new Worker(std::move(child), std::move(ours)));
  TRY_VOID(worker->outcome());
  return worker;
}

Result<void> Worker::order(const Order& order) const {
  TRY_VOID(sys::write(control_.get(), std::string_view(reinterpret_cast<const char*>(&order), sizeof order)));
  return {};
}

Result<Outcome> Worker::outcome() const {
  Answer answer;
  size_t n = TRY(sys::read(control_.get(), std::span(reinterpret_cast<char*>(&answer), sizeof answer)));
  if (n != sizeof answer) return fail(ErrorKind::gone, "a worker has died");
  if (answer.failure[0] != '\0') return fail(ErrorKind::os, answer.failure);
  return answer.outcome;
}

Result<void> become(const test::Sandbox& sandbox, std::string_view place, uid_t uid) {
  for (const cgroup::Hierarchy& hierarchy : sandbox.hierarchies().all())
    TRY_VOID(sandbox.at(controller_of(hierarchy), place).write("cgroup.procs", "0"));
  if (uid != 0) {
    if (::setgroups(0, nullptr) < 0 || ::setresgid(uid, uid, uid) < 0 || ::setresuid(uid, uid, uid) < 0)
      return fail(Error::from_errno(errno, "setresuid"));
    // Forgotten by the kernel when the uid changed.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  }
  return {};
}

}  // namespace cgm::bench
