// SPDX-License-Identifier: LGPL-2.1-or-later
// cgm kill: ends all processes of a cgroup, and says who is left.
#include "cgm/kill.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "base/number.hpp"
#include "base/printable.hpp"
#include "base/sys.hpp"
#include "cgm/freezer.hpp"
#include "cgm/json.hpp"
#include "cgm/verb.hpp"

namespace cgm::cli {

namespace {

constexpr size_t kMostShown = 10;

struct SignalName {
  std::string_view name;
  int number;
};
constexpr std::array kSignals = {
    SignalName{"HUP", SIGHUP},       SignalName{"INT", SIGINT},   SignalName{"QUIT", SIGQUIT},
    SignalName{"ILL", SIGILL},       SignalName{"TRAP", SIGTRAP}, SignalName{"ABRT", SIGABRT},
    SignalName{"BUS", SIGBUS},       SignalName{"FPE", SIGFPE},   SignalName{"KILL", SIGKILL},
    SignalName{"USR1", SIGUSR1},     SignalName{"SEGV", SIGSEGV}, SignalName{"USR2", SIGUSR2},
    SignalName{"PIPE", SIGPIPE},     SignalName{"ALRM", SIGALRM}, SignalName{"TERM", SIGTERM},
    SignalName{"CHLD", SIGCHLD},     SignalName{"CONT", SIGCONT}, SignalName{"STOP", SIGSTOP},
    SignalName{"TSTP", SIGTSTP},     SignalName{"TTIN", SIGTTIN}, SignalName{"TTOU", SIGTTOU},
    SignalName{"URG", SIGURG},       SignalName{"XCPU", SIGXCPU}, SignalName{"XFSZ", SIGXFSZ},
    SignalName{"VTALRM", SIGVTALRM}, SignalName{"PROF", SIGPROF}, SignalName{"WINCH", SIGWINCH},
    SignalName{"IO", SIGIO},         SignalName{"PWR", SIGPWR},   SignalName{"SYS", SIGSYS},
};
constexpr int kLastSignal = 64;

/// `TERM`, `SIGTERM`, `term` or `15`.
std::optional<int> parse_signal(std::string_view text) {
  if (auto number = parse_number<int>(text)) {
    if (*number < 1 || *number > kLastSignal) return std::nullopt;
    return number;
  }
  std::string name(text);
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::toupper(c); });
  std::string_view bare = name;
  if (bare.starts_with("SIG")) bare.remove_prefix(3);
  for (const SignalName& signal : kSignals)
    if (signal.name == bare) return signal.number;
  return std::nullopt;
}

cgroup::KillTarget target_through(Session& session, const Group& group) {
  cgroup::KillTarget target;
  target.list = [&]() -> Result<std::vector<pid_t>> {
    auto tasks = group.tasks();
    // Removed by somebody meanwhile, it holds none.
    if (!tasks && !Group::open(session, group.path())) return std::vector<pid_t>();
    return tasks;
  };
  auto freezer = has_freezer(session, group);
  if (!freezer || !*freezer) return target;
  target.freeze = [&](Deadline deadline) -> Result<void> {
    // By an ancestor, for one, whom our setting would outlast.
    auto frozen = is_frozen(session, group);
    if (frozen && *frozen) return {};
    return set_frozen(session, group, true, deadline);
  };
  target.thaw = [&](Deadline deadline) { return thaw_all(session, group, deadline); };
  return target;
}

Json to_json(const cgroup::KillOutcome& outcome) {
  Json left = Json::array();
  for (const cgroup::LeftProcess& one : outcome.left)
    left.push_back({{"pid", one.pid}, {"command", one.command}, {"why", one.why}});
  return {{"left", std::move(left)}, {"unseen", outcome.unseen}};
}

}  // namespace

Result<cgroup::KillOutcome> kill_group(Session& session, const Group& group, int signal, Deadline deadline) {
  if (!session.is_direct()) return cgroup::kill(target_through(session, group), signal, deadline);
  std::vector<cgroup::Cgroup> places = TRY(group.places());
  return cgroup::kill(cgroup::direct_target(places), signal, deadline);
}

std::vector<std::string> describe_left(const cgroup::KillOutcome& outcome) {
  std::vector<std::string> lines;
  for (const cgroup::LeftProcess& one : outcome.left) {
    if (lines.size() == kMostShown) {
      lines.push_back(fmt::format("and {} more processes", outcome.left.size() - kMostShown));
      break;
    }
    std::string command = one.command.empty() ? "" : " (" + printable(one.command) + ")";
    lines.push_back(fmt::format("process {}{} {}", one.pid, command, one.why));
  }
  if (outcome.unseen) lines.emplace_back("processes of another pid namespace are left");
  return lines;
}

int run_kill(Invocation& invocation) {
  std::string path, name = "KILL";
  double seconds = 10;
  Verb verb(
      invocation, "kill [OPTIONS] CGROUP",
      "Ends all processes of a cgroup and those below it, also those that come meanwhile, and waits until none is "
      "left.\nOnly processes that the caller may signal are; what was frozen is thawed.",
      "Exit status 1 where a process is left; each is named, and why.\n\n"
      "Examples:\n  cgm kill job\n  cgm kill --signal TERM --timeout 30 job || cgm kill job\n");
  verb.app().add_option("--signal", name, "the signal, by name or number (KILL)")->type_name("SIGNAL");
  verb.app()
      .add_option("--timeout", seconds, "how long to wait for the end of all (10)")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.0, 1e6));
  verb.app().add_option("cgroup", path, "the cgroup, counted from the caller's own")->type_name("CGROUP")->required();
  if (auto status = verb.parse()) return *status;
  auto signal = parse_signal(name);
  if (!signal) return usage_error("kill", "there is no signal '" + name + "'");
  auto parsed = cgroup::CgroupPath::parse(path);
  if (parsed && parsed->is_root()) return usage_error("kill", "'" + path + "' is one's own cgroup; name one below it");
  auto session = open_session(invocation);
  if (!session) return kFailed;
  auto group = Group::open(*session, path);
  if (!group) return failed(group.error());
  auto outcome = kill_group(*session, *group, *signal, Deadline::after(to_span(seconds)));
  if (!outcome) return failed(std::move(outcome.error()).with("cgroup '" + path + "'"));
  if (invocation.json) print_json(to_json(*outcome));
  for (const std::string& line : describe_left(*outcome)) complain("cgroup '" + path + "': " + line);
  return outcome->is_empty() ? 0 : kFailed;
}

}  // namespace cgm::cli
