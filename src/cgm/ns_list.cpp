// SPDX-License-Identifier: LGPL-2.1-or-later
// cgm ns list: namespaces in a table, as trees, as JSON.
#include <fmt/format.h>
#include <pwd.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>
#include <set>

#include "base/number.hpp"
#include "base/printable.hpp"
#include "cgm/json.hpp"
#include "cgm/ns.hpp"
#include "cgm/verb.hpp"
#include "ns/survey.hpp"

namespace cgm::cli {

namespace {

using ns::Entry;
using ns::Kind;

struct Options {
  std::string kinds = "all", user, tree, columns;
  pid_t pid = 0;
  bool all = false, persistent = false, no_heading = false, raw = false;
};

std::string number(uint64_t value) {
  return value == 0 ? "-" : std::to_string(value);
}

std::string joined(const std::vector<std::string>& words) {
  return words.empty() ? "-" : fmt::format("{}", fmt::join(words, ","));
}

/// What keeps it alive, in words.
std::vector<std::string> keepers(const Entry& entry) {
  std::vector<std::string> words;
  if (!entry.members.empty()) words.emplace_back("process");
  if (!entry.mounts.empty()) words.emplace_back("mount");
  if (!entry.descriptors.empty()) words.emplace_back("descriptor");
  if (!entry.waiting_for_children.empty()) words.emplace_back("children");
  if (entry.has_child) words.emplace_back("namespace");
  return words;
}

std::string descriptors_of(const Entry& entry) {
  std::vector<std::string> words;
  words.reserve(entry.descriptors.size());
  for (const ns::Descriptor& one : entry.descriptors) words.push_back(fmt::format("{}:{}", one.pid, one.fd));
  return joined(words);
}

struct Column {
  std::string_view name;
  std::string (*cell)(const Entry&);
};
constexpr Column kColumns[] = {
    {"NS", [](const Entry& e) { return std::to_string(e.inode); }},
    {"KIND", [](const Entry& e) { return std::string(ns::info(e.kind).name); }},
    {"PROCS", [](const Entry& e) { return std::to_string(e.members.size()); }},
    {"LEADER", [](const Entry& e) { return e.leader ? std::to_string(e.leader->pid) : "-"; }},
    {"PARENTPID", [](const Entry& e) { return e.leader ? std::to_string(e.leader->parent) : "-"; }},
    {"UID", [](const Entry& e) { return e.leader ? std::to_string(e.leader->uid) : "-"; }},
    {"USER", [](const Entry& e) { return e.leader ? user_name(e.leader->uid) : "-"; }},
    {"KEPT", [](const Entry& e) { return joined(keepers(e)); }},
    {"OWNER", [](const Entry& e) { return number(e.owner); }},
    {"PARENT", [](const Entry& e) { return number(e.parent); }},
    {"MAKER", [](const Entry& e) { return e.owner_uid ? user_name(*e.owner_uid) : "-"; }},
    {"PATH",
     [](const Entry& e) { return e.leader ? fmt::format("/proc/{}/ns/{}", e.leader->pid, info(e.kind).file) : "-"; }},
    {"MOUNTS", [](const Entry& e) { return joined(e.mounts); }},
    {"DESCRIPTORS", descriptors_of},
    {"COMMAND", [](const Entry& e) { return e.leader ? e.leader->command : "-"; }},
};
constexpr std::string_view kUsual = "NS,KIND,PROCS,LEADER,USER,KEPT,COMMAND";

const Column* find_column(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::toupper(c); });
  for (const Column& column : kColumns)
    if (column.name == name) return &column;
  return nullptr;
}

std::string column_names() {
  std::string names;
  for (const Column& column : kColumns) names += (names.empty() ? "" : ", ") + std::string(column.name);
  return names;
}

Result<std::vector<const Column*>> parse_columns(std::string_view text) {
  std::vector<const Column*> columns;
  while (!text.empty()) {
    std::string name(take_until(text, ','));
    const Column* column = find_column(name);
    if (!column) return fail(ErrorKind::invalid, "there is no column '" + name + "': " + column_names());
    columns.push_back(column);
  }
  return columns;
}

