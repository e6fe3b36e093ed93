// SPDX-License-Identifier: LGPL-2.1-or-later
// The Service on the real kernel: takes a request apart, has the verbs do it hierarchy by hierarchy, and puts the
// outcomes together as the classic interface's list rules say. What may wait goes to a worker, the rest is done at
// once.
#pragma once

#include <memory>
#include <mutex>

#include "api/service.hpp"
#include "base/log.hpp"
#include "manager/audit.hpp"
#include "manager/directories.hpp"
#include "manager/neighbours.hpp"
#include "manager/quotas.hpp"
#include "manager/verbs.hpp"
#include "manager/watches.hpp"
#include "manager/workers.hpp"

namespace cgm::manager {

struct Limits {
  QuotaLimits quotas;
  size_t watches = 256;          ///< remove-on-empty, for each account
  int64_t deadline_ms = 30'000;  ///< of one request's kernel work
  bool force = false;            ///< set memory limits below present use all the same; for who asks for himself alone
};

class Manager final : public api::Service {
 public:
  /// `hierarchies` and `log` must outlive the manager.
  static Result<std::unique_ptr<Manager>> create(const cgroup::Hierarchies& hierarchies, const Limits& limits,
                                                 api::Accounts accounts, const Log& log);

  /// Serves a request on this thread, whatever it takes; for a manager without a loop.
  Result<api::Answer> perform_now(const api::Caller& caller, const api::Request& request);
  void submit(std::shared_ptr<const api::Caller> caller, api::Request request, api::Reply reply) override;

  /// Readable when workers have outcomes; then call deliver().
  int fd() const { return workers_->fd(); }
  void deliver() { workers_->deliver(); }
  /// Directories that are kept open between requests; the loop tells them when to forget().
  Directories& directories() { return *directories_; }
  void configure(const Limits& limits, api::Accounts accounts);
  /// Counts the cgroups that there are, for the quotas; before serving, and after configure().
  void recount() { quotas_.recount(); }
  Watches& watches() { return watches_; }
  /// Has workers remove what was found empty; when the watches' descriptor is readable.
  void remove_emptied();

 private:
  Manager(const cgroup::Hierarchies& hierarchies, Host host, Neighbours neighbours, const Limits& limits,
          const Log& log, std::unique_ptr<Directories> directories, std::unique_ptr<Workers> workers)
      : hierarchies_(hierarchies),
        host_(std::move(host)),
        neighbours_(std::move(neighbours)),
        audit_(log),
        quotas_(hierarchies, limits.quotas),
        watches_(hierarchies, log),
        directories_(std::move(directories)),
        force_(limits.force),
        workers_(std::move(workers)) {}

  /// Who waits for whom among the workers: no lesser root stands before the host's.
  api::Account payer(const api::Caller& caller) const;
  Result<api::Answer> perform(const api::Caller& caller, const api::Request& request, const Selection& selection);
  Context context();

  const cgroup::Hierarchies& hierarchies_;
  Host host_;
  Neighbours neighbours_;
  Audit audit_;
  api::Accounts accounts_;
  Quotas quotas_;
  Watches watches_;
  std::unique_ptr<Directories> directories_;
  std::mutex moving_;
  bool force_;
  std::unique_ptr<Workers> workers_;  // last: its threads use all of the above
};

/// True if a request may wait for the kernel, and so is a worker's. Pure but for the quota's fullness.
bool may_wait(const api::Request& request, const Selection& selection);

/// Runs `verb` for each choice and puts the outcomes together by the classic list rules (legacy: a list skips what r
/// may not, a single controller's failure is the request's).
Result<api::Answer> combine(api::Method method, const Selection& selection,
                            const std::function<Result<api::Answer>(const Choice&)>& verb);

}  // namespace cgm::manager
