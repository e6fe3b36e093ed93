// SPDX-License-Identifier: LGPL-2.1-or-later
// cgm ns: its commands, help.
#include "cgm/ns.hpp"

#include <fmt/format.h>
#include <pwd.h>

#include <cstdio>

namespace cgm::cli {

namespace {

constexpr Command kNsCommands[] = {
    {"ns list", "[OPTIONS]", "the namespaces that there are, and what keeps each alive", false, run_ns_list},
    {"ns show", "PID | NAMESPACE", "the namespaces of a process, or the processes of a namespace", false, run_ns_show},
    {"ns same", "PID PID", "what two processes share", false, run_ns_same},
    {"ns new", "[OPTIONS] [--] [COMMAND]", "run a program in new namespaces", false, run_ns_new},
    {"ns enter", "[OPTIONS] TARGET [--] [COMMAND]", "run a program in namespaces that there are", false, run_ns_enter},
    {"ns pin", "[OPTIONS] TARGET NAME", "keep namespaces alive under a name", false, run_ns_pin},
    {"ns unpin", "NAME", "let them go", false, run_ns_unpin},
    {"ns cgroup-view", "[--from PID] PID", "the cgroups of a process as another process sees them", false,
     run_ns_cgroup_view},
};

void print_ns_help() {
  std::fputs("usage: cgm ns COMMAND [ARGUMENTS]\n\nNamespaces: what a process sees of the system.\n\n", stdout);
  for (const Command& command : kNsCommands)
    fmt::print("  {:<32} {}\n", fmt::format("{} {}", command.name, command.arguments), command.summary);
  std::fputs(
      "\nPID is a process. NAMESPACE is a file that is one (/proc/PID/ns/net, a bind mount of it), or what such a "
      "link\n"
      "says: net:[4026531840]. 'cgm ns COMMAND --help' says more of one. See cgm-ns(1).\n",
      stdout);
}

}  // namespace

int run_ns(Invocation& invocation) {
  if (!invocation.arguments.empty()) {
    std::string name = invocation.arguments.front();
    if (name == "--help" || name == "-h") {
      print_ns_help();
      return 0;
    }
    for (const Command& command : kNsCommands) {
      if (command.name.substr(3) != name) continue;
      invocation.command = command.name;
      invocation.arguments.erase(invocation.arguments.begin());
      return command.run(invocation);
    }
    complain("there is no command 'ns " + name + "'");
  }
  std::fputs("usage: cgm ns COMMAND [ARGUMENTS]\n'cgm ns --help' lists the commands\n", stderr);
  return kUsage;
}

std::string user_name(uid_t uid) {
  const passwd* entry = ::getpwuid(uid);  // one thread
  return entry ? entry->pw_name : std::to_string(uid);
}

}  // namespace cgm::cli
