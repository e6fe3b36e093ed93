// SPDX-License-Identifier: LGPL-2.1-or-later
// Controller arguments.
#include "manager/selection.hpp"

#include <algorithm>

#include "base/number.hpp"

namespace cgm::manager {

namespace {

constexpr size_t kMaxArgument = 4096;
constexpr size_t kMaxNames = 64;

std::unexpected<Error> refused(std::string_view argument, std::string_view why) {
  return fail(ErrorKind::invalid, "controller '" + std::string(argument.substr(0, 80)) + "' " + std::string(why));
}

}  // namespace

Result<Selection> select(const cgroup::Hierarchies& hierarchies, std::string_view argument, api::Controllers kind) {
  if (argument.empty()) return refused(argument, "is empty");
  if (argument.size() > kMaxArgument) return refused(argument, "is too long");
  bool single = kind == api::Controllers::single;
  Selection selection;
  if (argument == "all") {
    if (single) return refused(argument, "stands for many where one is needed");
    for (const cgroup::Hierarchy& hierarchy : hierarchies.all())
      if (!hierarchy.controllers().empty())
        selection.choices.push_back(
            {&hierarchy, hierarchy.is_v2() ? hierarchy.controllers() : std::vector<std::string>(), true});
    selection.is_list = true;
    return selection;
  }
  selection.is_list = !single && argument.find(',') != std::string_view::npos;
  std::string_view rest = argument;
  std::vector<std::string_view> seen;
  while (!rest.empty()) {
    std::string_view name = take_until(rest, ',');
    if (name.empty()) return refused(argument, "has an empty name");
    if (seen.size() >= kMaxNames) return refused(argument, "has too many names");
    bool twice = std::find(seen.begin(), seen.end(), name) != seen.end();
    if (twice && single) return refused(argument, "names one twice");
    seen.push_back(name);
    const cgroup::Hierarchy* hierarchy = hierarchies.find(name);
    if (!hierarchy) return refused(name, "is unknown here");
    auto same = std::find_if(selection.choices.begin(), selection.choices.end(),
                             [&](const Choice& c) { return c.hierarchy == hierarchy; });
    if (same == selection.choices.end()) {
      if (single && !selection.choices.empty()) return refused(argument, "names two hierarchies where one is needed");
      same = selection.choices.insert(selection.choices.end(), {hierarchy, {}, false});
    }
    std::string wanted(hierarchy->is_v2() ? cgroup::v2_controller(name) : std::string_view());
    if (!wanted.empty() &&
        std::find(same->controllers.begin(), same->controllers.end(), wanted) == same->controllers.end())
      same->controllers.push_back(std::move(wanted));
  }
  if (selection.choices.empty()) return refused(argument, "has an empty name");
  return selection;
}

}  // namespace cgm::manager
