// SPDX-License-Identifier: LGPL-2.1-or-later
// cgm ns pin and unpin: namespaces kept by mounts.
#include "ns/pin.hpp"

#include "base/process.hpp"
#include "cgm/ns.hpp"
#include "cgm/ns_target.hpp"
#include "cgm/verb.hpp"

namespace cgm::cli {

int run_ns_pin(Invocation& invocation) {
  std::string target, name, kinds = "all";
  Verb verb(invocation, "ns pin [OPTIONS] TARGET NAME",
            "Keeps the namespaces of a process alive under a name, after its processes have ended too.",
            "TARGET is a pid, a path of a namespace, or fd:NUMBER. Of a process those are kept that are not your own.\n"
            "Pins are mounts below /run/cgmanager/ns, or below $XDG_RUNTIME_DIR/cgmanager/ns for who is not root.\n\n"
            "Examples:\n  cgm ns pin 4711 box\n  cgm ns enter box\n  cgm ns unpin box\n",
            Verb::Asks::kernel);
  verb.app().add_option("-k,--kind", kinds, "these kinds alone")->type_name("KINDS");
  verb.app().add_option("target", target, "what is kept")->type_name("TARGET")->required();
  verb.app().add_option("name", name, "the pin's name")->type_name("NAME")->required();
  if (auto status = verb.parse()) return *status;
  auto wanted = ns::Kinds::parse(kinds);
  if (!wanted) return verb.usage_error(wanted.error().text());
  auto found = namespaces_of(target, *wanted);
  if (!found) return failed(found.error());
  if (found->empty())
    return failed(Error(ErrorKind::invalid, "'" + target + "' has no namespace that is not your own"));
  auto pins = ns::Pins::make();
  auto added = pins ? pins->add(name, *found) : fail(std::move(pins.error()));
  return added ? 0 : failed(added.error());
}

int run_ns_unpin(Invocation& invocation) {
  std::string name;
  Verb verb(invocation, "ns unpin [OPTIONS] NAME", "Lets the namespaces of a pin go; those without processes end.",
            "Examples:\n  cgm ns unpin box\n", Verb::Asks::kernel);
  verb.app().add_option("name", name, "the pin's name")->type_name("NAME")->required();
  if (auto status = verb.parse()) return *status;
  auto pins = ns::Pins::open();
  auto removed = pins ? pins->remove(name) : fail(std::move(pins.error()));
  return removed ? 0 : failed(removed.error());
}

}  // namespace cgm::cli
