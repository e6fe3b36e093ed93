// SPDX-License-Identifier: LGPL-2.1-or-later
// One user's Ping beside two others who keep the server as busy as they can: one moves a process without end, the
// other sends long pipelines of calls and lists a great crowd without end, on two connections. Nothing is pinned.
#include <systemd/sd-bus.h>

#include <algorithm>
#include <array>

#include "crowd.hpp"
#include "parts.hpp"
#include "worker.hpp"

namespace cgm::bench {

namespace {

constexpr unsigned kPipelined = 10'000;
constexpr unsigned kCrowd = 20'000;
constexpr int64_t kPauseUs = 500;  // between two Pings of the one who is watched
constexpr double kFactor = 20, kExtraUs = 2000;
constexpr int64_t kLongNs = 8'000'000'000, kBriefNs = 3'000'000'000;
constexpr const char *kMover = "mover", *kBusy = "busy", *kWatched = "watched";

struct BusUnref {
  void operator()(sd_bus* bus) const { sd_bus_close_unref(bus); }
};

Result<void> check(int r, std::string_view call) {
  if (r < 0) return fail(Error::from_errno(-r, call));
  return {};
}

/// A turn sends all calls of a pipeline before it reads the first answer.
class Pipeline final : public Turns {
 public:
  static Result<std::unique_ptr<Turns>> open(const std::string& socket, const Value& value) {
    std::unique_ptr<Pipeline> pipeline(new Pipeline(value));
    sd_bus* bus = nullptr;
    TRY_VOID(check(sd_bus_new(&bus), "sd_bus_new"));
    pipeline->bus_.reset(bus);
    TRY_VOID(check(sd_bus_set_address(bus, ("unix:path=" + socket).c_str()), "sd_bus_set_address"));
    TRY_VOID(check(sd_bus_start(bus), "sd_bus_start"));
    return pipeline;
  }

  Result<void> turn(Work, bool) override {
    answers_ = 0;
    const std::string cgroup(Spot::kValueName);
    for (unsigned i = 0; i < kPipelined; i++)
      TRY_VOID(check(sd_bus_call_method_async(bus_.get(), nullptr, nullptr, api::kObjectPath, api::kInterface,
                                              "GetValue", answered, this, "sss", value_.controller.c_str(),
                                              cgroup.c_str(), value_.key.c_str()),
                     "sd_bus_call_method_async"));
    while (answers_ < kPipelined) {
      int r = sd_bus_process(bus_.get(), nullptr);
      TRY_VOID(check(r, "sd_bus_process"));
      if (r == 0) TRY_VOID(check(sd_bus_wait(bus_.get(), UINT64_MAX), "sd_bus_wait"));
    }
    return {};
  }

 private:
  explicit Pipeline(Value value) : value_(std::move(value)) {}
  static int answered(sd_bus_message*, void* self, sd_bus_error*) {
    static_cast<Pipeline*>(self)->answers_++;
    return 1;
  }

  Value value_;
  std::unique_ptr<sd_bus, BusUnref> bus_;
  unsigned answers_ = 0;
};

double per_second(const Outcome& outcome, unsigned calls) {
  return static_cast<double>(outcome.turns) * calls * 1e9 / static_cast<double>(outcome.elapsed_ns);
}

}  // namespace

Result<void> measure_fairness(const Setting& setting, const Options& options, Report& report) {
  const std::string& socket = setting.server.socket();
  int64_t ns = options.brief ? kBriefNs : kLongNs;
  auto user = [&](const char* place, unsigned number, auto make) -> Result<std::unique_ptr<Worker>> {
    uid_t uid = plain_uid(number);
    TRY_VOID(make_home(setting.sandbox, place, uid));
    Spot spot = spot_at(setting.sandbox, place, uid, "0");
    return Worker::start([&]() -> Result<std::unique_ptr<Turns>> {
      TRY_VOID(become(setting.sandbox, place, uid));
      return make(spot);
    });
  };
  auto calls = [&](const Spot& spot) { return api_turns(Library::sd_bus, socket, spot); };
  auto watched = TRY(user(kWatched, 1, calls));
  auto mover = TRY(user(kMover, 2, calls));
  auto lister = TRY(user(kBusy, 3, calls));
  auto piper = TRY(user(kBusy, 3, [&](const Spot& spot) { return Pipeline::open(socket, spot.value); }));
  auto crowd =
      TRY(start_crowd(setting.sandbox.at("freezer", std::string(kBusy) + "/" + std::string(Spot::kCrowdName)), kCrowd));

  Order ping{.work = Work::ping, .duration_ns = ns, .pause_us = kPauseUs};
  TRY_VOID(watched->order(ping));
  Outcome idle = TRY(watched->outcome());
  auto together = [&](Worker& lists) -> Result<std::array<Outcome, 4>> {
    TRY_VOID(mover->order({.work = Work::move_pid, .duration_ns = ns}));
    TRY_VOID(lists.order({.work = Work::get_tasks, .duration_ns = ns}));
    TRY_VOID(piper->order({.work = Work::get_value, .duration_ns = ns}));
    TRY_VOID(watched->order(ping));
    Outcome beside = TRY(watched->outcome());
    Outcome moved = TRY(mover->outcome()), listed = TRY(lists.outcome()), piped = TRY(piper->outcome());
    return std::array{beside, moved, listed, piped};
  };
  // The kernel lists a crowd in one go, and most kernels let nobody else have that processor meanwhile: what that does
  // to a Ping where the server has no part in it.
  auto raw = TRY(user(kBusy, 3, raw_turns));
  Outcome beside_raw = TRY(together(*raw))[0];
  auto [beside, moved, listed, piped] = TRY(together(*lister));

  double idle_us = static_cast<double>(idle.tail_ns) / 1000;
  report.quantities.push_back({"a Ping alone, 99th percentile", "us", idle_us});
  double raw_us = static_cast<double>(beside_raw.tail_ns) / 1000;
  report.quantities.push_back({"a Ping beside those, who lists by himself, 99th percentile", "us", raw_us});
  report.quantities.push_back({"beside it: moves a second of one user", "/s", per_second(moved, 1)});
  report.quantities.push_back({"beside it: pipelined calls a second of another", "/s", per_second(piped, kPipelined)});
  report.quantities.push_back({"beside it: lists of 20 000 tasks a second", "/s", per_second(listed, 1)});
  report.figures.push_back({.name = "a Ping beside those, 99th percentile: 20 x alone + 2 ms, or as by himself",
                            .unit = "us",
                            .measured = static_cast<double>(beside.tail_ns) / 1000,
                            .limit = std::max(kFactor * idle_us + kExtraUs, raw_us)});
  return {};
}

}  // namespace cgm::bench
