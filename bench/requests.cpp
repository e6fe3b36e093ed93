// SPDX-License-Identifier: LGPL-2.1-or-later
// Requests a second, the server's CPU for each, and the figures that hold them against the raw work. All constellations
// of a round run one after the other, so that what disturbs the machine disturbs all of them.
#include <algorithm>
#include <map>

#include "crowd.hpp"
#include "parts.hpp"
#include "worker.hpp"

namespace cgm::bench {

namespace {

constexpr unsigned kManyClients = 8;
constexpr unsigned kCrowd = 1000;
constexpr const char* kUser = "user";
constexpr const char* kRoot = "root";

struct Sample {
  double per_second = 0, cpu_us = 0;
};

/// One line of the table while it is measured.
struct Case {
  std::string caller;
  Library library = Library::sd_bus;
  unsigned clients = 1;
  bool fresh = false;
  Work work = Work::ping;
  std::vector<double> per_second, cpu_us;
};

/// Workers of one caller, and the one that does its raw work.
struct Callers {
  std::vector<std::unique_ptr<Worker>> sd_bus, libdbus;
  std::unique_ptr<Worker> raw;
  const std::vector<std::unique_ptr<Worker>>& of(Library library) const {
    return library == Library::sd_bus ? sd_bus : libdbus;
  }
};

Result<Sample> run(const Server& server, const std::vector<std::unique_ptr<Worker>>& workers, unsigned clients,
                   const Order& order) {
  int64_t before = TRY(server.cpu_ns());
  for (unsigned i = 0; i < clients; i++) TRY_VOID(workers[i]->order(order));
  Sample sample;
  uint64_t turns = 0;
  for (unsigned i = 0; i < clients; i++) {
    Outcome outcome = TRY(with(workers[i]->outcome(), to_string(order.work)));
    turns += outcome.turns;
    sample.per_second += static_cast<double>(outcome.turns) * 1e9 / static_cast<double>(outcome.elapsed_ns);
  }
  sample.cpu_us = static_cast<double>(TRY(server.cpu_ns()) - before) / 1000 / static_cast<double>(turns);
  return sample;
}

Result<double> run_raw(const Worker& worker, const Order& order) {
  TRY_VOID(worker.order(order));
  Outcome outcome = TRY(with(worker.outcome(), "raw " + std::string(to_string(order.work))));
  return static_cast<double>(outcome.cpu_ns) / 1000 / static_cast<double>(outcome.turns);
}

class Requests final {
 public:
  Requests(const Setting& setting, const Options& options) : setting_(setting), options_(options) {}

  Result<void> prepare() {
    std::vector<std::pair<const char*, uid_t>> callers = {{kUser, plain_uid(0)}, {kRoot, 0}};
    for (auto [name, uid] : callers) {
      TRY_VOID(make_home(setting_.sandbox, name, uid));
      TRY_VOID(start(name, uid, Library::sd_bus, options_.brief || uid == 0 ? 1 : kManyClients));
      if (has_library(Library::libdbus) && !options_.brief && uid != 0)
        TRY_VOID(start(name, uid, Library::libdbus, kManyClients));
      Spot spot = spot_at(setting_.sandbox, name, uid, "0");
      callers_[name].raw = TRY(Worker::start([&] { return raw_turns(spot); }));
      crowds_.push_back(TRY(start_crowd(
          setting_.sandbox.at(spot.tree, std::string(name) + "/" + std::string(Spot::kCrowdName)), kCrowd)));
    }
    add_cases();
    return {};
  }

  Result<void> round() {
    int64_t ns = options_.round_ms * 1'000'000;
    {
      Pinned server(setting_.server.pid());
      for (Case& one : cases_)
        if (one.clients == 1) TRY_VOID(measure_pinned(one, ns));
    }
    for (Case& one : cases_)
      if (one.clients > 1)
        note(one,
             TRY(run(setting_.server, callers_[one.caller].of(one.library), one.clients, {one.work, one.fresh, ns})));
    return {};
  }

  void report(Report& report) const {
    for (const Case& one : cases_)
      report.requests.push_back({.request = std::string(to_string(one.work)),
                                 .caller = one.caller,
                                 .library = std::string(to_string(one.library)),
                                 .fresh = one.fresh,
                                 .clients = one.clients,
                                 .per_second = median(one.per_second),
                                 .cpu_us = median(one.cpu_us),
                                 .raw_us = raw_of(one.caller, one.work)});
    if (options_.requests.empty())
      for (const char* caller : {kUser, kRoot}) add_figures(caller, report);
    if (!has_library(Library::libdbus)) report.skipped.emplace_back("libdbus clients: built without libdbus-1-dev");
  }

