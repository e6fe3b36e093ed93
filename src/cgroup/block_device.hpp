// SPDX-License-Identifier: LGPL-2.1-or-later
// Block devices as the io controller names them: `MAJOR:MINOR` of a whole disk.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace cgm::cgroup {

struct Device {
  unsigned major = 0, minor = 0;
  auto operator<=>(const Device&) const = default;
};

/// Parses `8:0`; nothing where it is anything else. Pure.
std::optional<Device> parse_device(std::string_view text);
/// `8:0`. Pure.
std::string format_device(Device device);

/// The whole disk that `text` means: `8:0` as it is; a block special file; or the disk that holds a file or directory.
/// A partition becomes its disk, for the io controller takes no partitions (blkcg_conf_open_bdev, ENODEV). Follows
/// symbolic links, as /dev/disk/by-id is made of them. Errors: not_found, denied; invalid (a character device, or a
/// file system without a device of its own, such as tmpfs or btrfs).
Result<Device> resolve_device(const std::string& text);

}  // namespace cgm::cgroup
