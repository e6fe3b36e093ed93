// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes docs/limits-mapping.md from the translation table, or checks that the page is what the table says:
// `limits_mapping FILE` and `limits_mapping --check FILE`.
#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "base/number.hpp"
#include "cgroup/curves.hpp"
#include "cgroup/translate_rows.hpp"
#include "cgroup/translate_table.hpp"

namespace {

using namespace cgm::cgroup;
using namespace cgm::cgroup::translate;

constexpr std::string_view kHead =
    R"(<!-- Made by `cmake --build build/dev --target limits-mapping` from src/cgroup/translate_table.cpp. Do not edit. -->
# Limits: cgroup v1 and v2 in each other's words

A key of either version works on a tree of either version. `cgm setvalue memory x memory.limit_in_bytes 10000000` sets
`memory.max` where the memory controller is on cgroup v2, and `cgm getvalue` gives back the number that v1 would give.
A key that the tree has itself goes through untouched.

What was set is what is read back, up to what the last column says. A dash there means lossless: what is lost is no
more than what the key's own version would lose. Both versions round sizes down to a page (10000000 reads 9998336), and
sizes of huge pages to a huge page. Sizes are written as the kernel takes them: decimal digits and at most one of K, M, G,
T, P, E (powers of 1024); values that the kernel would misread, such as 0x10 or 2^64, are refused.

A key that has no counterpart, and a value that cannot be said in the other version, fail with an error that names them
and what is nearest. Nothing is ignored in silence.
)";

constexpr std::string_view kCurves = R"(
## Weights

`cpu.shares` -> `cpu.weight`, with l = log2(shares):

    weight = ceil(10 ^ ((l^2 + 125 l) / 612 - 7/34))        2 and less is 1, 262144 and more is 10000

the curve of crun since 1.23 and of runc since 1.3.2. It takes 262143 values to 10000; back goes the largest of the
shares that have the weight, so weight -> shares -> weight loses nothing. The shares that were set are kept in an
attribute of the cgroup where the kernel has such (`trusted.*` on cgroup v2), and are read back for as long as their
weight is the one in force.

)";

constexpr std::string_view kBfq = R"(
`io.weight` (1-10000) -> BFQ's weight (1-1000): the same up to 100, the default of both; above, 100 + (weight - 100) / 11.
BFQ -> io.weight -> BFQ loses nothing. A weight has an effect only on devices whose scheduler is BFQ, or on cgroup v2
where the cost model is switched on (io.cost.qos); the kernel does not say so when the cgroup's own weight is set.

`cpu.weight.nice` -> `cpu.shares` is the scheduler's table: nice 0 is 1024, each step a fifth more or less.

## Why memory.soft_limit_in_bytes is memory.low

Both only say whose memory goes first when memory is short, and hinder nobody while there is enough. `memory.high` slows
a cgroup down at any time, which no soft limit ever did. The two look from opposite sides: what exceeds a soft limit is
reclaimed before the memory of others, what lies below `memory.low` after it. So the defaults of both, no soft limit (-1)
and no protection (0), stand for each other.
)";

/// `a b` as `a`, `b`.
std::string quoted(std::string_view names) {
  std::string text;
  while (!names.empty()) {
    std::string_view name = cgm::take_until(names, ' ');
    text += fmt::format("{}`{}`", text.empty() ? "" : ", ", name);
  }
  return text;
}

std::string stands_for(const Row& row) {
  if (row.file.empty()) return fmt::format("always {}", row.field);
  std::string text = quoted(row.file);
  if (row.get == get_field || row.get == get_v1_cpuacct) text += fmt::format(", line `{}`", row.field);
  return text;
}

void add_rows(std::string& page, Version tree) {
  page += "\n| key | stands for | value | use | lost |\n|---|---|---|---|---|\n";
  for (const Row& row : rows(tree))
    page += fmt::format("| `{}` | {} | {} | {} | {} |\n", row.key, stands_for(row),
                        row.rule.empty() ? "the same" : row.rule, row.set != nullptr ? "get, set" : "get",
                        row.loss.empty() ? "-" : row.loss);
}

void add_missing(std::string& page, Version tree) {
  page += "\n| key | nearest | why |\n|---|---|---|\n";
  for (const Missing& one : missing(tree))
    page += fmt::format("| `{}` | {} | {} |\n", one.key, one.nearest.empty() ? "-" : quoted(one.nearest), one.why);
}

std::string make_page() {
  std::string page(kHead);
  page += "\n## Keys of cgroup v1 on a v2 tree\n";
  add_rows(page, Version::v2);
  page += "\n## Keys of cgroup v2 on a v1 tree\n\nAnd two names of v1's own that its kernels have dropped.\n";
  add_rows(page, Version::v1);
  page += "\n## Keys that both versions have\n\n| key | differs in |\n|---|---|\n";
  for (const Shared& one : shared()) page += fmt::format("| `{}` | {} |\n", one.key, one.note);
  page +=
      "\n## Keys that kernels ignore\n\nThey are refused on both versions.\n\n| key | set instead | why "
      "|\n|---|---|---|\n";
  for (const Missing& one : ignored()) page += fmt::format("| `{}` | `{}` | {} |\n", one.key, one.nearest, one.why);
  page += "\n## Keys of cgroup v1 without a counterpart on v2\n";
  add_missing(page, Version::v2);
  page += "\n## Keys of cgroup v2 without a counterpart on v1\n";
  add_missing(page, Version::v1);
  page += kCurves;
  page += "| shares | weight | back |\n|---|---|---|\n";
  for (uint64_t shares : {2, 10, 100, 256, 512, 1000, 1024, 2048, 4096, 10'000, 100'000, 262'144}) {
    uint32_t weight = weight_from_shares(shares);
    page += fmt::format("| {} | {} | {} |\n", shares, weight, shares_from_weight(weight));
  }
  page += kBfq;
  return page;
}

std::string read_file(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

int main(int argc, char** argv) {
  bool check = argc == 3 && std::string_view(argv[1]) == "--check";
  if (argc != 2 && !check) {
    std::fputs("usage: limits_mapping [--check] FILE\n", stderr);
    return 2;
  }
  const char* path = argv[argc - 1];
  std::string page = make_page();
  if (check) {
    if (read_file(path) == page) return 0;
    std::fprintf(
        stderr,
        "%s is not what src/cgroup/translate_table.cpp says: run `cmake --build BUILD --target limits-mapping`\n",
        path);
    return 1;
  }
  std::ofstream file(path, std::ios::binary);
  file << page;
  file.close();
  if (file) return 0;
  std::fprintf(stderr, "limits_mapping: cannot write %s\n", path);
  return 1;
}
