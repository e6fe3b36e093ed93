// SPDX-License-Identifier: LGPL-2.1-or-later
// Messages and the method table.
#include "bus/dispatch.hpp"

#include <systemd/sd-id128.h>

#include <array>

#include "api/error_map.hpp"
#include "api/methods.hpp"

namespace cgm::bus {

namespace {

constexpr const char* kBusPath = "/org/freedesktop/DBus";
constexpr const char* kBusInterface = "org.freedesktop.DBus";
constexpr const char* kPeer = "org.freedesktop.DBus.Peer";
constexpr const char* kProperties = "org.freedesktop.DBus.Properties";
constexpr const char* kIntrospectable = "org.freedesktop.DBus.Introspectable";

std::string_view view(const char* text) {
  return text ? std::string_view(text) : std::string_view();
}

MessagePtr empty_reply(sd_bus_message* call) {
  sd_bus_message* reply = nullptr;
  if (sd_bus_message_new_method_return(call, &reply) < 0) return nullptr;
  return MessagePtr(reply);
}

MessagePtr error_reply(sd_bus_message* call, const char* name, const std::string& text) {
  sd_bus_message* reply = nullptr;
  sd_bus_error error = SD_BUS_ERROR_MAKE_CONST(name, text.c_str());
  if (sd_bus_message_new_method_error(call, &reply, &error) >= 0) return MessagePtr(reply);
  error.message = "invalid request: the reason cannot be told in UTF-8";
  return sd_bus_message_new_method_error(call, &reply, &error) < 0 ? nullptr : MessagePtr(reply);
}

MessagePtr unknown(sd_bus_message* call) {
  auto part = [](const char* text) { return std::string(view(text)); };
  return error_reply(call, SD_BUS_ERROR_UNKNOWN_METHOD,
                     "Method \"" + part(sd_bus_message_get_member(call)) + "\" with signature \"" +
                         part(sd_bus_message_get_signature(call, 1)) + "\" on interface \"" +
                         part(sd_bus_message_get_interface(call)) + "\" doesn't exist\n");
}

/// A reply with one string, or with nothing where `text` is null.
MessagePtr text_reply(sd_bus_message* call, const char* text) {
  MessagePtr reply = empty_reply(call);
  if (reply && text && sd_bus_message_append_basic(reply.get(), 's', text) < 0) return nullptr;
  return reply;
}

bool has_signature(sd_bus_message* call, std::string_view signature) {
  return view(sd_bus_message_get_signature(call, 1)) == signature;
}

/// The child of `path` on the way down to our object, as introspection names it; empty where there is none.
std::string child_towards_object(std::string_view path) {
  std::string_view object = api::kObjectPath;
  if (path == "/") path = "";
  if (!object.starts_with(path) || object.size() <= path.size() || object[path.size()] != '/') return {};
  std::string_view rest = object.substr(path.size() + 1);
  return std::string(rest.substr(0, rest.find('/')));
}

std::string introspect(std::string_view path) {
  std::string xml =
      "<!DOCTYPE node PUBLIC \"-//freedesktop//DTD D-BUS Object Introspection 1.0//EN\"\n"
      "\"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd\">\n<node>\n"
      " <interface name=\"org.freedesktop.DBus.Peer\">\n  <method name=\"Ping\"/>\n"
      "  <method name=\"GetMachineId\">\n   <arg type=\"s\" name=\"machine_uuid\" direction=\"out\"/>\n  </method>\n "
      "</interface>\n"
      " <interface name=\"org.freedesktop.DBus.Introspectable\">\n  <method name=\"Introspect\">\n"
      "   <arg name=\"data\" type=\"s\" direction=\"out\"/>\n  </method>\n </interface>\n";
  if (path == api::kObjectPath) {
    xml +=
        " <interface name=\"org.freedesktop.DBus.Properties\">\n"
        "  <method name=\"Get\">\n   <arg name=\"interface\" type=\"s\" direction=\"in\"/>\n   <arg name=\"property\" "
        "type=\"s\" direction=\"in\"/>\n   <arg name=\"value\" type=\"v\" direction=\"out\"/>\n  </method>\n"
        "  <method name=\"GetAll\">\n   <arg name=\"interface\" type=\"s\" direction=\"in\"/>\n   <arg "
        "name=\"properties\" "
        "type=\"a{sv}\" direction=\"out\"/>\n  </method>\n"
        "  <method name=\"Set\">\n   <arg name=\"interface\" type=\"s\" direction=\"in\"/>\n   <arg name=\"property\" "
        "type=\"s\" direction=\"in\"/>\n   <arg name=\"value\" type=\"v\" direction=\"in\"/>\n  </method>\n "
        "</interface>\n";
    xml += api::introspection();
  } else if (path == kBusPath) {
    xml +=
        " <interface name=\"org.freedesktop.DBus\">\n  <method name=\"Hello\">\n   <arg type=\"s\" "
        "name=\"unique_name\" "
        "direction=\"out\"/>\n  </method>\n"
        "  <method name=\"AddMatch\">\n   <arg type=\"s\" name=\"rule\" direction=\"in\"/>\n  </method>\n"
        "  <method name=\"RemoveMatch\">\n   <arg type=\"s\" name=\"rule\" direction=\"in\"/>\n  </method>\n "
        "</interface>\n";
  }
  if (std::string child = child_towards_object(path); !child.empty()) xml += " <node name=\"" + child + "\"/>\n";
  return xml + "</node>\n";
}

MessagePtr introspect_reply(sd_bus_message* call, std::string_view path) {
  bool known = path == api::kObjectPath || path == kBusPath || !child_towards_object(path).empty();
  if (!known || view(sd_bus_message_get_member(call)) != "Introspect") return unknown(call);
  if (!has_signature(call, "")) return error_reply(call, api::kClassicError, "Invalid arguments to Introspect method");
  return text_reply(call, introspect(path).c_str());
}

MessagePtr peer_reply(sd_bus_message* call) {
  std::string_view member = view(sd_bus_message_get_member(call));
  if (member == "Ping") return empty_reply(call);
  if (member != "GetMachineId") return unknown(call);
  sd_id128_t id;
  char text[SD_ID128_STRING_MAX];
  if (sd_id128_get_machine(&id) < 0)
    return error_reply(call, SD_BUS_ERROR_FILE_NOT_FOUND, "this machine has no machine id");
  return text_reply(call, sd_id128_to_string(id, text));
}

MessagePtr bus_reply(sd_bus_message* call, uint64_t connection) {
  std::string_view member = view(sd_bus_message_get_member(call));
  if (member == "Hello" && has_signature(call, ""))
    return text_reply(call, (":1." + std::to_string(connection)).c_str());
  if ((member == "AddMatch" || member == "RemoveMatch") && has_signature(call, "s")) return empty_reply(call);
  return unknown(call);
}

MessagePtr properties_reply(sd_bus_message* call) {
  std::string_view member = view(sd_bus_message_get_member(call));
  const char* interface = "";
  const char* property = "";
  if (member == "GetAll" && has_signature(call, "s")) {
    if (sd_bus_message_read(call, "s", &interface) < 0) return unknown(call);
    MessagePtr reply = empty_reply(call);
    if (!reply) return nullptr;
    int r = view(interface) == api::kInterface || view(interface).empty()
                ? sd_bus_message_append(reply.get(), "a{sv}", 1, "api_version", "i", api::kApiVersion)
                : sd_bus_message_append(reply.get(), "a{sv}", 0);
    return r < 0 ? nullptr : std::move(reply);
  }
  if (member == "Set" && has_signature(call, "ssv"))
    return error_reply(call, SD_BUS_ERROR_ACCESS_DENIED, "The api_version property is read-only");
  if (member != "Get" || !has_signature(call, "ss") || sd_bus_message_read(call, "ss", &interface, &property) < 0)
    return unknown(call);
  if ((view(interface) != api::kInterface && !view(interface).empty()) || view(property) != "api_version")
    return unknown(call);
  MessagePtr reply = empty_reply(call);
  if (!reply || sd_bus_message_append(reply.get(), "v", "i", api::kApiVersion) < 0) return nullptr;
  return reply;
}

/// Reads the arguments of a call whose signature has been checked.
bool read_arguments(sd_bus_message* call, const api::MethodInfo& method, api::Request& request) {
  std::array strings = {&request.controller, &request.cgroup, &request.key, &request.value};
  std::array integers = {&request.first, &request.second};
  size_t next_string = 0, next_integer = 0;
  for (const char* type = method.in; *type != '\0'; type++) {
    if (*type == 's') {
      const char* text = nullptr;
      if (sd_bus_message_read_basic(call, 's', &text) <= 0) return false;
      *strings.at(next_string++) = text;
    } else if (sd_bus_message_read_basic(call, *type, integers.at(next_integer++)) <= 0) {
      return false;
    }
  }
  return true;
}

int append(sd_bus_message* reply, const api::Answer& answer) {
  if (auto* number = std::get_if<int32_t>(&answer)) return sd_bus_message_append_basic(reply, 'i', number);
  if (auto* text = std::get_if<std::string>(&answer)) return sd_bus_message_append_basic(reply, 's', text->c_str());
  if (auto* ids = std::get_if<std::vector<int32_t>>(&answer))
    return sd_bus_message_append_array(reply, 'i', ids->data(), ids->size() * sizeof(int32_t));
  if (auto* names = std::get_if<std::vector<std::string>>(&answer)) {
    int r = sd_bus_message_open_container(reply, 'a', "s");
    for (const std::string& name : *names)
      if (r >= 0) r = sd_bus_message_append_basic(reply, 's', name.c_str());
    return r < 0 ? r : sd_bus_message_close_container(reply);
  }
  if (auto* keys = std::get_if<std::vector<api::Key>>(&answer)) {
    int r = sd_bus_message_open_container(reply, 'a', "(suuu)");
    for (const api::Key& key : *keys)
      if (r >= 0) r = sd_bus_message_append(reply, "(suuu)", key.name.c_str(), key.uid, key.gid, key.mode);
    return r < 0 ? r : sd_bus_message_close_container(reply);
  }
  return 0;
}

}  // namespace

std::variant<api::Request, Immediate> interpret(sd_bus_message* message, uint64_t connection) {
  uint8_t type = 0;
  if (sd_bus_message_get_type(message, &type) < 0 || type != SD_BUS_MESSAGE_METHOD_CALL) return Immediate{};
  std::string_view path = view(sd_bus_message_get_path(message));
  std::string_view interface = view(sd_bus_message_get_interface(message));
  auto immediate = [&](MessagePtr reply) {
    if (sd_bus_message_get_expect_reply(message) <= 0) reply.reset();
    return Immediate{std::move(reply)};
  };
  if (interface == kPeer) return immediate(peer_reply(message));
  if (interface == kIntrospectable) return immediate(introspect_reply(message, path));
  if (interface == kBusInterface && path == kBusPath) return immediate(bus_reply(message, connection));
  if (path != api::kObjectPath) return immediate(unknown(message));
  if (interface == kProperties) return immediate(properties_reply(message));
  const api::MethodInfo* method = api::find_method(view(sd_bus_message_get_member(message)));
  if (!method || (!interface.empty() && interface != api::kInterface)) return immediate(unknown(message));
  api::Request request;
  request.method = method->method;
  if (!has_signature(message, method->in) || !read_arguments(message, *method, request))
    return immediate(
        error_reply(message, api::kClassicError, "Invalid arguments to " + std::string(method->name) + " method"));
  return request;
}

MessagePtr make_reply(sd_bus_message* call, const Result<api::Answer>& outcome) {
  if (sd_bus_message_get_expect_reply(call) <= 0) return nullptr;
  if (!outcome) return error_reply(call, api::kClassicError, api::classic_text(outcome.error()));
  MessagePtr reply = empty_reply(call);
  if (reply && append(reply.get(), *outcome) >= 0) return reply;
  return error_reply(call, api::kClassicError, "invalid request: the answer cannot be told in UTF-8");
}

}  // namespace cgm::bus
