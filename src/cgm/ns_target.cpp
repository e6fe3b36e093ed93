// SPDX-License-Identifier: LGPL-2.1-or-later
// Targets.
#include "cgm/ns_target.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "base/number.hpp"
#include "base/sys.hpp"
#include "base/sys_ns.hpp"
#include "ns/pin.hpp"

namespace cgm::cli {

namespace {

Result<Target> of_process(Process process) {
  ns::Member member = TRY(ns::Member::of(process));
  Target target;
  target.process = Target::Pinned{std::move(process), std::move(member)};
  return target;
}

Result<Target> of_namespace(ns::Namespace one) {
  Target target;
  target.namespaces.push_back(std::move(one));
  return target;
}

}  // namespace

Result<Target> find_target(const std::string& text, const ProcFs& proc) {
  if (auto pid = parse_number<int64_t>(text)) {
    if (*pid <= 0 || *pid > INT32_MAX) return fail(ErrorKind::invalid, "pid " + text + " is no process");
    auto process = Process::open(proc, static_cast<pid_t>(*pid));
    if (!process && process.error().kind() == ErrorKind::gone)
      return fail(ErrorKind::gone, "there is no process " + text);
    return of_process(TRY(std::move(process)));
  }
  if (text.starts_with("fd:")) {
    auto number = parse_number<int>(std::string_view(text).substr(3));
    if (!number || *number < 0) return fail(ErrorKind::invalid, "'" + text + "' is no descriptor fd:NUMBER");
    Fd fd = TRY(with(sys::dup(*number), "'" + text + "'"));
    if (sys::is_on_nsfs(fd.get())) return of_namespace(TRY(ns::Namespace::adopt(std::move(fd))));
    pid_t pid = TRY(with(pid_of_pidfd(fd.get()), "'" + text + "'"));
    return of_process(TRY(Process::adopt(proc, std::move(fd), pid)));
  }
  if (text.find('/') != std::string::npos) return of_namespace(TRY(ns::Namespace::open(AT_FDCWD, text)));
  ns::Pins pins = TRY(ns::Pins::open());
  Target target;
  target.namespaces = TRY(pins.find(text));
  return target;
}

Result<ns::Membership> own_namespaces(const ProcFs& proc) {
  return TRY(ns::Member::open(proc, ::getpid())).membership(ns::Kinds::all());
}

Result<std::vector<ns::Namespace>> namespaces_of(const std::string& text, ns::Kinds kinds) {
  ProcFs proc = TRY(ProcFs::open());
  Target target = TRY(find_target(text, proc));
  std::vector<ns::Namespace> found;
  for (ns::Namespace& one : target.namespaces)
    if (kinds.has(one.kind())) found.push_back(std::move(one));
  if (!target.process) return found;
  ns::Membership own = TRY(own_namespaces(proc));
  for (const ns::KindInfo& kind : ns::kKinds) {
    if (!kinds.has(kind.kind)) continue;
    auto one = target.process->member.open(kind.kind);
    if (!one && one.error().kind() == ErrorKind::unsupported) continue;
    if (!one) return fail(std::move(one.error()));
    if (one->inode() != own.of(kind.kind)) found.push_back(std::move(*one));
  }
  return found;
}

}  // namespace cgm::cli
