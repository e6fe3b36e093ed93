// SPDX-License-Identifier: LGPL-2.1-or-later
// Configuration, read with toml++.
#include "manager/config.hpp"

#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include <algorithm>
#include <variant>

namespace cgm::manager {

namespace {

using Member = std::variant<int64_t Config::*, bool Config::*, LogLevel Config::*, std::vector<std::string> Config::*>;

struct Row {
  ConfigKey key;
  Member member;
};

constexpr int64_t kGiga = int64_t{1} << 30;

const Row kRows[] = {
    {{"", "sockets", "list", 0, 0, "paths of the sockets to serve; the usual ones where it is empty"},
     &Config::sockets},
    {{"", "classic_socket", "boolean", 0, 0,
      "serve /sys/fs/cgroup/cgmanager/sock also where /sys/fs/cgroup is a cgroup2 mount"},
     &Config::classic_socket},
    {{"", "log", "level", 0, 0, "what is logged: error, warning, notice, info or debug"}, &Config::log},
    {{"hierarchies", "skip", "list", 0, 0, "controllers to leave alone"}, &Config::skip},
    {{"hierarchies", "mount", "list", 0, 0, "v1 hierarchies to mount, for the daemon alone, where nobody has"},
     &Config::mount},
    {{"hierarchies", "mount_unified", "boolean", 0, 0, "mount cgroup2, for the daemon alone, where nobody has"},
     &Config::mount_unified},
    {{"limits", "connections", "integer", 1, 1'000'000, "connections of one account"}, &Config::connections},
    {{"limits", "connections_total", "integer", 0, 1'000'000, "connections in all; 0 takes what RLIMIT_NOFILE allows"},
     &Config::connections_total},
    {{"limits", "message_bytes", "integer", 4096, kGiga / 8, "length of a message; a longer one ends its connection"},
     &Config::message_bytes},
    {{"limits", "unread_bytes", "integer", 65536, kGiga,
      "bytes held for one account: answers that it has not read, calls that are not complete"},
     &Config::unread_bytes},
    {{"limits", "authentication_seconds", "integer", 1, 600, "time that a client has to authenticate"},
     &Config::authentication_seconds},
    {{"limits", "watches", "integer", 0, 1'000'000, "cgroups of one account that are removed when they get empty"},
     &Config::watches},
    {{"limits", "cgroups", "integer", 1, 10'000'000, "cgroups of one account, all hierarchies together"},
     &Config::cgroups},
    {{"limits", "depth", "integer", 1, 256, "levels of cgroups below a caller's floor"}, &Config::depth},
    {{"limits", "deadline_seconds", "integer", 1, 3600, "time that the kernel's work for one request may take"},
     &Config::deadline_seconds},
};

std::string full_name(const ConfigKey& key) {
  return key.section.empty() ? std::string(key.name) : std::string(key.section) + "." + std::string(key.name);
}

std::string at_line(const toml::node& node) {
  return "line " + std::to_string(node.source().begin.line) + ": ";
}

Result<void> read_list(const ConfigKey& key, const toml::node& node, std::vector<std::string>& out) {
  const toml::array* array = node.as_array();
  bool strings =
      array && std::all_of(array->begin(), array->end(), [](const toml::node& one) { return one.is_string(); });
  if (!strings) return fail(ErrorKind::invalid, at_line(node) + "'" + full_name(key) + "' takes a list of strings");
  out.clear();
  for (const toml::node& one : *array) out.push_back(one.as_string()->get());
  return {};
}

Result<void> read_value(const Row& row, const toml::node& node, Config& config) {
  auto wrong = [&](std::string_view wanted) {
    return fail(ErrorKind::invalid, at_line(node) + "'" + full_name(row.key) + "' takes " + std::string(wanted));
  };
  if (auto* list = std::get_if<std::vector<std::string> Config::*>(&row.member))
    return read_list(row.key, node, config.**list);
  if (auto* flag = std::get_if<bool Config::*>(&row.member)) {
    if (!node.is_boolean()) return wrong("true or false");
    config.** flag = node.as_boolean()->get();
    return {};
  }
  if (auto* level = std::get_if<LogLevel Config::*>(&row.member)) {
    if (!node.is_string()) return wrong("a level");
    auto parsed = parse_log_level(node.as_string()->get());
    if (!parsed) return fail(std::move(parsed.error()).with(at_line(node) + "'" + full_name(row.key) + "'"));
    config.** level = *parsed;
    return {};
  }
  int64_t least = row.key.least, most = row.key.most;
  if (!node.is_integer() || node.as_integer()->get() < least || node.as_integer()->get() > most)
    return wrong("a number from " + std::to_string(least) + " to " + std::to_string(most));
  config.*std::get<int64_t Config::*>(row.member) = node.as_integer()->get();
  return {};
}

Result<void> read_table(std::string_view section, const toml::table& table, Config& config) {
  for (auto&& [name, node] : table) {
    if (section.empty() && node.is_table()) {
      bool known =
          std::any_of(std::begin(kRows), std::end(kRows), [&](const Row& r) { return r.key.section == name.str(); });
      if (!known)
        return fail(ErrorKind::invalid, at_line(node) + "there is no section '" + std::string(name.str()) + "'");
      TRY_VOID(read_table(name.str(), *node.as_table(), config));
      continue;
    }
    auto row = std::find_if(std::begin(kRows), std::end(kRows),
                            [&](const Row& r) { return r.key.section == section && r.key.name == name.str(); });
    if (row == std::end(kRows)) {
      std::string full =
          section.empty() ? std::string(name.str()) : std::string(section) + "." + std::string(name.str());
      return fail(ErrorKind::invalid, at_line(node) + "there is no key '" + full + "'");
    }
    TRY_VOID(read_value(*row, node, config));
  }
  return {};
}

/// Where the TOML string ends that begins with the quote at `at`: behind its last quote, or behind its line or the text
/// where it does not end.
size_t end_of_string(std::string_view text, size_t at) {
  char quote = text[at];
  std::string_view three = quote == '"' ? R"(""")" : "'''";
  bool several_lines = text.substr(at).starts_with(three);
  std::string_view end = several_lines ? three : three.substr(0, 1);
  for (at += end.size(); at < text.size() && !text.substr(at).starts_with(end); at++) {
    if (!several_lines && text[at] == '\n') return at;
    if (text[at] == '\\' && quote == '"') at++;
  }
  return std::min(at + end.size(), text.size());
}

/// The text in ASCII alone, for toml++ (3.3), whose behaviour is undefined where it meets a character from U+00A1 to
/// U+0499 outside of a string: comments lose what is beyond, and nothing else may hold it as it is.
Result<std::string> in_ascii(std::string_view text) {
  std::string ascii(text);
  size_t line = 1;
  for (size_t at = 0; at < ascii.size();) {
    bool comment = ascii[at] == '#';
    size_t end = at + 1;
    if (comment) end = std::min(text.find('\n', at), text.size());
    if (ascii[at] == '"' || ascii[at] == '\'') end = end_of_string(text, at);
    for (; at < end; at++) {
      if (ascii[at] == '\n') line++;
      if (static_cast<unsigned char>(ascii[at]) < 0x80) continue;
      if (!comment)
        return fail(ErrorKind::invalid,
                    "line " + std::to_string(line) +
                        ": a character beyond ASCII, which has to be written as \\uXXXX, in a string");
      ascii[at] = '?';
    }
  }
  return ascii;
}

}  // namespace

std::span<const ConfigKey> config_keys() {
  static const std::vector<ConfigKey> keys = [] {
    std::vector<ConfigKey> all;
    for (const Row& row : kRows) all.push_back(row.key);
    return all;
  }();
  return keys;
}

std::string default_of(const ConfigKey& key) {
  const Config config;
  for (const Row& row : kRows) {
    if (row.key.section != key.section || row.key.name != key.name) continue;
    if (auto* number = std::get_if<int64_t Config::*>(&row.member)) return std::to_string(config.**number);
    if (auto* flag = std::get_if<bool Config::*>(&row.member)) return config.**flag ? "true" : "false";
    if (std::holds_alternative<LogLevel Config::*>(row.member)) return "\"notice\"";
  }
  return "[]";  // lists are empty
}

Result<LogLevel> parse_log_level(std::string_view name) {
  constexpr std::pair<std::string_view, LogLevel> kLevels[] = {{"error", LogLevel::error},
                                                               {"warning", LogLevel::warning},
                                                               {"notice", LogLevel::notice},
                                                               {"info", LogLevel::info},
                                                               {"debug", LogLevel::debug}};
  for (const auto& [text, level] : kLevels)
    if (text == name) return level;
  return fail(ErrorKind::invalid, "'" + std::string(name) + "' is no log level: error, warning, notice, info or debug");
}

Result<Config> parse_config(std::string_view text) {
  constexpr size_t kLongest = 1 << 20;
  if (text.size() > kLongest) return fail(ErrorKind::invalid, "the configuration is longer than 1 MB");
  toml::parse_result parsed = toml::parse(TRY(in_ascii(text)));
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    return fail(ErrorKind::invalid,
                "line " + std::to_string(error.source().begin.line) + ": " + std::string(error.description()));
  }
  Config config;
  TRY_VOID(read_table("", parsed.table(), config));
  return config;
}

}  // namespace cgm::manager
