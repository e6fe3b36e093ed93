// SPDX-License-Identifier: LGPL-2.1-or-later
// The command line of one command: its options, those that all share, its help.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <optional>
#include <string>

#include "cgm/command.hpp"

namespace cgm::cli {

/// A span of time as options give it.
inline std::chrono::nanoseconds to_span(double seconds) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
}

class Verb final {
 public:
  /// What a command asks: a session, whose options it then has, or the kernel alone.
  enum class Asks { session, kernel };

  /// Help shows `usage` behind "usage: cgm ", then `summary`, the options, and `more`.
  Verb(Invocation& invocation, std::string usage, std::string summary, std::string more, Asks asks = Asks::session);

  CLI::App& app() { return app_; }
  /// Has an empty word for an option be a usage error, where it would be taken for an option that is not given.
  void refuse_empty_values();
  /// Parses the invocation's arguments; an exit status where the command is done, after printing help or what is wrong.
  std::optional<int> parse();
  /// Says what is wrong with the arguments, and how they are meant; returns kUsage.
  int usage_error(std::string_view why) const;
  /// What parse() left, where the app is a prefix command: the words from the first that is no option on.
  std::vector<std::string> rest() const;

 private:
  Invocation& invocation_;
  std::string usage_;
  CLI::App app_;
};

}  // namespace cgm::cli
