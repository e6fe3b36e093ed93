// SPDX-License-Identifier: LGPL-2.1-or-later
// Verbs that make and remove cgroups.
#include <algorithm>

#include "base/number.hpp"
#include "base/sys.hpp"
#include "cgroup/leaf.hpp"
#include "cgroup/tree.hpp"
#include "manager/neighbours.hpp"
#include "manager/quotas.hpp"
#include "manager/resolve.hpp"
#include "manager/verbs.hpp"
#include "manager/watches.hpp"

namespace cgm::manager {

using cgroup::Cgroup;
using cgroup::CgroupPath;

namespace {

constexpr int32_t kExisted = 1;
constexpr int32_t kNew = -1;

/// Enables one controller below `above`, as r where r has the right to, else as ourselves where that moves nobody.
Result<void> enable_for(const Context& context, const Requestor& r, const Cgroup& above,
                        const std::string& controller) {
  TRY_VOID(context.neighbours.check_children(above));
  std::lock_guard moving(context.moving);
  // Above its floor a caller has no rights, whatever the files say of uid 0.
  auto right = TRY(r.floor(above.hierarchy())).contains(above.path())
                   ? may_enable_below(r.subject(), above)
                   : Result<void>(fail(ErrorKind::denied, "above your reach"));
  right = with(std::move(right), name_of(above.hierarchy(), above.path()));
  bool populated = !cgroup::is_true_root(above) && !TRY(above.read("cgroup.procs")).empty();
  uid_t owner = TRY(sys::fstat(above.dir())).st_uid;
  if (populated && owner != 0 && owner != r.subject().uid)
    return fail(ErrorKind::busy, name_of(above.hierarchy(), above.path()) + " is managed by its owner, uid " +
                                     std::to_string(owner) + "; 'cgm nest' run there makes room");
  if (!right && (populated || owner != 0)) return right;
  return enable_below(above, controller);
}

/// Enables what the request asked for in `above`, whose child needs it.
Result<void> enable_for_child(const Context& context, const Requestor& r, const Cgroup& above, const Choice& choice) {
  if (!above.is_v2() || choice.controllers.empty()) return {};
  std::string enabled = TRY(above.read("cgroup.subtree_control"));
  for (const std::string& controller : choice.controllers) {
    if (has_word(enabled, controller)) continue;
    auto done = enable_for(context, r, above, controller);
    if (!done && !choice.best_effort) return with(std::move(done), "enable controller '" + controller + "'");
  }
  return {};
}

/// Removes an empty child and takes it off its owner's account.
Result<void> remove_counted(const Context& context, const Cgroup& parent, std::string_view name) {
  auto before = sys::fstatat(parent.dir(), std::string(name), AT_SYMLINK_NOFOLLOW);
  TRY_VOID(with(cgroup::remove_child(parent, name),
                name_of(parent.hierarchy(), parent.path() / TRY(CgroupPath::from_kernel(name)))));
  if (!before) return {};
  context.watches.removed(parent.hierarchy(), before->st_ino);
  if (before->st_uid != 0) context.quotas.removed(before->st_uid);
  return {};
}

/// What v1 does not make binding on children is copied into the child and stays root's (rule 13).
Result<void> copy_uninherited(const Cgroup& parent, const Cgroup& child) {
  for (const std::string& key : cgroup::uninherited_keys(child)) {
    std::string text = TRY(parent.read(key));
    std::string_view rest = text;
    while (!rest.empty()) TRY_VOID(child.write(key, take_until(rest, '\n')));
  }
  return {};
}

/// Makes a child for r, charged to its account.
Result<Cgroup> make_for(const Context& context, const Requestor& r, const Cgroup& parent, std::string_view name,
                        const Choice& choice) {
  const Subject& subject = r.subject();
  TRY_VOID(judge_directory(subject, parent, kWrite | kSearch));
  TRY_VOID(context.neighbours.check_children(parent));
  size_t depth = parent.path().depth() + 1 - TRY(r.floor(parent.hierarchy())).depth();
  TRY_VOID(context.quotas.charge(subject, depth));
  auto make = [&]() -> Result<Cgroup> {
    Cgroup child = TRY(cgroup::make_child(parent, name));
    // Not before it is there: another worker that removes the last child disables what it sees nobody need.
    auto enabled = enable_for_child(context, r, parent, choice);
    if (!enabled) {
      (void)cgroup::remove_child(parent, name);
      return fail(std::move(enabled.error()));
    }
    return child;
  };
  auto made = make();
  if (!made) {
    if (!subject.host_root) context.quotas.removed(subject.uid);
    return made;
  }
  auto furnish = [&]() -> Result<void> {
    TRY_VOID(copy_uninherited(parent, *made));
    if (subject.uid == 0 && subject.gid == 0) return {};
    TRY_VOID(cgroup::hand_over(*made, subject.uid, subject.gid));
    for (const std::string& key : cgroup::uninherited_keys(*made))
      TRY_VOID(sys::fchownat(made->dir(), key, 0, 0, AT_SYMLINK_NOFOLLOW));
    return {};
  };
  auto furnished = furnish();
  if (!furnished) {
    (void)remove_counted(context, parent, name);
    return fail(std::move(furnished.error()));
  }
  return made;
}

/// Removes the empty cgroups below `cgroup`, depth first, going on after failures; returns the first of them.
Result<void> remove_below(const Context& context, const Requestor& r, const Cgroup& cgroup, size_t levels = kDeepest) {
  if (levels == 0) return too_deep(cgroup);
  Result<void> first;
  auto note = [&](Result<void> outcome) {
    if (!outcome && outcome.error().kind() != ErrorKind::not_found && first) first = std::move(outcome);
  };
  auto names = cgroup.children();
  if (!names) return fail(std::move(names.error()));
  for (const std::string& name : *names) {
    auto child = cgroup.child(name);
    if (!child) continue;
    auto may_remove = judge_directory(r.subject(), cgroup, kWrite | kSearch);
    if (!may_remove) {
      note(std::move(may_remove));
      continue;
    }
    note(remove_below(context, r, *child, levels - 1));
    note(remove_counted(context, cgroup, name));
  }
  return first;
}

/// Undoes in `parent` what nobody needs any more; that the rest cannot be undone is no failure of the removal.
void fold_leaf(const Context& context, const Cgroup& parent) {
  if (!parent.is_v2()) return;
  std::lock_guard moving(context.moving);
  (void)cgroup::dissolve_leaf(parent);
}

/// Watches `cgroup` and what is below it, as far as r may write there. What goes away meanwhile is passed over.
Result<void> watch_below(const Context& context, const Requestor& r, const Cgroup& cgroup, size_t levels = kDeepest) {
  if (levels == 0) return too_deep(cgroup);
  if (!cgroup.path().is_root()) {
    auto watched = context.watches.watch(r.subject(), cgroup);
    // Without a daemon what is empty now has gone, and that is all.
    if (!watched && watched.error().kind() == ErrorKind::unsupported) return {};
    if (!watched && !cgroup::went_away(watched.error())) return watched;
  }
  auto names = cgroup.children();
  if (!names) return {};
  for (const std::string& name : *names) {
    auto child = cgroup.child(name);
    if (child && judge_directory(r.subject(), *child, kWrite)) TRY_VOID(watch_below(context, r, *child, levels - 1));
  }
  return {};
}

}  // namespace

Result<api::Answer> create(const Context& context, const Requestor& r, const Choice& choice,
                           const api::Request& request) {
  CgroupPath below = TRY(CgroupPath::parse(request.cgroup));
  if (below.is_root()) return kNew;
  CgroupPath base = TRY(r.cgroup(*choice.hierarchy));
  if ((base / below).text().size() > CgroupPath::kMaxLength)
    return fail(ErrorKind::invalid, "path is longer than 4095 bytes");
  if (choice.hierarchy->is_v2() && !choice.controllers.empty()) {
    // From the root down to r's own cgroup; further down each cgroup is dealt with before its child is made.
    CgroupPath above;
    for (std::string_view component : base.components()) {
      TRY_VOID(enable_for_child(context, r, TRY(open_for(context.directories, r.subject(), *choice.hierarchy, above)),
                                choice));
      above = above / TRY(CgroupPath::from_kernel(component));
    }
  }
  Cgroup here = TRY(open_for(context.directories, r.subject(), *choice.hierarchy, base));
  std::vector<Cgroup> made_in;  // parents of what was made, and their children's names beside them
  std::vector<std::string> made;
  int32_t existed = kNew;
  auto descend = [&]() -> Result<void> {
    for (std::string_view component : below.components()) {
      TRY_VOID(judge_directory(r.subject(), here, kSearch));
      auto child = here.child(component);
      if (!child && child.error().kind() == ErrorKind::not_found) {
        auto fresh = make_for(context, r, here, component, choice);
        if (fresh) {
          made_in.push_back(std::move(here));
          made.emplace_back(component);
          existed = kNew;
          here = std::move(*fresh);
          continue;
        }
        if (fresh.error().kind() != ErrorKind::exists) return fail(std::move(fresh.error()));
        child = here.child(component);  // somebody was faster
      }
      if (!child) return fail(std::move(child.error()));
      TRY_VOID(judge_directory(r.subject(), *child, kRead));
      TRY_VOID(enable_for_child(context, r, here, choice));
      existed = kExisted;
      here = std::move(*child);
    }
    return {};
  };
  auto descended = descend();
  if (!descended) {
    for (; !made.empty(); made.pop_back(), made_in.pop_back())
      (void)remove_counted(context, made_in.back(), made.back());
    return fail(std::move(descended.error()));
  }
  return existed;
}

Result<api::Answer> remove(const Context& context, const Requestor& r, const Choice& choice,
                           const api::Request& request) {
  CgroupPath path = TRY(below_caller(r, *choice.hierarchy, request.cgroup));
  if (TRY(CgroupPath::parse(request.cgroup)).is_root())
    return fail(ErrorKind::invalid, "your own cgroup cannot be removed");
  auto parent = open_for(context.directories, r.subject(), *choice.hierarchy, path.parent());
  if (!parent && parent.error().kind() == ErrorKind::not_found) return kNew;
  if (!parent) return fail(std::move(parent.error()));
  auto cgroup = parent->child(path.name());
  if (!cgroup && cgroup.error().kind() == ErrorKind::not_found) return kNew;
  if (!cgroup) return fail(std::move(cgroup.error()));
  TRY_VOID(judge_directory(r.subject(), *parent, kWrite | kSearch));
  if (request.first != 0) TRY_VOID(remove_below(context, r, *cgroup));
  TRY_VOID(remove_counted(context, *parent, path.name()));
  fold_leaf(context, *parent);
  return kExisted;
}

Result<api::Answer> prune(const Context& context, const Requestor& r, const Choice& choice,
                          const api::Request& request) {
  CgroupPath path = TRY(below_caller(r, *choice.hierarchy, request.cgroup));
  Cgroup cgroup = TRY(open_for(context.directories, r.subject(), *choice.hierarchy, path, kWrite));
  (void)remove_below(context, r, cgroup);
  if (!TRY(CgroupPath::parse(request.cgroup)).is_root()) {
    auto parent = open_for(context.directories, r.subject(), *choice.hierarchy, path.parent(), kWrite | kSearch);
    if (parent && remove_counted(context, *parent, path.name())) {
      fold_leaf(context, *parent);
      return std::monostate();
    }
  }
  auto watched = watch_below(context, r, cgroup);
  context.watches.save();
  TRY_VOID(std::move(watched));
  return std::monostate();
}

Result<api::Answer> remove_on_empty(const Context& context, const Requestor& r, const Choice& choice,
                                    const api::Request& request) {
  CgroupPath path = TRY(below_caller(r, *choice.hierarchy, request.cgroup));
  TRY_VOID(context.watches.watch(r.subject(),
                                 TRY(open_for(context.directories, r.subject(), *choice.hierarchy, path, kWrite))));
  context.watches.save();
  return std::monostate();
}

Result<void> remove_emptied(const Context& context, const Emptied& emptied) {
  Cgroup parent = TRY(Cgroup::open(*emptied.hierarchy, emptied.path.parent()));
  std::string name(emptied.path.name());
  struct stat now = TRY(sys::fstatat(parent.dir(), name, AT_SYMLINK_NOFOLLOW));
  if (now.st_ino != emptied.inode) return fail(ErrorKind::gone, "it was made anew");
  TRY_VOID(remove_counted(context, parent, name));
  fold_leaf(context, parent);
  return {};
}

}  // namespace cgm::manager
