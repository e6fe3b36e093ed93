// SPDX-License-Identifier: LGPL-2.1-or-later
// What we note on a cgroup's directory, in extended attributes that nobody else could have set. trusted.* takes
// CAP_SYS_ADMIN in the initial user namespace to set and to read (xattr(7)); where we do not have that, user.* counts
// (cgroup2 from 5.7), on a directory that none but root and ourselves may write. v1 hierarchies have neither.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "cgroup/cgroup.hpp"

namespace cgm::cgroup {

enum class NoteFor {
  us,        ///< trusted.* alone, user.* where that cannot be set
  everyone,  ///< both, so that those who cannot read trusted.* see it too
};

/// Notes `value` (at most 255 bytes) as `cgmanager.NAME`. Errors: unsupported, denied (neither kind can be set).
Result<void> set_note(const Cgroup& cgroup, std::string_view name, std::string_view value, NoteFor readers);

/// The value of a note that counts; nothing where there is none.
std::optional<std::string> read_note(const Cgroup& cgroup, std::string_view name);

/// Removes the note, in both kinds; nothing is done where there is none.
void remove_note(const Cgroup& cgroup, std::string_view name);

}  // namespace cgm::cgroup
