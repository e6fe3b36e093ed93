// SPDX-License-Identifier: LGPL-2.1-or-later
// Prints the keys of cgmanager.conf(5): section, name, default, type, least and most, separated by tabs, one a line.
#include <fmt/format.h>

#include "manager/config.hpp"

int main() {
  for (const cgm::manager::ConfigKey& key : cgm::manager::config_keys())
    fmt::print("{}\t{}\t{}\t{}\t{}\t{}\n", key.section, key.name, cgm::manager::default_of(key), key.type, key.least,
               key.most);
}
