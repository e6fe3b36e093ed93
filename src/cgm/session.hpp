// SPDX-License-Identifier: LGPL-2.1-or-later
// What a command asks its questions of: the daemon, or, where none answers, the same manager in this very process with
// nothing but the caller's own rights.
#pragma once

#include <memory>
#include <string>

#include "api/service.hpp"
#include "base/log.hpp"
#include "bus/client.hpp"
#include "cgroup/hierarchy.hpp"
#include "manager/manager.hpp"

namespace cgm::cli {

struct SessionOptions {
  std::string socket;   ///< only this one; empty: $CGM_SOCKET, else the usual ones
  bool direct = false;  ///< no daemon, even where one answers
  bool force = false;   ///< direct, and memory limits below present use are set all the same
  bool verbose = false;
};

class Session final {
 public:
  /// Connects, or goes direct. Errors: a socket that was named does not answer.
  static Result<std::unique_ptr<Session>> open(const SessionOptions& options);

  bool is_direct() const { return client_ == nullptr; }
  Result<api::Answer> call(const api::Request& request);
  /// The same for an answer of a known type.
  template <class T>
  Result<T> ask(const api::Request& request) {
    auto answer = call(request);
    if (!answer) return fail(std::move(answer.error()));
    if (auto* value = std::get_if<T>(&*answer)) return std::move(*value);
    return fail(ErrorKind::protocol, "an answer of another type");
  }
  Result<int32_t> api_version();
  /// The hierarchies that the session reaches; the daemon's are known by name and version alone, without descriptors.
  Result<const cgroup::Hierarchies*> hierarchies();
  /// D-Bus name of the error that opening failed with, for the classic message.
  static std::string open_error_name(const Error& error);

 private:
  Session() : log_(LogLevel::error) {}
  Result<void> go_direct(bool force);

  std::unique_ptr<bus::Client> client_;
  std::unique_ptr<cgroup::Hierarchies> hierarchies_;
  // Direct:
  Log log_;
  std::unique_ptr<manager::Manager> manager_;
  std::shared_ptr<api::Caller> self_;
};

}  // namespace cgm::cli
