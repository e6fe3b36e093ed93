// SPDX-License-Identifier: LGPL-2.1-or-later
// cgm: global options, the table of commands, help.
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "cgm/command.hpp"

namespace cgm::cli {

namespace {

constexpr Command kCommands[] = {
    {"run", "[OPTIONS] [--] COMMAND [ARGUMENTS]", "run a program in a cgroup of its own, with limits", false, run_run},
    {"limit", "[OPTIONS] CGROUP", "show or change the limits of a cgroup", false, run_limit},
    {"stat", "[CGROUP]", "what a cgroup uses", false, run_stat},
    {"tree", "[CGROUP]", "the cgroups below one, with limits and use", false, run_tree},
    {"freeze", "CGROUP", "stop all tasks of a cgroup", false, run_freeze},
    {"thaw", "CGROUP", "let them go on", false, run_thaw},
    {"kill", "[OPTIONS] CGROUP", "end all processes of a cgroup", false, run_kill},
    {"wait", "CGROUP", "wait until a cgroup has no task", false, run_wait},
    {"ns", "COMMAND [ARGUMENTS]", "namespaces: list, show, make, enter", false, run_ns},
    {"controllers", "", "the hierarchies, where each is mounted, and who may use it", false, run_controllers},
    {"doctor", "", "what works here, what does not, and the cure", false, run_doctor},
    {"ping", "", "ask whether the daemon is there", true, run_classic},
    {"create", "CONTROLLER CGROUP", "make a cgroup", true, run_classic},
    {"chown", "CONTROLLER CGROUP UID GID", "give a cgroup to a user, who then makes and fills children", true,
     run_classic},
    {"chmod", "CONTROLLER CGROUP MODE", "change the mode of a cgroup's directory", true, run_classic},
    {"chmodfile", "CONTROLLER CGROUP FILE MODE", "change the mode of one of its files", true, run_classic},
    {"remove", "CONTROLLER CGROUP [0|1]", "remove a cgroup and what is below it (0: only itself)", true, run_classic},
    {"getpidcgroup", "CONTROLLER PID", "the cgroup of a process, from your own", true, run_classic},
    {"getpidcgroupabs", "CONTROLLER PID", "the cgroup of a process, from the root", true, run_classic},
    {"movepid", "CONTROLLER CGROUP PID", "move a process to a cgroup", true, run_classic},
    {"movepidabs", "CONTROLLER CGROUP PID", "move a process to a cgroup, counted from the root", true, run_classic},
    {"getvalue", "CONTROLLER CGROUP FILE", "read a file of a cgroup", true, run_classic},
    {"setvalue", "CONTROLLER CGROUP FILE VALUE", "write a file of a cgroup", true, run_classic},
    {"gettasks", "CONTROLLER [CGROUP]", "the tasks in a cgroup", true, run_classic},
    {"gettasksrecursive", "CONTROLLER [CGROUP]", "the tasks in a cgroup and below", true, run_classic},
    {"listchildren", "CONTROLLER [CGROUP]", "the cgroups in a cgroup", true, run_classic},
    {"removeonempty", "CONTROLLER CGROUP", "remove a cgroup once its last task has gone", true, run_classic},
    {"prune", "CONTROLLER [CGROUP]", "remove what is empty below a cgroup, and the rest once it is", true, run_classic},
    {"listcontrollers", "", "the hierarchies of this host", true, run_classic},
    {"listkeys", "CONTROLLER [CGROUP]", "the files of a cgroup with owner and mode", true, run_classic},
    {"apiversion", "", "the version of the daemon's interface", true, run_classic},
};

constexpr const char* kUsageLine = "usage: cgm [--socket PATH | --direct] [--json] [-v] COMMAND [ARGUMENTS]\n";

int short_usage() {
  std::fputs(kUsageLine, stderr);
  std::fputs("'cgm --help' lists the commands\n", stderr);
  return kUsage;
}

void print_help() {
  std::FILE* out = stdout;
  std::fputs(kUsageLine, out);
  std::fputs("\n", out);
  for (bool classic : {false, true}) {
    bool any = false;
    for (const Command& command : kCommands) {
      if (command.classic != classic) continue;
      if (!std::exchange(any, true) && classic) std::fputs("\nThe classic commands, one call each:\n", out);
      std::string left = std::string(command.name) + " " + std::string(command.arguments);
      std::fprintf(out, "  %-40s %s\n", left.c_str(), std::string(command.summary).c_str());
    }
  }
  std::fputs(
      "\nCONTROLLER is a v1 or v2 controller, a comma list, or 'all' where several make sense.\n"
      "CGROUP counts from your own cgroup; '' is that itself.\n\n"
      "  --socket PATH   ask the daemon there (else $CGM_SOCKET, else the usual sockets)\n"
      "  --direct        work on the cgroup files with your own rights, without a daemon\n"
      "  --json          print data as JSON\n"
      "  -v, --verbose   say whether a daemon is asked, and which\n"
      "  --version, --help\n\n"
      "'cgm COMMAND --help' says more of one. See cgm(1).\n",
      out);
}

}  // namespace

std::span<const Command> commands() {
  return kCommands;
}

const Command* find_command(std::string_view name) {
  for (const Command& command : kCommands)
    if (command.name == name) return &command;
  return nullptr;
}

void complain(std::string_view text) {
  std::fprintf(stderr, "cgm: %.*s\n", static_cast<int>(text.size()), text.data());
}

int usage_error(std::string_view command, std::string_view why) {
  const Command* found = find_command(command);
  complain(std::string(command) + ": " + std::string(why));
  if (found)
    std::fprintf(stderr, "usage: cgm %s %s\n", std::string(command).c_str(), std::string(found->arguments).c_str());
  return kUsage;
}

int failed(const Error& error) {
  complain(error.text());
  return kFailed;
}

std::unique_ptr<Session> open_session(const Invocation& invocation) {
  auto session = Session::open(invocation.session);
  if (session) return std::move(*session);
  std::fprintf(stderr, "Failed opening dbus connection: %s: %s\n", Session::open_error_name(session.error()).c_str(),
               session.error().text().c_str());
  return nullptr;
}

int run_main(int argc, char** argv) {
  Invocation invocation;
  int at = 1;
  for (; at < argc && argv[at][0] == '-'; at++) {
    std::string_view option = argv[at];
    if (option == "--help" || option == "-h") {
      print_help();
      return 0;
    }
    if (option == "--version") {
      std::puts("cgm " CGM_VERSION);
      return 0;
    }
    if (option == "--direct") {
      invocation.session.direct = true;
    } else if (option == "--json") {
      invocation.json = true;
    } else if (option == "-v" || option == "--verbose") {
      invocation.session.verbose = true;
    } else if (option == "--socket" && at + 1 < argc) {
      invocation.session.socket = argv[++at];
    } else if (option.starts_with("--socket=")) {
      invocation.session.socket = option.substr(9);
    } else {
      complain("unknown option '" + std::string(option) + "'");
      return short_usage();
    }
  }
  if (at == argc) {
    return short_usage();
  }
  invocation.command = argv[at];
  const Command* command = find_command(invocation.command);
  if (!command) {
    std::fprintf(stderr, "Unknown command: %s\n", argv[at]);
    return short_usage();
  }
  invocation.arguments.assign(argv + at + 1, argv + argc);
  if (command->classic) {
    if (invocation.arguments.size() == 1 && (invocation.arguments[0] == "--help" || invocation.arguments[0] == "-h")) {
      std::printf("usage: cgm %s %s\n\n%s\n", argv[at], std::string(command->arguments).c_str(),
                  std::string(command->summary).c_str());
      return 0;
    }
    if (!invocation.arguments.empty() && invocation.arguments[0] == "--json") {
      invocation.json = true;
      invocation.arguments.erase(invocation.arguments.begin());
    }
  }
  return command->run(invocation);
}

}  // namespace cgm::cli

int main(int argc, char** argv) {
  int status = cgm::cli::run_main(argc, argv);
  // What could not be written was not told.
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
  std::fprintf(stderr, "cgm: standard output: %s\n", std::strerror(errno));
  return status == 0 ? cgm::cli::kFailed : status;
}
