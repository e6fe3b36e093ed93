// SPDX-License-Identifier: LGPL-2.1-or-later
// Requests through a server.
#include <unistd.h>

#include "support/sandbox.hpp"
#include "work.hpp"

namespace cgm::bench {

namespace {

using api::Method;
using api::Request;

Request request_of(Method method, const std::string& controller = {}, const std::string& cgroup = {},
                   int32_t first = 0) {
  Request request;
  request.method = method;
  request.controller = controller;
  request.cgroup = cgroup;
  request.first = first;
  return request;
}

Request value_request(Method method, const Value& value) {
  Request request = request_of(method, value.controller, std::string(Spot::kValueName));
  request.key = value.key;
  if (method == Method::set_value) request.value = value.text;
  return request;
}

class ApiTurns final : public Turns {
 public:
  ApiTurns(Library library, std::string socket, const Spot& spot)
      : library_(library),
        socket_(std::move(socket)),
        spot_(spot),
        homes_{"left" + spot.tag, "right" + spot.tag},
        victim_(test::Child::sleeper()),
        ping_(request_of(Method::ping)),
        get_pid_cgroup_(request_of(Method::get_pid_cgroup, spot.tree, {}, ::getpid())),
        get_value_(value_request(Method::get_value, spot.value)),
        set_value_(value_request(Method::set_value, spot.value)),
        set_pids_(value_request(Method::set_value, spot.pids)),
        create_(request_of(Method::create, spot.tree, "new" + spot.tag)),
        remove_(request_of(Method::remove, spot.tree, "new" + spot.tag)),
        get_tasks_(request_of(Method::get_tasks, spot.tree, std::string(Spot::kCrowdName))) {
    for (const std::string& home : homes_)
      moves_.push_back(request_of(Method::move_pid, spot.tree, home, victim_.pid()));
  }

  Result<void> prepare() {
    client_ = TRY(connect(library_, socket_));
    const std::string values(Spot::kValueName), crowd(Spot::kCrowdName);
    TRY_VOID(make(spot_.value.controller, values));
    TRY_VOID(make(spot_.pids.controller, values));
    for (const std::string& name : {crowd, homes_[0], homes_[1]}) TRY_VOID(make(spot_.tree, name));
    return {};
  }

  Result<void> turn(Work work, bool fresh) override {
    switch (work) {
      case Work::ping: return ask(ping_, fresh);
      case Work::get_pid_cgroup: return ask(get_pid_cgroup_, fresh);
      case Work::get_value: return ask(get_value_, fresh);
      case Work::set_value: return ask(set_value_, fresh);
      case Work::set_pids: return ask(set_pids_, fresh);
      case Work::create_remove: TRY_VOID(ask(create_, fresh)); return ask(remove_, fresh);
      case Work::move_pid: std::swap(moves_.front(), moves_.back()); return ask(moves_.front(), fresh);
      case Work::get_tasks: return ask(get_tasks_, fresh);
    }
    return {};
  }

 private:
  Result<void> make(const std::string& controller, const std::string& name) {
    return with(ask(request_of(Method::create, controller, name), false), "prepare " + name);
  }

  Result<void> ask(const Request& request, bool fresh) {
    if (!fresh) {
      TRY_VOID(client_->call(request));
      return {};
    }
    auto once = TRY(connect(library_, socket_));
    TRY_VOID(once->call(request));
    return {};
  }

  Library library_;
  std::string socket_;
  Spot spot_;
  std::array<std::string, 2> homes_;
  test::Child victim_;
  Request ping_, get_pid_cgroup_, get_value_, set_value_, set_pids_, create_, remove_, get_tasks_;
  std::vector<Request> moves_;  // there and back
  std::unique_ptr<Client> client_;
};

}  // namespace

std::string_view to_string(Work work) {
  switch (work) {
    case Work::ping: return "Ping";
    case Work::get_pid_cgroup: return "GetPidCgroup";
    case Work::get_value: return "GetValue";
    case Work::set_value: return "SetValue";
    case Work::set_pids: return "SetValue pids.max";
    case Work::create_remove: return "Create+Remove";
    case Work::move_pid: return "MovePid";
    case Work::get_tasks: return "GetTasks";
  }
  return "";
}

Result<std::unique_ptr<Turns>> api_turns(Library library, const std::string& socket, const Spot& spot) {
  auto turns = std::make_unique<ApiTurns>(library, socket, spot);
  TRY_VOID(turns->prepare());
  return turns;
}

}  // namespace cgm::bench
