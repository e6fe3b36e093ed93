// SPDX-License-Identifier: LGPL-2.1-or-later
// Freezing by the key freezer.state, which the manager translates for v2.
#include "cgm/freezer.hpp"

#include <algorithm>

namespace cgm::cli {

namespace {

constexpr const char* kController = "freezer";
constexpr const char* kFrozen = "FROZEN";
constexpr const char* kThawed = "THAWED";

Result<std::string> value_of(Session& session, api::Request request, const char* key) {
  request.method = api::Method::get_value;
  request.key = key;
  return session.ask<std::string>(request);
}

/// What the cgroup itself is set to, whatever its ancestors are.
Result<bool> is_set_frozen(Session& session, const api::Request& request) {
  auto text = value_of(session, request, "freezer.self_freezing");
  if (!text) return fail(std::move(text.error()));
  return *text == "1";
}

Result<void> set_state(Session& session, api::Request request, const char* state) {
  request.method = api::Method::set_value;
  request.key = "freezer.state";
  request.value = state;
  TRY_VOID(session.call(request));
  return {};
}

/// Thaws what is below; what cannot be asked, gone for one, has nothing to thaw.
Result<void> thaw_below(Session& session, const api::Request& above) {
  Result<void> outcome;
  api::Request list = above;
  list.method = api::Method::list_children;
  auto children = session.ask<std::vector<std::string>>(list);
  if (!children) return {};
  for (const std::string& name : *children) {
    api::Request child = above;
    child.cgroup += "/" + name;
    auto set = is_set_frozen(session, child);
    auto thawed = set && *set ? set_state(session, child, kThawed) : Result<void>();
    if (!thawed && outcome) outcome = std::move(thawed);
    auto below = thaw_below(session, child);
    if (!below && outcome) outcome = std::move(below);
  }
  return outcome;
}

}  // namespace

Result<bool> has_freezer(Session& session, const Group& group) {
  const cgroup::Hierarchy* freezer = TRY(session.hierarchies())->find(kController);
  return std::find(group.hierarchies().begin(), group.hierarchies().end(), freezer) != group.hierarchies().end();
}

Result<void> set_frozen(Session& session, const Group& group, bool frozen, Deadline deadline) {
  const char* state = frozen ? kFrozen : kThawed;
  api::Request request = group.request(api::Method::get_value, kController);
  bool before = TRY(is_set_frozen(session, request));
  TRY_VOID(set_state(session, request, state));
  Backoff backoff(deadline);
  for (;;) {
    auto now = value_of(session, request, "freezer.state");
    if (!now) return fail(std::move(now.error()));
    if (*now == state) return {};
    if (!backoff.pause()) {
      (void)set_state(session, request, before ? kFrozen : kThawed);
      return fail(ErrorKind::timeout, "cgroup '" + group.path() + "' did not become " + state + " in time");
    }
    // A v1 freezer gives up on a task that it met at a bad time; told again, it tries again.
    TRY_VOID(set_state(session, request, state));
  }
}

Result<bool> is_frozen(Session& session, const Group& group) {
  auto state = value_of(session, group.request(api::Method::get_value, kController), "freezer.state");
  if (!state) return fail(std::move(state.error()));
  return *state == kFrozen;
}

Result<void> thaw_all(Session& session, const Group& group, Deadline deadline) {
  auto thawed = set_frozen(session, group, false, deadline);
  auto below = thaw_below(session, group.request(api::Method::list_children, kController));
  return thawed ? below : thawed;
}

}  // namespace cgm::cli
