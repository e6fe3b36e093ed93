// SPDX-License-Identifier: LGPL-2.1-or-later
// Prints the keys of cgmanager.conf(5): section, name and default, separated by tabs, one a line.
#include <cstdio>

#include "manager/config.hpp"

int main() {
  for (const cgm::manager::ConfigKey& key : cgm::manager::config_keys())
    std::printf("%s\t%s\t%s\n", std::string(key.section).c_str(), std::string(key.name).c_str(),
                cgm::manager::default_of(key).c_str());
}