 private:
  Result<void> start(const std::string& name, uid_t uid, Library library, unsigned clients) {
    Callers& callers = callers_[name];
    for (unsigned i = 0; i < clients; i++) {
      Spot spot = spot_at(setting_.sandbox, name, uid, std::to_string(i));
      auto make = [&]() -> Result<std::unique_ptr<Turns>> {
        TRY_VOID(become(setting_.sandbox, name, uid));
        return api_turns(library, setting_.server.socket(), spot);
      };
      auto worker = TRY(with(Worker::start(make), name + " with " + std::string(to_string(library))));
      (library == Library::sd_bus ? callers.sd_bus : callers.libdbus).push_back(std::move(worker));
    }
    return {};
  }

  void add_cases() {
    for (const auto& [name, callers] : callers_)
      for (Library library : {Library::sd_bus, Library::libdbus})
        for (unsigned clients : {1U, kManyClients})
          for (bool fresh : {false, true})
            for (Work work : kAllWork) {
              if (callers.of(library).size() < clients) continue;
              bool extra = library != Library::sd_bus || clients > 1 || fresh;
              if (extra && (options_.brief || name == kRoot)) continue;
              if (!is_wanted(work)) continue;
              cases_.push_back({name, library, clients, fresh, work, {}, {}});
            }
  }

  bool is_wanted(Work work) const {
    const auto& names = options_.requests;
    return names.empty() || std::find(names.begin(), names.end(), to_string(work)) != names.end();
  }

  /// The raw work right before the requests, on the same CPU.
  Result<void> measure_pinned(Case& one, int64_t ns) {
    Callers& callers = callers_[one.caller];
    const auto& workers = callers.of(one.library);
    Pinned worker(workers.front()->pid()), raw(callers.raw->pid());
    Order order{one.work, one.fresh, ns};
    if (one.work != Work::ping && one.library == Library::sd_bus && !one.fresh)
      raw_[{one.caller, one.work}].push_back(TRY(run_raw(*callers.raw, order)));
    note(one, TRY(run(setting_.server, workers, 1, order)));
    return {};
  }

  static void note(Case& one, const Sample& sample) {
    one.per_second.push_back(sample.per_second);
    one.cpu_us.push_back(sample.cpu_us);
  }

  double raw_of(const std::string& caller, Work work) const {
    auto found = raw_.find({caller, work});
    return found == raw_.end() ? 0 : median(found->second);
  }

  double cpu_of(const std::string& caller, Work work) const {
    for (const Case& one : cases_)
      if (one.caller == caller && one.work == work && one.library == Library::sd_bus && one.clients == 1 && !one.fresh)
        return median(one.cpu_us);
    return 0;
  }

  void add_figures(const std::string& caller, Report& report) const {
    double ping = cpu_of(caller, Work::ping);
    auto add = [&](Work work, const char* words, double limit) {
      report.figures.push_back({.name = std::string(to_string(work)) + " of " + caller + ": at most " + words,
                                .unit = "us",
                                .measured = cpu_of(caller, work),
                                .limit = limit});
    };
    auto raw = [&](Work work) { return raw_of(caller, work); };
    add(Work::get_value, "Ping + 2 x raw + 10 us", ping + 2 * raw(Work::get_value) + 10);
    add(Work::move_pid, "Ping + 3 x raw + 20 us", ping + 3 * raw(Work::move_pid) + 20);
    add(Work::create_remove, "2 x Ping + 2 x raw", 2 * ping + 2 * raw(Work::create_remove));
    add(Work::get_tasks, "Ping + 1.15 x raw (1000 tasks)", ping + 1.15 * raw(Work::get_tasks));
  }

  const Setting& setting_;
  const Options& options_;
  std::map<std::string, Callers> callers_;
  std::vector<test::Child> crowds_;
  std::vector<Case> cases_;
  std::map<std::pair<std::string, Work>, std::vector<double>> raw_;
};

}  // namespace

Result<void> measure_requests(const Setting& setting, const Options& options, Report& report) {
  Requests requests(setting, options);
  TRY_VOID(requests.prepare());
  for (unsigned i = 0; i < options.rounds; i++) TRY_VOID(requests.round());
  requests.report(report);
  return {};
}

}  // namespace cgm::bench
