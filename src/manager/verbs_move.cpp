// SPDX-License-Identifier: LGPL-2.1-or-later
// Verbs about tasks: where one is, and moving it. Rules 4, 14 and 15 of docs/access.md.

#include "base/number.hpp"
#include "base/sys.hpp"
#include "cgroup/leaf.hpp"
#include "manager/resolve.hpp"
#include "manager/verbs.hpp"

namespace cgm::manager {

using cgroup::Cgroup;
using cgroup::CgroupPath;

namespace {

/// v, pinned: a process by its pidfd, or on v1 a thread, by its own id, by its /proc directory.
struct Victim {
  int proc = -1;  ///< /proc; not owned
  pid_t id = 0;
  pid_t process = 0;
  uid_t real_uid = 0;
  bool is_users = false;  ///< surely no kernel thread
  Fd pidfd;               ///< none for a thread
  Fd thread;  ///< none for a process; /proc/PROCESS/task/ID: what is read below it is this thread's, or fails

  bool is_thread() const { return id != process; }
  /// Where a file of the task's /proc entry is: a directory and a path below it. A process' entry is found by number,
  /// so what was read there counts only if is_there() says afterwards that the number was its own.
  int base() const { return thread ? thread.get() : proc; }
  std::string file(std::string_view name) const {
    return thread ? std::string(name) : std::to_string(id).append("/").append(name);
  }
};

std::unexpected<Error> no_such_task(pid_t id) {
  return fail(ErrorKind::gone, "no task " + std::to_string(id));
}

/// True while the task has its id.
bool is_there(const Victim& victim) {
  if (victim.thread) return sys::fstatat(victim.thread.get(), "stat", 0).has_value();
  return !sys::has_exited(victim.pidfd.get());
}

/// Thread group and real uid of what has the directory `entry` in /proc.
Result<void> describe(Victim& victim, int entry, const std::string& status_file) {
  auto text = sys::read_file_at(entry, status_file, 64 << 10);
  if (!text) return no_such_task(victim.id);
  auto status = TRY(procfs::parse_status(*text));
  victim.process = status.tgid;
  victim.real_uid = status.real_uid;
  return {};
}

Result<void> describe_process(Victim& victim) {
  auto info = sys::pidfd_get_info(victim.pidfd.get());
  if (info) {
    // Kernel threads are children of kthreadd, and it is nobody's.
    constexpr pid_t kKthreadd = 2;
    victim.process = info->tgid;
    victim.real_uid = info->real_uid;
    victim.is_users = info->parent != 0 && info->parent != kKthreadd;
    return {};
  }
  if (info.error().kind() != ErrorKind::unsupported) return no_such_task(victim.id);
  TRY_VOID(describe(victim, victim.base(), victim.file("status")));
  return is_there(victim) ? Result<void>() : no_such_task(victim.id);
}

Result<void> pin_thread(Victim& victim) {
  auto entry = sys::openat(victim.proc, std::to_string(victim.id), O_PATH | O_DIRECTORY);
  if (!entry) return no_such_task(victim.id);
  TRY_VOID(describe(victim, entry->get(), "status"));
  // /proc/TID is the thread's process; /proc/TID/task/TID is the thread.
  auto thread = sys::openat(entry->get(), "task/" + std::to_string(victim.id), O_PATH | O_DIRECTORY);
  if (!thread) return no_such_task(victim.id);
  victim.thread = std::move(*thread);
  return is_there(victim) ? Result<void>() : no_such_task(victim.id);
}

Result<Victim> pin(const Host& host, pid_t id) {
  if (id <= 0) return fail(ErrorKind::invalid, "pid " + std::to_string(id) + " is no task");
  Victim victim;
  victim.proc = host.proc.fd();
  victim.id = id;
  auto pidfd = sys::pidfd_open(id);  // refuses the id of a thread
  if (pidfd) victim.pidfd = std::move(*pidfd);
  TRY_VOID(pidfd ? describe_process(victim) : pin_thread(victim));
  return victim;
}

Result<procfs::Stat> stat_of(const Victim& victim) {
  auto text = sys::read_file_at(victim.base(), victim.file("stat"), 8192);
  if (!text) return no_such_task(victim.id);
  return procfs::parse_stat(*text);
}

/// Calls `look` with the text of the cgroup file of each thread of a process that is not exiting, until it returns
/// false.
template <class F>
Result<void> each_live_thread(const Victim& victim, F look) {
  Fd tasks = TRY(sys::openat(victim.base(), victim.file("task"), O_RDONLY | O_DIRECTORY));
  for (const sys::DirEntry& entry : TRY(sys::list_dir(tasks.get()))) {
    auto task = sys::openat(tasks.get(), entry.name, O_PATH | O_DIRECTORY);
    if (!task) continue;
    auto text = sys::read_file_at(task->get(), "cgroup", 64 << 10);
    if (text && !is_exiting(task->get()) && !look(*text)) break;
  }
  return {};
}

/// C(v). A leader that has exited reads `/` on v1 while its threads live elsewhere, so it is read from one of them; the
/// kernel tells any other path of a task that is alive (proc_cgroup_show). On v2 a dead leader stays where it died.
Result<CgroupPath> cgroup_of(const Victim& victim, const cgroup::Hierarchy& hierarchy) {
  auto file = sys::openat(victim.base(), victim.file("cgroup"), O_RDONLY);
  auto text = file ? read_cgroups(file->get()) : no_such_task(victim.id);
  if (!text) return no_such_task(victim.id);
  Result<CgroupPath> found = cgroup_in(*text, hierarchy);
  bool alive = (found && !hierarchy.is_v2() && !found->is_root()) || !is_exiting(victim.base(), victim.file(""));
  if (!alive) {
    found = no_such_task(victim.id);
    if (!victim.is_thread())
      TRY_VOID(each_live_thread(victim, [&](std::string_view live) {
        found = cgroup_in(live, hierarchy);
        return false;
      }));
  }
  return is_there(victim) ? std::move(found) : no_such_task(victim.id);
}

/// Kernel threads have no program; neither has what is exiting, so that its flags decide.
Result<void> refuse_kernel_thread(const Victim& victim) {
  if (victim.is_users || sys::readlinkat(victim.base(), victim.file("exe"))) return {};
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

/// Owner and mode of the tasks file of the cgroup that stands `levels` above.
Result<Object> tasks_above(const Directory& directory, size_t levels, std::string_view file) {
  const Directory* here = &directory;
  while (levels-- > 0) here = here->above.get();
  return Object::of(TRY(sys::fstatat(here->fd.get(), std::string(file), AT_SYMLINK_NOFOLLOW)));
}

/// Where a task that is moved to a cgroup goes: on v2 that may be the cgroup's leaf.
Result<Fd> open_home(const cgroup::Hierarchy& hierarchy, const CgroupPath& path, DirectoryPtr directory, Fd tasks) {
  if (!hierarchy.is_v2()) return tasks;
  Cgroup home = TRY(cgroup::home_of_tasks(cgroup_at(hierarchy, path, std::move(directory))));
  if (home.path() == path) return tasks;
  return home.open_file(cgroup::tasks_file(hierarchy.version()), O_WRONLY);
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
  std::lock_guard moving(context.moving);
  move.from = TRY(cgroup_of(victim, hierarchy));
  // Beyond the floor a task is told like one that is not there.
  if (!move.floor.contains(move.from)) return no_such_task(victim.id);
  if (hierarchy.is_v2() && victim.is_thread())
    return fail(ErrorKind::invalid, std::to_string(victim.id) +
                                        " is a thread; on v2 a process moves whole, by its pid " +
                                        std::to_string(victim.process));
  TRY_VOID(refuse_kernel_thread(victim));
  move.task = {victim.process, victim.real_uid};
  if (hierarchy.is_v2()) TRY_VOID(check_threads(victim, hierarchy, move.base));

  DirectoryPtr destination = TRY(directory_for(context.directories, r.subject(), hierarchy, move.to, kRead));
  std::string file(cgroup::tasks_file(hierarchy.version()));
  Fd tasks = TRY(sys::openat(destination->fd.get(), file, O_WRONLY | O_NOFOLLOW | O_NONBLOCK));
  move.destination_tasks = Object::of(TRY(sys::fstat(tasks.get())));
  if (!move.from.contains(move.to)) {
    size_t levels = move.to.depth() - CgroupPath::common(move.from, move.to).depth();
    move.ancestor_tasks = TRY(tasks_above(*destination, levels, file));
  }
  MoveVerdict verdict = judge(move);
  if (verdict != MoveVerdict::allowed) return fail(ErrorKind::denied, std::string(to_string(verdict)));

  tasks = TRY(open_home(hierarchy, move.to, std::move(destination), std::move(tasks)));
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
