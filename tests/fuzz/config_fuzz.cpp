// SPDX-License-Identifier: LGPL-2.1-or-later
// The daemon's configuration.
#include "fuzz/fuzz.hpp"
#include "manager/config.hpp"

FUZZ(text) {
  using cgm::manager::Config;
  using cgm::test::promise;
  auto config = cgm::manager::parse_config(text);
  if (!config) {
    promise(config.error().kind() == cgm::ErrorKind::invalid && !config.error().text().empty(),
            "what is wrong is said");
    return;
  }
  constexpr std::pair<std::string_view, int64_t Config::*> kNumbers[] = {
      {"connections", &Config::connections},
      {"connections_total", &Config::connections_total},
      {"message_bytes", &Config::message_bytes},
      {"unread_bytes", &Config::unread_bytes},
      {"authentication_seconds", &Config::authentication_seconds},
      {"watches", &Config::watches},
      {"cgroups", &Config::cgroups},
      {"depth", &Config::depth},
      {"deadline_seconds", &Config::deadline_seconds}};
  for (const auto& key : cgm::manager::config_keys()) {
    if (key.type != "integer") continue;
    for (auto [name, member] : kNumbers)
      if (name == key.name)
        promise((*config).*member >= key.least && (*config).*member <= key.most, "a number is in its range");
  }
  promise(config->log >= cgm::LogLevel::error && config->log <= cgm::LogLevel::debug, "a level is a level");
}