/// A line of the table: an entry, and where it hangs in a tree.
struct Line {
  const Entry* entry;
  std::string branch;
};

/// The inode of the namespace that an entry hangs below; 0 for none.
using Above = std::function<uint64_t(const Entry&)>;

/// All entries as lines, each below what `above` says; what hangs nowhere stands at the top.
class Tree final {
 public:
  Tree(const std::vector<Entry>& entries, const Above& above) {
    std::set<uint64_t> known;
    for (const Entry& entry : entries) known.insert(entry.inode);
    for (const Entry& entry : entries) {
      uint64_t up = above(entry);
      below_[known.contains(up) ? up : 0].push_back(&entry);
    }
    for (const Entry* top : below_[0]) hang(*top, "", "");
  }
  std::vector<Line> lines() && { return std::move(lines_); }

 private:
  void hang(const Entry& entry, const std::string& first, const std::string& rest) {
    lines_.push_back({&entry, first});
    auto found = below_.find(entry.inode);
    if (found == below_.end()) return;
    for (const Entry* child : found->second) {
      bool last = child == found->second.back();
      hang(*child, rest + (last ? "└─" : "├─"), rest + (last ? "  " : "│ "));
    }
  }

  std::map<uint64_t, std::vector<const Entry*>> below_;
  std::vector<Line> lines_;
};

/// Characters, not bytes: what a cell is wide.
size_t width_of(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

void print(const std::vector<Line>& lines, const std::vector<const Column*>& columns, const Options& options) {
  std::vector<std::vector<std::string>> rows;
  if (!options.no_heading) {
    rows.emplace_back();
    for (const Column* column : columns) rows.back().emplace_back(column->name);
  }
  for (const Line& line : lines) {
    rows.emplace_back();
    for (const Column* column : columns)
      rows.back().push_back((column == columns.front() ? line.branch : "") + printable(column->cell(*line.entry)));
  }
  std::vector<size_t> widths(columns.size());
  for (const auto& row : rows)
    for (size_t i = 0; i < row.size(); i++) widths[i] = std::max(widths[i], width_of(row[i]));
  for (const auto& row : rows) {
    std::string text;
    for (size_t i = 0; i < row.size(); i++) {
      text += row[i];
      if (i + 1 < row.size()) text.append(options.raw ? 1 : widths[i] - width_of(row[i]) + 2, ' ');
    }
    std::printf("%s\n", text.c_str());
  }
}

Json to_json(const Entry& entry) {
  Json object = {{"ns", entry.inode},
                 {"kind", ns::info(entry.kind).name},
                 {"processes", entry.members.size()},
                 {"kept_by", keepers(entry)}};
  if (entry.leader)
    object["leader"] = {{"pid", entry.leader->pid},
                        {"parent", entry.leader->parent},
                        {"uid", entry.leader->uid},
                        {"user", user_name(entry.leader->uid)},
                        {"command", entry.leader->command}};
  if (entry.owner != 0) object["owner"] = entry.owner;
  if (entry.parent != 0) object["parent"] = entry.parent;
  if (entry.owner_uid) object["maker_uid"] = *entry.owner_uid;
  if (!entry.mounts.empty()) object["mounts"] = entry.mounts;
  for (const ns::Descriptor& one : entry.descriptors)
    object["descriptors"].push_back({{"pid", one.pid}, {"fd", one.fd}});
  if (!entry.waiting_for_children.empty()) object["for_children_of"] = entry.waiting_for_children;
  return object;
}

Result<uid_t> parse_user(const std::string& text) {
  if (auto uid = parse_number<uid_t>(text)) return *uid;
  if (const passwd* entry = ::getpwnam(text.c_str())) return entry->pw_uid;
  return fail(ErrorKind::invalid, "there is no user '" + text + "'");
}

}  // namespace

