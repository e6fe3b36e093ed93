// SPDX-License-Identifier: LGPL-2.1-or-later
// cgm ns new: a program in new namespaces.
#include <signal.h>

#include "base/sys.hpp"
#include "cgm/ns.hpp"
#include "cgm/ns_options.hpp"
#include "cgm/ns_target.hpp"
#include "cgm/program.hpp"
#include "cgm/verb.hpp"
#include "ns/pin.hpp"

namespace cgm::cli {

namespace {

/// Keeps the child's namespaces, once it is in all of them.
Result<void> pin_child(StartedChild& child, ns::Kinds kinds, const std::string& name) {
  TRY_VOID(child.wait_for_gate());
  auto made = TRY(namespaces_of(std::to_string(child.pid()), kinds));
  return TRY(ns::Pins::make()).add(name, made);
}

/// The program in the place of this process.
int run_in_place(Launch& start, const NamespaceOptions::Wanted& wanted, const std::string& pin) {
  if (!pin.empty()) return not_started(Error(ErrorKind::invalid, "--pin needs a new process"));
  auto ready = ns::unshare_here(start, wanted.options, wanted.maps);
  if (!ready) return not_started(ns::explain(std::move(ready.error()), wanted.options.kinds));
  return failed_start(execute(start), start.argv.front());
}

}  // namespace

int run_ns_new(Invocation& invocation) {
  NamespaceOptions options;
  bool survive = false, no_fork = false;
  std::string pin;
  Verb verb(invocation, "ns new [OPTIONS] [--] [COMMAND [ARGUMENTS]]",
            "Runs a program, or your shell, in new namespaces. It ends when cgm does.",
            "As a plain user, add --map-root: what is new then belongs to a user namespace of your own.\n\n"
            "Exit status: the program's; 128 and the signal's number where a signal ended it; 125 where a namespace\n"
            "could not be had, 126 where the program cannot be executed, 127 where there is none.\n\n"
            "Examples:\n  cgm ns new --pid -- ps aux\n  cgm ns new --map-root --net -- ip link\n"
            "  cgm ns new --all --hostname box\n  cgm ns new --map-root --map-auto --mount -- ./build\n",
            Verb::Asks::kernel);
  CLI::App& app = verb.app();
  app.prefix_command();
  options.add_to(app, true);
  app.add_option("--pin", pin, "keep the namespaces under this name, as 'ns pin' does")->type_name("NAME");
  app.add_flag("-F,--no-fork", no_fork, "the program takes the place of cgm; no new pid namespace then");
  app.add_flag("--survive", survive, "the program lives on when cgm is killed");
  verb.refuse_empty_values();
  if (auto status = verb.parse()) return *status;
  auto wanted = options.wanted();
  if (!wanted && wanted.error().kind() == ErrorKind::invalid) return verb.usage_error(wanted.error().text());
  if (!wanted) return not_started(wanted.error());

  SignalRelay relay;
  Launch start;
  start.argv = verb.rest();
  if (start.argv.empty()) start.argv = shell();
  start.environment = own_environment();
  start.mask = relay.before();
  if (no_fork) return run_in_place(start, *wanted, pin);
  start.gated = !wanted->maps.empty() || !pin.empty();
  if (!survive) start.death_signal = SIGKILL;
  if (auto added = ns::add_new(start, wanted->options); !added) return not_started(added.error());
  auto child = launch(start);
  if (!child) return not_started(ns::explain(std::move(child.error()), wanted->options.kinds));
  if (start.gated) {
    auto ready = map_child(*child, wanted->maps);
    if (ready && !pin.empty()) ready = pin_child(*child, wanted->options.kinds, pin);
    if (ready) ready = child->release();
    if (!ready) return not_started(child->abandon(std::move(ready.error())));
  }
  auto executed = child->wait_for_exec();
  int status = relay.attend(*child, wanted->options.kinds.has(ns::Kind::pid));
  return executed ? status : failed_start(executed.error(), start.argv.front());
}

}  // namespace cgm::cli
