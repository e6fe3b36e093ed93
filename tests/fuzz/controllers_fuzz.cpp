// SPDX-License-Identifier: LGPL-2.1-or-later
// The controller argument of a request, on a hybrid host.
#include <algorithm>

#include "cgroup/hierarchy.hpp"
#include "fuzz/fuzz.hpp"
#include "manager/selection.hpp"

namespace {

using cgm::api::Controllers;
using cgm::cgroup::FoundHierarchy;
using cgm::cgroup::Hierarchies;
using cgm::cgroup::Version;
using cgm::manager::Choice;
using cgm::test::promise;

Hierarchies hybrid() {
  std::vector<cgm::cgroup::Hierarchy> all;
  auto add = [&](Version version, std::vector<std::string> controllers) {
    FoundHierarchy found;
    found.version = version;
    found.controllers = std::move(controllers);
    all.emplace_back(std::move(found), cgm::Fd());
  };
  add(Version::v1, {"cpu", "cpuacct"});
  add(Version::v1, {"freezer"});
  add(Version::v1, {"name=systemd"});
  add(Version::v2, {"memory", "pids"});
  return Hierarchies(std::move(all));
}

void is_consistent(const Choice& choice, bool all) {
  promise(choice.hierarchy, "a choice has a hierarchy");
  promise(choice.hierarchy->is_v2() || choice.controllers.empty(), "v1 controllers are not enabled one by one");
  promise(choice.best_effort == all, "only 'all' is content with what is to be had");
  for (size_t i = 0; i < choice.controllers.size(); i++) {
    promise(choice.hierarchy->has(choice.controllers[i]), "what is asked for is there");
    promise(std::count(choice.controllers.begin(), choice.controllers.end(), choice.controllers[i]) == 1,
            "a controller is asked for once");
  }
}

}  // namespace

FUZZ(text) {
  static const Hierarchies hierarchies = hybrid();
  auto one = cgm::manager::select(hierarchies, text, Controllers::single);
  auto several = cgm::manager::select(hierarchies, text, Controllers::list);
  if (one) {
    promise(one->choices.size() == 1 && !one->is_list, "single is one choice");
    promise(several && several->choices.size() == 1 && several->choices[0].hierarchy == one->choices[0].hierarchy,
            "what is one is one in a list too");
    is_consistent(one->choices[0], false);
  }
  if (!several) return;
  promise(!several->choices.empty() && several->choices.size() <= hierarchies.all().size(), "choices are bounded");
  promise(several->is_list == (text == "all" || text.find(',') != text.npos), "a comma or 'all' makes a list");
  for (const Choice& choice : several->choices) {
    is_consistent(choice, text == "all");
    promise(std::count_if(several->choices.begin(), several->choices.end(),
                          [&](const Choice& other) { return other.hierarchy == choice.hierarchy; }) == 1,
            "each hierarchy is chosen at most once");
  }
}
