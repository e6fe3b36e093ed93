// SPDX-License-Identifier: LGPL-2.1-or-later
// Ground for tests about inner cgroups.
#include "support/inner_cgroup.hpp"

#include <grp.h>
#include <unistd.h>

#include <algorithm>

#include "base/number.hpp"
#include "base/sys.hpp"
#include "cgroup/tasks.hpp"
#include "support/actors.hpp"

namespace cgm::test {

void InnerCgroup::SetUp() {
  if (!sandbox_.hierarchies().unified()) GTEST_SKIP() << "no v2 tree";
  std::string enabled = text_of(at(""), "cgroup.subtree_control");
  for (std::string_view rest = enabled; !rest.empty();) controllers_.emplace_back(take_until(rest, ' '));
  if (controllers_.empty()) GTEST_SKIP() << "no controller of the v2 tree can be enabled here";
}

std::string InnerCgroup::one_that(bool is_threaded) const {
  for (const std::string& controller : controllers_)
    if ((controller == "cpu" || controller == "cpuset" || controller == "pids") == is_threaded) return controller;
  return {};
}

std::string text_of(const cgroup::Cgroup& cgroup, std::string_view key) {
  auto text = cgroup.read(key);
  return text ? *text : text.error().text();
}

std::vector<pid_t> seen_in(const cgroup::Cgroup& cgroup) {
  auto ids = cgroup::tasks_of(cgroup);
  if (!ids) ADD_FAILURE() << ids.error().text();
  return ids ? *ids : std::vector<pid_t>();
}

cgroup::Cgroup plant_leaf(const cgroup::Cgroup& cgroup) {
  std::string name(cgroup::kLeafName);
  EXPECT_TRUE(sys::mkdirat(cgroup.dir(), name, 0755));
  return cgroup::Cgroup(cgroup.hierarchy(), cgroup.path() / *cgroup::CgroupPath::from_kernel(name),
                        *sys::openat(cgroup.dir(), name, O_PATH | O_DIRECTORY));
}

void expect_own_tasks(const cgroup::Cgroup& cgroup, const std::vector<Child>& tasks) {
  EXPECT_EQ(text_of(cgroup, "cgroup.type"), "domain");
  EXPECT_EQ(text_of(cgroup, "cgroup.subtree_control"), "");
  auto own = cgroup::parse_ids(text_of(cgroup, "cgroup.procs"));
  ASSERT_TRUE(own) << own.error().text();
  cgroup::sort_ids(*own);
  EXPECT_EQ(*own, pids_of(tasks));
}

std::vector<Child> sleepers_in(const cgroup::Cgroup& cgroup, int count) {
  std::vector<Child> children;
  for (int i = 0; i < count; i++) {
    children.push_back(Child::sleeper());
    put(cgroup, children.back().pid());
  }
  return children;
}

std::vector<pid_t> pids_of(const std::vector<Child>& children) {
  std::vector<pid_t> pids;
  for (const Child& child : children) pids.push_back(child.pid());
  std::sort(pids.begin(), pids.end());
  return pids;
}

int as_user(uid_t uid, const std::function<int()>& body) {
  Child child([&] {
    if (::setgroups(0, nullptr) < 0 || ::setresgid(uid, uid, uid) < 0 || ::setresuid(uid, uid, uid) < 0) return 126;
    return body();
  });
  return child.wait();
}

}  // namespace cgm::test
