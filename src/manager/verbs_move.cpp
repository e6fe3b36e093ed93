// SPDX-License-Identifier: LGPL-2.1-or-later
// Verbs about tasks: where one is, and moving it. Rules 4, 14 and 15 of docs/access.md.
#include <poll.h>

#include "base/number.hpp"
#include "base/sys.hpp"
#include "cgroup/leaf.hpp"
#include "manager/resolve.hpp"
#include "manager/verbs.hpp"

namespace cgm::manager {

using cgroup::Cgroup;
using cgroup::CgroupPath;

namespace {

/// v, pinned by its /proc directory: a process, or on v1 a thread by its own id.
struct Victim {
  pid_t id = 0;
  pid_t process = 0;
  uid_t real_uid = 0;
  Fd pidfd;        ///< none for a thread
  Fd process_dir;  ///< /proc/PROCESS
  Fd dir;          ///< the same, or a thread's /proc/PROCESS/task/ID; what is read below it is this task's or fails
  bool is_thread() const { return id != process; }
};

std::unexpected<Error> no_such_task(pid_t id) {
  return fail(ErrorKind::gone, "no task " + std::to_string(id));
}

/// True while the task has its id.
bool is_there(const Victim& victim) {
  if (victim.is_thread()) return sys::fstatat(victim.dir.get(), "stat", 0).has_value();
  pollfd poll{victim.pidfd.get(), POLLIN, 0};
  return ::poll(&poll, 1, 0) == 0;
}

/// Thread group and real uid, from /proc where the pidfd does not tell.
Result<void> describe(Victim& victim) {
  if (victim.pidfd) {
    auto info = sys::pidfd_get_info(victim.pidfd.get());
    if (info) {
      victim.process = info->tgid;
      victim.real_uid = info->real_uid;
      return {};
    }
    if (info.error().kind() != ErrorKind::unsupported) return no_such_task(victim.id);
  }
  auto text = sys::read_file_at(victim.process_dir.get(), "status", 64 << 10);
  if (!text) return no_such_task(victim.id);
  auto status = TRY(procfs::parse_status(*text));
  victim.process = status.tgid;
  victim.real_uid = status.real_uid;
  return {};
}

Result<Victim> pin(const Host& host, pid_t id) {
  if (id <= 0) return fail(ErrorKind::invalid, "pid " + std::to_string(id) + " is no task");
  Victim victim;
  victim.id = id;
  auto pidfd = sys::pidfd_open(id);  // refuses the id of a thread
  if (pidfd) victim.pidfd = std::move(*pidfd);
  auto dir = sys::openat(host.proc.fd(), std::to_string(id), O_PATH | O_DIRECTORY);
  if (!dir) return no_such_task(id);
  victim.process_dir = std::move(*dir);
  TRY_VOID(describe(victim));
  // /proc/TID is the thread's process; /proc/TID/task/TID is the thread.
  auto own = victim.is_thread()
                 ? sys::openat(victim.process_dir.get(), "task/" + std::to_string(id), O_PATH | O_DIRECTORY)
                 : sys::dup(victim.process_dir.get());
  if (!own) return no_such_task(id);
  victim.dir = std::move(*own);
  if (!is_there(victim)) return no_such_task(id);
  return victim;
}

Result<procfs::Stat> stat_of(const Victim& victim) {
  auto text = sys::read_file_at(victim.dir.get(), "stat", 8192);
  if (!text) return no_such_task(victim.id);
  return procfs::parse_stat(*text);
}

/// Calls `look` with the text of the cgroup file of each thread that is not exiting, until it returns false.
template <class F>
Result<void> each_live_thread(const Victim& victim, F look) {
  Fd tasks = TRY(sys::openat(victim.process_dir.get(), "task", O_RDONLY | O_DIRECTORY));
  for (const sys::DirEntry& entry : TRY(sys::list_dir(tasks.get()))) {
    auto task = sys::openat(tasks.get(), entry.name, O_PATH | O_DIRECTORY);
    if (!task) continue;
    auto text = sys::read_file_at(task->get(), "cgroup", 64 << 10);
    if (text && !is_exiting(task->get()) && !look(*text)) break;
  }
  return {};
}

/// C(v). A leader that has exited reads `/` on v1 while its threads live elsewhere, so it is read from one of them.
Result<CgroupPath> cgroup_of(const Victim& victim, const cgroup::Hierarchy& hierarchy) {
  auto file = sys::openat(victim.dir.get(), "cgroup", O_RDONLY);
  auto text = file ? read_cgroups(file->get()) : no_such_task(victim.id);
  if (!text) return no_such_task(victim.id);
  // Whoever exits reads `/` on v1; on v2 it reads where it was, and its threads may have been moved since.
  auto told = cgroup_in(*text, hierarchy);
  bool certain = told && !hierarchy.is_v2() && !told->is_root();
  if (certain || !is_exiting(victim.dir.get())) return told;
  Result<CgroupPath> found = no_such_task(victim.id);
  if (victim.is_thread()) return found;
  TRY_VOID(each_live_thread(victim, [&](std::string_view live) {
    found = cgroup_in(live, hierarchy);
    return false;
  }));
  return found;
}

/// Kernel threads have no program; neither has what is exiting, so that its flags decide.
Result<void> refuse_kernel_thread(const Victim& victim) {
  if (sys::readlinkat(victim.dir.get(), "exe")) return {};
  if ((TRY(stat_of(victim)).flags & procfs::kFlagKthread) == 0) return {};
  return fail(ErrorKind::denied, "task " + std::to_string(victim.id) + " is a kernel thread");
}

/// Rule 14: a whole process moves only if all its threads lie in the base.
Result<void> check_threads(const Victim& victim, const cgroup::Hierarchy& hierarchy, const CgroupPath& base) {
  if (base.is_root()) return {};
  bool inside = true;
  TRY_VOID(each_live_thread(victim, [&](const auto& lines) {
    auto path = cgroup_in(lines, hierarchy);
    inside = path && base.contains(*path);
    return inside;
  }));
  if (!inside)
    return fail(ErrorKind::denied, "a thread of process " + std::to_string(victim.id) + " is outside your cgroup");
  return {};
}

Result<Object> tasks_object(const Subject& subject, const cgroup::Hierarchy& hierarchy, const CgroupPath& path) {
  Cgroup cgroup = TRY(open_for(subject, hierarchy, path));
  Fd file = TRY(cgroup.open_file(cgroup::tasks_file(hierarchy.version()), O_RDONLY));
  return Object::of(TRY(sys::fstat(file.get())));
}

}  // namespace

Result<api::Answer> get_pid_cgroup(const Context& context, const Requestor& r, const Choice& choice,
                                   const api::Request& request) {
  Victim victim = TRY(pin(context.host, request.first));
  CgroupPath path = TRY(cgroup_of(victim, *choice.hierarchy));
  bool absolute = request.method == api::Method::get_pid_cgroup_abs;
  CgroupPath floor = TRY(r.floor(*choice.hierarchy));
  // Beyond the floor a task is told like one that is not there.
  if (!floor.contains(path)) return no_such_task(request.first);
  auto relative = absolute ? floor.relative(path) : TRY(r.cgroup(*choice.hierarchy)).relative(path);
  if (!relative) return fail(ErrorKind::denied, "task " + std::to_string(request.first) + " is outside your cgroup");
  if (absolute) return relative->absolute();
  return relative->is_root() ? std::string("/") : relative->text();
}

Result<api::Answer> move_pid(const Context& context, const Requestor& r, const Choice& choice,
                             const api::Request& request) {
  const cgroup::Hierarchy& hierarchy = *choice.hierarchy;
  bool absolute = request.method == api::Method::move_pid_abs;
  if (!absolute && request.cgroup.starts_with('/')) return fail(ErrorKind::invalid, "MovePid takes no absolute path");
  Move move{.subject = r.subject(),
            .caller_pid = r.pid(),
            .task = {},
            .from = {},
            .to = {},
            .base = {},
            .floor = {},
            .destination_tasks = {},
            .ancestor_tasks = {}};
  move.floor = TRY(r.floor(hierarchy));
  move.base = absolute ? move.floor : TRY(r.cgroup(hierarchy));
  move.to = move.base / TRY(CgroupPath::parse(request.cgroup));
  Victim victim = TRY(pin(context.host, request.first));
  if (hierarchy.is_v2() && victim.is_thread())
    return fail(ErrorKind::invalid, std::to_string(victim.id) +
                                        " is a thread; on v2 a process moves whole, by its pid " +
                                        std::to_string(victim.process));
  TRY_VOID(refuse_kernel_thread(victim));
  move.task = {victim.process, victim.real_uid};
  move.from = TRY(cgroup_of(victim, hierarchy));
  if (hierarchy.is_v2()) TRY_VOID(check_threads(victim, hierarchy, move.base));

  Cgroup destination = TRY(open_for(r.subject(), hierarchy, move.to));
  TRY_VOID(judge_directory(r.subject(), destination, kRead));
  std::string_view file = cgroup::tasks_file(hierarchy.version());
  Fd tasks = TRY(destination.open_file(file, O_WRONLY));
  move.destination_tasks = Object::of(TRY(sys::fstat(tasks.get())));
  if (!move.from.contains(move.to))
    move.ancestor_tasks = TRY(tasks_object(r.subject(), hierarchy, CgroupPath::common(move.from, move.to)));
  MoveVerdict verdict = judge(move);
  if (verdict != MoveVerdict::allowed) return fail(ErrorKind::denied, std::string(to_string(verdict)));

  if (hierarchy.is_v2()) {
    Cgroup home = TRY(cgroup::home_of_tasks(destination));
    if (home.path() != destination.path()) tasks = TRY(home.open_file(file, O_WRONLY));
  }
  auto written = sys::write(tasks.get(), std::to_string(victim.id), file);
  if (!written) {
    if (written.error().kind() == ErrorKind::gone) return no_such_task(victim.id);
    return fail(std::move(written.error())
                    .with("move task " + std::to_string(victim.id) + " to " + name_of(hierarchy, move.to)));
  }
  // The number was the victim's during the write only if the victim lives still.
  if (!is_there(victim)) return no_such_task(victim.id);
  return std::monostate();
}

}  // namespace cgm::manager
