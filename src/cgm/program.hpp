// SPDX-License-Identifier: LGPL-2.1-or-later
// A program that runs for us: signals passed on, what its end means for our own.
#pragma once

#include <signal.h>

#include <string>
#include <vector>

#include "base/launch.hpp"

namespace cgm::cli {

// What env(1), nice(1) and timeout(1) use too.
inline constexpr int kNotStarted = 125, kNotExecutable = 126, kNotFound = 127;

/// Blocks the signals of this process for as long as a program runs for it.
class SignalRelay final {
 public:
  SignalRelay();
  /// The mask that was before, for the program.
  const sigset_t& before() const { return before_; }
  /// Passes signals on until the child has ended; stops and goes on with it. Returns its exit status, 128 and the
  /// signal's number where one ended it. The first process of a pid namespace gets no signal that it does not handle
  /// (pid_namespaces(7)): `is_first`, it is killed by what would end any other program.
  int attend(const StartedChild& child, bool is_first = false) const;

 private:
  sigset_t signals_, before_;
};

/// The user's shell, for where no command is named.
std::vector<std::string> shell();

/// Says what kept the program from being started; returns the status for it.
int not_started(const Error& error);
/// Says why the program could not be executed, or what failed on the way; returns the status for it.
int failed_start(const Error& error, const std::string& program);

}  // namespace cgm::cli
