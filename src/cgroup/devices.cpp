// SPDX-License-Identifier: LGPL-2.1-or-later
// Device rules in force.
#include "cgroup/devices.hpp"

#include <unistd.h>

#include <algorithm>
#include <optional>

#include "base/bpf.hpp"
#include "base/number.hpp"
#include "base/sys.hpp"
#include "cgroup/device_program.hpp"

namespace cgm::cgroup {

namespace {

constexpr bpf_attach_type kAttach = BPF_CGROUP_DEVICE;
constexpr std::string_view kProgramPrefix = "cgmd_";
// user.* where trusted.* is not possible; it counts on directories that only our own uid writes, or the cgroup's owner
// could forge what others have set.
constexpr const char* kAttribute = "trusted.cgmanager.devices.";
constexpr const char* kAttributeUser = "user.cgmanager.devices.";

/// One account's program on a cgroup.
struct Attached {
  uid_t uid = 0;
  Fd program;
  uint64_t tag = 0;
};

std::string program_name(uid_t uid) {
  return std::string(kProgramPrefix) + std::to_string(uid);
}

/// The programs of ours that are attached to this very cgroup, by uid.
Result<std::vector<Attached>> programs_on(const Cgroup& cgroup) {
  std::vector<Attached> ours;
  for (uint32_t id : TRY(bpf::attached(cgroup.dir(), kAttach))) {
    auto program = bpf::open(id);
    if (!program && program.error().kind() == ErrorKind::not_found) continue;  // detached meanwhile
    if (!program) return fail(std::move(program.error()));
    bpf::ProgramInfo info = TRY(bpf::info(program->get()));
    if (!info.name.starts_with(kProgramPrefix)) continue;
    auto uid = parse_number<uid_t>(std::string_view(info.name).substr(kProgramPrefix.size()));
    if (uid) ours.push_back({*uid, std::move(*program), info.tag});
  }
  std::sort(ours.begin(), ours.end(), [](const Attached& a, const Attached& b) { return a.uid < b.uid; });
  return ours;
}

Attached* find(std::vector<Attached>& programs, uid_t uid) {
  for (Attached& one : programs)
    if (one.uid == uid) return &one;
  return nullptr;
}

// The attribute: the tag of the program in decimal, then the rules whole.

/// The attributes of a cgroup's directory.
class Kept final {
 public:
  static Result<Kept> open(const Cgroup& cgroup) {
    Fd dir = TRY(sys::openat(cgroup.dir(), ".", O_RDONLY | O_DIRECTORY));
    struct stat st = TRY(sys::fstat(dir.get()));
    return Kept(std::move(dir), st.st_uid == ::geteuid() && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0);
  }

  /// As it was written; nothing where there is none.
  std::optional<std::string> read(uid_t uid) const {
    auto text = sys::fgetxattr(dir_.get(), kAttribute + std::to_string(uid));
    if (!text && is_ours_) text = sys::fgetxattr(dir_.get(), kAttributeUser + std::to_string(uid));
    if (!text) return std::nullopt;
    return *text;
  }
  Result<void> write(uid_t uid, const std::string& text) const {
    auto written = sys::fsetxattr(dir_.get(), kAttribute + std::to_string(uid), text);
    if (written || !is_ours_) return written;
    return sys::fsetxattr(dir_.get(), kAttributeUser + std::to_string(uid), text);
  }
  void remove(uid_t uid) const {
    (void)sys::fremovexattr(dir_.get(), kAttribute + std::to_string(uid));
    if (is_ours_) (void)sys::fremovexattr(dir_.get(), kAttributeUser + std::to_string(uid));
  }

