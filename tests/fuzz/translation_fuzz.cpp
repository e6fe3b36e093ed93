// SPDX-License-Identifier: LGPL-2.1-or-later
// Keys and values of one cgroup version on the other: the first line is the key, the rest its value, on a fresh cgroup
// of each version. A line `!` between them has the second write fail. Then the value is what the files hold.
#include <algorithm>

#include "base/number.hpp"
#include "cgroup/apply.hpp"
#include "cgroup/translate_table.hpp"
#include "fuzz/fake_cgroup.hpp"
#include "fuzz/fuzz.hpp"

namespace {

using cgm::cgroup::Version;
using cgm::cgroup::Write;
using cgm::test::FakeCgroup;
using cgm::test::promise;
namespace translate = cgm::cgroup::translate;

bool apply(FakeCgroup& cgroup, const translate::Change& change) {
  auto applied =
      cgm::cgroup::apply_writes(cgroup.access(), change.writes, {.force = true, .page_size = FakeCgroup::kPage});
  if (applied && change.keep) cgroup.kept[change.keep->key] = change.keep->word;
  return applied.has_value();
}

/// What is read of a key can be set, and changes nothing.
void is_settled(FakeCgroup& cgroup, std::string_view key) {
  auto word = translate::get(cgroup.view(), key);
  promise(word.has_value(), "what was set can be read");
  cgm::test::Recorded before = cgroup.files();
  std::string_view rest = *word;
  while (!rest.empty()) {
    std::string_view line = cgm::take_until(rest, '\n');
    auto change = translate::set(cgroup.view(), key, line);
    promise(change.has_value(), "what is read can be set");
    promise(apply(cgroup, *change), "what is read can be set in the kernel's files");
  }
  promise(cgroup.files() == before, "what is read is in force");
  auto again = translate::get(cgroup.view(), key);
  promise(again && *again == *word, "what was set is what is read back");
}

/// Rows whose text is a report, in other words than what they take.
bool is_report(std::string_view key) {
  return key == "memory.oom_control" || key == "tasks" || key == "cgroup.threads";
}

void set(Version version, std::string_view key, std::string_view value, bool broken) {
  FakeCgroup cgroup(version);
  auto change = translate::set(cgroup.view(), key, value);
  if (!change) {
    promise(!change.error().text().empty(), "a refusal says why");
    return;
  }
  const translate::Row* row = translate::find_row(version, key);
  promise(change->translated == (row != nullptr), "a row of the table is translated, and nothing else");
  for (const Write& write : change->writes)
    promise(cgroup.view().has(write.file), "what is written is a file of this version");
  if (!row) return;
  cgm::test::Recorded before = cgroup.files();
  if (broken) cgroup.fail_write(2);
  if (!apply(cgroup, *change)) {
    promise(cgroup.files() == before, "what fails leaves nothing half done");
    return;
  }
  if (cgm::trim(value).empty() || is_report(key)) return;
  if (change->keep) promise(*translate::get(cgroup.view(), key) == change->keep->word, "a word that was kept is read");
  if (row->get) is_settled(cgroup, key);
}

void read_from(Version version, std::string_view key, std::string_view text) {
  FakeCgroup cgroup(version);
  cgroup.kept[std::string(key)] = text;
  (void)translate::get(cgroup.view(), key);
  cgroup.corrupt(text);
  (void)translate::get(cgroup.view(), key);
  (void)translate::set(cgroup.view(), key, "1");
}

}  // namespace

FUZZ(text) {
  std::string_view rest = text;
  std::string_view key = cgm::take_until(rest, '\n');
  if (key.size() > 48) return;  // longer than any; comparing it with each takes long
  bool broken = rest.starts_with("!\n");
  if (broken) rest.remove_prefix(2);
  for (Version version : {Version::v1, Version::v2}) {
    set(version, key, rest, broken);
    read_from(version, key, rest);
    promise(!translate::find_missing(version, key) || !translate::find_row(version, key),
            "a key has a counterpart or none");
  }
}
