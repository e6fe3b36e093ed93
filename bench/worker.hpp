// SPDX-License-Identifier: LGPL-2.1-or-later
// A process that carries out turns when it is told to, as one user in one cgroup. The caller's side of a measurement
// is never the process that measures.
#pragma once

#include <functional>
#include <memory>

#include "base/fd.hpp"
#include "support/sandbox.hpp"
#include "work.hpp"

namespace cgm::bench {

/// What a worker is told: do `work` again and again for so long, and at least once.
struct Order {
  Work work = Work::ping;
  bool fresh = false;
  int64_t duration_ns = 0;
  int64_t pause_us = 0;  ///< before each turn
};

/// What came of it.
struct Outcome {
  uint64_t turns = 0;
  int64_t elapsed_ns = 0;
  int64_t cpu_ns = 0;   ///< the worker's own
  int64_t tail_ns = 0;  ///< 99th percentile of what one turn took
};

class Worker final {
 public:
  using Maker = std::function<Result<std::unique_ptr<Turns>>()>;

  /// Forks a process that lets `make` make its turns, and waits until it has.
  static Result<std::unique_ptr<Worker>> start(const Maker& make);

  pid_t pid() const { return child_.pid(); }
  Result<void> order(const Order& order) const;
  /// Waits for the outcome of what was ordered.
  Result<Outcome> outcome() const;

 private:
  Worker(test::Child child, Fd control) : child_(std::move(child)), control_(std::move(control)) {}
  test::Child child_;
  Fd control_;
};

/// Joins the sandbox's cgroup `place` in every hierarchy, then becomes `uid` for good (with a gid of the same number
/// and no other groups). For a process of one thread.
Result<void> become(const test::Sandbox& sandbox, std::string_view place, uid_t uid);

}  // namespace cgm::bench
