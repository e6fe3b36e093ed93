// SPDX-License-Identifier: LGPL-2.1-or-later
// Block devices.
#include "cgroup/block_device.hpp"

#include <fmt/format.h>
#include <sys/sysmacros.h>

#include "base/number.hpp"
#include "base/sys.hpp"

namespace cgm::cgroup {

std::optional<Device> parse_device(std::string_view text) {
  if (text.find(':') == std::string_view::npos) return std::nullopt;
  auto major = parse_number<unsigned>(take_until(text, ':'));
  auto minor = parse_number<unsigned>(text);
  if (!major || !minor) return std::nullopt;
  return Device{*major, *minor};
}

std::string format_device(Device device) {
  return fmt::format("{}:{}", device.major, device.minor);
}

Result<Device> resolve_device(const std::string& text) {
  if (auto device = parse_device(text)) return *device;
  struct stat st = TRY(sys::fstatat(AT_FDCWD, text, 0));
  if (S_ISCHR(st.st_mode)) return fail(ErrorKind::invalid, fmt::format("'{}' is no block device", text));
  dev_t number = S_ISBLK(st.st_mode) ? st.st_rdev : st.st_dev;
  Device device{::major(number), ::minor(number)};
  std::string entry = "/sys/dev/block/" + format_device(device);
  auto known = sys::fstatat(AT_FDCWD, entry, 0);
  if (!known && known.error().kind() == ErrorKind::not_found)
    return fail(ErrorKind::invalid, fmt::format("'{}' lies on a file system without a block device of its own ({})",
                                                text, format_device(device)));
  // Of a partition the entry is a directory inside that of its disk.
  if (!sys::fstatat(AT_FDCWD, entry + "/partition", 0)) return device;
  Fd disk = TRY(sys::openat(AT_FDCWD, entry + "/..", O_PATH | O_DIRECTORY));
  std::string numbers = TRY(sys::read_file_at(disk.get(), "dev", 64));
  auto whole = parse_device(trim(numbers));
  if (!whole) return fail(ErrorKind::protocol, fmt::format("malformed {}/../dev '{}'", entry, trim(numbers)));
  return *whole;
}

}  // namespace cgm::cgroup
