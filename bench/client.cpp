// SPDX-License-Identifier: LGPL-2.1-or-later
// Choice of the client library, and the client that `cgm` uses.
#include "client.hpp"

#include "bus/client.hpp"

namespace cgm::bench {

namespace {

class SdBusClient final : public Client {
 public:
  explicit SdBusClient(std::unique_ptr<bus::Client> client) : client_(std::move(client)) {}
  Result<api::Answer> call(const api::Request& request) override { return client_->call(request); }

 private:
  std::unique_ptr<bus::Client> client_;
};

}  // namespace

std::string_view to_string(Library library) {
  switch (library) {
    case Library::sd_bus: return "sd-bus";
    case Library::libdbus: return "libdbus";
  }
  return "";
}

bool has_library(Library library) {
#ifdef CGM_BENCH_LIBDBUS
  (void)library;
  return true;
#else
  return library != Library::libdbus;
#endif
}

Result<std::unique_ptr<Client>> connect(Library library, const std::string& path) {
  switch (library) {
    case Library::sd_bus: return connect_sd_bus(path);
    case Library::libdbus:
#ifdef CGM_BENCH_LIBDBUS
      return connect_libdbus(path);
#else
      return fail(ErrorKind::unsupported, "built without libdbus");
#endif
  }
  return fail(ErrorKind::invalid, "no such client library");
}

Result<std::unique_ptr<Client>> connect_sd_bus(const std::string& path) {
  return std::make_unique<SdBusClient>(TRY(bus::Client::connect(path)));
}

}  // namespace cgm::bench
