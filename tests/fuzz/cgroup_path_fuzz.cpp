// SPDX-License-Identifier: LGPL-2.1-or-later
// Paths and keys as a client writes them, and paths as the kernel does. A second path follows a `|`.
#include "base/number.hpp"
#include "cgroup/path.hpp"
#include "fuzz/fuzz.hpp"

namespace {

using cgm::cgroup::CgroupPath;
using cgm::test::promise;

void is_normal(const CgroupPath& path, bool may_hold_leaf) {
  promise(path.text().size() <= CgroupPath::kMaxLength, "a path is bounded");
  size_t depth = 0;
  CgroupPath joined;
  for (std::string_view component : path.components()) {
    depth++;
    promise(!component.empty() && component != "." && component != ".." &&
                component.size() <= CgroupPath::kMaxComponent && component.find('\0') == component.npos &&
                component.find('\n') == component.npos,
            "a component is a name");
    promise(may_hold_leaf || component != cgm::cgroup::kLeafName, "no client names the leaf");
    promise(cgm::cgroup::is_key(component), "a component is one name");
    joined = joined / *CgroupPath::from_kernel(component);
  }
  promise(joined == path && depth == path.depth(), "components joined are the path");
  auto again = CgroupPath::from_kernel(path.text());
  promise(again && *again == path, "normalized text parses to itself");
  auto absolute = CgroupPath::from_kernel(path.absolute());
  promise(absolute && *absolute == path, "an absolute path parses to the same");
  promise(path.is_root() == (path.depth() == 0) && path.is_root() == path.name().empty(), "the root alone has no name");
  promise(CgroupPath().contains(path) && path.contains(path) && path.parent().contains(path),
          "a path lies below its parent");
  promise(path.is_root() || !path.contains(path.parent()), "a parent does not lie below its child");
  promise(path.is_root() || path.parent().depth() + 1 == path.depth(), "a parent is one level up");
}

void are_consistent(const CgroupPath& a, const CgroupPath& b) {
  CgroupPath joined = a / b;
  promise(a.contains(joined), "what is joined lies below");
  auto relative = a.relative(joined);
  promise(relative && *relative == b, "relative undoes joining");
  promise(a.relative(b).has_value() == a.contains(b), "what is contained has a relative path");
  if (auto below = a.relative(b)) promise(a / *below == b, "joining undoes relative");
  promise(!a.contains(b) || !b.contains(a) || a == b, "two paths that contain each other are one");
  CgroupPath common = CgroupPath::common(a, b);
  promise(common == CgroupPath::common(b, a), "what is common does not depend on the order");
  promise(common.contains(a) && common.contains(b), "what is common contains both");
  CgroupPath from_a = *common.relative(a), from_b = *common.relative(b);
  auto rest_a = from_a.components(), rest_b = from_b.components();
  promise(rest_a.empty() || rest_b.empty() || rest_a.front() != rest_b.front(), "nothing nearer contains both");
}

}  // namespace

FUZZ(text) {
  std::string_view rest = text;
  std::string_view first = cgm::take_until(rest, '|');
  if (cgm::cgroup::is_key(first))
    promise(first.find('/') == first.npos && first != ".." && first != ".", "a key is one component");
  auto a = CgroupPath::parse(first), b = CgroupPath::parse(rest);
  auto kernels = CgroupPath::from_kernel(first);
  promise(!a || (kernels && *kernels == *a), "what a client may say the kernel may say too");
  if (kernels) is_normal(*kernels, true);
  if (!a) return;
  is_normal(*a, false);
  if (b) are_consistent(*a, *b);
}
