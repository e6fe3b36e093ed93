// SPDX-License-Identifier: LGPL-2.1-or-later
// Limits made of the input's bytes, planned and applied to a fresh cgroup of each version, one write of which may fail:
// in force afterwards, or nothing has changed.
#include <algorithm>

#include "cgroup/apply.hpp"
#include "cgroup/curves.hpp"
#include "cgroup/units.hpp"
#include "fuzz/fake_cgroup.hpp"
#include "fuzz/fuzz.hpp"

namespace {

using namespace cgm::cgroup;
using cgm::test::Choices;
using cgm::test::FakeCgroup;
using cgm::test::promise;

constexpr uint64_t kPage = FakeCgroup::kPage;
constexpr uint64_t kHugePage = 2 << 20;

/// Nothing, no limit, or a number of any size.
std::optional<uint64_t> amount(Choices& choices) {
  switch (choices.byte() % 8) {
    case 0: return choices.byte();
    case 1: return choices.number(2);
    case 2: return choices.number(4);
    case 3: return choices.number(8);
    case 4: return kUnlimited;
    default: return std::nullopt;
  }
}

std::optional<uint32_t> weight(Choices& choices) {
  if (choices.byte() % 3 != 0) return std::nullopt;
  return static_cast<uint32_t>(choices.number(2));
}

std::optional<std::string> list(Choices& choices) {
  if (choices.byte() % 4 != 0) return std::nullopt;
  std::string text;
  for (uint8_t length = choices.byte() % 8; length > 0; length--) text.push_back(static_cast<char>(choices.byte()));
  return text;
}

Limits limits_of(Choices& choices) {
  Limits limits;
  limits.cpu = {weight(choices), amount(choices), amount(choices), amount(choices)};
  limits.cpuset = {list(choices), list(choices)};
  limits.memory = {amount(choices), amount(choices), amount(choices), amount(choices), amount(choices)};
  limits.pids.max = amount(choices);
  limits.io.weight = weight(choices);
  for (unsigned n = choices.byte() % 3; n > 0; n--) limits.io.weights.push_back({{8, n * 16}, weight(choices)});
  for (unsigned n = choices.byte() % 3; n > 0; n--)
    limits.io.max.push_back({{8, n * 16}, amount(choices), amount(choices), amount(choices), amount(choices)});
  if (auto huge = amount(choices)) limits.hugetlb = {{"2MB", *huge}};
  if (choices.byte() % 8 == 0) limits.misc = {{"res_a", choices.number(2)}};
  if (choices.byte() % 8 == 0) limits.rdma = {{"mlx4_0", amount(choices), amount(choices)}};
  return limits;
}

bool same_size(std::optional<uint64_t> wanted, std::optional<uint64_t> got, uint64_t unit, uint64_t slack = 0) {
  if (!wanted) return true;
  if (!got) return false;
  if (*wanted >= kEndless || *got >= kEndless) return *wanted >= kEndless - slack && *got >= kEndless;
  uint64_t expected = *wanted / unit * unit;
  return std::max(expected, *got) - std::min(expected, *got) <= slack;
}

template <class T>
bool same(const std::optional<T>& wanted, const std::optional<T>& got) {
  return !wanted || wanted == got;
}

bool same_list(const std::optional<std::string>& wanted, const std::optional<std::string>& got) {
  return !wanted || (got && *parse_id_set(*wanted) == *parse_id_set(*got));
}

void are_in_force(const Limits& limits, Version version, const FakeCgroup& cgroup) {
  FakeCgroup copy = cgroup;
  auto read = read_limits(copy.access());
  promise(read.has_value(), "limits can be read back");
  promise(same(limits.cpu.weight, read->cpu.weight), "cpu weight");
  promise(same(limits.cpu.quota, read->cpu.quota) && same(limits.cpu.period, read->cpu.period), "cpu quota");
  promise(same(limits.cpu.burst, read->cpu.burst), "cpu burst");
  promise(same_list(limits.cpuset.cpus, read->cpuset.cpus) && same_list(limits.cpuset.mems, read->cpuset.mems),
          "cpuset");
  promise(same_size(limits.memory.max, read->memory.max, kPage), "memory max");
  promise(same_size(limits.memory.low, read->memory.low, kPage), "memory low");
  // v1 counts memory and swap together, rounded once.
  promise(same_size(limits.memory.swap, read->memory.swap, kPage, version == Version::v1 ? kPage : 0), "memory swap");
  if (version == Version::v2)
    promise(same_size(limits.memory.high, read->memory.high, kPage) &&
                same_size(limits.memory.min, read->memory.min, kPage),
            "memory high and min");
  promise(same(limits.pids.max, read->pids.max), "pids max");
  if (limits.io.weight) {
    uint32_t wanted = *limits.io.weight;
    promise(read->io.weight == (version == Version::v1 ? weight_from_bfq(bfq_from_weight(wanted)) : wanted),
            "io weight");
  }
  for (const IoMax& wanted : limits.io.max) {
    auto got = std::find_if(read->io.max.begin(), read->io.max.end(),
                            [&](const IoMax& one) { return one.device == wanted.device; });
    for (auto member : {&IoMax::rbps, &IoMax::wbps, &IoMax::riops, &IoMax::wiops}) {
      uint64_t now = got == read->io.max.end() ? kUnlimited : ((*got).*member).value_or(kUnlimited);
      promise(!(wanted.*member) || *(wanted.*member) == now, "io max");
    }
  }
  if (!limits.hugetlb.empty())
    promise(read->hugetlb.size() == 1 && same_size(limits.hugetlb[0].max, read->hugetlb[0].max, kHugePage), "hugetlb");
}

}  // namespace

FUZZ(text) {
  Choices choices(text);
  unsigned failing = choices.byte() % 8;
  Limits first = limits_of(choices), second = limits_of(choices);
  for (Version version : {Version::v1, Version::v2}) {
    FakeCgroup cgroup(version);
    // A second change meets what the first has left.
    for (const Limits& limits : {first, second}) {
      auto writes = plan(limits, cgroup.access());
      promise(writes.has_value() || !writes.error().text().empty(), "a refusal says why");
      if (!writes) continue;
      for (const Write& write : *writes)
        promise(!write.value.empty() && write.controller == controller_of_file(write.file), "a write says something");
      cgm::test::Recorded before = cgroup.files();
      cgroup.fail_write(failing);
      auto applied = apply_writes(cgroup.access(), *writes, {.force = true, .page_size = kPage});
      cgroup.fail_write(0);
      if (applied)
        are_in_force(limits, version, cgroup);
      else
        promise(cgroup.files() == before || applied.error().text().find("could not be put back") != std::string::npos,
                "what fails leaves nothing half done, or says what");
    }
  }
}
