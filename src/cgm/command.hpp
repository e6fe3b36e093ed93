// SPDX-License-Identifier: LGPL-2.1-or-later
// The commands of cgm: one table, one file a command (the classic ones share theirs).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cgm/session.hpp"

namespace cgm::cli {

/// What stood before the command's name, and what every command needs.
struct Invocation {
  SessionOptions session;
  bool json = false;
  std::string_view command;
  std::vector<std::string> arguments;  ///< what stood after the name
};

inline constexpr int kFailed = 1, kUsage = 2;

struct Command {
  std::string_view name;
  std::string_view arguments;  ///< as the usage shows them
  std::string_view summary;
  bool classic;
  int (*run)(Invocation&);
};

/// All commands, in the order in which help shows them.
std::span<const Command> commands();
const Command* find_command(std::string_view name);

/// `cgm: text` on standard error.
void complain(std::string_view text);
/// Usage error: says why and how to get help; returns kUsage.
int usage_error(std::string_view command, std::string_view why);

/// `cgm: text` of an error; returns kFailed.
int failed(const Error& error);

/// Opens the session, or says why not as the classic cgm did, and returns null.
std::unique_ptr<Session> open_session(const Invocation& invocation);

// One function a command; classic.cpp holds all classic ones.
int run_classic(Invocation&);
int run_run(Invocation&);
int run_stat(Invocation&);
int run_tree(Invocation&);
int run_limit(Invocation&);
int run_freeze(Invocation&);
int run_thaw(Invocation&);
int run_kill(Invocation&);
int run_wait(Invocation&);
int run_controllers(Invocation&);
int run_doctor(Invocation&);
int run_ns(Invocation&);

}  // namespace cgm::cli