 private:
  Kept(Fd dir, bool is_ours) : dir_(std::move(dir)), is_ours_(is_ours) {}
  Fd dir_;
  bool is_ours_;
};

std::string kept_text(uint64_t tag, const DeviceRules& rules) {
  return std::to_string(tag) + "\n" + rules.format_whole();
}

/// The rules that an attached program was made of.
Result<DeviceRules> rules_of(const Cgroup& cgroup, const Attached& program) {
  auto text = TRY(Kept::open(cgroup)).read(program.uid);
  std::string_view rest = text ? std::string_view(*text) : std::string_view();
  auto tag = parse_number<uint64_t>(take_until(rest, '\n'));
  if (!tag || *tag != program.tag)
    return fail(ErrorKind::protocol, "the device rules of " + shown(cgroup) + " are not known any more: program '" +
                                         program_name(program.uid) + "' was attached by something else");
  return DeviceRules::parse_whole(rest);
}

/// The nearest rules of ours from `path` upwards, as far as we can see upwards; all is allowed where there are none.
Result<DeviceRules> inherited(const Hierarchy& hierarchy, CgroupPath path) {
  for (;; path = path.parent()) {
    auto cgroup = Cgroup::open(hierarchy, path);
    if (cgroup) {
      std::vector<Attached> programs = TRY(programs_on(*cgroup));
      if (!programs.empty()) return rules_of(*cgroup, programs.front());
    }
    if (path.is_root()) return DeviceRules();
  }
}

/// What v1's kernel asks of the parent, asked of all rules of ours that bind the cgroup beside the account's own.
Result<void> check_allowed(const Cgroup& cgroup, uid_t uid, const DeviceRule& rule) {
  for (CgroupPath path = cgroup.path();; path = path.parent()) {
    auto at = Cgroup::open(cgroup.hierarchy(), path);
    if (at)
      for (const Attached& program : TRY(programs_on(*at))) {
        if (path == cgroup.path() && program.uid == uid) continue;
        if (TRY(rules_of(*at, program)).covers(rule)) continue;
        return fail(ErrorKind::denied, "'" + format_device_rule(rule) + "' is not allowed in " + shown(*at));
      }
    if (path.is_root()) return {};
  }
}

/// Puts `rules` in force in place of `old`, the account's program until now; takes the program away where all is
/// allowed.
Result<void> enforce(const Cgroup& cgroup, uid_t uid, const Attached* old, const DeviceRules& rules) {
  Kept kept = TRY(Kept::open(cgroup));
  if (rules.allows_all()) {
    if (old) TRY_VOID(bpf::detach(cgroup.dir(), kAttach, old->program.get()));
    kept.remove(uid);
    return {};
  }
  Fd program = TRY(bpf::load(BPF_PROG_TYPE_CGROUP_DEVICE, program_name(uid), device_program(rules)));
  uint64_t tag = TRY(bpf::info(program.get())).tag;
  // Cut off in between, the attribute belongs to a program that is not attached, and is not believed.
  auto before = kept.read(uid);
  TRY_VOID(kept.write(uid, kept_text(tag, rules)));
  auto attached = bpf::attach(cgroup.dir(), kAttach, program.get(), old ? old->program.get() : -1);
  if (attached) return {};
  if (before)
    (void)kept.write(uid, *before);
  else
    kept.remove(uid);
  return attached;
}

Result<void> write_v1(const Cgroup& cgroup, const DeviceRule& rule, bool allowed) {
  return cgroup.write(allowed ? "devices.allow" : "devices.deny", format_device_rule(rule));
}

Result<void> set_v1(const Cgroup& cgroup, const DeviceRules& rules) {
  TRY_VOID(write_v1(cgroup, DeviceRule(), rules.allows_rest()));
  for (const DeviceRule& exception : rules.exceptions()) TRY_VOID(write_v1(cgroup, exception, !rules.allows_rest()));
  return {};
}

}  // namespace

Result<DeviceRules> read_devices(const Cgroup& cgroup, uid_t uid) {
  if (!cgroup.is_v2()) return DeviceRules::parse_list(TRY(cgroup.read("devices.list")));
  std::vector<Attached> programs = TRY(programs_on(cgroup));
  if (const Attached* own = find(programs, uid)) return rules_of(cgroup, *own);
  return inherited(cgroup.hierarchy(), cgroup.path());
}

Result<void> change_devices(const Cgroup& cgroup, uid_t uid, const DeviceRule& rule, bool allowed) {
  if (!cgroup.is_v2()) return write_v1(cgroup, rule, allowed);
  bool anew = rule.type == DeviceType::any;
  std::vector<Attached> programs = TRY(programs_on(cgroup));
  const Attached* own = find(programs, uid);
  DeviceRules rules;
  if (!anew) rules = own ? TRY(rules_of(cgroup, *own)) : TRY(inherited(cgroup.hierarchy(), cgroup.path()));
  if (allowed) TRY_VOID(check_allowed(cgroup, uid, rule));
  TRY_VOID(allowed ? rules.allow(rule) : rules.deny(rule));
  return enforce(cgroup, uid, own, rules);
}

Result<void> set_devices(const Cgroup& cgroup, uid_t uid, const DeviceRules& rules) {
  if (cgroup.is_v2()) {
    std::vector<Attached> programs = TRY(programs_on(cgroup));
    return enforce(cgroup, uid, find(programs, uid), rules);
  }
  DeviceRules before = TRY(read_devices(cgroup, uid));
  auto done = set_v1(cgroup, rules);
  if (!done) (void)set_v1(cgroup, before);
  return done;
}

}  // namespace cgm::cgroup
