// SPDX-License-Identifier: LGPL-2.1-or-later
// Start to exit of `cgm ping`, beside a program that does nothing and is linked with the same library.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sys.hpp"
#include "parts.hpp"

namespace cgm::bench {

namespace {

constexpr unsigned kRuns = 200, kBriefRuns = 60;
constexpr double kFactor = 2.5;

struct Run {
  double wall_us = 0, cpu_us = 0;
};

double microseconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
}

/// Runs a program to its end; its exit status has to be 0.
Result<Run> run(const std::vector<std::string>& words) {
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  int64_t began = sys::monotonic_ns();
  pid_t pid = ::vfork();
  if (pid < 0) return fail(Error::from_errno(errno, "vfork"));
  if (pid == 0) {
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  int status = 0;
  rusage usage;
  while (::wait4(pid, &status, 0, &usage) < 0)
    if (errno != EINTR) return fail(Error::from_errno(errno, "wait4"));
  if (status != 0) return fail(ErrorKind::os, "'" + words.front() + "' failed");
  return Run{static_cast<double>(sys::monotonic_ns() - began) / 1000,
             microseconds(usage.ru_utime) + microseconds(usage.ru_stime)};
}

}  // namespace

Result<void> measure_start(const Setting& setting, const Options& options, Report& report) {
  if (options.cgm.empty() || options.empty.empty()) {
    report.skipped.emplace_back("start of cgm: give --cgm and --empty");
    return {};
  }
  Pinned server(setting.server.pid()), ours(::getpid());
  std::vector<double> cgm_wall, cgm_cpu, empty_wall, empty_cpu;
  for (unsigned i = 0; i < (options.brief ? kBriefRuns : kRuns); i++) {
    Run empty = TRY(run({options.empty}));
    Run cgm = TRY(run({options.cgm, "--socket", setting.server.socket(), "ping"}));
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
