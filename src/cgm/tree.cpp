// SPDX-License-Identifier: LGPL-2.1-or-later
// cgm tree: the cgroups below one, with their limits and use.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>

#include "cgm/describe.hpp"
#include "cgm/group.hpp"
#include "cgm/verb.hpp"
#include "cgroup/limits.hpp"
#include "cgroup/stats.hpp"

namespace cgm::cli {

namespace {

struct Options {
  std::string path;
  int depth = 16;
};

/// One cgroup by name, whatever hierarchies it is in.
struct Node {
  std::string name;
  cgroup::Stats stats;
  cgroup::Limits limits;
  size_t tasks = 0;
  std::vector<Node> children;
};

Result<Node> read_node(Session& session, const std::string& path, std::string name, int depth) {
  Group group = TRY(Group::open(session, path));
  Node node{.name = std::move(name), .stats = {}, .limits = {}, .tasks = 0, .children = {}};
  if (auto stats = cgroup::read_stats(group.files())) node.stats = std::move(*stats);
  if (auto limits = cgroup::read_limits(group.files())) node.limits = std::move(*limits);
  std::set<std::string> names;
  for (const cgroup::Hierarchy* hierarchy : group.hierarchies()) {
    std::string controller = Group::name_of(*hierarchy);
    auto tasks = session.ask<std::vector<int32_t>>(group.request(api::Method::get_tasks, controller));
    if (tasks) node.tasks = std::max(node.tasks, tasks->size());
    auto children = session.ask<std::vector<std::string>>(group.request(api::Method::list_children, controller));
    if (children) names.insert(children->begin(), children->end());
  }
  for (const std::string& child : names) {
    if (depth <= 0) break;
    auto below = read_node(session, path.empty() ? child : path + "/" + child, child, depth - 1);
    if (below) node.children.push_back(std::move(*below));  // else it went away meanwhile
  }
  return node;
}

void print(const Node& node, const std::string& first, const std::string& rest, bool colours) {
  std::string line = line_of(node.stats, node.limits, node.tasks);
  bool alarm = is_at_limit(node.stats);
  const char* on = !colours ? "" : alarm ? "\033[1;31m" : "\033[1m";
  std::printf("%s%s%s%s  %s\n", first.c_str(), on, node.name.c_str(), colours ? "\033[0m" : "", line.c_str());
  for (const Node& child : node.children) {
    bool last = &child == &node.children.back();
    print(child, rest + (last ? "└─ " : "├─ "), rest + (last ? "   " : "│  "), colours);
  }
}

Json node_json(const Node& node) {
  Json object = {
      {"name", node.name}, {"tasks", node.tasks}, {"limits", to_json(node.limits)}, {"stats", to_json(node.stats)}};
  object["children"] = Json::array();
  for (const Node& child : node.children) object["children"].push_back(node_json(child));
  return object;
}

}  // namespace

int run_tree(Invocation& invocation) {
  Options options;
  Verb verb(invocation, "tree [OPTIONS] [CGROUP]", "Shows the cgroups below one, with tasks, limits and use.",
            "Coloured on a terminal, unless NO_COLOR is set; red is what is at its limit or was killed for it.\n\n"
            "Examples:\n  cgm tree\n  cgm tree --depth 1 job\n");
  verb.app()
      .add_option("cgroup", options.path, "the cgroup, counted from the caller's own (default: that itself)")
      ->type_name("CGROUP");
  verb.app().add_option("--depth", options.depth, "how far down (16)")->type_name("N")->check(CLI::Range(0, 256));
  if (auto status = verb.parse()) return *status;
  auto session = open_session(invocation);
  if (!session) return kFailed;
  auto node = read_node(*session, options.path, options.path.empty() ? "." : options.path, options.depth);
  if (!node) return failed(node.error());
  if (invocation.json)
    print_json(node_json(*node));
  else
    print(*node, "", "", ::isatty(1) == 1 && !::getenv("NO_COLOR"));
  return 0;
}

}  // namespace cgm::cli
