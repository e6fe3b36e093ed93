// SPDX-License-Identifier: LGPL-2.1-or-later
// The parts of the benchmark, each of which puts what it measures into the report.
#pragma once

#include <string>

#include "base/error.hpp"
#include "report.hpp"
#include "setting.hpp"

namespace cgm::bench {

struct Options {
  std::string daemon;                 ///< the program to start as a private server, unless `socket` is given
  std::string socket;                 ///< another server's socket
  pid_t pid = 0;                      ///< and its pid
  std::string cgm;                    ///< the command line's program
  std::string empty;                  ///< the empty program that it is held against
  std::string floor;                  ///< the program that does the kernel's work of a start and nothing else
  std::vector<std::string> only;      ///< parts to run, by name; none for all
  std::vector<std::string> requests;  ///< kinds of request to measure, by name; none for all
  unsigned rounds = 7;
  int64_t round_ms = 100;  ///< for how long each constellation runs in each round
  bool brief = false;      ///< the figures alone
  bool json = false;
};

/// Requests a second and CPU of each kind of request, beside its raw work.
Result<void> measure_requests(const Setting& setting, const Options& options, Report& report);
/// Resident memory: at rest, with many cgroups, with idle connections; and what those cost a Ping. To be the first
/// part: a server that has not served yet is at rest.
Result<void> measure_memory(const Setting& setting, const Options& options, Report& report);
/// A Ping beside users who keep the server busy.
Result<void> measure_fairness(const Setting& setting, const Options& options, Report& report);
/// `cgm ns` and `cgm run` with namespaces, beside util-linux and the kernel's own work.
Result<void> measure_namespaces(const Setting& setting, const Options& options, Report& report);
/// Start to exit of the command line.
Result<void> measure_start(const Setting& setting, const Options& options, Report& report);

}  // namespace cgm::bench
