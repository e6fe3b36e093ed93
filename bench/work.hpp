// SPDX-License-Identifier: LGPL-2.1-or-later
// What is measured: each kind of request as one turn through the daemon, and as the same kernel work with nothing
// around it. Both act on the same cgroups.
#pragma once

#include <sys/types.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "client.hpp"

namespace cgm::bench {

enum class Work { ping, get_pid_cgroup, get_value, set_value, set_pids, create_remove, move_pid, get_tasks };
inline constexpr std::array kAllWork = {Work::ping,     Work::get_pid_cgroup, Work::get_value, Work::set_value,
                                        Work::set_pids, Work::create_remove,  Work::move_pid,  Work::get_tasks};
std::string_view to_string(Work work);

/// A value that GetValue and SetValue are measured with.
struct Value {
  std::string controller, key, text;
};

/// Where one caller's requests act. Names are relative to the caller's own cgroup; directories are the same cgroups as
/// absolute paths, for the raw work.
struct Spot {
  uid_t uid = 0;           ///< the caller's; its gid is the same number
  std::string tag;         ///< ends the names of the cgroups that are this caller's alone
  Value value;             ///< memory's limit where there is one
  Value pids;              ///< a write that the kernel does not wait for
  std::string tree;        ///< the controller of cgroups that are made and moved between
  std::string tasks_file;  ///< what lists tasks there: `tasks` on v1, `cgroup.procs` on v2
  std::string value_directory, pids_directory, tree_directory;  ///< the caller's own cgroup in each hierarchy

  static constexpr std::string_view kValueName = "values";  ///< holds the values
  static constexpr std::string_view kCrowdName = "crowd";   ///< holds the tasks that GetTasks lists
};

/// Carries out turns for one caller; lives in that caller's process.
class Turns {
 public:
  virtual ~Turns() = default;
  /// One request and its answer (Create+Remove: two). `fresh`: each on a connection of its own.
  virtual Result<void> turn(Work work, bool fresh) = 0;
};

/// Through the server at `socket`; makes what the requests need by requests.
Result<std::unique_ptr<Turns>> api_turns(Library library, const std::string& socket, const Spot& spot);
/// On the kernel's files, as root, in the cgroups that api_turns() of the same spot has made.
Result<std::unique_ptr<Turns>> raw_turns(const Spot& spot);

}  // namespace cgm::bench
