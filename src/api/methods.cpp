// SPDX-License-Identifier: LGPL-2.1-or-later
// Look-up in the method table, and its introspection.
#include "api/methods.hpp"

#include "base/number.hpp"

namespace cgm::api {

namespace {

constexpr bool in_order() {
  for (size_t i = 0; i < kMethods.size(); i++)
    if (static_cast<size_t>(kMethods[i].method) != i) return false;
  return true;
}
static_assert(in_order(), "info() indexes the table by the enum");

}  // namespace

const MethodInfo* find_method(std::string_view name) {
  for (const MethodInfo& one : kMethods)
    if (name == one.name) return &one;
  return nullptr;
}

std::string introspection() {
  std::string xml = std::string(" <interface name=\"") + kInterface + "\">\n";
  for (const MethodInfo& one : kMethods) {
    xml.append("  <method name=\"").append(one.name).append("\">\n");
    std::string_view names = one.in_names;
    for (const char* type = one.in; *type != '\0'; type++)
      xml.append("   <arg name=\"")
          .append(take_until(names, ' '))
          .append("\" type=\"")
          .append(1, *type)
          .append("\" direction=\"in\"/>\n");
    if (*one.out != '\0')
      xml.append("   <arg name=\"")
          .append(one.out_name)
          .append("\" type=\"")
          .append(one.out)
          .append("\" direction=\"out\"/>\n");
    xml.append("  </method>\n");
  }
  return xml + "  <property name=\"api_version\" type=\"i\" access=\"read\"/>\n </interface>\n";
}

}  // namespace cgm::api
