// SPDX-License-Identifier: LGPL-2.1-or-later
// Freezing and thawing.
#include "cgroup/freeze.hpp"

#include "cgroup/events_file.hpp"
#include "cgroup/tasks.hpp"

namespace cgm::cgroup {

namespace {

/// The file that sets the state, and what is written to it.
struct Setting {
  std::string_view file;
  std::string_view frozen;
  std::string_view thawed;
};

constexpr Setting kV1 = {"freezer.state", "FROZEN", "THAWED"};
constexpr Setting kV2 = {"cgroup.freeze", "1", "0"};

const Setting& setting_of(const Cgroup& cgroup) {
  return cgroup.is_v2() ? kV2 : kV1;
}

Result<void> check_freezer(const Cgroup& cgroup) {
  if (has_freezer(cgroup)) return {};
  // A removed cgroup has no files either.
  if (!cgroup.has_file("cgroup.procs")) return fail(ErrorKind::gone, shown(cgroup) + " is gone");
  return fail(ErrorKind::unsupported, shown(cgroup) + " of " + cgroup.hierarchy().label() + " has no freezer");
}

Result<FreezerState> read_v1_state(const Cgroup& cgroup) {
  std::string text = TRY(cgroup.read(kV1.file));
  auto state = parse_freezer_state(text);
  if (!state) return fail(ErrorKind::protocol, "freezer.state reads '" + text.substr(0, 20) + "'");
  return *state;
}

Result<bool> read_flag(const Cgroup& cgroup, std::string_view file) {
  auto text = cgroup.read(file);
  if (!text) return fail(std::move(text.error()));
  return *text == "1";
}

/// The nearest ancestor of a v2 cgroup that is set frozen; nothing where none is, as far as we can see upwards.
std::optional<CgroupPath> frozen_ancestor(const Cgroup& cgroup) {
  for (CgroupPath path = cgroup.path(); !path.is_root();) {
    path = path.parent();
    auto above = Cgroup::open(cgroup.hierarchy(), path);
    if (!above) continue;
    auto set = read_flag(*above, kV2.file);
    if (set && *set) return path;
  }
  return std::nullopt;
}

Result<void> check_ancestors(const Cgroup& cgroup) {
  if (!cgroup.is_v2()) {
    if (TRY(read_flag(cgroup, "freezer.parent_freezing")))
      return fail(ErrorKind::busy, "an ancestor of " + shown(cgroup) + " is frozen");
    return {};
  }
  auto above = frozen_ancestor(cgroup);
  if (above) return fail(ErrorKind::busy, shown(cgroup) + " is below '" + above->absolute() + "', which is frozen");
  return {};
}

std::unexpected<Error> timed_out(const Cgroup& cgroup, bool frozen) {
  return fail(ErrorKind::timeout, shown(cgroup) + (frozen ? " did not freeze in time: a task of it cannot be stopped"
                                                          : " did not thaw in time"));
}

/// v1 announces nothing: read, and say it again, which reaches tasks that were missed.
Result<void> settle_v1(const Cgroup& cgroup, bool frozen, Deadline deadline) {
  Backoff backoff(deadline);
  for (;;) {
    TRY_VOID(set_frozen(cgroup, frozen));
    if (TRY(read_v1_state(cgroup)) == (frozen ? FreezerState::frozen : FreezerState::thawed)) return {};
    if (!backoff.pause()) return timed_out(cgroup, frozen);
  }
}

Result<void> settle_v2(const Cgroup& cgroup, bool frozen, Deadline deadline) {
  EventsFile events = TRY(EventsFile::open(cgroup));
  TRY_VOID(set_frozen(cgroup, frozen));
  while (TRY(events.read()).frozen != frozen)
    if (!TRY(events.wait(deadline))) return timed_out(cgroup, frozen);
  return {};
}

Result<void> settle(const Cgroup& cgroup, bool frozen, Deadline deadline) {
  bool before = TRY(is_set_frozen(cgroup));
  auto settled = cgroup.is_v2() ? settle_v2(cgroup, frozen, deadline) : settle_v1(cgroup, frozen, deadline);
  if (!settled && before != frozen) (void)set_frozen(cgroup, before);
  return settled;
}

}  // namespace

std::optional<FreezerState> parse_freezer_state(std::string_view text) {
  if (text == "THAWED") return FreezerState::thawed;
  if (text == "FREEZING") return FreezerState::freezing;
  if (text == "FROZEN") return FreezerState::frozen;
  return std::nullopt;
}

bool has_freezer(const Cgroup& cgroup) {
  return cgroup.has_file(setting_of(cgroup).file);
}

Result<bool> is_frozen(const Cgroup& cgroup) {
  if (cgroup.path().is_root() && (cgroup.is_v2() || cgroup.hierarchy().has("freezer")) && !has_freezer(cgroup))
    return false;
  TRY_VOID(check_freezer(cgroup));
  if (!cgroup.is_v2()) return TRY(read_v1_state(cgroup)) == FreezerState::frozen;
  return TRY(TRY(EventsFile::open(cgroup)).read()).frozen;
}

Result<bool> is_set_frozen(const Cgroup& cgroup) {
  TRY_VOID(check_freezer(cgroup));
  return read_flag(cgroup, cgroup.is_v2() ? kV2.file : "freezer.self_freezing");
}

Result<void> set_frozen(const Cgroup& cgroup, bool frozen) {
  const Setting& setting = setting_of(cgroup);
  return cgroup.write(setting.file, frozen ? setting.frozen : setting.thawed);
}

Result<void> freeze(const Cgroup& cgroup, Deadline deadline) {
  TRY_VOID(check_freezer(cgroup));
  if (TRY(contains_self(cgroup))) return fail(ErrorKind::invalid, shown(cgroup) + " holds this very process");
  return settle(cgroup, true, deadline);
}

Result<void> thaw(const Cgroup& cgroup, Deadline deadline) {
  TRY_VOID(check_freezer(cgroup));
  TRY_VOID(check_ancestors(cgroup));
  return settle(cgroup, false, deadline);
}

}  // namespace cgm::cgroup
