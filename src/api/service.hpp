// SPDX-License-Identifier: LGPL-2.1-or-later
// The contract between transport and policy: a caller, a request, an answer, and the Service that turns one into the
// other. The daemon's Service works on the kernel, a proxy's forwards.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "api/methods.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/socket.hpp"

namespace cgm::api {

/// Who asks, as the kernel vouches for it: fixed at connect(2), never from /proc. The process is pinned by descriptors
/// of its /proc entry, so that a reused pid reads as gone; they are opened with the first request that needs them.
struct Caller {
  net::Credentials credentials;
  std::vector<gid_t> groups;  ///< supplementary
  Fd namespaces;              ///< /proc/PID/ns (O_PATH), or none yet
  Fd cgroup;                  ///< /proc/PID/cgroup, read again at each request
  std::string pid_namespace;  ///< text of its ns/pid link, which never changes
  uint64_t bounding = 0;      ///< its capability bounding set; only read for uid 0

  uid_t uid() const { return credentials.uid; }
  gid_t gid() const { return credentials.gid; }
  pid_t pid() const { return credentials.pid; }
};

/// A request of any method; which fields count is the method table's word.
struct Request {
  Method method = Method::ping;
  std::string controller, cgroup, key, value;
  int32_t first = 0, second = 0;
};

/// One file of a cgroup as ListKeys tells it.
struct Key {
  std::string name;
  uint32_t uid = 0, gid = 0;
  uint32_t mode = 0;  ///< st_mode, file type bits included
  bool operator==(const Key&) const = default;
};

using Answer = std::variant<std::monostate, int32_t, std::string, std::vector<int32_t>, std::vector<std::string>,
                            std::vector<Key>>;

/// Called once, on the loop's thread, with the outcome.
using Reply = std::function<void(Result<Answer>)>;

class Service {
 public:
  virtual ~Service() = default;
  /// Serves a request; `reply` is called before it returns or later. The caller is shared because a request that
  /// waits in a worker outlives the connection that it came by.
  virtual void submit(std::shared_ptr<const Caller> caller, Request request, Reply reply) = 0;
};

}  // namespace cgm::api
