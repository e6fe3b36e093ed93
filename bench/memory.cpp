// SPDX-License-Identifier: LGPL-2.1-or-later
// What the server keeps: at rest, after many cgroups, for connections that do nothing; and what those cost the others.
#include <sys/resource.h>

#include <vector>

#include "parts.hpp"
#include "worker.hpp"

namespace cgm::bench {

namespace {

constexpr const char* kPlace = "memory";
constexpr unsigned kCgroups = 10'000;
constexpr unsigned kSomeConnections = 1000, kManyConnections = 5000;
constexpr double kRestLimitMb = 6, kConnectionLimitKb = 8, kPingFactor = 1.2;
constexpr unsigned kPingRounds = 9;

double megabytes(int64_t bytes) {
  return static_cast<double>(bytes) / 1e6;
}

/// As many descriptors as we may have: one for each connection.
void raise_descriptors() {
  rlimit limit;
  if (::getrlimit(RLIMIT_NOFILE, &limit) < 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

/// Makes many cgroups below `place`, and then removes them.
Result<void> make_and_remove(Client& client, const std::string& place) {
  api::Request request;
  request.controller = "freezer";
  for (api::Method method : {api::Method::create, api::Method::remove})
    for (unsigned i = 0; i < kCgroups; i++) {
      request.method = method;
      request.cgroup = place + "/many" + std::to_string(i);
      TRY_VOID(client.call(request));
    }
  return {};
}

/// Opens more connections; on each something was asked for that the server has to know its client for.
Result<void> connect_up_to(std::vector<std::unique_ptr<Client>>& clients, unsigned count, const std::string& socket) {
  api::Request request;
  request.method = api::Method::list_keys;
  request.controller = "freezer";
  while (clients.size() < count) {
    auto client = TRY(with(connect(Library::sd_bus, socket), "connection " + std::to_string(clients.size() + 1)));
    TRY_VOID(client->call(request));
    clients.push_back(std::move(client));
  }
  return {};
}

/// The server's CPU for a Ping, in microseconds, with everything on one CPU.
Result<double> cpu_of_ping(const Server& server, const Worker& worker, int64_t round_ms) {
  Pinned pinned_server(server.pid()), pinned_worker(worker.pid());
  std::vector<double> rounds;
  for (unsigned i = 0; i < kPingRounds; i++) {
    int64_t before = TRY(server.cpu_ns());
    TRY_VOID(worker.order({.work = Work::ping, .duration_ns = round_ms * 1'000'000}));
    Outcome outcome = TRY(worker.outcome());
    rounds.push_back(static_cast<double>(TRY(server.cpu_ns()) - before) / 1000 / static_cast<double>(outcome.turns));
  }
  return median(rounds);
}

}  // namespace

Result<void> measure_memory(const Setting& setting, const Options& options, Report& report) {
  const Server& server = setting.server;
  report.figures.push_back({"resident memory at rest", "MB", megabytes(TRY(server.resident())), kRestLimitMb});

  TRY_VOID(make_home(setting.sandbox, kPlace, 0));
  Spot spot = spot_at(setting.sandbox, kPlace, 0, "0");
  auto pinger = TRY(Worker::start([&]() -> Result<std::unique_ptr<Turns>> {
    TRY_VOID(become(setting.sandbox, kPlace, 0));
    return api_turns(Library::sd_bus, server.socket(), spot);
  }));
  double alone = TRY(cpu_of_ping(server, *pinger, options.round_ms));

  raise_descriptors();
  std::vector<std::unique_ptr<Client>> clients;
  TRY_VOID(connect_up_to(clients, 1, server.socket()));
  if (!options.brief) {
    TRY_VOID(make_and_remove(*clients.front(), setting.sandbox.name() + "/" + kPlace));
    report.quantities.push_back(
        {"resident memory after " + std::to_string(kCgroups) + " cgroups", "MB", megabytes(TRY(server.resident()))});
  }
  int64_t before = TRY(server.resident());
  for (unsigned count : {kSomeConnections, kManyConnections}) {
    TRY_VOID(connect_up_to(clients, count, server.socket()));
    int64_t resident = TRY(server.resident());
    std::string which = std::to_string(count) + " idle connections";
    report.quantities.push_back({"resident memory with " + which, "MB", megabytes(resident)});
    report.figures.push_back({"resident memory for each of " + which, "kB",
                              static_cast<double>(resident - before) / 1e3 / count, kConnectionLimitKb});
  }
  report.figures.push_back(
      {"Ping beside " + std::to_string(kManyConnections) + " idle connections: at most 1.2 x alone", "us",
       TRY(cpu_of_ping(server, *pinger, options.round_ms)), kPingFactor * alone});
  return {};
}

}  // namespace cgm::bench
