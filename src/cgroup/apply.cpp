// SPDX-License-Identifier: LGPL-2.1-or-later
// Applying limits.
#include "cgroup/apply.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <vector>

#include "cgroup/kernel_value.hpp"
#include "cgroup/keyed.hpp"
#include "cgroup/units.hpp"

namespace cgm::cgroup {

namespace {

std::string shown(const Write& write) {
  return fmt::format("{} = '{}'", write.file, write.value == "\n" ? "" : write.value);
}

/// The file that counts what a memory limit is about.
std::string_view use_file(std::string_view file) {
  if (file == "memory.max") return "memory.current";
  if (file == "memory.swap.max") return "memory.swap.current";
  if (file == "memory.limit_in_bytes") return "memory.usage_in_bytes";
  if (file == "memory.memsw.limit_in_bytes") return "memory.memsw.usage_in_bytes";
  return {};
}

/// v1 refuses a limit below present use itself (EBUSY); v2 takes it and kills.
bool is_checked_by_kernel(std::string_view file) {
  return file.ends_with("limit_in_bytes");
}

class Applier final {
 public:
  Applier(const Files& files, const ApplyOptions& options)
      : files_(files),
        options_(options),
        page_size_(options.page_size != 0 ? options.page_size : static_cast<uint64_t>(::sysconf(_SC_PAGESIZE))) {}

  /// Makes one write, and keeps what undoes it.
  Result<void> put(const Write& write) {
    auto before = files_.read(write.controller, write.file);
    if (!before) return fail(no_file(write, std::move(before.error())));
    if (is_in_force(write, *before, page_size_)) return {};
    if (!options_.force) TRY_VOID(check_use(write));
    Write undo = write;
    undo.value = undo_value(write, *before);
    auto written = files_.write(write.controller, write.file, write.value);
    if (!written) return fail(explained(write, std::move(written.error())));
    // It may hold by now, whatever the next read says.
    undo_.push_back(std::move(undo));
    return check_force(write);
  }

  /// Puts back what was changed, the last first; what could not be is added to the error.
  Error undo(Error error) && {
    std::string left;
    for (auto one = undo_.rbegin(); one != undo_.rend(); ++one) {
      auto usable = options_.force ? Result<void>{} : check_use(*one);
      auto written = usable ? files_.write(one->controller, one->file, one->value) : std::move(usable);
      if (!written) left.append(fmt::format("; {} could not be put back: {}", shown(*one), written.error().text()));
    }
    if (left.empty()) return error;
    return Error(error.kind(), error.code(), error.text() + left);
  }

 private:
  static Error no_file(const Write& write, Error error) {
    if (error.kind() != ErrorKind::not_found) return std::move(error).with(shown(write));
    return Error(ErrorKind::unsupported,
                 fmt::format("{}: the cgroup has no such file: this kernel lacks it, the cgroup is the root, or the "
                             "controller is not enabled here",
                             shown(write)));
  }

  Result<uint64_t> use(const Write& write) const {
    std::string_view file = use_file(write.file);
    auto bytes = parse_amount(TRY(files_.read(write.controller, file)));
    if (!bytes) return fail(ErrorKind::protocol, fmt::format("{} is no number", file));
    return *bytes;
  }

  static Error below_use(const Write& write, uint64_t limit, uint64_t bytes) {
    return Error(
        ErrorKind::busy, EBUSY,
        fmt::format("{}: the limit of {} bytes is below the present use of {} bytes", shown(write), limit, bytes));
  }

  /// A refusal by the kernel, in words where its errno alone would mislead.
  Error explained(const Write& write, Error error) const {
    if (error.code() == EBUSY && !use_file(write.file).empty())
      if (auto bytes = use(write)) return below_use(write, memory_bytes(write).value_or(0), *bytes);
    Error named = std::move(error).with(shown(write));
    if (named.code() == EACCES && write.controller == "cpuset")
      return Error(named.kind(), named.code(), named.text() + "; a v1 cpuset takes nothing that its parent has not");
    return named;
  }

  /// Fails where a v2 limit is below present use, after trying to reclaim the surplus as v1 does.
  Result<void> check_use(const Write& write) const {
    auto limit = memory_bytes(write);
    if (use_file(write.file).empty() || is_checked_by_kernel(write.file) || !limit || *limit == kUnlimited) return {};
    uint64_t wanted = *limit / page_size_ * page_size_;
    uint64_t bytes = TRY(use(write));
    if (bytes <= wanted) return {};
    if (write.file == "memory.max") {
      auto reclaimed = files_.write(write.controller, "memory.reclaim", std::to_string(bytes - wanted));
      // EAGAIN (busy): it freed less than it was asked to. Without the file or the right to it, present use decides.
      if (!reclaimed && reclaimed.error().kind() == ErrorKind::timeout)
        return fail(std::move(reclaimed.error()).with(shown(write)));
      bytes = TRY(use(write));
      if (bytes <= wanted) return {};
    }
    return fail(below_use(write, wanted, bytes));
  }

  Result<void> check_force(const Write& write) const {
    auto after = files_.read(write.controller, write.file);
    if (!after) return fail(std::move(after.error()).with(shown(write)));
    if (!is_in_force(write, *after, page_size_))
      return fail(ErrorKind::invalid,
                  fmt::format("{}: the kernel keeps '{}' instead", shown(write), after->substr(0, 80)));
    return check_effective(write);
  }

  /// v2 takes any list for a cpuset and then uses what the parent has.
  Result<void> check_effective(const Write& write) const {
    if (write.controller != "cpuset" || write.value == "\n") return {};
    auto effective = files_.read(write.controller, write.file + ".effective");
    if (!effective) return {};  // v1, which refuses such a list itself
    IdSet wanted = TRY(parse_id_set(write.value));
    IdSet used = TRY(parse_id_set(*effective));
    if (wanted.contains(used)) return {};
    return fail(ErrorKind::invalid,
                fmt::format("{}: the parent has none of these; '{}' would be used", shown(write), *effective));
  }

  const Files& files_;
  ApplyOptions options_;
  uint64_t page_size_;
  std::vector<Write> undo_;
};

/// One write, or neighbours that stand for the same limit, of which one has to be taken.
Result<void> put_group(Applier& applier, std::span<const Write> group) {
  std::optional<Error> refused;
  bool taken = false;
  for (const Write& write : group) {
    auto put = applier.put(write);
    if (put) {
      taken = true;
    } else if (group.size() == 1 || put.error().kind() != ErrorKind::unsupported) {
      return put;
    } else if (!refused) {
      refused = std::move(put.error());
    }
  }
  if (taken || !refused) return {};
  return fail(std::move(*refused));
}

size_t group_length(std::span<const Write> writes) {
  size_t length = 1;
  if (!writes.front().alternative) return length;
  auto same_limit = [&](const Write& other) {
    return other.alternative && other.file != writes.front().file && other.controller == writes.front().controller;
  };
  while (length < writes.size() && same_limit(writes[length])) length++;
  return length;
}

}  // namespace

Result<void> apply_writes(const Files& files, std::span<const Write> writes, const ApplyOptions& options) {
  Applier applier(files, options);
  while (!writes.empty()) {
    size_t length = group_length(writes);
    auto put = put_group(applier, writes.first(length));
    if (!put) return fail(std::move(applier).undo(std::move(put.error())));
    writes = writes.subspan(length);
  }
  return {};
}

}  // namespace cgm::cgroup
