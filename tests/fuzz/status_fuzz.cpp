// SPDX-License-Identifier: LGPL-2.1-or-later
// /proc/PID/status. The name in it is the process' own to choose, though the kernel escapes a newline in it.
#include "base/procfs.hpp"
#include "fuzz/fuzz.hpp"

FUZZ(text) {
  using cgm::test::promise;
  auto status = cgm::procfs::parse_status(text);
  if (!status) return;
  promise(status->ns_pid.size() <= 33 && status->ns_tgid.size() <= 33, "nesting is bounded");
  if (text.size() > 4096) return;
  auto named = cgm::procfs::parse_status("Name:\tUid:\t0\t0\t0\t0\n" + std::string(text));
  promise(named && named->real_uid == status->real_uid && named->pid == status->pid && named->tgid == status->tgid,
          "a name that looks like another line changes nothing");
}
