// SPDX-License-Identifier: LGPL-2.1-or-later
// /proc/cgroups.
#include "base/procfs.hpp"
#include "fuzz/fuzz.hpp"

FUZZ(text) {
  auto subsystems = cgm::procfs::parse_cgroups(text);
  if (!subsystems) return;
  std::string again;
  for (const auto& one : *subsystems) {
    if (one.name.front() == '#') return;  // a comment, where it begins a line
    cgm::test::promise(!one.name.empty() && one.name.find_first_of(" \t\n") == one.name.npos, "a name is one word");
    again += one.name + "\t" + std::to_string(one.hierarchy) + "\t" + std::to_string(one.cgroups) + "\t" +
             (one.enabled ? "1" : "0") + "\n";
  }
  auto parsed = cgm::procfs::parse_cgroups(again);
  cgm::test::promise(parsed && parsed->size() == subsystems->size(), "the controllers read back");
  for (size_t i = 0; i < parsed->size(); i++)
    cgm::test::promise((*parsed)[i].name == (*subsystems)[i].name && (*parsed)[i].enabled == (*subsystems)[i].enabled,
                       "a controller reads back");
}
