// SPDX-License-Identifier: LGPL-2.1-or-later
// /proc/PID/stat, as it is and as the command name of a process: any bytes are one.
#include "base/procfs.hpp"
#include "fuzz/fuzz.hpp"

FUZZ(text) {
  using cgm::test::promise;
  auto stat = cgm::procfs::parse_stat(text);
  if (stat) promise(text.find(stat->comm) != text.npos, "the name is in the text");
  if (text.size() > 64) return;
  std::string line = "42 (" + std::string(text) + ") S 7 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 12345 1000 1 1\n";
  auto named = cgm::procfs::parse_stat(line);
  promise(named && named->comm == text, "any name is read whole");
  promise(named->pid == 42 && named->state == 'S' && named->ppid == 7 && named->flags == 4194560 &&
              named->start_time == 12345,
          "no name changes the other fields");
}
