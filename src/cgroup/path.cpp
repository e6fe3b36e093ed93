// SPDX-License-Identifier: LGPL-2.1-or-later
// Validated cgroup paths.
#include "cgroup/path.hpp"

#include <algorithm>

#include "base/number.hpp"

namespace cgm::cgroup {

namespace {

/// Joins the components of `text` that mean something; `allow_leaf` for what the kernel says.
Result<std::string> normalize(std::string_view text, bool allow_leaf) {
  if (text.size() > CgroupPath::kMaxLength) return fail(ErrorKind::invalid, "path is longer than 4095 bytes");
  if (text.find_first_of(std::string_view("\n\0", 2)) != std::string_view::npos)
    return fail(ErrorKind::invalid, "path holds a newline or NUL");
  std::string joined;
  while (!text.empty()) {
    std::string_view component = take_until(text, '/');
    if (component.empty() || component == ".") continue;
    if (component == "..") return fail(ErrorKind::invalid, "path holds '..'");
    if (component.size() > CgroupPath::kMaxComponent)
      return fail(ErrorKind::invalid, "a name in the path is longer than 255 bytes");
    if (component == kLeafName && !allow_leaf)
      return fail(ErrorKind::invalid, "'.cgm_leaf' is not a cgroup of its own");
    if (!joined.empty()) joined.push_back('/');
    joined.append(component);
  }
  return joined;
}

}  // namespace

Result<CgroupPath> CgroupPath::parse(std::string_view text) {
  return CgroupPath(TRY(normalize(text, false)));
}

Result<CgroupPath> CgroupPath::from_kernel(std::string_view text) {
  return CgroupPath(TRY(normalize(text, true)));
}

std::vector<std::string_view> CgroupPath::components() const {
  std::vector<std::string_view> parts;
  std::string_view rest = text_;
  while (!rest.empty()) parts.push_back(take_until(rest, '/'));
  return parts;
}

size_t CgroupPath::depth() const {
  return is_root() ? 0 : 1 + static_cast<size_t>(std::count(text_.begin(), text_.end(), '/'));
}

std::string_view CgroupPath::name() const {
  size_t slash = text_.rfind('/');
  return slash == std::string::npos ? std::string_view(text_) : std::string_view(text_).substr(slash + 1);
}

CgroupPath CgroupPath::parent() const {
  size_t slash = text_.rfind('/');
  return slash == std::string::npos ? CgroupPath() : CgroupPath(text_.substr(0, slash));
}

CgroupPath CgroupPath::operator/(const CgroupPath& below) const {
  if (below.is_root()) return *this;
  if (is_root()) return below;
  return CgroupPath(text_ + "/" + below.text_);
}

bool CgroupPath::contains(const CgroupPath& other) const {
  if (is_root() || text_ == other.text_) return true;
  return other.text_.size() > text_.size() && other.text_.starts_with(text_) && other.text_[text_.size()] == '/';
}

std::optional<CgroupPath> CgroupPath::relative(const CgroupPath& other) const {
  if (!contains(other)) return std::nullopt;
  if (is_root()) return other;
  if (text_ == other.text_) return CgroupPath();
  return CgroupPath(other.text_.substr(text_.size() + 1));
}

CgroupPath CgroupPath::common(const CgroupPath& a, const CgroupPath& b) {
  CgroupPath here = a;
  while (!here.contains(b)) here = here.parent();
  return here;
}

bool is_key(std::string_view key) {
  return !key.empty() && key.size() <= CgroupPath::kMaxComponent && key != "." && key != ".." &&
         key.find_first_of(std::string_view("/\n\0", 3)) == std::string_view::npos;
}

}  // namespace cgm::cgroup
