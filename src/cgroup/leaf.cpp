// SPDX-License-Identifier: LGPL-2.1-or-later
// The leaf rule.
#include "cgroup/leaf.hpp"

#include <sys/xattr.h>

#include <algorithm>

#include "base/number.hpp"
#include "base/path.hpp"
#include "base/sys.hpp"
#include "cgroup/tasks.hpp"

namespace cgm::cgroup {

namespace {

// A loop of read and write empties a cgroup under 23 000 forks a second in 5 passes.
constexpr int kEmptyingPasses = 200;

bool lists(std::string_view words, std::string_view word) {
  while (!words.empty())
    if (take_until(words, ' ') == word) return true;
  return false;
}

Result<void> mark(const Cgroup& leaf) {
  Fd dir = TRY(sys::openat(leaf.dir(), ".", O_RDONLY | O_DIRECTORY));
  auto marked = sys::fsetxattr(dir.get(), kLeafMark, "1");
  if (marked) return {};
  return sys::fsetxattr(dir.get(), kLeafMarkUser, "1");
}

bool is_marked(const Cgroup& leaf) {
  auto dir = sys::openat(leaf.dir(), ".", O_RDONLY | O_DIRECTORY);
  if (!dir) return false;
  if (sys::fgetxattr(dir->get(), kLeafMark)) return true;
  auto st = sys::fstat(dir->get());
  return st && st->st_uid == ::geteuid() && sys::fgetxattr(dir->get(), kLeafMarkUser).has_value();
}

Result<Cgroup> make_leaf(const Cgroup& cgroup) {
  std::string name(kLeafName);
  TRY_VOID(sys::mkdirat(cgroup.dir(), name, 0755));
  Cgroup leaf = TRY(cgroup.child(name));
  auto finish = [&]() -> Result<void> {
    TRY_VOID(mark(leaf));
    struct stat owner = TRY(sys::fstat(cgroup.dir()));
    if (owner.st_uid == ::geteuid() && owner.st_gid == ::getegid()) return {};
    for (const char* file : {"cgroup.procs", "cgroup.threads"})
      TRY_VOID(sys::fchownat(leaf.dir(), file, owner.st_uid, owner.st_gid, AT_SYMLINK_NOFOLLOW));
    return {};
  };
  auto finished = finish();
  if (!finished) {
    (void)sys::unlinkat(cgroup.dir(), name, AT_REMOVEDIR);
    return fail(std::move(finished.error()));
  }
  return leaf;
}

Result<void> check_domain(const Cgroup& cgroup) {
  auto type = cgroup.read("cgroup.type");
  if (type && *type != "domain")
    return fail(ErrorKind::busy, shown(cgroup) + " is '" + *type + "': it can hold no leaf for its tasks");
  return {};
}

/// Moves every task of `from` to `to`, pass by pass until it reads empty.
Result<void> empty_into(const Cgroup& from, const Cgroup& to) {
  Fd procs = TRY(to.open_file("cgroup.procs", O_WRONLY));
  for (int pass = 0; pass < kEmptyingPasses; pass++) {
    std::vector<pid_t> ids = TRY(parse_ids(TRY(from.read("cgroup.procs"))));
    if (ids.empty()) return {};
    for (pid_t id : ids) {
      // Written back, 0 would move ourselves.
      if (id == 0)
        return fail(ErrorKind::busy,
                    shown(from) + " holds a task of another pid namespace, which cannot be moved to a leaf");
      auto moved = sys::write(procs.get(), std::to_string(id), "cgroup.procs");
      if (!moved && moved.error().code() != ESRCH) {
        if (moved.error().code() == EINVAL)
          return fail(ErrorKind::busy, shown(from) + " holds kernel thread " + std::to_string(id));
        return fail(std::move(moved.error()).with("move task " + std::to_string(id) + " of " + shown(from)));
      }
    }
  }
  return fail(ErrorKind::busy, shown(from) + " gets new tasks faster than they can be moved");
}

}  // namespace

bool is_true_root(const Cgroup& cgroup) {
  return cgroup.path().is_root() && !cgroup.has_file("cgroup.type");
}

Result<Cgroup> open_leaf(const Cgroup& cgroup) {
  auto dir = sys::openat(cgroup.dir(), std::string(kLeafName), O_PATH | O_DIRECTORY | O_NOFOLLOW);
  if (!dir) return fail(std::move(dir.error()));
  Cgroup leaf(cgroup.hierarchy(), cgroup.path() / TRY(CgroupPath::from_kernel(kLeafName)), std::move(*dir));
  if (!is_marked(leaf)) return fail(ErrorKind::denied, shown(cgroup) + " has a '.cgm_leaf' that is not ours");
  return leaf;
}

Result<Cgroup> home_of_tasks(const Cgroup& cgroup) {
  auto itself = [&]() -> Result<Cgroup> {
    return Cgroup(cgroup.hierarchy(), cgroup.path(), TRY(sys::dup(cgroup.dir())));
  };
  if (!cgroup.is_v2() || is_true_root(cgroup)) return itself();
  auto leaf = open_leaf(cgroup);
  if (leaf || leaf.error().kind() != ErrorKind::not_found) return leaf;
  if (TRY(cgroup.read("cgroup.subtree_control")).empty()) return itself();
  TRY_VOID(check_domain(cgroup));
  auto made = make_leaf(cgroup);
  // Somebody, another worker of ours for one, was faster.
  if (!made && made.error().kind() == ErrorKind::exists) return open_leaf(cgroup);
  return made;
}

Result<void> enable_controller(const Cgroup& cgroup, std::string_view controller) {
  if (lists(TRY(cgroup.read("cgroup.subtree_control")), controller)) return {};
  if (!lists(TRY(cgroup.read("cgroup.controllers")), controller))
    return fail(ErrorKind::unsupported,
                "controller '" + std::string(controller) + "' is not available in " + shown(cgroup));
  if (!is_true_root(cgroup)) {
    TRY_VOID(check_domain(cgroup));
    if (!TRY(cgroup.read("cgroup.procs")).empty()) {
      auto leaf = open_leaf(cgroup);
      if (!leaf && leaf.error().kind() == ErrorKind::not_found) leaf = make_leaf(cgroup);
      if (!leaf && leaf.error().kind() == ErrorKind::exists) leaf = open_leaf(cgroup);
      if (!leaf) return fail(std::move(leaf.error()));
      auto emptied = empty_into(cgroup, *leaf);
      if (!emptied) {
        (void)remove_leaf(cgroup);
        return emptied;
      }
    }
  }
  auto enabled = cgroup.write("cgroup.subtree_control", "+" + std::string(controller));
  if (!enabled) {
    Error error = std::move(enabled.error()).with(shown(cgroup));
    (void)remove_leaf(cgroup);
    return fail(std::move(error));
  }
  return {};
}

Result<void> remove_leaf(const Cgroup& cgroup) {
  auto leaf = open_leaf(cgroup);
  if (!leaf) {
    if (leaf.error().kind() == ErrorKind::not_found) return {};
    return fail(std::move(leaf.error()));
  }
  if (TRY(cgroup.read("cgroup.subtree_control")).empty()) TRY_VOID(empty_into(*leaf, cgroup));
  return sys::unlinkat(cgroup.dir(), std::string(kLeafName), AT_REMOVEDIR);
}

}  // namespace cgm::cgroup
