// SPDX-License-Identifier: LGPL-2.1-or-later
// A client of the classic interface as the benchmark sees it: one connection that asks and waits for the answer. Two
// libraries stand behind it, because they differ on the wire and old clients use the other one.
#pragma once

#include <memory>
#include <string>

#include "api/service.hpp"
#include "base/error.hpp"

namespace cgm::bench {

class Client {
 public:
  virtual ~Client() = default;
  /// Calls a classic method; a refusal is an error with the server's text.
  virtual Result<api::Answer> call(const api::Request& request) = 0;
};

enum class Library { sd_bus, libdbus };

/// `sd-bus` or `libdbus`, as tables and options name them.
std::string_view to_string(Library library);
/// False where the benchmark was built without libdbus.
bool has_library(Library library);
/// Connects to the socket at `path` and authenticates.
Result<std::unique_ptr<Client>> connect(Library library, const std::string& path);

/// The two makers behind connect().
Result<std::unique_ptr<Client>> connect_sd_bus(const std::string& path);
Result<std::unique_ptr<Client>> connect_libdbus(const std::string& path);

}  // namespace cgm::bench
