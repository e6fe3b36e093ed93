// SPDX-License-Identifier: LGPL-2.1-or-later
// Verbs that change values, owners and modes.
#include "base/number.hpp"
#include "base/sys.hpp"
#include "cgroup/leaf.hpp"
#include "cgroup/tree.hpp"
#include "manager/neighbours.hpp"
#include "manager/quotas.hpp"
#include "manager/resolve.hpp"
#include "manager/values.hpp"
#include "manager/verbs.hpp"

#include <algorithm>

namespace cgm::manager {

using cgroup::Cgroup;
using cgroup::CgroupPath;

namespace {

/// What host root sets where v1 does not make it binding on children is written to those too (rule 13).
Result<void> follow_down(const Cgroup& cgroup, std::string_view key, std::string_view value, size_t levels = kDeepest) {
  if (levels == 0) return too_deep(cgroup);
  for (const std::string& name : TRY(cgroup.children())) {
    auto child = cgroup.child(name);
    if (!child) continue;
    TRY_VOID(child->write(key, value));
    TRY_VOID(follow_down(*child, key, value, levels - 1));
  }
  return {};
}

/// `+memory -pids` as the leaf rule wants it: tasks go to the leaf before a controller is enabled.
Result<void> set_subtree_control(const Cgroup& cgroup, std::string_view value) {
  std::string_view rest = trim(value);
  while (!rest.empty()) {
    std::string_view word = take_until(rest, ' ');
    if (word.empty()) continue;
    if (word.front() == '+')
      TRY_VOID(enable_below(cgroup, word.substr(1)));
    else
      TRY_VOID(cgroup.write("cgroup.subtree_control", word));
  }
  return {};
}

Result<uid_t> checked_id(int32_t id, const char* what) {
  if (id < -1) return fail(ErrorKind::invalid, std::string(what) + " " + std::to_string(id) + " is no id");
  return static_cast<uid_t>(id);  // -1 is "unchanged" to chown(2) too
}

}  // namespace

Result<api::Answer> set_value(const Context& context, const Requestor& r, const Choice& choice,
                              const api::Request& request) {
  const std::string& key = request.key;
  if (is_never_written(key)) return fail(ErrorKind::denied, "'" + key + "' is not written for a client");
  // Rule 9: device rules of v2 are an account's own; a lesser root has none apart from host root's.
  bool own_rules = choice.hierarchy->is_v2() && is_device_key(key) && !r.subject().is_lesser_root();
  if (is_host_root_key(key) && !r.subject().host_root && !own_rules)
    return fail(ErrorKind::denied, "'" + key + "' is only written for root of the host");
  CgroupPath path = TRY(readable_path(r, *choice.hierarchy, request.cgroup));
  if (r.is_bound_at(*choice.hierarchy, path) && !is_delegated_key(key))
    return fail(ErrorKind::denied, "the limits of your own cgroup are not yours to set");
  Cgroup cgroup = TRY(open_for(context.directories, r.subject(), *choice.hierarchy, path, kRead));
  if (cgroup.is_v2() && key == "cgroup.subtree_control") {
    TRY_VOID(context.neighbours.check_children(cgroup));
    TRY_VOID(with(may_enable_below(r.subject(), cgroup), name_of(cgroup.hierarchy(), cgroup.path())));
    std::lock_guard moving(context.moving);
    TRY_VOID(set_subtree_control(cgroup, request.value));
    return std::monostate();
  }
  TRY_VOID(context.neighbours.check_limits(cgroup));
  std::vector<std::string> uninherited = cgroup::uninherited_keys(cgroup);
  for (const cgroup::Write& write : TRY(write_value(r.subject(), cgroup, key, request.value, {.force = context.force})))
    if (std::find(uninherited.begin(), uninherited.end(), write.file) != uninherited.end())
      TRY_VOID(follow_down(cgroup, write.file, write.value));
  return std::monostate();
}

Result<api::Answer> chown(const Context& context, const Requestor& r, const Choice& choice,
                          const api::Request& request) {
  uid_t uid = TRY(checked_id(request.first, "uid"));
  gid_t gid = TRY(checked_id(request.second, "gid"));
  CgroupPath path = TRY(below_caller(r, *choice.hierarchy, request.cgroup));
  if (r.subject().uid != 0) return fail(ErrorKind::denied, "only root gives a cgroup away");
  if (r.is_bound_at(*choice.hierarchy, path))
    return fail(ErrorKind::denied, "your own cgroup is not yours to give away");
  Cgroup cgroup = TRY(open_for(context.directories, r.subject(), *choice.hierarchy, path, kRead | kWrite));
  uid_t before = TRY(sys::fstat(cgroup.dir())).st_uid;
  TRY_VOID(cgroup::delegate(cgroup, uid, gid));
  if (uid != static_cast<uid_t>(-1)) context.quotas.given(before, uid);
  return std::monostate();
}

Result<api::Answer> chmod(const Context& context, const Requestor& r, const Choice& choice,
                          const api::Request& request) {
  if (request.first < 0 || request.first > 0777)
    return fail(ErrorKind::invalid, "mode " + std::to_string(request.first) + " is outside 0 to 0777");
  if (!request.key.empty() && (!cgroup::is_key(request.key) || request.key.find('\\') != std::string::npos))
    return fail(ErrorKind::invalid, "'" + request.key.substr(0, 64) + "' is no file name of a cgroup");
  CgroupPath path = TRY(below_caller(r, *choice.hierarchy, request.cgroup));
  // Who may not set a limit does not open it to others either, whose uid he may take.
  if (r.is_bound_at(*choice.hierarchy, path) && !request.key.empty() && !is_delegated_key(request.key))
    return fail(ErrorKind::denied, "the limits of your own cgroup are not yours to open");
  Cgroup cgroup = TRY(open_for(context.directories, r.subject(), *choice.hierarchy, path));
  Fd object = request.key.empty() ? TRY(sys::dup(cgroup.dir()))
                                  : TRY(sys::openat(cgroup.dir(), request.key, O_PATH | O_NOFOLLOW));
  struct stat st = TRY(sys::fstat(object.get()));
  if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
    return fail(ErrorKind::invalid, "'" + request.key + "' is no file of a cgroup");
  if (!request.key.empty() && !S_ISREG(st.st_mode))
    return fail(ErrorKind::invalid, "'" + request.key + "' is no file of a cgroup");
  if (!may_chmod(r.subject(), Object::of(st)))
    return fail(ErrorKind::denied, name_of(*choice.hierarchy, cgroup.path()) + ": only the owner changes the mode");
  // fchmod(2) refuses an O_PATH descriptor; its /proc link is the same object.
  TRY_VOID(
      sys::fchmodat(AT_FDCWD, "/proc/self/fd/" + std::to_string(object.get()), static_cast<mode_t>(request.first)));
  return std::monostate();
}

}  // namespace cgm::manager
