// SPDX-License-Identifier: LGPL-2.1-or-later
// The loop of kill().
#include "cgroup/kill.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <set>

#include "base/sys.hpp"

namespace cgm::cgroup {

namespace {

using namespace std::chrono_literals;

// A pin costs up to three descriptors, of which 1024 is the usual limit.
constexpr size_t kPinsAtOnce = 128;
// A task that cannot be stopped is met without freezing.
constexpr auto kFreezeSpan = 500ms;
constexpr auto kThawSpan = 2s;
// What cgroup.kill has hit dies within this, or is looked at one by one.
constexpr auto kDyingSpan = 1s;

/// Keeps signals of this thread pending: ended in between, we would leave a frozen cgroup behind.
class SignalsHeld final {
 public:
  SignalsHeld() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsHeld() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

 private:
  sigset_t before_;
};

/// A process that was listed, by its own id or a thread's.
struct Pin {
  Process process;
  pid_t listed;
  Fd thread;  // its /proc/TGID/task/TID; none where the process itself was listed
  procfs::Stat stat;

  /// True if `ids`, a list that was read after the pin, means this process and no later user of its pid.
  bool is_in(const std::vector<pid_t>& ids) const {
    if (!std::binary_search(ids.begin(), ids.end(), listed)) return false;
    if (thread) return sys::read_file_at(thread.get(), "stat", 4096).has_value();
    return process.is_alive();
  }
};

/// What one look at the subtree has found.
struct Look {
  std::vector<LeftProcess> dying;  ///< signalled
  std::vector<LeftProcess> alone;  ///< not to be signalled
  std::vector<pid_t> hidden;       ///< listed, but not to be pinned: gone meanwhile, or not shown in /proc
  bool any_new = false;
  bool unseen = false;
};

class Killing final {
 public:
  Killing(const KillTarget& target, int signal, ProcFs proc)
      : target_(target), signal_(signal), proc_(std::move(proc)), self_(::getpid()) {}

  Result<KillOutcome> run(Deadline deadline);

 private:
  Result<std::vector<pid_t>> list() const;
  Result<bool> kill_at_once(const std::vector<pid_t>& ids, Deadline deadline);
  /// One round: looks, signals what is new, in a frozen subtree if that can be had and `frozen` wants it.
  Result<Look> round(bool frozen, Deadline deadline);
  Result<Look> look();
  Result<std::optional<Pin>> pin(pid_t id) const;
  /// Signals a process that is surely in the subtree; empty, or why it is left alone.
  std::string signal_one(const Pin& pin) const;
  Result<KillOutcome> outcome(Look look) const;

