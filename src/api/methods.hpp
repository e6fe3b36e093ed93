// SPDX-License-Identifier: LGPL-2.1-or-later
// The methods of the classic interface org.linuxcontainers.cgmanager0_0, api_version 10, in one table. The server's
// dispatch, the client's calls and the introspection are made from it. Pure.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace cgm::api {

inline constexpr const char* kObjectPath = "/org/linuxcontainers/cgmanager";
inline constexpr const char* kInterface = "org.linuxcontainers.cgmanager0_0";
inline constexpr int kApiVersion = 10;

enum class Method {
  ping,
  get_pid_cgroup,
  get_pid_cgroup_abs,
  create,
  chown,
  chmod,
  move_pid,
  move_pid_abs,
  get_value,
  set_value,
  remove,
  get_tasks,
  get_tasks_recursive,
  list_children,
  remove_on_empty,
  prune,
  list_controllers,
  list_keys,
};

/// How a method takes its controller argument.
enum class Controllers {
  none,    ///< it has none
  single,  ///< exactly one hierarchy
  list,    ///< a name, a comma list or `all`
};

/// One method. Arguments come in a fixed order of meaning, so that a Request holds any of them: the strings are
/// controller, cgroup, key, value, the integers first and second.
struct MethodInfo {
  Method method;
  const char* name;      ///< on the wire
  const char* in;        ///< D-Bus signature of the arguments
  const char* in_names;  ///< their names, separated by blanks
  const char* out;       ///< D-Bus signature of the answer
  const char* out_name;  ///< its name; empty where there is none
  Controllers controllers;
};

inline constexpr std::array kMethods = {
    MethodInfo{Method::ping, "Ping", "i", "junk", "", "", Controllers::none},
    MethodInfo{Method::get_pid_cgroup, "GetPidCgroup", "si", "controller pid", "s", "output", Controllers::single},
    MethodInfo{Method::get_pid_cgroup_abs, "GetPidCgroupAbs", "si", "controller pid", "s", "output",
               Controllers::single},
    MethodInfo{Method::create, "Create", "ss", "controller cgroup", "i", "existed", Controllers::list},
    MethodInfo{Method::chown, "Chown", "ssii", "controller cgroup uid gid", "", "", Controllers::list},
    MethodInfo{Method::chmod, "Chmod", "sssi", "controller cgroup file mode", "", "", Controllers::list},
    MethodInfo{Method::move_pid, "MovePid", "ssi", "controller cgroup pid", "", "", Controllers::list},
    MethodInfo{Method::move_pid_abs, "MovePidAbs", "ssi", "controller cgroup pid", "", "", Controllers::list},
    MethodInfo{Method::get_value, "GetValue", "sss", "controller cgroup key", "s", "value", Controllers::single},
    MethodInfo{Method::set_value, "SetValue", "ssss", "controller cgroup key value", "", "", Controllers::single},
    MethodInfo{Method::remove, "Remove", "ssi", "controller cgroup recursive", "i", "existed", Controllers::list},
    MethodInfo{Method::get_tasks, "GetTasks", "ss", "controller cgroup", "ai", "pids", Controllers::single},
    MethodInfo{Method::get_tasks_recursive, "GetTasksRecursive", "ss", "controller cgroup", "ai", "pids",
               Controllers::list},
    MethodInfo{Method::list_children, "ListChildren", "ss", "controller cgroup", "as", "output", Controllers::single},
    MethodInfo{Method::remove_on_empty, "RemoveOnEmpty", "ss", "controller cgroup", "", "", Controllers::list},
    MethodInfo{Method::prune, "Prune", "ss", "controller cgroup", "", "", Controllers::list},
    MethodInfo{Method::list_controllers, "ListControllers", "", "", "as", "output", Controllers::none},
    MethodInfo{Method::list_keys, "ListKeys", "ss", "controller cgroup", "a(suuu)", "output", Controllers::single},
};

/// The table's row of a method.
constexpr const MethodInfo& info(Method method) {
  return kMethods[static_cast<size_t>(method)];
}

/// The row by its name on the wire, or null.
const MethodInfo* find_method(std::string_view name);

/// The interface as introspection XML: `<interface …>` with methods and the property, indented by one blank.
std::string introspection();

}  // namespace cgm::api
