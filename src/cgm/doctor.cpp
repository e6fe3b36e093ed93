// SPDX-License-Identifier: LGPL-2.1-or-later
// cgm doctor: what works here, what does not, and the cure.
#include <fmt/format.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/socket.hpp"
#include "base/sys.hpp"
#include "cgm/json.hpp"
#include "cgm/survey.hpp"
#include "cgm/verb.hpp"

namespace cgm::cli {

namespace {

enum class Health { good, worse, bad };

/// One line: what was looked at, how it is, and for what is not good, what helps.
struct Finding {
  Health health;
  std::string subject, text, cure;
};

Finding good(std::string subject, std::string text) {
  return {Health::good, std::move(subject), std::move(text), {}};
}

Finding kernel_finding() {
  utsname name{};
  ::uname(&name);
  unsigned major = 0, minor = 0;
  bool read = std::sscanf(name.release, "%u.%u", &major, &minor) == 2;
  if (read && (major > 5 || (major == 5 && minor >= 10))) return good("kernel", name.release);
  return {Health::bad, "kernel", std::string(name.release) + " is older than 5.10", "boot a kernel from 5.10 on"};
}

/// A feature of the kernel that is used where it is there; without it something is slower or coarser.
Finding feature(std::string subject, bool there, const std::string& lost, const std::string& since) {
  if (there) return good(std::move(subject), "there");
  return {Health::worse, std::move(subject), "missing: " + lost,
          "a kernel from " + since + " on, or a seccomp filter that lets it through"};
}

void add_kernel(std::vector<Finding>& findings) {
  findings.push_back(kernel_finding());
  open_how how{};
  how.flags = O_PATH;
  findings.push_back(
      feature("openat2", sys::openat2(AT_FDCWD, "/", how).has_value(), "paths are walked by component", "5.6"));
  auto pidfd = sys::pidfd_open(::getpid());
  findings.push_back(
      feature("pidfd", pidfd.has_value(), "processes cannot be pinned: the daemon does not start", "5.3"));
  auto pair = net::pair(SOCK_STREAM);
  findings.push_back(feature("SO_PEERPIDFD", pair && net::peer_pidfd(pair->first.get()),
                             "callers are pinned when they connect, and turned away when the daemon was slow", "6.5"));
  findings.push_back(feature("PIDFD_GET_INFO", pidfd && sys::pidfd_get_info(pidfd->get()),
                             "a move costs some microseconds more", "6.13"));
  findings.push_back(feature("pressure (PSI)", ::access("/proc/pressure/memory", R_OK) == 0,
                             "no pressure in 'cgm stat'", "4.20 with CONFIG_PSI and psi=1"));
}

void add_hierarchies(std::vector<Finding>& findings, const std::vector<HierarchyView>& views) {
  std::string mode = mode_of(views);
  findings.push_back(mode == "none" ? Finding{Health::bad, "mode", "no cgroup file system is mounted",
                                              "mount -t cgroup2 none /sys/fs/cgroup"}
                                    : good("mode", mode));
  for (const char* wanted : {"cpu", "cpuset", "memory", "pids", "io"}) {
    auto serves = [&](const HierarchyView& view) {
      return std::any_of(view.controllers.begin(), view.controllers.end(), [&](const std::string& c) {
        return c == wanted || (c == "blkio" && std::string_view(wanted) == "io");
      });
    };
    auto view = std::find_if(views.begin(), views.end(), serves);
    if (view == views.end())
      findings.push_back({Health::worse, wanted, "no hierarchy has this controller",
                          "boot without cgroup_disable=" + std::string(wanted) +
                              "; on v2, let it be enabled in the root's cgroup.subtree_control"});
    else if (!view->may_create)
      findings.push_back({Health::bad, wanted, "you may make no cgroup in '" + view->own_cgroup + "'",
                          "root: cgm create " + std::string(wanted) + " NAME && cgm chown " + wanted + " NAME " +
                              std::to_string(::getuid()) + " " + std::to_string(::getgid()) + ", then use NAME/…"});
    else
      findings.push_back(good(wanted, std::string(view->version == cgroup::Version::v1 ? "v1" : "v2") +
                                          ", you may make cgroups in '" + view->own_cgroup + "'"));
  }
}

void add_daemon(std::vector<Finding>& findings, Session& session) {
  if (session.is_direct()) {
    bool root = ::geteuid() == 0;
    findings.push_back({root ? Health::worse : Health::bad, "daemon",
                        "none answers: only what the kernel lets you do yourself works",
                        "start cgmanager (service cgmanager start), or set CGM_SOCKET"});
    return;
  }
  auto version = session.api_version();
  findings.push_back(
      version ? good("daemon", "answers, api version " + std::to_string(*version))
              : Finding{Health::bad, "daemon", version.error().text(), "restart cgmanager; its log says more"});
}

void print(const std::vector<Finding>& findings) {
  bool colours = ::isatty(1) == 1 && !::getenv("NO_COLOR");
  for (const Finding& one : findings) {
    const char* mark = one.health == Health::good ? "ok" : one.health == Health::worse ? "--" : "NO";
    const char* colour = one.health == Health::good    ? "\033[32m"
                         : one.health == Health::worse ? "\033[33m"
                                                       : "\033[31m";
    fmt::print("{}{}{}  {:<16} {}\n", colours ? colour : "", mark, colours ? "\033[0m" : "", one.subject, one.text);
    if (!one.cure.empty()) fmt::print("                       cure: {}\n", one.cure);
  }
}

}  // namespace

int run_doctor(Invocation& invocation) {
  Verb verb(invocation, "doctor [OPTIONS]",
            "Looks at kernel, hierarchies and daemon, and says what is wrong and what helps.",
            "'ok' is good, '--' works with less, 'NO' does not work. Exit status 1 where there is a 'NO'.\n\n"
            "Examples:\n  cgm doctor\n  cgm doctor --json\n");
  if (auto status = verb.parse()) return *status;
  std::vector<Finding> findings;
  add_kernel(findings);
  auto session = open_session(invocation);
  if (!session) return kFailed;
  add_daemon(findings, *session);
  auto views = survey(*session);
  if (views)
    add_hierarchies(findings, *views);
  else
    findings.push_back({Health::bad, "hierarchies", views.error().text(), "mount a cgroup file system"});
  bool bad =
      std::any_of(findings.begin(), findings.end(), [](const Finding& one) { return one.health == Health::bad; });
  if (invocation.json) {
    Json list = Json::array();
    for (const Finding& one : findings) {
      const char* health = one.health == Health::good ? "good" : one.health == Health::worse ? "worse" : "bad";
      list.push_back({{"subject", one.subject}, {"health", health}, {"text", one.text}, {"cure", one.cure}});
    }
    print_json({{"findings", std::move(list)}});
  } else {
    print(findings);
  }
  return bad ? kFailed : 0;
}

}  // namespace cgm::cli
