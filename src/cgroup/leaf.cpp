// SPDX-License-Identifier: LGPL-2.1-or-later
// The leaf rule.
#include "cgroup/leaf.hpp"

#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/deadline.hpp"
#include "base/number.hpp"
#include "base/sys.hpp"
#include "cgroup/emptying.hpp"
#include "cgroup/note.hpp"

namespace cgm::cgroup {

namespace {

constexpr std::string_view kLeafNote = "leaf";
// How often emptying and enabling begin again because a task joined, or another of us worked on the same cgroup.
constexpr int kAttempts = 16;
// Between making a leaf and marking it, as between enabling a controller too early and taking it back, lie two system
// calls of another of us, and whatever else that thread has to wait for.
constexpr auto kOthersTake = std::chrono::milliseconds(500);

std::string enabled_note(std::string_view controller) {
  return "enabled." + std::string(controller);
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty())
    if (std::string_view word = take_until(text, ' '); !word.empty()) words.emplace_back(word);
  return words;
}

Result<Cgroup> open_unmarked(const Cgroup& cgroup) {
  Fd dir = TRY(sys::openat(cgroup.dir(), std::string(kLeafName), O_PATH | O_DIRECTORY | O_NOFOLLOW));
  return Cgroup(cgroup.hierarchy(), cgroup.path() / TRY(CgroupPath::from_kernel(kLeafName)), std::move(dir));
}

Result<Cgroup> make_leaf(const Cgroup& cgroup) {
  std::string name(kLeafName);
  TRY_VOID(sys::mkdirat(cgroup.dir(), name, 0755));
  Cgroup leaf = TRY(open_unmarked(cgroup));
  auto finish = [&]() -> Result<void> {
    TRY_VOID(set_note(leaf, kLeafNote, "1", NoteFor::everyone));
    struct stat owner = TRY(sys::fstat(cgroup.dir()));
    if (owner.st_uid == ::geteuid() && owner.st_gid == ::getegid()) return {};
    for (const char* file : {"cgroup.procs", "cgroup.threads"})
      TRY_VOID(sys::fchownat(leaf.dir(), file, owner.st_uid, owner.st_gid, AT_SYMLINK_NOFOLLOW));
    return {};
  };
  auto finished = finish();
  if (!finished) {
    (void)sys::unlinkat(cgroup.dir(), name, AT_REMOVEDIR);
    return fail(std::move(finished.error()).with("make the leaf of " + shown(cgroup)));
  }
  return leaf;
}

/// True where the leaf without a mark is somebody else's: what is ours another of us may be about to mark, or has
/// removed since.
bool is_planted(const Cgroup& cgroup) {
  auto leaf = open_unmarked(cgroup);
  if (!leaf) return false;
  auto st = sys::fstat(leaf->dir());
  return st && st->st_uid != ::geteuid();
}

/// The leaf, made where there is none, by us or by another of us at the same time.
Result<Cgroup> open_or_make_leaf(const Cgroup& cgroup) {
  Backoff backoff(Deadline::after(kOthersTake));
  for (;;) {
    auto leaf = open_leaf(cgroup);
    if (leaf) return leaf;
    if (leaf.error().kind() == ErrorKind::not_found) {
      leaf = make_leaf(cgroup);
      if (leaf || leaf.error().kind() != ErrorKind::exists) return leaf;
    } else if (leaf.error().kind() != ErrorKind::denied || is_planted(cgroup)) {
      return leaf;
    }
    if (!backoff.pause()) return leaf;
  }
}

bool is_domain(const Cgroup& cgroup) {
  auto type = cgroup.read("cgroup.type");
  return is_true_root(cgroup) || (type && *type == "domain");
}

bool has_threaded_child(const Cgroup& cgroup) {
  auto names = cgroup.children();
  return names && std::any_of(names->begin(), names->end(), [&](const std::string& name) {
           auto child = cgroup.child(name);
           auto type = child ? child->read("cgroup.type") : Result<std::string>();
           return type && *type == "threaded";
         });
}

/// Waits where another of us may have turned the cgroup threaded for a moment (try_to_enable).
Result<void> check_domain(const Cgroup& cgroup) {
  if (is_true_root(cgroup)) return {};
  Backoff backoff(Deadline::after(kOthersTake));
  for (;;) {
    std::string type = TRY(with(cgroup.read("cgroup.type"), shown(cgroup)));
    if (type == "domain") return {};
    if (type == "threaded" || has_threaded_child(cgroup) || !backoff.pause())
      return fail(ErrorKind::busy, shown(cgroup) + " is '" + type + "': it can hold no leaf for its tasks");
  }
}

/// Moves the tasks of `cgroup` to its leaf, if it has any.
Result<void> make_room(const Cgroup& cgroup) {
  if (is_true_root(cgroup)) return {};
  if (TRY(cgroup.read("cgroup.procs")).empty()) return {};
  return empty_into(cgroup, TRY(open_or_make_leaf(cgroup)));
}

enum class Attempt { enabled, again };

/// One attempt to make room and to write `words` (`+a +b`). `again`: a task joined, or another of us removed the leaf
/// under us or has turned the cgroup threaded for a moment, when its leaf takes nobody (EOPNOTSUPP).
Result<Attempt> try_to_enable(const Cgroup& cgroup, const std::string& words) {
  auto room = make_room(cgroup);
  if (!room && (went_away(room.error()) || room.error().code() == EOPNOTSUPP) && cgroup.has_file("cgroup.procs"))
    return Attempt::again;
  if (!room) return fail(std::move(room.error()));
  auto enabled = cgroup.write("cgroup.subtree_control", words);
  if (!enabled && enabled.error().code() == EBUSY) return Attempt::again;
  if (!enabled) return fail(std::move(enabled.error()).with(shown(cgroup)));
  // A task that joined an empty cgroup with an empty leaf in this very moment is not refused for +pids and the like: it
  // turns the cgroup threaded, until they are off again.
  if (is_domain(cgroup)) return Attempt::enabled;
  std::string back = words;
  std::replace(back.begin(), back.end(), '+', '-');
  TRY_VOID(cgroup.write("cgroup.subtree_control", back));
  return Attempt::again;
}

Result<void> enable(const Cgroup& cgroup, const std::string& words) {
  Backoff backoff(Deadline::after(kOthersTake));
  for (int attempt = 0; attempt < kAttempts; attempt++) {
    if (TRY(try_to_enable(cgroup, words)) == Attempt::enabled) return {};
    (void)backoff.pause();
  }
  TRY_VOID(check_domain(cgroup));
  return fail(ErrorKind::busy, shown(cgroup) + " gets new tasks all the time");
}

/// Moves the tasks back from the leaf and removes it, where no controller is enabled below; an empty leaf goes anyway.
Result<void> give_back(const Cgroup& cgroup) {
  auto leaf = open_leaf(cgroup);
  if (!leaf && leaf.error().kind() == ErrorKind::not_found) return {};
  // One of ours that has no mark yet is empty, and whoever makes it needs it.
  if (!leaf && leaf.error().kind() == ErrorKind::denied && !is_planted(cgroup)) return {};
  if (!leaf) return fail(std::move(leaf.error()));
  if (TRY(cgroup.read("cgroup.subtree_control")).empty()) {
    auto emptied = empty_into(*leaf, cgroup);
    // Another of us has dissolved it, or enables a controller again and needs it.
    if (!emptied && (went_away(emptied.error()) || emptied.error().code() == EBUSY)) return {};
    if (!emptied) return emptied;
  }
  auto removed = sys::unlinkat(cgroup.dir(), std::string(kLeafName), AT_REMOVEDIR);
  if (removed || removed.error().kind() == ErrorKind::busy || went_away(removed.error())) return {};
  return removed;
}

/// What is enabled below `cgroup` by us.
Result<std::vector<std::string>> enabled_by_us(const Cgroup& cgroup) {
  std::vector<std::string> words = words_of(TRY(cgroup.read("cgroup.subtree_control")));
  std::erase_if(words, [&](const std::string& word) { return !read_note(cgroup, enabled_note(word)); });
  return words;
}

std::string signed_words(const std::vector<std::string>& words, char sign) {
  std::string text;
  for (const std::string& word : words) text.append(text.empty() ? "" : " ").append(1, sign).append(word);
  return text;
}

/// Best effort: what is not noted stays enabled when it is no longer needed.
void note_enabled(const Cgroup& cgroup, const std::vector<std::string>& controllers) {
  for (const std::string& controller : controllers) (void)set_note(cgroup, enabled_note(controller), "1", NoteFor::us);
}

}  // namespace

