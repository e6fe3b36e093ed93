// SPDX-License-Identifier: LGPL-2.1-or-later
// Sessions.
#include "cgm/session.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "api/error_map.hpp"
#include "base/number.hpp"
#include "base/sys.hpp"

namespace cgm::cli {

namespace {

Result<std::shared_ptr<api::Caller>> describe_self() {
  auto self = std::make_shared<api::Caller>();
  self->credentials = {::getpid(), ::geteuid(), ::getegid()};
  int count = ::getgroups(0, nullptr);
  self->groups.resize(count > 0 ? static_cast<size_t>(count) : 0);
  if (count > 0 && ::getgroups(count, self->groups.data()) != count) return fail(Error::from_errno(errno, "getgroups"));
  Fd proc = TRY(sys::openat(AT_FDCWD, "/proc/self", O_PATH | O_DIRECTORY));
  self->namespaces = TRY(sys::openat(proc.get(), "ns", O_PATH | O_DIRECTORY));
  self->pid_namespace = TRY(sys::readlinkat(self->namespaces.get(), "pid"));
  self->cgroup = TRY(sys::openat(proc.get(), "cgroup", O_RDONLY));
  self->bounding = TRY(procfs::parse_status(TRY(sys::read_file_at(proc.get(), "status", 64 << 10)))).cap_bounding;
  return self;
}

}  // namespace

Result<std::unique_ptr<Session>> Session::open(const SessionOptions& options) {
  std::unique_ptr<Session> session(new Session);
  if (!options.direct && !options.force) {
    const char* variable = ::getenv("CGM_SOCKET");
    const char* named = options.socket.empty() ? variable : options.socket.c_str();
    bool must = named && *named != '\0';
    std::string tried;
    for (const std::string& path : bus::socket_paths(named)) {
      auto client = bus::Client::connect(path);
      if (client) {
        session->client_ = std::move(*client);
        if (options.verbose) std::fprintf(stderr, "cgm: asking the daemon at %s\n", path.c_str());
        return session;
      }
      if (must) return fail(std::move(client.error()));
      tried += (tried.empty() ? "" : ", ") + path;
    }
    if (options.verbose)
      std::fprintf(stderr, "cgm: no daemon at %s: working on the cgroup files directly\n", tried.c_str());
  }
  TRY_VOID(session->go_direct(options.force));
  return session;
}

Result<void> Session::go_direct(bool force) {
  hierarchies_ = std::make_unique<cgroup::Hierarchies>(TRY(cgroup::Hierarchies::discover()));
  self_ = TRY(describe_self());
  // The kernel's own limits are enough for who has but his own rights.
  manager::Limits limits{.quotas = {.cgroups = SIZE_MAX, .depth = SIZE_MAX}, .force = force};
  manager_ = TRY(manager::Manager::create(*hierarchies_, limits, {}, log_));
  return {};
}

Result<api::Answer> Session::call(const api::Request& request) {
  if (client_) return client_->call(request);
  auto answer = manager_->perform_now(*self_, request);
  if (!answer) return fail(Error(answer.error().kind(), answer.error().code(), api::classic_text(answer.error())));
  return answer;
}

Result<const cgroup::Hierarchies*> Session::hierarchies() {
  if (hierarchies_) return hierarchies_.get();
  api::Request list;
  list.method = api::Method::list_controllers;
  Fd self = TRY(sys::openat(AT_FDCWD, "/proc/self", O_PATH | O_DIRECTORY));
  auto lines = TRY(procfs::parse_cgroup(TRY(sys::read_file_at(self.get(), "cgroup", 64 << 10))));
  std::vector<cgroup::Hierarchy> known;
  for (const std::string& label : TRY(ask<std::vector<std::string>>(list))) {
    cgroup::FoundHierarchy found;
    for (std::string_view rest = label; !rest.empty();) found.controllers.emplace_back(take_until(rest, ','));
    // A v1 hierarchy, also one that the daemon alone has mounted, is a line of its own in everybody's /proc/PID/cgroup.
    bool v1 = std::any_of(lines.begin(), lines.end(), [&](const procfs::CgroupLine& line) {
      return std::find(line.controllers.begin(), line.controllers.end(), found.controllers.front()) !=
             line.controllers.end();
    });
    found.version = v1 ? cgroup::Version::v1 : cgroup::Version::v2;
    known.emplace_back(std::move(found), Fd());
  }
  hierarchies_ = std::make_unique<cgroup::Hierarchies>(std::move(known));
  return hierarchies_.get();
}

Result<int32_t> Session::api_version() {
  if (client_) return client_->api_version();
  return api::kApiVersion;
}

std::string Session::open_error_name(const Error& error) {
  switch (error.code()) {
    case ENOENT: return "org.freedesktop.DBus.Error.FileNotFound";
    case ECONNREFUSED: return "org.freedesktop.DBus.Error.NoServer";
    case EACCES: return "org.freedesktop.DBus.Error.AccessDenied";
    default: return "org.freedesktop.DBus.Error.Failed";
  }
}

}  // namespace cgm::cli
