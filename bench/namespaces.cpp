// SPDX-License-Identifier: LGPL-2.1-or-later
// `cgm ns` beside the programs of util-linux that do the same, and a program with limits and namespaces beside the
// kernel's own work for it: whole processes from start to exit, ours and theirs in turn.
#include <sched.h>
#include <unistd.h>

#include "base/sys.hpp"
#include "parts.hpp"
#include "process.hpp"
#include "support/sandbox.hpp"

namespace cgm::bench {

namespace {

using Words = std::vector<std::string>;

constexpr unsigned kTurns = 150, kBriefTurns = 40;
constexpr unsigned kNamespaces = 100, kMembers = 30;  // 3000 processes

/// Medians of both, in microseconds of wall time.
struct Pair {
  double theirs, ours;
};

Result<Pair> in_turn(const Words& theirs, const Words& ours, unsigned turns) {
  std::vector<double> a, b;
  for (unsigned i = 0; i < turns; i++) {
    a.push_back(TRY(run_process(theirs)).wall_us);
    b.push_back(TRY(run_process(ours)).wall_us);
  }
  return Pair{median(std::move(a)), median(std::move(b))};
}

Words with_command(Words words, std::initializer_list<std::string> command) {
  words.insert(words.end(), command);
  return words;
}

/// The first process of namespaces of its own.
test::Child inhabitant() {
  return test::Child([] {
    if (::unshare(CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWPID) < 0)
      return 1;
    // Its child is the first of the pid namespace; which is entered by the parent's pid_for_children as well.
    test::Child first = test::Child::sleeper();
    for (;;) ::pause();
  });
}

/// A hundred namespaces with thirty processes each; they end with their first.
std::vector<test::Child> crowd() {
  constexpr int kKinds[] = {CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWCGROUP};
  std::vector<test::Child> first;
  first.reserve(kNamespaces);
  for (unsigned i = 0; i < kNamespaces; i++)
    first.emplace_back([kind = kKinds[i % std::size(kKinds)]] {
      if (::unshare(kind) < 0) return 1;
      std::vector<test::Child> members;
      for (unsigned k = 1; k < kMembers; k++) members.push_back(test::Child::sleeper());
      for (;;) ::pause();
    });
  return first;
}

size_t processes() {
  size_t count = 0;
  auto proc = sys::openat(AT_FDCWD, "/proc", O_RDONLY | O_DIRECTORY);
  auto entries = proc ? sys::list_dir(proc->get()) : fail(std::move(proc.error()));
  if (entries)
    for (const sys::DirEntry& entry : *entries) count += entry.name.front() >= '0' && entry.name.front() <= '9' ? 1 : 0;
  return count;
}

}  // namespace

Result<void> measure_namespaces(const Setting& setting, const Options& options, Report& report) {
  if (options.cgm.empty() || options.floor.empty() || !find_program("unshare")) {
    report.skipped.emplace_back("namespaces: give --cgm and --floor, and install util-linux");
    return {};
  }
  unsigned turns = options.brief ? kBriefTurns : kTurns;
  const std::string none = "/bin/true";
  auto add = [&](std::string name, double factor, const Pair& pair) {
    report.figures.push_back({std::move(name), "us", pair.ours, factor * pair.theirs});
  };

  {
    test::Child target = inhabitant();
    std::string pid = std::to_string(target.pid());
    if (!test::eventually([&] {
          auto own = sys::readlinkat(AT_FDCWD, "/proc/self/ns/net");
          auto its = sys::readlinkat(AT_FDCWD, "/proc/" + pid + "/ns/net");
          return own && its && *own != *its;
        }))
      return fail(ErrorKind::timeout, "no namespaces to enter");
    add("'cgm ns enter', wall clock: at most 1.2 x nsenter", 1.2,
        TRY(in_turn({"nsenter", "-a", "-t", pid, none}, {options.cgm, "ns", "enter", pid, "--", none}, turns)));
  }
  const Words kinds = {"--pid", "--mount", "--uts", "--ipc", "--net", "--cgroup"};
  Words theirs = with_command({"unshare", "--fork"}, {});
  theirs.insert(theirs.end(), kinds.begin(), kinds.end());
  Words ours = {options.cgm, "ns", "new"};
  ours.insert(ours.end(), kinds.begin(), kinds.end());
  add("'cgm ns new' of six kinds, wall clock: at most 1.2 x unshare", 1.2,
      TRY(in_turn(with_command(theirs, {none}), with_command(ours, {"--", none}), turns)));

  Words floor = {options.floor};
  for (const cgroup::Hierarchy& hierarchy : setting.sandbox.hierarchies().all())
    floor.push_back(directory_of(setting.sandbox, controller_of(hierarchy), ""));
  add("'cgm run' with limits and six kinds, wall clock: at most 1.5 x the kernel's work", 1.5,
      TRY(in_turn(with_command(floor, {"--", none}),
                  {options.cgm, "run", "--direct", "-m", "256M", "--cpus", "0.5", "--pids", "100", "--all-namespaces",
                   "--", none},
                  turns)));

  std::vector<test::Child> many = crowd();
  if (!test::eventually([] { return processes() >= size_t{kNamespaces} * kMembers; }))
    return fail(ErrorKind::timeout, "no crowd of processes");
  add("'cgm ns list' of 100 namespaces and 3000 processes, wall clock: at most 0.3 x lsns", 0.3,
      TRY(in_turn({"lsns"}, {options.cgm, "ns", "list"}, options.brief ? 5 : 15)));
  return {};
}

}  // namespace cgm::bench
