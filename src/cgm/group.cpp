// SPDX-License-Identifier: LGPL-2.1-or-later
// Groups.
#include "cgm/group.hpp"

#include <fcntl.h>

#include <algorithm>

#include "base/sys.hpp"
#include "cgroup/apply.hpp"
#include "cgroup/cgroup.hpp"

namespace cgm::cli {

bool Group::is_in(const cgroup::Hierarchy& hierarchy) const {
  return std::find(in_.begin(), in_.end(), &hierarchy) != in_.end();
}

std::string Group::name_of(const cgroup::Hierarchy& hierarchy) {
  return hierarchy.controllers().empty() ? "unified" : hierarchy.controllers().front();
}

api::Request Group::request(api::Method method, std::string controller) const {
  api::Request request;
  request.method = method;
  request.controller = std::move(controller);
  request.cgroup = path_;
  return request;
}

Result<void> Group::make(const std::string& controller) {
  const cgroup::Hierarchy* hierarchy = all_->find(controller);
  if (!hierarchy) return fail(ErrorKind::unsupported, "controller '" + controller + "' is not to be had on this host");
  int32_t existed = TRY(session_->ask<int32_t>(request(api::Method::create, controller)));
  if (is_in(*hierarchy)) return {};
  if (existed == 1)
    return fail(ErrorKind::exists, "cgroup '" + path_ + "' of " + hierarchy->label() + " exists already");
  in_.push_back(hierarchy);
  return {};
}

Result<Group> Group::create(Session& session, std::string path, std::span<const std::string> needed,
                            std::span<const std::string> wanted) {
  Group group(session, std::move(path), *TRY(session.hierarchies()));
  for (const std::string& controller : needed) {
    auto made = group.make(controller);
    if (made) continue;
    (void)group.remove();
    return fail(std::move(made.error()));
  }
  for (const std::string& controller : wanted) {
    const cgroup::Hierarchy* hierarchy = group.all_->find(controller);
    if (!hierarchy || group.is_in(*hierarchy)) continue;
    // As a list of one, which passes in silence over what we may not have.
    auto existed = session.ask<int32_t>(group.request(api::Method::create, controller + ","));
    bool made = existed && *existed == -1 && session.call(group.request(api::Method::list_keys, controller));
    if (made) group.in_.push_back(hierarchy);
  }
  if (group.in_.empty()) {
    // Asked for one alone, the manager says why not.
    auto made = group.make(wanted.front());
    if (!made) return fail(std::move(made.error()));
  }
  return group;
}

Result<Group> Group::open(Session& session, std::string path) {
  const cgroup::Hierarchies& all = *TRY(session.hierarchies());
  Group group(session, std::move(path), all);
  Result<void> first;
  for (const cgroup::Hierarchy& hierarchy : all.all()) {
    auto keys = session.call(group.request(api::Method::list_keys, name_of(hierarchy)));
    if (keys)
      group.in_.push_back(&hierarchy);
    else if (first)
      first = fail(std::move(keys.error()));
  }
  if (group.in_.empty())
    return fail(ErrorKind::not_found,
                "there is no cgroup '" + group.path_ + "' here: " + (first ? "no hierarchy" : first.error().text()));
  return group;
}

std::string Group::all_names() const {
  std::string names;
  for (const cgroup::Hierarchy* hierarchy : in_) names += name_of(*hierarchy) + ",";
  return names;
}

Result<void> Group::set_limits(const cgroup::Limits& limits, std::span<const std::pair<std::string, std::string>> raw,
                               bool force) const {
  cgroup::Files ours = files();
  auto writes = TRY(cgroup::plan(limits, ours));
  TRY_VOID(cgroup::apply_writes(ours, writes, {.force = force}));
  for (const auto& [key, value] : raw) {
    std::string controller(cgroup::controller_of_file(key));
    api::Request set = request(api::Method::set_value, controller.empty() ? name_of(*in_.front()) : controller);
    set.key = key;
    set.value = value;
    TRY_VOID(session_->call(set));
  }
  return {};
}

Result<cgroup::CgroupPath> Group::path_in(const cgroup::Hierarchy& hierarchy, std::string_view cgroups) const {
  cgroup::CgroupPath above;
  if (!path_.starts_with('/')) above = TRY(manager::cgroup_in(cgroups, hierarchy));
  return above / TRY(cgroup::CgroupPath::parse(path_));
}

Result<std::vector<int32_t>> Group::tasks() const {
  return session_->ask<std::vector<int32_t>>(request(api::Method::get_tasks_recursive, all_names()));
}

Result<void> Group::remove() const {
  Result<void> outcome;
  for (const cgroup::Hierarchy* hierarchy : in_) {
    api::Request removal = request(api::Method::remove, name_of(*hierarchy));
    removal.first = 1;
    auto removed = session_->call(removal);
    if (!removed && outcome) outcome = fail(std::move(removed.error()));
  }
  return outcome;
}

Result<std::vector<cgroup::Cgroup>> Group::places() const {
  std::string own = TRY(sys::read_file_at(AT_FDCWD, "/proc/self/cgroup", 64 << 10));
  std::vector<cgroup::Cgroup> places;
  for (const cgroup::Hierarchy* hierarchy : in_) {
    auto place = cgroup::Cgroup::open(*hierarchy, TRY(path_in(*hierarchy, own)));
    if (place)
      places.push_back(std::move(*place));
    else if (place.error().kind() != ErrorKind::not_found)
      return fail(std::move(place.error()));
  }
  return places;
}

cgroup::Files Group::files() const {
  // Our own rights are the kernel's to judge: without a daemon nothing has to be asked again for each file.
  if (session_->is_direct() && opened_.empty())
    if (auto places = this->places()) opened_ = std::move(*places);
  if (!opened_.empty()) return cgroup::kernel_files(*all_, opened_);
  auto find = [this](std::string_view controller) -> const cgroup::Hierarchy* {
    const cgroup::Hierarchy* hierarchy = all_->find(controller);
    return hierarchy && is_in(*hierarchy) ? hierarchy : nullptr;
  };
  auto missing = [](std::string_view controller) {
    return fail(ErrorKind::unsupported, "the cgroup is in no hierarchy of " + std::string(controller));
  };
  return {.version = [find](std::string_view controller) -> std::optional<cgroup::Version> {
            const cgroup::Hierarchy* hierarchy = find(controller);
            if (!hierarchy) return std::nullopt;
            return hierarchy->version();
          },
          .read = [this, find, missing](std::string_view controller, std::string_view file) -> Result<std::string> {
            const cgroup::Hierarchy* hierarchy = find(controller);
            if (!hierarchy) return missing(controller);
            // The classic interface has one error for all: that a file is not there is seen from the list of keys.
            if (!has_file(*hierarchy, file))
              return fail(ErrorKind::not_found, "there is no '" + std::string(file) + "'");
            api::Request get = request(api::Method::get_value, name_of(*hierarchy));
            get.key = file;
            return session_->ask<std::string>(get);
          },
          .write = [this, find, missing](std::string_view controller, std::string_view file,
                                         std::string_view value) -> Result<void> {
            const cgroup::Hierarchy* hierarchy = find(controller);
            if (!hierarchy) return missing(controller);
            if (!has_file(*hierarchy, file))
              return fail(ErrorKind::not_found, "there is no '" + std::string(file) + "'");
            api::Request set = request(api::Method::set_value, name_of(*hierarchy));
            set.key = file;
            set.value = value;
            TRY_VOID(session_->call(set));
            return {};
          }};
}

bool Group::has_file(const cgroup::Hierarchy& hierarchy, std::string_view file) const {
  auto known = keys_.find(&hierarchy);
  if (known == keys_.end()) {
    std::set<std::string, std::less<>> names;
    auto keys = session_->ask<std::vector<api::Key>>(request(api::Method::list_keys, name_of(hierarchy)));
    if (keys)
      for (api::Key& key : *keys) names.insert(std::move(key.name));
    known = keys_.emplace(&hierarchy, std::move(names)).first;
  }
  return known->second.contains(file);
}

}  // namespace cgm::cli
