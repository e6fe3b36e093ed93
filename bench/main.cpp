// SPDX-License-Identifier: LGPL-2.1-or-later
// cgm_bench: what the daemon costs, beside the kernel work that it does.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "parts.hpp"
#include "supervise.hpp"

namespace {

using namespace cgm::bench;
using cgm::Result;

constexpr int kMissed = 1;    // a figure is beyond its limit, or the benchmark itself failed
constexpr int kSkipped = 77;  // as automake and ctest know it

struct Part {
  const char* name;
  Result<void> (*measure)(const Setting&, const Options&, Report&);
  bool foreign;  // may be run against a server that is not ours
};
constexpr Part kParts[] = {
    {"memory", measure_memory, false}, {"requests", measure_requests, true},      {"fairness", measure_fairness, true},
    {"start", measure_start, true},    {"namespaces", measure_namespaces, false},
};

bool is_chosen(const Options& options, const Part& part) {
  if (options.only.empty()) return options.socket.empty() || part.foreign;
  return std::find(options.only.begin(), options.only.end(), part.name) != options.only.end();
}

int measure(const Options& options, const cgm::test::Sandbox& sandbox, const std::string& directory) {
  auto complain = [](const std::string& part, const cgm::Error& error) {
    std::fprintf(stderr, "cgm_bench: %s: %s\n", part.c_str(), error.text().c_str());
    return kMissed;
  };
  auto server =
      options.socket.empty() ? start_server(options.daemon, directory) : use_server(options.socket, options.pid);
  if (!server) return complain("server", server.error());
  Setting setting{sandbox, **server};
  Report report;
  for (const Part& part : kParts) {
    if (!is_chosen(options, part)) continue;
    auto measured = part.measure(setting, options, report);
    if (!measured) return complain(part.name, measured.error());
  }
  options.json ? print_json(report) : print_tables(report);
  std::fflush(stdout);
  return report.all_met() ? 0 : kMissed;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Measures a cgroup manager: requests a second, its CPU beside the kernel's own work, memory, fairness.",
               "cgm_bench");
  app.footer("Exit status: 0 if every figure is within its limit, 1 if not, 77 where it cannot be measured.");
  auto* daemon = app.add_option("--daemon", options.daemon, "start this cgmanager, for the benchmark alone");
  auto* address = app.add_option("--address", options.socket, "measure the server of this socket instead");
  app.add_option("--pid", options.pid, "that server's pid")->needs(address);
  daemon->excludes(address);
  app.add_option("--cgm", options.cgm, "the cgm whose start is measured");
  app.add_option("--empty", options.empty, "the empty program that it is held against");
  app.add_option("--floor", options.floor, "the program that does a start's kernel work alone");
  app.add_option("--only", options.only, "measure these parts: memory, requests, fairness, start, namespaces")
      ->delimiter(',')
      ->check(CLI::IsMember({"memory", "requests", "fairness", "start", "namespaces"}));
  app.add_option("--request", options.requests, "measure these kinds of request, without their figures")
      ->delimiter(',');
  app.add_option("--rounds", options.rounds, "rounds, of which the medians are told")->check(CLI::Range(1, 1000));
  app.add_option("--round-ms", options.round_ms, "length of one measurement in a round")->check(CLI::Range(1, 60000));
  app.add_flag("--brief", options.brief, "the figures alone, in a short time");
  app.add_flag("--json", options.json, "JSON in place of tables");
  CLI11_PARSE(app, argc, argv);
  if (options.daemon.empty() && (options.socket.empty() || options.pid == 0)) {
    std::fputs("cgm_bench: give it --daemon, or --address and --pid\n", stderr);
    return 2;
  }
  if (::geteuid() != 0) {
    std::puts("skipped: only root makes the cgroups that this needs");
    return kSkipped;
  }
  return supervise([&](const cgm::test::Sandbox& sandbox, const std::string& directory) {
    return measure(options, sandbox, directory);
  });
}