bool is_true_root(const Cgroup& cgroup) {
  return cgroup.path().is_root() && !cgroup.has_file("cgroup.type");
}

Result<Cgroup> open_leaf(const Cgroup& cgroup) {
  Cgroup leaf = TRY(open_unmarked(cgroup));
  if (read_note(leaf, kLeafNote)) return leaf;
  // A removed directory has no attributes either.
  if (!leaf.has_file("cgroup.procs")) return fail(ErrorKind::not_found, "the leaf of " + shown(cgroup) + " went away");
  return fail(ErrorKind::denied, shown(cgroup) + " has a '.cgm_leaf' that is not ours; rmdir it");
}

Result<Cgroup> home_of_tasks(const Cgroup& cgroup) {
  auto itself = [&]() -> Result<Cgroup> {
    return Cgroup(cgroup.hierarchy(), cgroup.path(), TRY(sys::dup(cgroup.dir())));
  };
  if (!cgroup.is_v2() || is_true_root(cgroup)) return itself();
  if (auto leaf = open_leaf(cgroup)) return leaf;
  if (TRY(cgroup.read("cgroup.subtree_control")).empty()) return itself();
  TRY_VOID(check_domain(cgroup));
  return open_or_make_leaf(cgroup);
}

Result<void> enable_controller(const Cgroup& cgroup, std::string_view controller) {
  TRY_VOID(check_domain(cgroup));
  if (has_word(TRY(cgroup.read("cgroup.subtree_control")), controller)) return {};
  if (!has_word(TRY(cgroup.read("cgroup.controllers")), controller))
    return fail(ErrorKind::unsupported,
                "controller '" + std::string(controller) + "' is not available in " + shown(cgroup));
  auto enabled = enable(cgroup, "+" + std::string(controller));
  if (!enabled) {
    (void)give_back(cgroup);
    return enabled;
  }
  note_enabled(cgroup, {std::string(controller)});
  return {};
}

Result<void> dissolve_leaf(const Cgroup& cgroup) {
  if (!cgroup.is_v2() || !TRY(cgroup.children()).empty()) return {};
  std::vector<std::string> ours = TRY(enabled_by_us(cgroup));
  // Taken off first: whoever of us enables one of them again after this notes it again.
  for (const std::string& controller : ours) remove_note(cgroup, enabled_note(controller));
  auto keep = [&](Result<void> outcome) {
    note_enabled(cgroup, ours);
    return outcome;
  };
  if (!ours.empty()) {
    auto disabled = cgroup.write("cgroup.subtree_control", signed_words(ours, '-'));
    if (!disabled) return keep(std::move(disabled));
  }
  auto children = cgroup.children();
  auto given_back = children && children->empty() ? give_back(cgroup) : Result<void>();
  if (!ours.empty() && (!given_back || !children || !children->empty()))
    if (enable(cgroup, signed_words(ours, '+'))) return keep(std::move(given_back));
  return given_back;
}

}  // namespace cgm::cgroup
