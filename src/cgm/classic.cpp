// SPDX-License-Identifier: LGPL-2.1-or-later
// The classic commands: one call each, with the output and exit status that scripts know.
#include <algorithm>
#include <climits>
#include <cstdio>

#include "base/number.hpp"
#include "cgm/command.hpp"
#include "cgm/json.hpp"

namespace cgm::cli {

namespace {

using api::Method;

/// What an argument of the command line is in the request.
enum class Argument { controller, cgroup, file, value, pid, uid, gid, mode, recursive };

struct Classic {
  std::string_view name;
  Method method;
  std::string_view call;  ///< as the old message names it: `cgmanager_<call>_sync`
  std::vector<Argument> arguments;
  size_t least;  ///< how many of them have to be there
};

const Classic kClassics[] = {
    {"ping", Method::ping, "ping", {}, 0},
    {"create", Method::create, "create", {Argument::controller, Argument::cgroup}, 2},
    {"chown", Method::chown, "chown", {Argument::controller, Argument::cgroup, Argument::uid, Argument::gid}, 4},
    {"chmod", Method::chmod, "chmod", {Argument::controller, Argument::cgroup, Argument::mode}, 3},
    {"chmodfile", Method::chmod, "chmod", {Argument::controller, Argument::cgroup, Argument::file, Argument::mode}, 4},
    {"remove", Method::remove, "remove", {Argument::controller, Argument::cgroup, Argument::recursive}, 2},
    {"getpidcgroup", Method::get_pid_cgroup, "get_pid_cgroup", {Argument::controller, Argument::pid}, 2},
    {"getpidcgroupabs", Method::get_pid_cgroup_abs, "get_pid_cgroup_abs", {Argument::controller, Argument::pid}, 2},
    {"movepid", Method::move_pid, "move_pid_main", {Argument::controller, Argument::cgroup, Argument::pid}, 3},
    {"movepidabs", Method::move_pid_abs, "move_pid_main", {Argument::controller, Argument::cgroup, Argument::pid}, 3},
    {"getvalue", Method::get_value, "get_value", {Argument::controller, Argument::cgroup, Argument::file}, 3},
    {"setvalue",
     Method::set_value,
     "set_value",
     {Argument::controller, Argument::cgroup, Argument::file, Argument::value},
     4},
    {"gettasks", Method::get_tasks, "get_tasks", {Argument::controller, Argument::cgroup}, 1},
    {"gettasksrecursive",
     Method::get_tasks_recursive,
     "get_tasks_recursive",
     {Argument::controller, Argument::cgroup},
     1},
    {"listchildren", Method::list_children, "list_children", {Argument::controller, Argument::cgroup}, 1},
    {"removeonempty", Method::remove_on_empty, "remove_on_empty", {Argument::controller, Argument::cgroup}, 2},
    {"prune", Method::prune, "prune", {Argument::controller, Argument::cgroup}, 1},
    {"listcontrollers", Method::list_controllers, "list_controllers", {}, 0},
    {"listkeys", Method::list_keys, "list_keys", {Argument::controller, Argument::cgroup}, 1},
};

/// A uid or gid as the classic cgm takes it: 0 to 2^31-2.
bool read_id(std::string_view text, int32_t& id) {
  auto number = parse_number<int64_t>(text);
  if (!number || *number < 0 || *number > INT32_MAX - 1) return false;
  id = static_cast<int32_t>(*number);
  return true;
}

/// Fills the request; returns what the classic cgm says of a bad argument, or nothing.
std::string_view read_argument(Argument kind, const std::string& text, api::Request& request) {
  switch (kind) {
    case Argument::controller: request.controller = text; return {};
    case Argument::cgroup: request.cgroup = text; return {};
    case Argument::file: request.key = text; return {};
    case Argument::value: request.value = text; return {};
    case Argument::pid: request.first = parse_number<int32_t>(text).value_or(0); return {};
    case Argument::uid: return read_id(text, request.first) ? "" : "Bad uid or gid";
    case Argument::gid: return read_id(text, request.second) ? "" : "Bad uid or gid";
    case Argument::recursive: request.first = text == "0" ? 0 : 1; return {};
    case Argument::mode: {
      auto mode = parse_number<int32_t>(text, 8);
      if (!mode) return "Bad mode";
      request.first = *mode;
      return {};
    }
  }
  return {};
}

void print(Method method, const api::Answer& answer) {
  if (auto* existed = std::get_if<int32_t>(&answer)) {
    if (method == Method::create && *existed == 1) std::puts("Path existed");
    if (method == Method::remove && *existed == -1) std::puts("Path did not exist");
  } else if (auto* text = std::get_if<std::string>(&answer)) {
    std::puts(text->c_str());
  } else if (auto* ids = std::get_if<std::vector<int32_t>>(&answer)) {
    for (int32_t id : *ids) std::printf("%d\n", id);
  } else if (auto* names = std::get_if<std::vector<std::string>>(&answer)) {
    for (const std::string& name : *names) std::puts(name.c_str());
  } else if (auto* keys = std::get_if<std::vector<api::Key>>(&answer)) {
    for (const api::Key& key : *keys) std::printf("%s %u %u %o\n", key.name.c_str(), key.uid, key.gid, key.mode);
  }
}

Json to_json(Method method, const api::Answer& answer) {
  if (auto* existed = std::get_if<int32_t>(&answer)) return {{"existed", *existed == 1}};
  if (auto* text = std::get_if<std::string>(&answer))
    return {{method == Method::get_value ? "value" : "cgroup", *text}};
  if (auto* ids = std::get_if<std::vector<int32_t>>(&answer)) return {{"tasks", *ids}};
  if (auto* names = std::get_if<std::vector<std::string>>(&answer))
    return {{method == Method::list_controllers ? "controllers" : "children", *names}};
  if (auto* keys = std::get_if<std::vector<api::Key>>(&answer)) {
    Json list = Json::array();
    for (const api::Key& key : *keys)
      list.push_back({{"name", key.name}, {"uid", key.uid}, {"gid", key.gid}, {"mode", key.mode & 07777}});
    return {{"keys", std::move(list)}};
  }
  return Json::object();
}

int call_failed(std::string_view call, const Error& error) {
  std::fprintf(stderr, "call to cgmanager_%.*s_sync failed: %s\n", static_cast<int>(call.size()), call.data(),
               error.text().c_str());
  return kFailed;
}

int api_version(const Invocation& invocation) {
  if (!invocation.arguments.empty()) return usage_error(invocation.command, "wrong number of arguments");
  auto session = open_session(invocation);
  if (!session) return kFailed;
  auto version = session->api_version();
  if (!version) return call_failed("get_api_version", version.error());
  if (invocation.json)
    print_json({{"api_version", *version}});
  else
    std::printf("%d\n", *version);
  return 0;
}

}  // namespace

int run_classic(Invocation& invocation) {
  if (invocation.command == "apiversion") return api_version(invocation);
  const Classic& classic = *std::find_if(std::begin(kClassics), std::end(kClassics),
                                         [&](const Classic& c) { return c.name == invocation.command; });
  bool any_number = classic.method == Method::ping;
  size_t count = invocation.arguments.size();
  if (!any_number && (count < classic.least || count > classic.arguments.size()))
    return usage_error(classic.name, "wrong number of arguments");
  api::Request request;
  request.method = classic.method;
  if (classic.method == Method::remove) request.first = 1;
  for (size_t i = 0; i < std::min(count, classic.arguments.size()); i++) {
    std::string_view complaint = read_argument(classic.arguments[i], invocation.arguments[i], request);
    if (complaint.empty()) continue;
    std::fprintf(stderr, "%.*s\n", static_cast<int>(complaint.size()), complaint.data());
    return kFailed;
  }
  auto session = open_session(invocation);
  if (!session) return kFailed;
  if (classic.method == Method::ping && session->is_direct()) {
    complain("no daemon answers");
    return kFailed;
  }
  auto answer = session->call(request);
  if (!answer) return call_failed(classic.call, answer.error());
  if (invocation.json)
    print_json(to_json(classic.method, *answer));
  else
    print(classic.method, *answer);
  return 0;
}

}  // namespace cgm::cli
