// SPDX-License-Identifier: LGPL-2.1-or-later
// One walk over /proc, then a look at each namespace found.
#include "ns/survey.hpp"

#include <algorithm>

#include "base/number.hpp"
#include "base/sys.hpp"
#include "ns/member.hpp"

namespace cgm::ns {

namespace {

using Key = std::pair<Kind, uint64_t>;

class Surveyor final {
 public:
  Surveyor(const ProcFs& proc, const SurveyOptions& options) : proc_(proc), options_(options) {}

  Result<Survey> run() {
    Fd list = TRY(sys::openat(proc_.fd(), ".", O_RDONLY | O_DIRECTORY));
    // Mount namespaces are needed for their mounts, user namespaces as owners; they are dropped again at the end.
    walked_ = options_.kinds;
    walked_.add(Kind::mount);
    walked_.add(Kind::user);
    std::vector<sys::DirEntry> entries = TRY(sys::list_dir(list.get()));
    std::vector<pid_t> pids;
    pids.reserve(entries.size());
    for (const sys::DirEntry& entry : entries)
      if (auto pid = parse_number<pid_t>(entry.name)) pids.push_back(*pid);
    std::sort(pids.begin(), pids.end());
    if (auto own = sys::readlinkat(proc_.fd(), "self/ns/mnt")) own_mounts_ = parse_link(*own, Kind::mount).value_or(0);
    for (pid_t pid : pids) look_at_process(pid);
    std::vector<Key> alive;
    alive.reserve(found_.size());
    for (const auto& [key, entry] : found_) alive.push_back(key);
    for (const Key& key : alive) look_at_namespace(key);
    return finish();
  }

 private:
  Entry& entry_of(Kind kind, uint64_t inode) {
    Entry& entry = found_[{kind, inode}];
    entry.kind = kind;
    entry.inode = inode;
    return entry;
  }

  void look_at_process(pid_t pid) {
    auto member = Member::open(proc_, pid);
    if (!member) return;
    if (options_.user) {
      auto uid = member->uid();
      if (!uid || *uid != *options_.user) return;
    }
    auto in = member->membership(walked_);
    if (!in) {
      if (in.error().kind() == ErrorKind::denied) unseen_++;
      return;
    }
    for (const KindInfo& kind : kKinds)
      if (uint64_t inode = in->of(kind.kind)) entry_of(kind.kind, inode).members.push_back(pid);
    if (!options_.thorough) return;
    (void)member->each_held([&](int fd, const Namespace& held) {
      Entry& entry = entry_of(held.kind(), held.inode());
      entry.descriptors.push_back({pid, fd});
      ask(entry, held);
    });
    for (Kind kind : {Kind::pid, Kind::time}) {
      auto next = member->open_for_children(kind);
      if (!next || next->inode() == in->of(kind)) continue;
      Entry& entry = entry_of(kind, next->inode());
      entry.waiting_for_children.push_back(pid);
      ask(entry, *next);
    }
  }

  /// Leader, owner and pins of a namespace, through the first member that is still in it.
  void look_at_namespace(const Key& key) {
    Entry& entry = found_[key];
    Kinds kind = Kinds::only(key.first);
    for (pid_t pid : entry.members) {
      auto member = Member::open(proc_, pid);
      auto in = member ? member->membership(kind) : fail(std::move(member.error()));
      if (!in || in->of(key.first) != key.second) continue;
      auto uid = member->uid();
      auto command = member->command(options_.command_limit);
      auto stat = member->stat();
      if (!uid || !command || !stat) continue;
      entry.leader = Leader{pid, stat->ppid, *uid, std::move(*command)};
      if (auto opened = member->open(key.first); opened && opened->inode() == key.second) ask(entry, *opened);
      if (key.first != Kind::mount) return;
      auto mounts = member->mountinfo();
      if (!mounts) return;
      for (PinMount& pin : pins_in(*mounts)) look_at_pin(pin, key.second == own_mounts_);
      return;
    }
    // All have gone meanwhile.
    entry.members.clear();
  }

  void look_at_pin(const PinMount& pin, bool is_ours) {
    Entry& entry = entry_of(pin.link.kind, pin.link.inode);
    entry.mounts.push_back(pin.path);
    // Paths of other mount namespaces are theirs: not followed.
    if (!is_ours || !entry.members.empty()) return;
    auto opened = Namespace::open(AT_FDCWD, pin.path);
    if (opened && opened->kind() == entry.kind && opened->inode() == entry.inode) ask(entry, *opened);
  }

  /// Who owns it, and its ancestors, which live as long as it does.
  void ask(Entry& entry, const Namespace& opened) {
    if (entry.kind == Kind::user) {
      if (auto uid = opened.owner_uid()) entry.owner_uid = *uid;
    }
    auto link_to = [&](std::optional<Namespace> other, uint64_t Entry::* where) {
      if (!other) return;
      entry.*where = other->inode();
      bool known = found_.contains({other->kind(), other->inode()});
      Entry& above = entry_of(other->kind(), other->inode());
      above.has_child = true;
      if (!known) ask(above, *other);
    };
    if (entry.kind == Kind::user || entry.kind == Kind::pid) link_to(opened.parent(), &Entry::parent);
    if (entry.kind == Kind::user)
      entry.owner = entry.parent;
    else
      link_to(opened.owner(), &Entry::owner);
  }

  Survey finish() {
    Survey survey;
    survey.unseen = unseen_;
    for (auto& [key, entry] : found_) {
      bool kept = !entry.members.empty() || !entry.mounts.empty() || !entry.descriptors.empty() ||
                  !entry.waiting_for_children.empty() || entry.has_child;
      if (!kept || !options_.kinds.has(entry.kind)) continue;
      std::sort(entry.mounts.begin(), entry.mounts.end());
      entry.mounts.erase(std::unique(entry.mounts.begin(), entry.mounts.end()), entry.mounts.end());
      survey.entries.push_back(std::move(entry));
    }
    return survey;
  }

  const ProcFs& proc_;
  const SurveyOptions& options_;
  Kinds walked_;
  std::map<Key, Entry> found_;
  uint64_t own_mounts_ = 0;
  size_t unseen_ = 0;
};

}  // namespace

std::vector<PinMount> pins_in(std::string_view mountinfo) {
  std::vector<PinMount> found;
  while (!mountinfo.empty()) {
    std::string_view line = take_until(mountinfo, '\n');
    // Most mounts are something else, and are not taken apart.
    if (line.find(" - nsfs ") == std::string_view::npos) continue;
    auto mounts = procfs::parse_mountinfo(line);
    if (!mounts || mounts->size() != 1) continue;
    if (auto link = parse_link(mounts->front().root)) found.push_back({*link, mounts->front().mount_point});
  }
  return found;
}

Result<Survey> survey(const ProcFs& proc, const SurveyOptions& options) {
  return Surveyor(proc, options).run();
}

}  // namespace cgm::ns
