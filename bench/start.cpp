// SPDX-License-Identifier: LGPL-2.1-or-later
// Start to exit of `cgm ping`, beside a program that does nothing and is linked with the same library.
#include <unistd.h>

#include "parts.hpp"
#include "process.hpp"

namespace cgm::bench {

namespace {

constexpr unsigned kRuns = 200, kBriefRuns = 60;
constexpr double kFactor = 2.5;

}  // namespace

Result<void> measure_start(const Setting& setting, const Options& options, Report& report) {
  if (options.cgm.empty() || options.empty.empty()) {
    report.skipped.emplace_back("start of cgm: give --cgm and --empty");
    return {};
  }
  Pinned server(setting.server.pid()), ours(::getpid());
  std::vector<double> cgm_wall, cgm_cpu, empty_wall, empty_cpu;
  for (unsigned i = 0; i < (options.brief ? kBriefRuns : kRuns); i++) {
    Run empty = TRY(run_process({options.empty}));
    Run cgm = TRY(run_process({options.cgm, "--socket", setting.server.socket(), "ping"}));
    empty_wall.push_back(empty.wall_us);
    empty_cpu.push_back(empty.cpu_us);
    cgm_wall.push_back(cgm.wall_us);
    cgm_cpu.push_back(cgm.cpu_us);
  }
  report.figures.push_back({"'cgm ping', CPU: at most 2.5 x an empty program with libsystemd", "us", median(cgm_cpu),
                            kFactor * median(empty_cpu)});
  report.figures.push_back(
      {"'cgm ping', wall clock: at most 2.5 x the same", "us", median(cgm_wall), kFactor * median(empty_wall)});
  return {};
}

}  // namespace cgm::bench
