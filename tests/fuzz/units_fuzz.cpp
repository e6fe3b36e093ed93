// SPDX-License-Identifier: LGPL-2.1-or-later
// Sizes, CPUs, lists of CPUs and io options as people write them, and values as the kernel keeps them. For the latter
// the first line names a file, the second is what is written, the rest what the file reads.
#include "base/number.hpp"
#include "cgroup/kernel_value.hpp"
#include "cgroup/units.hpp"
#include "fuzz/fuzz.hpp"

namespace {

namespace cgroup = cgm::cgroup;
using cgm::test::promise;

void amounts(std::string_view text) {
  auto bytes = cgroup::parse_bytes(text);
  if (bytes) {
    promise(*bytes == cgroup::kUnlimited || *bytes < cgroup::kEndless, "a size is bounded");
    // The very largest is rounded up when it is shown, past what is taken.
    if (*bytes < cgroup::kEndless / 2)
      promise(bool(cgroup::parse_bytes(cgroup::format_bytes(*bytes))), "a shown size can be read");
  }
  auto count = cgroup::parse_count(text);
  promise(!count || *count == cgroup::kUnlimited || *count < cgroup::kEndless, "a count is bounded");
  auto cpus = cgroup::parse_cpus(text);
  if (!cpus) return;
  promise(cpus->quota >= 1000 && cpus->period >= 1000 && cpus->period <= 1'000'000,
          "the kernel takes quota and period");
  promise(bool(cgroup::parse_cpus(cgroup::format_cpus(*cpus))), "shown CPUs can be read");
}

void id_set(std::string_view text) {
  auto set = cgroup::parse_id_set(text);
  if (!set) return;
  auto again = cgroup::parse_id_set(cgroup::format_id_set(*set));
  promise(again && *again == *set, "a list reads back");
  promise(set->contains(*set) && set->contains({}), "a list holds itself");
  for (size_t i = 1; i < set->ranges.size(); i++)
    promise(set->ranges[i - 1].last + 1 < set->ranges[i].first, "ranges neither touch nor overlap");
}

void io_option(std::string_view text) {
  auto option = cgroup::parse_io_option(text);
  if (!option) return;
  cgroup::Limits limits;
  auto added = cgroup::add_io_option(limits, *option, {8, 0});
  promise(added.has_value(), "one option contradicts nothing");
  promise(limits.io.max.size() + limits.io.weights.size() > 0, "an option says something");
  promise(!cgroup::add_io_option(limits, *option, {8, 0}), "nothing is given twice");
  promise(cgroup::add_io_option(limits, *option, {8, 16}).has_value(), "devices are limited apart");
}

void kernel_value(std::string_view text) {
  std::string file(cgm::take_until(text, '\n'));
  std::string value(cgm::take_until(text, '\n'));
  cgroup::Write write{std::string(cgroup::controller_of_file(file)), file, value};
  cgroup::Write undo = write;
  undo.value = cgroup::undo_value(write, text);
  (void)cgroup::memory_bytes(write);
  bool was_in_force = cgroup::is_in_force(write, text, 4096);
  if (was_in_force && cgm::trim(value) == value && file == "cpuset.cpus")
    promise(cgroup::is_in_force(undo, text, 4096), "what undoes nothing is in force too");
  auto bytes = cgroup::parse_kernel_bytes(value, "max");
  if (bytes && *bytes != cgroup::kUnlimited)
    promise(cgroup::parse_kernel_bytes(std::to_string(*bytes), "max") == bytes, "a kernel's size reads back");
}

}  // namespace

FUZZ(text) {
  amounts(text);
  id_set(text);
  io_option(text);
  kernel_value(text);
}
