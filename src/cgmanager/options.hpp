// SPDX-License-Identifier: LGPL-2.1-or-later
// The daemon's command line.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "manager/config.hpp"

namespace cgm::cgmanager {

inline constexpr const char* kDefaultConfig = "/etc/cgmanager/cgmanager.conf";

struct Options {
  std::string config_path;  ///< empty: kDefaultConfig, if it is there
  bool daemon = false;
  std::string pid_file;
  int ready_fd = -1;
  bool sigstop = false;
  bool check_config = false;
  // What the command line says over the file.
  std::vector<std::string> sockets, skip, mount;
  bool classic_socket = false;
  std::optional<LogLevel> log;
  std::optional<int64_t> depth;

  /// The file's settings with these over them.
  manager::Config over(manager::Config config) const;
};

/// Parses argv; returns the options, or the exit status where the program is done (help, version, usage error), after
/// printing what there is to print.
std::variant<Options, int> parse_options(int argc, char** argv);

/// Reads the configuration that the options name, and puts the options over it.
Result<manager::Config> load_config(const Options& options);

}  // namespace cgm::cgmanager
