// SPDX-License-Identifier: LGPL-2.1-or-later
// Command lines of commands, by CLI11.
#include "cgm/verb.hpp"

#include <cstdio>

namespace cgm::cli {

namespace {

class HelpFormatter final : public CLI::Formatter {
 public:
  explicit HelpFormatter(std::string usage) : usage_(std::move(usage)) { column_width(34); }
  std::string make_usage(const CLI::App*, std::string) const override { return "usage: cgm " + usage_ + "\n\n"; }
  std::string make_description(const CLI::App*) const override { return {}; }

 private:
  std::string usage_;
};

}  // namespace

Verb::Verb(Invocation& invocation, std::string usage, std::string summary, std::string more, Asks asks)
    : invocation_(invocation), usage_(std::move(usage)), app_("", std::string(invocation.command)) {
  app_.formatter(std::make_shared<HelpFormatter>(usage_ + "\n\n" + std::move(summary)));
  app_.footer(std::move(more));
  app_.add_flag("--json", invocation.json, "print data as JSON");
  if (asks == Asks::kernel) return;
  app_.add_option("--socket", invocation.session.socket, "ask the daemon at this socket")->type_name("PATH");
  app_.add_flag("--direct", invocation.session.direct,
                "work on the cgroup files with your own rights, without the daemon");
  app_.add_flag("-v,--verbose", invocation.session.verbose, "say whether a daemon is asked, and which");
}

void Verb::refuse_empty_values() {
  for (CLI::Option* option : app_.get_options())
    if (!option->get_positional() && option->get_expected_min() > 0)
      option->check([](const std::string& text) { return text.empty() ? "a word is missing" : ""; });
}

std::optional<int> Verb::parse() {
  std::vector<std::string> reversed(invocation_.arguments.rbegin(), invocation_.arguments.rend());
  try {
    app_.parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    std::fputs(app_.help().c_str(), stdout);
    return 0;
  } catch (const CLI::ParseError& error) {
    return usage_error(error.what());
  }
  // A prefix command takes what it does not know for the first word of the command.
  const std::vector<std::string> left = app_.remaining();
  if (!left.empty() && left.front().starts_with('-') && left.front() != "--")
    return usage_error("there is no option '" + left.front() + "'");
  return std::nullopt;
}

int Verb::usage_error(std::string_view why) const {
  complain(std::string(invocation_.command) + ": " + std::string(why));
  std::fprintf(stderr, "usage: cgm %s\n", usage_.c_str());
  return kUsage;
}

std::vector<std::string> Verb::rest() const {
  std::vector<std::string> words = app_.remaining();
  if (!words.empty() && words.front() == "--") words.erase(words.begin());
  return words;
}

}  // namespace cgm::cli
