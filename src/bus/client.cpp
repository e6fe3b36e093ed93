// SPDX-License-Identifier: LGPL-2.1-or-later
// Calls from the client's side.
#include "bus/client.hpp"

#include <array>

#include "base/socket.hpp"
#include "bus/library.hpp"

namespace cgm::bus {

namespace {

constexpr uint64_t kTimeoutUsec = 25'000'000;

Result<void> check(int r, std::string_view call) {
  if (r < 0) return fail(Error::from_errno(-r, call));
  return {};
}

/// A message that is released with the library that made it.
class Message final {
 public:
  explicit Message(const Library& library) : library_(library) {}
  ~Message() { library_.message_unref(message_); }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;
  sd_bus_message* get() const { return message_; }
  sd_bus_message** out() { return &message_; }

 private:
  const Library& library_;
  sd_bus_message* message_ = nullptr;
};

Result<std::vector<std::string>> read_strings(const Library& library, sd_bus_message* reply) {
  std::vector<std::string> strings;
  TRY_VOID(check(library.enter_container(reply, 'a', "s"), "sd_bus_message_enter_container"));
  const char* text = nullptr;
  int r;
  while ((r = library.read_basic(reply, 's', &text)) > 0) strings.emplace_back(text);
  TRY_VOID(check(r, "sd_bus_message_read_basic"));
  return strings;
}

Result<std::vector<api::Key>> read_keys(const Library& library, sd_bus_message* reply) {
  std::vector<api::Key> keys;
  TRY_VOID(check(library.enter_container(reply, 'a', "(suuu)"), "sd_bus_message_enter_container"));
  int r;
  while ((r = library.enter_container(reply, 'r', "suuu")) > 0) {
    const char* name = nullptr;
    api::Key key;
    for (int one : {library.read_basic(reply, 's', &name), library.read_basic(reply, 'u', &key.uid),
                    library.read_basic(reply, 'u', &key.gid), library.read_basic(reply, 'u', &key.mode),
                    library.exit_container(reply)})
      TRY_VOID(check(one, "sd_bus_message_read"));
    key.name = name;
    keys.push_back(std::move(key));
  }
  TRY_VOID(check(r, "sd_bus_message_enter_container"));
  return keys;
}

Result<api::Answer> read_answer(const Library& library, sd_bus_message* reply, const api::MethodInfo& method) {
  std::string_view type = method.out;
  if (type != library.message_get_signature(reply, 1))
    return fail(ErrorKind::protocol, "the daemon's answer has another type");
  if (type.empty()) return std::monostate();
  if (type == "i") {
    int32_t number = 0;
    TRY_VOID(check(library.read_basic(reply, 'i', &number), "sd_bus_message_read_basic"));
    return number;
  }
  if (type == "s") {
    const char* text = nullptr;
    TRY_VOID(check(library.read_basic(reply, 's', &text), "sd_bus_message_read_basic"));
    return std::string(text);
  }
  if (type == "ai") {
    const void* data = nullptr;
    size_t size = 0;
    TRY_VOID(check(library.read_array(reply, 'i', &data, &size), "sd_bus_message_read_array"));
    const auto* first = static_cast<const int32_t*>(data);
    return std::vector<int32_t>(first, first + size / sizeof(int32_t));
  }
  if (type == "as") return TRY(read_strings(library, reply));
  return TRY(read_keys(library, reply));
}

ErrorKind kind_of_name(std::string_view name) {
  if (name == SD_BUS_ERROR_NO_REPLY || name == SD_BUS_ERROR_TIMEOUT) return ErrorKind::timeout;
  if (name == SD_BUS_ERROR_DISCONNECTED) return ErrorKind::gone;
  return ErrorKind::denied;
}

}  // namespace

Result<std::unique_ptr<Client>> Client::connect(const std::string& path) {
  Fd socket = TRY(net::connect_to(path));
  const Library& library = *TRY(Library::load());
  std::unique_ptr<Client> client(new Client(library));
  TRY_VOID(check(library.bus_new(&client->bus_), "sd_bus_new"));
  TRY_VOID(check(library.set_fd(client->bus_, socket.get(), socket.get()), "sd_bus_set_fd"));
  (void)socket.release();  // the sd_bus closes it
  TRY_VOID(check(library.set_anonymous(client->bus_, 1), "sd_bus_set_anonymous"));
  TRY_VOID(check(library.start(client->bus_), "sd_bus_start"));
  return client;
}

Client::~Client() {
  library_.close_unref(bus_);
}

Result<api::Answer> Client::call(const api::Request& request) {
  const api::MethodInfo& method = api::info(request.method);
  Message message(library_);
  TRY_VOID(check(
      library_.message_new_method_call(bus_, message.out(), nullptr, api::kObjectPath, api::kInterface, method.name),
      "sd_bus_message_new_method_call"));
  const std::array strings = {&request.controller, &request.cgroup, &request.key, &request.value};
  const std::array integers = {&request.first, &request.second};
  size_t string = 0, integer = 0;
  for (const char* type = method.in; *type != '\0'; type++) {
    const void* value = *type == 's' ? static_cast<const void*>(strings.at(string++)->c_str()) : integers.at(integer++);
    int r = library_.append_basic(message.get(), *type, value);
    if (r == -EINVAL) return fail(ErrorKind::invalid, "an argument is no UTF-8");
    TRY_VOID(check(r, "sd_bus_message_append_basic"));
  }
  sd_bus_error error = SD_BUS_ERROR_NULL;
  Message reply(library_);
  int r = library_.call(bus_, message.get(), kTimeoutUsec, &error, reply.out());
  if (r < 0) {
    error_name_ = error.name ? error.name : "";
    Error failure = error.name ? Error(kind_of_name(error.name), error.message ? error.message : error.name)
                               : Error::from_errno(-r, "sd_bus_call");
    library_.error_free(&error);
    return fail(std::move(failure));
  }
  return read_answer(library_, reply.get(), method);
}

Result<int32_t> Client::api_version() {
  Message message(library_);
  TRY_VOID(check(library_.message_new_method_call(bus_, message.out(), nullptr, api::kObjectPath,
                                                  "org.freedesktop.DBus.Properties", "Get"),
                 "sd_bus_message_new_method_call"));
  for (const char* text : {api::kInterface, "api_version"})
    TRY_VOID(check(library_.append_basic(message.get(), 's', text), "sd_bus_message_append_basic"));
  sd_bus_error error = SD_BUS_ERROR_NULL;
  Message reply(library_);
  int r = library_.call(bus_, message.get(), kTimeoutUsec, &error, reply.out());
  library_.error_free(&error);
  TRY_VOID(check(r, "sd_bus_call"));
  int32_t version = 0;
  TRY_VOID(check(library_.enter_container(reply.get(), 'v', "i"), "sd_bus_message_enter_container"));
  TRY_VOID(check(library_.read_basic(reply.get(), 'i', &version), "sd_bus_message_read_basic"));
  return version;
}

std::vector<std::string> socket_paths(const char* cgm_socket) {
  if (cgm_socket && *cgm_socket != '\0') return {cgm_socket};
  return {"/sys/fs/cgroup/cgmanager/sock", "/run/cgmanager/sock"};
}

}  // namespace cgm::bus
