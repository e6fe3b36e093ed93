// SPDX-License-Identifier: LGPL-2.1-or-later
// What cgroup files hold: flat and nested keyed, pressure, v1's device files, lists of ids; and statistics and limits
// made of them, whatever file reads so.
#include <algorithm>

#include "cgroup/keyed.hpp"
#include "cgroup/limits.hpp"
#include "cgroup/stats.hpp"
#include "cgroup/tasks.hpp"
#include "fuzz/fake_cgroup.hpp"
#include "fuzz/fuzz.hpp"

namespace {

namespace cgroup = cgm::cgroup;
using cgm::test::promise;

bool is_share(double share) {
  return share >= 0 && share < 101;
}

void pressure(std::string_view text) {
  auto pressure = cgroup::parse_pressure(text);
  if (!pressure) return;
  for (const auto& line : {pressure->some, pressure->full})
    if (line)
      promise(is_share(line->avg10) && is_share(line->avg60) && is_share(line->avg300), "a share is a percentage");
}

void devices(std::string_view text) {
  (void)cgroup::parse_device_counts(text);
  auto values = cgroup::parse_device_values(text);
  if (!values) return;
  std::string again;
  if (values->standard) again += "default " + std::to_string(*values->standard) + "\n";
  for (const auto& one : values->devices)
    again += cgroup::format_device(one.device) + " " + std::to_string(one.value) + "\n";
  auto parsed = cgroup::parse_device_values(again);
  promise(parsed && parsed->standard == values->standard && parsed->devices == values->devices, "values read back");
}

void ids(std::string_view text) {
  auto ids = cgroup::parse_ids(text);
  if (!ids) return;
  for (pid_t id : *ids) promise(id >= 0, "an id is no negative number");
  cgroup::sort_ids(*ids);
  promise(std::adjacent_find(ids->begin(), ids->end(), std::greater_equal<>()) == ids->end(),
          "sorted ids ascend, each once");
  promise(ids->empty() || ids->front() > 0, "sorted ids are tasks that we can name");
}

}  // namespace

FUZZ(text) {
  auto flat = cgroup::parse_flat_keyed(text);
  if (flat) {
    promise(flat->size() <= cgroup::kMaxLines, "lines are bounded");
    for (const auto& pair : *flat) promise(!pair.key.empty() && !pair.value.empty(), "a line has a key and a value");
  }
  (void)cgroup::flat_value(text, "oom_kill");
  auto nested = cgroup::parse_nested_keyed(text);
  if (nested)
    for (const auto& line : *nested) {
      promise(line.values.size() <= cgroup::kMaxPairs, "pairs are bounded");
      for (const auto& pair : line.values)
        promise(line.value(pair.key).has_value() && pair.key.find_first_of("= \n") == pair.key.npos,
                "a pair is found by its key");
    }
  pressure(text);
  devices(text);
  ids(text);
  auto amount = cgroup::parse_amount(text);
  if (amount) promise(cgroup::parse_amount(cgroup::format_amount(*amount)) == amount, "an amount reads back");
  for (auto version : {cgroup::Version::v1, cgroup::Version::v2}) {
    cgm::test::FakeCgroup fake(version);
    fake.corrupt(text);
    (void)cgroup::read_stats(fake.access());
    (void)cgroup::read_limits(fake.access());
  }
}