int run_ns_list(Invocation& invocation) {
  Options options;
  Verb verb(
      invocation, "ns list [OPTIONS]",
      "Lists the namespaces of all processes that you may look at, who is in each, and what keeps it alive.",
      "KEPT says what a namespace lives by: a process in it, a mount of its file, a descriptor of that file, a\n"
      "process whose children will be in it, or another namespace that was made in it, or is owned by it.\n"
      "Descriptors and such children are looked for with --all alone. COLUMNS are " +
          column_names() +
          ".\n\nExamples:\n  cgm ns list --kind net\n  cgm ns list --tree\n  cgm ns list --kind pid --tree=parent\n"
          "  cgm ns list --all --persistent --json\n",
      Verb::Asks::kernel);
  CLI::App& app = verb.app();
  app.add_option("-k,--kind", options.kinds, "these kinds alone")->type_name("KINDS");
  app.add_option("-p,--pid", options.pid, "those of this process")
      ->type_name("PID")
      ->check([](const std::string& text) {
        auto pid = parse_number<int64_t>(text);
        return pid && *pid > 0 && *pid <= INT32_MAX ? "" : "'" + text + "' is no process";
      });
  app.add_option("-u,--user", options.user, "those in which this user has processes, and only these are counted")
      ->type_name("USER");
  app.add_flag("-a,--all", options.all, "also those kept by a descriptor alone, or made for children to come");
  app.add_flag("-P,--persistent", options.persistent, "only those without a process");
  app.add_option(
         "-t,--tree", options.tree,
         "as a tree: by owner (the default), each below the user namespace that owns it; by parent, pid and user "
         "namespaces below those that they were made in")
      ->type_name("owner|parent")
      ->expected(0, 1)
      ->check(CLI::IsMember({"owner", "parent", ""}));
  app.add_option("-o,--output", options.columns, "these columns")->type_name("COLUMNS");
  app.add_flag("-n,--no-heading", options.no_heading, "no line of headings");
  app.add_flag("-r,--raw", options.raw, "columns parted by one blank, not aligned");
  if (auto status = verb.parse()) return *status;
  bool tree = app.count("--tree") > 0;
  bool by_parent = options.tree == "parent";
  auto kinds = ns::Kinds::parse(options.kinds);
  if (!kinds) return verb.usage_error(kinds.error().text());
  auto columns = parse_columns(options.columns.empty() ? kUsual : options.columns);
  if (!columns) return verb.usage_error(columns.error().text());

  ns::SurveyOptions wanted{.kinds = *kinds, .thorough = options.all};
  if (!options.user.empty()) {
    auto uid = parse_user(options.user);
    if (!uid) return verb.usage_error(uid.error().text());
    wanted.user = *uid;
  }
  auto proc = ProcFs::open();
  auto found = proc ? ns::survey(*proc, wanted) : fail(std::move(proc.error()));
  if (!found) return failed(found.error());
  std::erase_if(found->entries, [&](const Entry& entry) {
    if (options.pid != 0 && !std::binary_search(entry.members.begin(), entry.members.end(), options.pid)) return true;
    if (by_parent && entry.kind != Kind::pid && entry.kind != Kind::user) return true;
    if (wanted.user && entry.members.empty()) return true;
    return options.persistent && !entry.members.empty();
  });
  if (options.pid != 0 && found->entries.empty()) {
    complain("process " + std::to_string(options.pid) + " is gone, or its namespaces may not be seen");
    return kFailed;
  }
  if (invocation.json) {
    Json list = Json::array();
    for (const Entry& entry : found->entries) list.push_back(to_json(entry));
    print_json({{"namespaces", std::move(list)}, {"unseen_processes", found->unseen}});
    return 0;
  }
  std::vector<Line> lines;
  if (tree)
    lines = Tree(found->entries, [&](const Entry& entry) { return by_parent ? entry.parent : entry.owner; }).lines();
  else
    for (const Entry& entry : found->entries) lines.push_back({&entry, ""});
  print(lines, *columns, options);
  if (found->unseen != 0 && ::isatty(STDERR_FILENO) == 1)
    complain(fmt::format("{} processes of others may not be looked at", found->unseen));
  return 0;
}

}  // namespace cgm::cli
