// SPDX-License-Identifier: LGPL-2.1-or-later
// Requests and list rules.
#include "manager/manager.hpp"

#include <algorithm>

#include "cgroup/tasks.hpp"

namespace cgm::manager {

namespace {

using api::Method;

Verb verb_of(Method method) {
  switch (method) {
    case Method::get_pid_cgroup:
    case Method::get_pid_cgroup_abs: return get_pid_cgroup;
    case Method::create: return create;
    case Method::chown: return chown;
    case Method::chmod: return chmod;
    case Method::move_pid:
    case Method::move_pid_abs: return move_pid;
    case Method::get_value: return get_value;
    case Method::set_value: return set_value;
    case Method::remove: return remove;
    case Method::get_tasks: return get_tasks;
    case Method::get_tasks_recursive: return get_tasks_recursive;
    case Method::list_children: return list_children;
    case Method::remove_on_empty: return remove_on_empty;
    case Method::prune: return prune;
    case Method::list_keys: return list_keys;
    case Method::ping:
    case Method::list_controllers: return nullptr;
  }
  return nullptr;
}

std::vector<std::string> labels(const cgroup::Hierarchies& hierarchies) {
  std::vector<std::string> names;
  for (const cgroup::Hierarchy& hierarchy : hierarchies.all())
    if (!hierarchy.controllers().empty()) names.push_back(hierarchy.label());
  return names;
}

bool lists_ids(const std::string& key) {
  return key == "tasks" || key == "cgroup.procs" || key == "cgroup.threads";
}

/// Writes that reclaim or migrate memory, may have to move tasks to a leaf, or wait until a disk has nothing under way
/// (blk_mq_freeze_queue, where its first limit is set).
bool is_slow_key(const std::string& key) {
  for (std::string_view controller : {"memory.", "cpuset.", "io.", "blkio."})
    if (key.starts_with(controller)) return true;
  return key == "cgroup.subtree_control";
}

/// What waits without memory being written: nothing in it can be interrupted.
Workers::Late when_late(Method method) {
  switch (method) {
    case Method::move_pid:
    case Method::move_pid_abs:
    case Method::get_tasks:
    case Method::get_tasks_recursive:
    case Method::list_children:
    case Method::get_value: return Workers::Late::left_alone;
    default: return Workers::Late::interrupted;
  }
}

/// What a list goes on after: what r may not, and for Create also what the kernel would not make.
bool is_skipped(Method method, ErrorKind kind) {
  switch (method) {
    case Method::create: return kind == ErrorKind::denied || kind == ErrorKind::os;
    case Method::chown:
    case Method::chmod:
    case Method::remove: return kind == ErrorKind::denied;
    case Method::get_tasks_recursive: return kind == ErrorKind::not_found;
    case Method::remove_on_empty: return kind == ErrorKind::unsupported;
    case Method::prune: return true;
    default: return false;
  }
}

}  // namespace

bool may_wait(const api::Request& request, const Selection& selection) {
  // On v2 a removed cgroup may be the last that kept its parent's tasks in a leaf; those move back then.
  auto may_fold = [](const Selection& all) {
    return std::any_of(all.choices.begin(), all.choices.end(), [](const Choice& c) { return c.hierarchy->is_v2(); });
  };
  switch (request.method) {
    case Method::move_pid:
    case Method::move_pid_abs:
    case Method::get_tasks:
    case Method::get_tasks_recursive:
    case Method::list_children:
    case Method::remove_on_empty:
    case Method::prune: return true;
    case Method::remove: return request.first != 0 || selection.choices.size() > 1 || may_fold(selection);
    case Method::get_value: return lists_ids(request.key);
    case Method::set_value: return is_slow_key(request.key);
    case Method::create:
      return selection.choices.size() > 1 || std::any_of(selection.choices.begin(), selection.choices.end(),
                                                         [](const Choice& c) { return !c.controllers.empty(); });
    case Method::ping:
    case Method::get_pid_cgroup:
    case Method::get_pid_cgroup_abs:
    case Method::chown:
    case Method::chmod:
    case Method::list_controllers:
    case Method::list_keys: return false;
  }
  return true;
}

Result<api::Answer> combine(Method method, const Selection& selection,
                            const std::function<Result<api::Answer>(const Choice&)>& verb) {
  if (!selection.is_list) return verb(selection.choices.front());
  bool move = method == Method::move_pid || method == Method::move_pid_abs;
  Result<api::Answer> whole = api::Answer();
  if (method == Method::create) whole = int32_t{-1};
  if (method == Method::remove) whole = int32_t{1};
  std::vector<int32_t> ids;
  for (const Choice& choice : selection.choices) {
    auto one = verb(choice);
    if (!one) {
      if (move) {
        // All are tried; the first failure is told in the end.
        if (whole) whole = std::move(one);
      } else if (!is_skipped(method, one.error().kind())) {
        return one;
      }
      continue;
    }
    if (method == Method::create && std::get<int32_t>(*one) == 1) whole = int32_t{1};
    if (auto* some = std::get_if<std::vector<int32_t>>(&*one)) ids.insert(ids.end(), some->begin(), some->end());
  }
  if (method == Method::get_tasks_recursive) {
    cgroup::sort_ids(ids);
    return ids;
  }
  return whole;
}

Result<std::unique_ptr<Manager>> Manager::create(const cgroup::Hierarchies& hierarchies, const Limits& limits,
                                                 api::Accounts accounts, const Log& log) {
  auto workers = TRY(Workers::create(limits.deadline_ms));
  std::unique_ptr<Manager> manager(new Manager(hierarchies, TRY(Host::read()), TRY(Neighbours::detect()), limits, log,
                                               TRY(Directories::create()), std::move(workers)));
  manager->configure(limits, std::move(accounts));
  return manager;
}

void Manager::configure(const Limits& limits, api::Accounts accounts) {
  quotas_.configure(limits.quotas, accounts);
  watches_.configure(limits.watches, accounts);
  workers_->set_deadline(limits.deadline_ms);
  accounts_ = std::move(accounts);
}

Context Manager::context() {
  return {host_, hierarchies_, neighbours_, quotas_, watches_, *directories_, moving_, force_};
}

void Manager::remove_emptied() {
  for (Emptied& emptied : watches_.process()) {
    api::Account account = emptied.account;
    auto id = emptied.id;
    auto job = [this, emptied = std::move(emptied)]() -> Result<api::Answer> {
      TRY_VOID(manager::remove_emptied(context(), emptied));
      return api::Answer();
    };
    auto done = [this, id](Result<api::Answer> outcome) {
      if (!outcome) watches_.failed(id);
    };
    workers_->submit(account, std::move(job), done, Workers::Late::left_alone);
  }
}

Result<api::Answer> Manager::perform(const api::Caller& caller, const api::Request& request,
                                     const Selection& selection) {
  Requestor r = TRY(Requestor::identify(host_, caller));
  Context context = this->context();
  Verb verb = verb_of(request.method);
  return combine(request.method, selection, [&](const Choice& choice) { return verb(context, r, choice, request); });
}

Result<api::Answer> Manager::perform_now(const api::Caller& caller, const api::Request& request) {
  if (request.method == Method::ping) return api::Answer();
  if (request.method == Method::list_controllers) return labels(hierarchies_);
  return perform(caller, request, TRY(select(hierarchies_, request.controller, api::info(request.method).controllers)));
}

api::Account Manager::payer(const api::Caller& caller) const {
  bool host_root =
      is_host_root(caller.uid(), caller.pid_namespace == host_.pid_ns, caller.bounding, host_.capabilities);
  return caller.uid() == 0 && !host_root ? api::kLesserRoots : accounts_.of(caller.uid());
}

void Manager::submit(std::shared_ptr<const api::Caller> caller, api::Request request, api::Reply reply) {
  if (request.method == Method::ping) return reply(api::Answer());
  if (request.method == Method::list_controllers) return reply(labels(hierarchies_));
  auto selection = select(hierarchies_, request.controller, api::info(request.method).controllers);
  if (!selection) {
    audit_.failed(*caller, request, selection.error());
    return reply(fail(std::move(selection.error())));
  }
  bool recursive = request.method == Method::remove && request.first != 0 && !selection->is_list &&
                   !selection->choices.front().hierarchy->is_v2();
  if (recursive || (!may_wait(request, *selection) && !quotas_.is_full(caller->uid()))) {
    // A cgroup without children is removed at once; that it has some is seen by trying.
    if (recursive) request.first = 0;
    auto outcome = perform(*caller, request, *selection);
    bool again = recursive && !outcome && outcome.error().kind() == ErrorKind::busy;
    if (!again) {
      if (!outcome) audit_.failed(*caller, request, outcome.error());
      return reply(std::move(outcome));
    }
    request.first = 1;
  }
  api::Account account = payer(*caller);
  Workers::Late late = when_late(request.method);
  auto job = [this, caller, request = std::move(request), selection = std::move(*selection)] {
    auto outcome = perform(*caller, request, selection);
    if (!outcome) audit_.failed(*caller, request, outcome.error());
    return outcome;
  };
  workers_->submit(account, std::move(job), std::move(reply), late);
}

}  // namespace cgm::manager