  const KillTarget& target_;
  int signal_;
  ProcFs proc_;
  pid_t self_;
  bool can_freeze_ = target_.freeze != nullptr;
  std::string stuck_;  // why the subtree is frozen still
  // Each process that was met, by pid and start time: why it is left alone; empty where it was signalled.
  std::map<std::pair<pid_t, uint64_t>, std::string> met_;
};

Result<std::vector<pid_t>> Killing::list() const {
  std::vector<pid_t> ids = TRY(target_.list());
  std::sort(ids.begin(), ids.end());
  return ids;
}

Result<std::optional<Pin>> Killing::pin(pid_t id) const {
  auto finish = [id](Process process, Fd thread) -> std::optional<Pin> {
    auto stat = process.stat();
    if (!stat) return std::nullopt;
    return Pin{std::move(process), id, std::move(thread), std::move(*stat)};
  };
  auto process = Process::open(proc_, id);
  if (process) return finish(std::move(*process), Fd());
  ErrorKind kind = process.error().kind();
  if (kind == ErrorKind::gone) return std::nullopt;
  // What Linux says of a thread's id: EINVAL, and ENOENT since 6.16.
  if (kind != ErrorKind::invalid && kind != ErrorKind::not_found) return fail(std::move(process.error()));
  auto text = sys::read_file_at(proc_.fd(), std::to_string(id) + "/status", 64 << 10);
  auto status = text ? procfs::parse_status(*text) : Result<procfs::Status>(fail(std::move(text.error())));
  if (!status) return std::nullopt;
  auto leader = Process::open(proc_, status->tgid);
  if (!leader) return std::nullopt;
  auto thread = sys::openat(leader->dir(), "task/" + std::to_string(id), O_PATH | O_DIRECTORY);
  if (!thread) return std::nullopt;
  return finish(std::move(*leader), std::move(*thread));
}

std::string Killing::signal_one(const Pin& pin) const {
  if (pin.process.pid() == self_) return "is this very process";
  if (pin.process.pid() == 1) return "is the first process of its pid namespace";
  if ((pin.stat.flags & procfs::kFlagKthread) != 0) return "is a kernel thread";
  if (target_.may)
    if (auto allowed = target_.may(pin.process); !allowed) return allowed.error().text();
  auto sent = target_.signal ? target_.signal(pin.process, signal_) : pin.process.signal(signal_);
  // Gone in between is what was wanted.
  return sent || sent.error().kind() == ErrorKind::gone ? std::string() : sent.error().text();
}

Result<Look> Killing::look() {
  Look look;
  std::vector<pid_t> ids = TRY(list());
  look.unseen = !ids.empty() && ids.front() == 0;
  auto count = [&look](const Pin& pin, const std::string& why) {
    (why.empty() ? look.dying : look.alone).push_back({pin.process.pid(), pin.stat.comm, why});
  };
  std::set<pid_t> taken;  // processes, each of which may be listed by many threads
  for (size_t at = look.unseen ? 1 : 0; at < ids.size();) {
    std::vector<Pin> fresh;
    for (; at < ids.size() && fresh.size() < kPinsAtOnce; at++) {
      auto pinned = TRY(pin(ids[at]));
      if (!pinned) look.hidden.push_back(ids[at]);
      if (!pinned || !taken.insert(pinned->process.pid()).second) continue;
      auto met = met_.find({pinned->process.pid(), pinned->stat.start_time});
      if (met != met_.end())
        count(*pinned, met->second);
      else
        fresh.push_back(std::move(*pinned));
    }
    if (fresh.empty()) continue;
    std::vector<pid_t> again = TRY(list());
    for (const Pin& pin : fresh) {
      if (!pin.is_in(again)) continue;
      std::string why = signal_one(pin);
      count(pin, why);
      met_.emplace(std::pair(pin.process.pid(), pin.stat.start_time), std::move(why));
      look.any_new = true;
    }
  }
  return look;
}

Result<Look> Killing::round(bool frozen, Deadline deadline) {
  if (!frozen) return look();
  SignalsHeld held;
  auto stopped = target_.freeze(deadline.or_after(kFreezeSpan));
  if (!stopped) can_freeze_ = false;
  auto seen = look();
  // Also where the freezing failed: what is frozen inside is not to stay so.
  auto thawed = target_.thaw ? target_.thaw(Deadline::after(kThawSpan)) : Result<void>();
  stuck_ = stopped && !thawed ? thawed.error().text() : std::string();
  return seen;
}

Result<bool> Killing::kill_at_once(const std::vector<pid_t>& ids, Deadline deadline) {
  if (signal_ != SIGKILL || !target_.at_once || target_.may) return false;
  if (std::binary_search(ids.begin(), ids.end(), 1)) return false;
  if (!TRY(target_.at_once())) return false;
  Backoff backoff(deadline.or_after(kDyingSpan));
  while (!TRY(list()).empty())
    if (!backoff.pause()) return false;
  // They have died of it frozen; nobody who comes later is to be caught.
  if (target_.thaw) (void)target_.thaw(Deadline::after({}));
  return true;
}

Result<KillOutcome> Killing::outcome(Look look) const {
  KillOutcome outcome{.left = std::move(look.alone), .unseen = look.unseen};
  for (LeftProcess& process : look.dying) {
    process.why = stuck_.empty() ? "has not ended" : "cannot end: " + stuck_;
    outcome.left.push_back(std::move(process));
  }
  if (!look.hidden.empty()) {
    std::vector<pid_t> now = TRY(list());
    for (pid_t id : look.hidden)
      if (std::binary_search(now.begin(), now.end(), id)) outcome.left.push_back({id, "", "is not shown in /proc"});
  }
  std::sort(outcome.left.begin(), outcome.left.end(),
            [](const LeftProcess& a, const LeftProcess& b) { return a.pid < b.pid; });
  return outcome;
}

Result<KillOutcome> Killing::run(Deadline deadline) {
  std::vector<pid_t> first = TRY(list());
  if (std::binary_search(first.begin(), first.end(), self_))
    return fail(ErrorKind::invalid, "this very process is one of those that were to be killed");
  if (first.empty() || TRY(kill_at_once(first, deadline))) return KillOutcome();
  // Stopping the first process would stop who we wait for.
  if (std::binary_search(first.begin(), first.end(), 1)) can_freeze_ = false;
  Backoff backoff(deadline);
  for (bool frozen = can_freeze_;;) {
    Look seen = TRY(round(frozen, deadline));
    bool over = seen.dying.empty() && seen.hidden.empty() && !seen.any_new;
    if (over && (!seen.alone.empty() || seen.unseen || TRY(list()).empty())) return outcome(std::move(seen));
    // Nothing forks while it is frozen: after such a round there is nothing to do but to wait.
    bool outrun = !frozen && seen.any_new;
    frozen = outrun && can_freeze_;
    if (outrun && !deadline.has_passed()) continue;
    if (!backoff.pause()) return outcome(std::move(seen));
  }
}

}  // namespace

Result<KillOutcome> kill(const KillTarget& target, int signal, Deadline deadline) {
  return Killing(target, signal, TRY(ProcFs::open())).run(deadline);
}

}  // namespace cgm::cgroup
