// SPDX-License-Identifier: LGPL-2.1-or-later
// cgm ns enter: a program in namespaces that there are.
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "base/number.hpp"
#include "base/sys.hpp"
#include "cgm/ns.hpp"
#include "cgm/ns_options.hpp"
#include "cgm/ns_target.hpp"
#include "cgm/program.hpp"
#include "cgm/verb.hpp"
#include "ns/enter.hpp"
#include "ns/new.hpp"

namespace cgm::cli {

namespace {

using ns::Kind;
using ns::Namespace;

struct Options {
  std::string target;
  std::map<Kind, std::string> kinds;  ///< `true`, or a file
  bool all = false, preserve = false, clear_environment = false;
  std::string root, directory, directory_inside, setuid, setgid;
  std::vector<std::string> environment;
  std::vector<std::string> command;
};

/// The namespaces to enter: those asked for, without those that we are in.
Result<std::vector<Namespace>> find_namespaces(Target& target, const Options& options, const ns::Membership& own) {
  std::vector<Namespace> found;
  auto add = [&](Namespace one) {
    if (one.inode() != own.of(one.kind())) found.push_back(std::move(one));
  };
  bool every = options.all || std::none_of(options.kinds.begin(), options.kinds.end(),
                                           [](const auto& one) { return one.second == "true"; });
  for (const ns::KindInfo& kind : ns::kKinds) {
    auto wish = options.kinds.find(kind.kind);
    bool wished = wish != options.kinds.end();
    if (wished && wish->second != "true") {
      Namespace one = TRY(Namespace::open(AT_FDCWD, wish->second));
      if (one.kind() != kind.kind)
        return fail(ErrorKind::invalid, "'" + wish->second + "' is a " + std::string(ns::info(one.kind()).name) +
                                            " namespace, no " + std::string(kind.name) + " namespace");
      add(std::move(one));
    } else if (target.process && (wished || every)) {
      auto one = target.process->member.open(kind.kind);
      if (one)
        add(std::move(*one));
      else if (wished || one.error().kind() != ErrorKind::unsupported)
        return fail(std::move(one.error()));
    } else if (wished && std::none_of(target.namespaces.begin(), target.namespaces.end(),
                                      [&](const Namespace& one) { return one.kind() == kind.kind; })) {
      return fail(ErrorKind::invalid,
                  "--" + std::string(kind.name) + ": the target has no " + std::string(kind.name) + " namespace");
    }
  }
  for (Namespace& one : target.namespaces) {
    auto wish = options.kinds.find(one.kind());
    bool named = wish != options.kinds.end() && wish->second == "true";
    // A pin has several, of which some may be named; a file for a kind goes before the pin's.
    if (every ? wish == options.kinds.end() : named) add(std::move(one));
  }
  return found;
}

Result<Fd> open_directory(const Target& target, const std::string& wish, const char* link) {
  if (wish != "true") return sys::openat(AT_FDCWD, wish, O_PATH | O_DIRECTORY);
  if (!target.process) return fail(ErrorKind::invalid, "a directory of the target's own needs a process as the target");
  return sys::openat(target.process->process.dir(), link, O_PATH | O_DIRECTORY);
}

Result<std::optional<uint32_t>> parse_id(const std::string& text, const char* option) {
  if (text.empty()) return std::nullopt;
  auto id = parse_number<uint32_t>(text);
  if (!id || *id == UINT32_MAX) return fail(ErrorKind::invalid, std::string(option) + ": '" + text + "' is no id");
  return id;
}

/// What the program does before it is executed, in the namespaces.
Result<std::vector<ChildStep>> steps_of(const Options& options, bool into_user, const Fd& root, const Fd& directory) {
  std::vector<ChildStep> steps;
  if (root) steps.push_back({"chroot", [fd = root.get()] { return ::fchdir(fd) == 0 && ::chroot(".") == 0; }});
  if (directory) steps.push_back({"fchdir", [fd = directory.get()] { return ::fchdir(fd) == 0; }});
  if (!options.directory_inside.empty())
    steps.push_back({"chdir \"" + options.directory_inside + "\"",
                     [path = options.directory_inside] { return ::chdir(path.c_str()) == 0; }});
  auto uid = TRY(parse_id(options.setuid, "--setuid"));
  auto gid = TRY(parse_id(options.setgid, "--setgid"));
  if (into_user && !options.preserve) {
    // Our ids mean nothing inside: root, as far as there is one.
    if (!gid) gid = 0;
    if (!uid) uid = 0;
  }
  ns::add_ids(steps, uid, gid, false);
  return steps;
}

std::vector<std::string> environment_of(const Options& options) {
  std::vector<std::string> words = options.clear_environment ? std::vector<std::string>() : own_environment();
  for (const std::string& entry : options.environment) {
    std::string key = entry.substr(0, entry.find('=') + 1);
    std::erase_if(words, [&](const std::string& word) { return word.starts_with(key); });
    words.push_back(entry);
  }
  return words;
}

/// Executes the program here or, where only children are in a namespace entered, in a child. Returns its status.
int run_program(const Launch& program, bool fork, const SignalRelay& relay) {
  if (!fork) return failed_start(execute(program), program.argv.front());
  auto child = launch(program);
  if (!child) return not_started(child.error());
  auto executed = child->wait_for_exec();
  int status = relay.attend(*child);
  return executed ? status : failed_start(executed.error(), program.argv.front());
}

int enter_and_run(const Options& options, const Verb& verb) {
  auto refused = [&](const Error& error) {
    return error.kind() == ErrorKind::invalid ? verb.usage_error(error.text()) : not_started(error);
  };
  auto proc = ProcFs::open();
  if (!proc) return refused(proc.error());
  auto target = find_target(options.target, *proc);
  if (!target) return refused(target.error());
  auto own = own_namespaces(*proc);
  if (!own) return refused(own.error());
  auto namespaces = find_namespaces(*target, options, *own);
  if (!namespaces) return refused(namespaces.error());
  ns::Kinds kinds;
  for (const Namespace& one : *namespaces) kinds.add(one.kind());

  Fd root, directory;
  for (auto [wish, link, fd] : {std::tuple(&options.root, "root", &root), {&options.directory, "cwd", &directory}}) {
    if (wish->empty()) continue;
    auto opened = open_directory(*target, *wish, link);
    if (!opened) return refused(opened.error());
    *fd = std::move(*opened);
  }
  SignalRelay relay;
  Launch program;
  program.argv = options.command;
  program.environment = environment_of(options);
  program.mask = relay.before();
  program.death_signal = SIGKILL;
  auto steps = steps_of(options, kinds.has(Kind::user), root, directory);
  if (!steps) return refused(steps.error());
  program.after_gate = std::move(*steps);
  // Nobody inside may look at our memory or descriptors on the way (CVE-2016-9962); exec ends that.
  ::prctl(PR_SET_DUMPABLE, 0);
  // By the pidfd go the namespaces of the process alone, not one of a file in their place.
  bool from_files =
      std::any_of(options.kinds.begin(), options.kinds.end(), [](const auto& one) { return one.second != "true"; });
  auto entered = ns::enter(*namespaces, target->process && !from_files ? target->process->process.pidfd() : -1);
  if (!entered) return not_started(entered.error());
  return run_program(program, kinds.has(Kind::pid), relay);
}

}  // namespace

int run_ns_enter(Invocation& invocation) {
  Options options;
  Verb verb(
      invocation, "ns enter [OPTIONS] TARGET [--] [COMMAND [ARGUMENTS]]",
      "Runs a program, or your shell, in the namespaces of a process, or in one that a file stands for.",
      "TARGET is a pid, a pin, a path (/proc/PID/ns/net, a bind mount of it), or fd:NUMBER, an open pidfd or "
      "namespace.\n"
      "Of a process all namespaces are entered, or those that are named. In another user namespace the program is\n"
      "its root, unless told otherwise.\n\n"
      "Exit status: the program's; 125 where a namespace cannot be entered, 126 where the program cannot be\n"
      "executed, 127 where there is none.\n\n"
      "Examples:\n  cgm ns enter 4711\n  cgm ns enter 4711 --net -- ss -ltn\n"
      "  cgm ns enter /run/netns/blue -- ip address\n",
      Verb::Asks::kernel);
  CLI::App& app = verb.app();
  app.prefix_command();
  std::map<Kind, std::string> wishes;
  for (const ns::KindInfo& kind : ns::kKinds)
    app.add_flag(option_of(kind.kind, true), wishes[kind.kind],
                 "its " + std::string(kind.name) + " namespace; with =FILE, that of a file")
        ->group("Namespaces");
  app.add_flag("-a,--all", options.all, "all of a process, beside those of files (the default)")->group("Namespaces");
  app.add_flag("-r,--root", options.root, "with the target's root directory; with =DIR, with that one");
  app.add_flag("-w,--wd", options.directory, "in the target's working directory; with =DIR, in that one");
  app.add_option("-W,--wd-inside", options.directory_inside, "in this directory of the namespace")->type_name("DIR");
  app.add_option("-S,--setuid", options.setuid, "with this user id")->type_name("UID");
  app.add_option("-G,--setgid", options.setgid, "with this group id, and no further groups")->type_name("GID");
  app.add_flag("--preserve-credentials", options.preserve, "keep the ids in another user namespace");
  app.add_option("-e,--env", options.environment, "set a variable of the environment")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false)
      ->check([](const std::string& text) {
        size_t at = text.find('=');
        return at != std::string::npos && at > 0 ? "" : "'" + text + "' is no KEY=VALUE";
      });
  app.add_flag("--clear-env", options.clear_environment, "begin with an empty environment");
  app.add_option("target", options.target, "where to go")->type_name("TARGET")->required();
  verb.refuse_empty_values();
  if (auto status = verb.parse()) return *status;
  for (auto& [kind, wish] : wishes)
    if (!wish.empty()) options.kinds[kind] = wish;
  options.command = verb.rest();
  if (options.command.empty()) options.command = shell();
  return enter_and_run(options, verb);
}

}  // namespace cgm::cli
