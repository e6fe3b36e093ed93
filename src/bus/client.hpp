// SPDX-License-Identifier: LGPL-2.1-or-later
// A client's connection to the daemon's socket: one request, one answer.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/methods.hpp"
#include "api/service.hpp"
#include "base/error.hpp"

struct sd_bus;

namespace cgm::bus {

struct Library;

class Client final {
 public:
  /// Connects to the socket at `path`; sends nothing but the authentication. Errors: not_found, denied (nobody
  /// listens), unsupported (no sd-bus library).
  static Result<std::unique_ptr<Client>> connect(const std::string& path);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Calls a classic method and waits for its answer, at most 25 s as libdbus does (kind timeout). A refusal is an
  /// error whose text is the daemon's.
  Result<api::Answer> call(const api::Request& request);
  /// Reads the property api_version.
  Result<int32_t> api_version();
  /// The D-Bus name of the last error.
  const std::string& error_name() const { return error_name_; }

 private:
  explicit Client(const Library& library) : library_(library) {}
  const Library& library_;
  sd_bus* bus_ = nullptr;
  std::string error_name_;
};

/// Where to look for the daemon, in order: $CGM_SOCKET alone if it is set, else the classic path, then /run.
std::vector<std::string> socket_paths(const char* cgm_socket);

}  // namespace cgm::bus
