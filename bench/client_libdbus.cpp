// SPDX-License-Identifier: LGPL-2.1-or-later
// The client library that the old clients of this interface are linked with.
#include <dbus/dbus.h>

#include <array>

#include "api/methods.hpp"
#include "client.hpp"

namespace cgm::bench {

namespace {

constexpr int kTimeoutMs = 25'000;

struct MessageUnref {
  void operator()(DBusMessage* message) const { ::dbus_message_unref(message); }
};
using MessagePtr = std::unique_ptr<DBusMessage, MessageUnref>;

Error take(DBusError& error) {
  Error taken(ErrorKind::denied, error.message ? error.message : "libdbus: no memory");
  ::dbus_error_free(&error);
  return taken;
}

std::vector<std::string> strings_of(DBusMessageIter& array) {
  std::vector<std::string> strings;
  for (; ::dbus_message_iter_get_arg_type(&array) == DBUS_TYPE_STRING; ::dbus_message_iter_next(&array)) {
    const char* text = nullptr;
    ::dbus_message_iter_get_basic(&array, &text);
    strings.emplace_back(text);
  }
  return strings;
}

std::vector<int32_t> integers_of(DBusMessageIter& array) {
  const int32_t* first = nullptr;
  int count = 0;
  ::dbus_message_iter_get_fixed_array(&array, &first, &count);
  return count == 0 ? std::vector<int32_t>() : std::vector<int32_t>(first, first + count);
}

/// The answer's first value; lists of keys, which nothing here asks for, are passed over.
api::Answer answer_of(DBusMessage* reply) {
  DBusMessageIter value, inner;
  if (!::dbus_message_iter_init(reply, &value)) return std::monostate();
  switch (::dbus_message_iter_get_arg_type(&value)) {
    case DBUS_TYPE_INT32: {
      int32_t number = 0;
      ::dbus_message_iter_get_basic(&value, &number);
      return number;
    }
    case DBUS_TYPE_STRING: {
      const char* text = nullptr;
      ::dbus_message_iter_get_basic(&value, &text);
      return std::string(text);
    }
    case DBUS_TYPE_ARRAY: {
      int type = ::dbus_message_iter_get_element_type(&value);
      ::dbus_message_iter_recurse(&value, &inner);
      if (type == DBUS_TYPE_INT32) return integers_of(inner);
      if (type == DBUS_TYPE_STRING) return strings_of(inner);
      return std::monostate();
    }
    default: return std::monostate();
  }
}

class LibdbusClient final : public Client {
 public:
  explicit LibdbusClient(DBusConnection* connection) : connection_(connection) {}
  ~LibdbusClient() override {
    ::dbus_connection_close(connection_);
    ::dbus_connection_unref(connection_);
  }
  LibdbusClient(const LibdbusClient&) = delete;
  LibdbusClient& operator=(const LibdbusClient&) = delete;

  Result<api::Answer> call(const api::Request& request) override {
    const api::MethodInfo& method = api::info(request.method);
    MessagePtr message(::dbus_message_new_method_call(nullptr, api::kObjectPath, api::kInterface, method.name));
    DBusMessageIter arguments;
    ::dbus_message_iter_init_append(message.get(), &arguments);
    const std::array strings = {&request.controller, &request.cgroup, &request.key, &request.value};
    const std::array integers = {&request.first, &request.second};
    size_t string = 0, integer = 0;
    for (const char* type = method.in; *type != '\0'; type++) {
      const char* text = *type == 's' ? strings.at(string++)->c_str() : nullptr;
      const void* value = text ? static_cast<const void*>(&text) : integers.at(integer++);
      if (!::dbus_message_iter_append_basic(&arguments, *type, value)) return fail(ErrorKind::os, "libdbus: no memory");
    }
    DBusError error = DBUS_ERROR_INIT;
    MessagePtr reply(::dbus_connection_send_with_reply_and_block(connection_, message.get(), kTimeoutMs, &error));
    if (!reply) return fail(take(error));
    return answer_of(reply.get());
  }

 private:
  DBusConnection* connection_;
};

}  // namespace

Result<std::unique_ptr<Client>> connect_libdbus(const std::string& path) {
  DBusError error = DBUS_ERROR_INIT;
  DBusConnection* connection = ::dbus_connection_open_private(("unix:path=" + path).c_str(), &error);
  if (!connection) return fail(take(error));
  ::dbus_connection_set_exit_on_disconnect(connection, FALSE);
  return std::make_unique<LibdbusClient>(connection);
}

}  // namespace cgm::bench
