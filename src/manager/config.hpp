// SPDX-License-Identifier: LGPL-2.1-or-later
// cgmanager.conf(5): text to a checked structure. Pure; each key is in one table, which the man page is held against.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/log.hpp"

namespace cgm::manager {

struct Config {
  std::vector<std::string> sockets;  ///< paths; empty: the usual ones
  bool classic_socket = false;       ///< make the classic path also where /sys/fs/cgroup is a cgroup2 mount
  LogLevel log = LogLevel::notice;
  std::vector<std::string> skip;   ///< controllers to leave alone
  std::vector<std::string> mount;  ///< v1 hierarchies to mount privately where nobody has
  bool mount_unified = true;       ///< mount cgroup2 privately where nobody has

  int64_t connections = 1024;     ///< for each account
  int64_t connections_total = 0;  ///< in all; 0: what RLIMIT_NOFILE allows
  int64_t message_bytes = 1 << 20;
  int64_t unread_bytes = 4 << 20;  ///< for each account
  int64_t authentication_seconds = 5;
  int64_t watches = 256;          ///< for each account
  int64_t cgroups = 1024;         ///< for each account
  int64_t depth = 16;             ///< levels below the caller's floor
  int64_t deadline_seconds = 30;  ///< of one request's kernel work
};

/// One key of the file, for the parser and the documentation.
struct ConfigKey {
  std::string_view section;  ///< empty for the top
  std::string_view name;
  std::string_view type;  ///< `list`, `boolean`, `level` or `integer`
  int64_t least = 0, most = 0;
  std::string_view meaning;
};
std::span<const ConfigKey> config_keys();
/// A key's default, as it would stand in the file.
std::string default_of(const ConfigKey& key);

/// Parses the whole text over the defaults. Errors (invalid) name the line and the key: bad TOML, a key that there is
/// not, a value of another type or out of range.
Result<Config> parse_config(std::string_view text);

/// `error`, `warning`, `notice`, `info`, `debug`.
Result<LogLevel> parse_log_level(std::string_view name);

}  // namespace cgm::manager
