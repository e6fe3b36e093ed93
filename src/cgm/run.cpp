// SPDX-License-Identifier: LGPL-2.1-or-later
// cgm run: a program in a cgroup of its own, limited before it begins, and what became of it.
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/launch.hpp"
#include "base/sys.hpp"
#include "cgm/command.hpp"
#include "cgm/describe.hpp"
#include "cgm/group.hpp"
#include "cgm/kill.hpp"
#include "cgm/limit_options.hpp"
#include "cgm/ns_options.hpp"
#include "cgm/program.hpp"
#include "cgm/verb.hpp"
#include "cgroup/entrance.hpp"
#include "cgroup/stats.hpp"

namespace cgm::cli {

namespace {

constexpr auto kKillSpan = std::chrono::seconds(10);

struct RunOptions {
  LimitOptions limits;
  NamespaceOptions namespaces;
  std::string name, in;
  bool keep = false, stats = false, kill = false, force = false;
  std::vector<std::string> command;
};

/// Parses what stands before and after `--`; an exit status where the command is done.
std::variant<RunOptions, int> parse(Invocation& invocation) {
  RunOptions options;
  Verb verb(
      invocation, "run [OPTIONS] [--] COMMAND [ARGUMENTS]",
      "Runs a program in a new cgroup, with limits that hold before it begins. The cgroup goes away with it.",
      "Exit status: the program's; 128 and the signal's number where a signal ended it; 125 where the cgroup or a\n"
      "limit could not be had, 126 where the program cannot be executed, 127 where there is none.\n\n"
      "Examples:\n  cgm run -m 10M -- make\n  cgm run --cpus 0.5 --pids 50 --stats -- ./job\n"
      "  cgm run --set cpu.shares=512 -- ./job\n  cgm run -m 100M --map-root --all-namespaces -- ./job\n");
  CLI::App& app = verb.app();
  app.prefix_command();
  options.limits.add_to(app);
  auto* name =
      app.add_option("--name", options.name, "the new cgroup's name, below the caller's own")->type_name("CGROUP");
  app.add_option("--in", options.in, "run in this cgroup, which exists and stays")->type_name("CGROUP")->excludes(name);
  app.add_flag("--keep", options.keep, "leave the cgroup there afterwards");
  app.add_flag("--kill", options.kill, "kill what the program has left running");
  app.add_flag("--stats", options.stats, "say at the end what was used, on standard error");
  app.add_flag("--force", options.force, "with --in: set a memory limit below present use all the same, directly");
  options.namespaces.add_to(app, false);
  verb.refuse_empty_values();
  if (auto status = verb.parse()) return *status;
  options.command = verb.rest();
  if (options.command.empty()) return usage_error("run", "no command to run");
  return options;
}

/// The cgroup of the child in the hierarchies that this process sees itself, and those left for the daemon.
struct Ways {
  cgroup::Entrance entrance;
  std::vector<const cgroup::Hierarchy*> others;
  const cgroup::Hierarchy* unified = nullptr;  ///< in the entrance
};

Ways find_ways(const Group& group, const cgroup::Hierarchies& local) {
  Ways ways;
  auto own = sys::read_file_at(AT_FDCWD, "/proc/self/cgroup", 64 << 10);
  for (const cgroup::Hierarchy* hierarchy : group.hierarchies()) {
    auto enter = [&]() -> Result<void> {
      const cgroup::Hierarchy* here = local.find(Group::name_of(*hierarchy));
      if (!here || !own) return fail(ErrorKind::unsupported, "not mounted here");
      return ways.entrance.add(TRY(cgroup::Cgroup::open(*here, TRY(group.path_in(*here, *own)))));
    };
    if (!enter())
      ways.others.push_back(hierarchy);
    else if (hierarchy->is_v2())
      ways.unified = hierarchy;
  }
  return ways;
}

/// Has the session move the waiting child where we may not ourselves.
Result<void> move_child(Session& session, const Group& group, const Ways& ways, const StartedChild& child) {
  if (ways.others.empty()) return {};
  std::string names;
  for (const cgroup::Hierarchy* hierarchy : ways.others)
    names += (names.empty() ? "" : ",") + Group::name_of(*hierarchy);
  api::Request move = group.request(api::Method::move_pid, names);
  move.first = child.pid();
  auto moved = session.call(move);
  if (!moved) return fail(std::move(moved.error()).with("move the program to its cgroup"));
  return {};
}

/// Starts the program in the group; what the kernel does not let us do ourselves the session does for the waiting
/// child, whose id maps are written meanwhile.
Result<StartedChild> start(Session& session, const Group& group, const Launch& program, const ns::UserMaps& maps) {
  cgroup::Hierarchies local = TRY(cgroup::Hierarchies::discover());
  Ways ways = find_ways(group, local);
  auto try_to_start = [&] {
    Launch here = program;
    ways.entrance.add_to(here);
    here.gated = !ways.others.empty() || !maps.empty();
    return launch(here);
  };
  auto child = try_to_start();
  if (!child && ways.unified) {
    ways.entrance.drop_unified();
    ways.others.push_back(ways.unified);
    child = try_to_start();
  }
  if (!child || (ways.others.empty() && maps.empty())) return child;
  auto ready = move_child(session, group, ways, *child);
  if (ready) ready = map_child(*child, maps);
  if (ready) ready = child->release();
  if (ready) return child;
  return fail(child->abandon(std::move(ready.error())));
}

void report_stats(const cgroup::Stats& stats, int64_t wall_ns, bool json) {
  if (json) {
    Json document = to_json(stats);
    document["wall_seconds"] = static_cast<double>(wall_ns) / 1e9;
    std::fprintf(stderr, "%s\n", document.dump(2).c_str());
    return;
  }
  std::fprintf(stderr, "cgm: %s, %.3f s of wall time\n", summary_of(stats).c_str(), static_cast<double>(wall_ns) / 1e9);
}

/// One line where the kernel killed something of it for want of memory.
void report_oom(const cgroup::Stats& stats) {
  if (stats.oom.oom_kill.value_or(0) == 0) return;
  std::fprintf(stderr, "cgm: %s\n", oom_text(stats).c_str());
}

uint64_t killed_so_far(const Group& group) {
  auto stats = cgroup::read_stats(group.files());
  return stats ? stats->oom.oom_kill.value_or(0) : 0;
}

/// Kills, removes, or says what is left.
void clean_up(Session& session, const Group& group, const RunOptions& options) {
  if (!options.in.empty() || options.keep) return;
  auto removed = group.remove();
  if (removed) return;
  if (options.kill) (void)kill_group(session, group, SIGKILL, Deadline::after(kKillSpan));
  auto tasks = group.tasks();
  auto again = [&] {
    // A task that has just ended leaves its cgroup a moment after it was reaped.
    for (int pause_ms = 1; pause_ms <= 512; pause_ms *= 2) {
      ::poll(nullptr, 0, pause_ms);
      if (group.remove()) return true;
    }
    return false;
  };
  if ((!tasks || tasks->empty()) && again()) return;
  bool later =
      !session.is_direct() && session.call(group.request(api::Method::remove_on_empty, group.all_names())).has_value();
  if (later) return;
  complain(
      "cgroup '" + group.path() + "' is left: " +
      (tasks && !tasks->empty() ? std::to_string(tasks->size()) + " tasks still run in it" : removed.error().text()));
}

}  // namespace

int run_run(Invocation& invocation) {
  auto parsed = parse(invocation);
  if (int* status = std::get_if<int>(&parsed)) return *status;
  auto& options = std::get<RunOptions>(parsed);
  auto limits = options.limits.limits();
  auto raw = options.limits.raw();
  auto namespaces = options.namespaces.wanted();
  if (!limits || !raw) return usage_error("run", limits ? raw.error().text() : limits.error().text());
  if (!namespaces && namespaces.error().kind() == ErrorKind::invalid)
    return usage_error("run", namespaces.error().text());
  if (!namespaces) return not_started(namespaces.error());
  invocation.session.force = options.force;
  auto session = open_session(invocation);
  if (!session) return kNotStarted;

  std::vector<std::string> needed = controllers_of(*limits);
  for (const auto& [key, value] : *raw) {
    auto controller = cgroup::controller_of_file(key);
    if (!controller.empty()) needed.emplace_back(controller);
  }
  static const std::vector<std::string> kWanted = {"memory", "cpu", "cpuacct", "pids", "io", "freezer"};
  std::string name = options.name.empty() ? "cgm-run-" + std::to_string(::getpid()) : options.name;
  auto group = options.in.empty() ? Group::create(*session, name, needed, kWanted) : Group::open(*session, options.in);
  if (!group) return not_started(group.error());
  if (auto set = group->set_limits(*limits, *raw, options.force); !set) {
    if (options.in.empty()) (void)group->remove();
    return not_started(set.error());
  }

  SignalRelay relay;
  int64_t began = sys::monotonic_ns();
  // In a cgroup that was there before, what was killed before is not of this run.
  uint64_t killed_before = options.in.empty() ? 0 : killed_so_far(*group);
  Launch program;
  program.argv = options.command;
  program.environment = own_environment();
  program.mask = relay.before();
  namespaces->options.cgroup_late = true;  // rooted at the new cgroup, which the child enters after its clone
  auto added = ns::add_new(program, namespaces->options);
  auto child = added ? start(*session, *group, program, namespaces->maps) : fail(std::move(added.error()));
  if (!child) {
    if (options.in.empty()) (void)group->remove();
    return not_started(ns::explain(std::move(child.error()), namespaces->options.kinds));
  }
  auto executed = child->wait_for_exec();
  int status = relay.attend(*child, namespaces->options.kinds.has(ns::Kind::pid));
  int64_t wall = sys::monotonic_ns() - began;
  auto stats = cgroup::read_stats(group->files());
  clean_up(*session, *group, options);
  if (!executed) return failed_start(executed.error(), options.command.front());
  if (stats) {
    if (stats->oom.oom_kill) *stats->oom.oom_kill -= std::min(*stats->oom.oom_kill, killed_before);
    report_oom(*stats);
    if (options.stats) report_stats(*stats, wall, invocation.json);
  }
  return status;
}

}  // namespace cgm::cli
