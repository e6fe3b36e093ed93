// SPDX-License-Identifier: LGPL-2.1-or-later
// Wiring and the life of the daemon.
#include "cgmanager/daemon.hpp"

#include <pwd.h>
#include <signal.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include <algorithm>

#include "base/sys.hpp"
#include "bus/server.hpp"
#include "cgmanager/sockets.hpp"
#include "cgroup/hierarchy.hpp"
#include "manager/manager.hpp"

namespace cgm::cgmanager {

namespace {

constexpr uint64_t kStopUsec = 10'000'000;  // what is under way at SIGTERM has this long

struct EventUnref {
  void operator()(sd_event* event) const { sd_event_unref(event); }
};

Result<void> check(int r, std::string_view call) {
  if (r < 0) return fail(Error::from_errno(-r, call));
  return {};
}

uid_t uid_of_name(std::string_view name) {
  const passwd* user = ::getpwnam(std::string(name).c_str());
  return user ? user->pw_uid : static_cast<uid_t>(-1);
}

api::Accounts read_accounts() {
  auto file = sys::openat(AT_FDCWD, "/etc/subuid", O_RDONLY);
  if (!file) return {};
  auto text = sys::read_all(file->get(), 8 << 20);
  return text ? api::Accounts(api::parse_subuid(*text, uid_of_name)) : api::Accounts();
}

/// Raises the soft limit of descriptors to the hard one, and returns it.
size_t raise_descriptors() {
  rlimit limit{1024, 1024};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &limit);
  }
  (void)::getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<size_t>(std::min<rlim_t>(limit.rlim_cur, 1 << 20));
}

/// Cgroups that can be watched at once; each takes a descriptor on v1.
size_t most_watches(size_t descriptors) {
  return std::min<size_t>(descriptors / 8, 8192);
}

bus::ServerLimits server_limits(const manager::Config& config, size_t descriptors) {
  constexpr size_t kEach = 3;      // a connection's socket and pins
  constexpr size_t kOthers = 256;  // hierarchies, directories kept open, files that are open for a moment
  size_t others = kOthers + most_watches(descriptors);
  bus::ServerLimits limits;
  size_t most = std::max<size_t>((descriptors - std::min(descriptors, others)) / kEach, 16);
  limits.connections = static_cast<size_t>(config.connections);
  limits.connections_total =
      config.connections_total == 0 ? most : std::min(most, static_cast<size_t>(config.connections_total));
  limits.connections_reserve = std::min(limits.connections_reserve, limits.connections_total / 8);
  limits.message_bytes = static_cast<size_t>(config.message_bytes);
  limits.unread_bytes = static_cast<size_t>(config.unread_bytes);
  limits.authentication_usec = static_cast<uint64_t>(config.authentication_seconds) * 1'000'000;
  return limits;
}

manager::Limits manager_limits(const manager::Config& config) {
  return {.quotas = {.cgroups = static_cast<size_t>(config.cgroups), .depth = static_cast<size_t>(config.depth)},
          .watches = static_cast<size_t>(config.watches),
          .deadline_ms = config.deadline_seconds * 1000};
}

int on_late(sd_event_source* source, uint64_t, void*) {
  return sd_event_exit(sd_event_source_get_event(source), 0);
}

/// What the loop's callbacks work with.
struct Daemon {
  const Options& options;
  Log& log;
  size_t descriptors = 0;
  std::unique_ptr<sd_event, EventUnref> event;
  std::unique_ptr<manager::Manager> manager;
  bus::Holdings holdings;
  std::vector<std::unique_ptr<bus::Server>> servers;
  size_t stopping = 0;  // servers that have not finished yet

  void configure(const manager::Config& config) {
    log.set_level(config.log);
    api::Accounts accounts = read_accounts();
    manager->configure(manager_limits(config), accounts);
    manager->recount();
    for (auto& server : servers) server->configure(server_limits(config, descriptors), accounts);
  }

  void reload() {
    auto config = load_config(options);
    if (!config) {
      log.write(LogLevel::error, "configuration not read: " + config.error().text() + "; the old one stays");
      return;
    }
    sd_notify(0, "RELOADING=1");
    configure(*config);
    log.write(LogLevel::notice, "configuration read again");
    sd_notify(0, "READY=1");
  }

  void stop() {
    if (stopping > 0) return;
    sd_notify(0, "STOPPING=1");
    stopping = servers.size();
    uint64_t late = static_cast<uint64_t>(sys::monotonic_ns() / 1000) + kStopUsec;
    (void)sd_event_add_time(event.get(), nullptr, CLOCK_MONOTONIC, late, 0, on_late, this);
    for (auto& server : servers)
      server->stop([this] {
        if (--stopping == 0) sd_event_exit(event.get(), 0);
      });
  }
};

int on_stop(sd_event_source*, const signalfd_siginfo*, void* daemon) {
  static_cast<Daemon*>(daemon)->stop();
  return 0;
}

int on_reload(sd_event_source*, const signalfd_siginfo*, void* daemon) {
  static_cast<Daemon*>(daemon)->reload();
  return 0;
}

int on_outcomes(sd_event_source*, int, uint32_t, void* daemon) {
  static_cast<Daemon*>(daemon)->manager->deliver();
  return 0;
}

int on_forget(sd_event_source*, int, uint32_t, void* daemon) {
  static_cast<Daemon*>(daemon)->manager->directories().forget();
  return 0;
}

int on_emptied(sd_event_source*, int, uint32_t, void* daemon) {
  static_cast<Daemon*>(daemon)->manager->remove_emptied();
  return 0;
}

/// From here on signals wait for the loop: what is made by then is taken away again.
void hold_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&signals, signal);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

Result<void> add_sources(Daemon& daemon) {
  sd_event* event = daemon.event.get();
  TRY_VOID(check(sd_event_add_signal(event, nullptr, SIGTERM, on_stop, &daemon), "sd_event_add_signal"));
  TRY_VOID(check(sd_event_add_signal(event, nullptr, SIGINT, on_stop, &daemon), "sd_event_add_signal"));
  TRY_VOID(check(sd_event_add_signal(event, nullptr, SIGHUP, on_reload, &daemon), "sd_event_add_signal"));
  TRY_VOID(check(sd_event_add_io(event, nullptr, daemon.manager->directories().fd(), EPOLLIN, on_forget, &daemon),
                 "sd_event_add_io"));
  TRY_VOID(check(sd_event_add_io(event, nullptr, daemon.manager->watches().fd(), EPOLLIN, on_emptied, &daemon),
                 "sd_event_add_io"));
  return check(sd_event_add_io(event, nullptr, daemon.manager->fd(), EPOLLIN, on_outcomes, &daemon), "sd_event_add_io");
}

Result<std::vector<ListeningSocket>> open_sockets(const manager::Config& config, const Log& log) {
  std::vector<ListeningSocket> sockets;
  if (!config.sockets.empty()) {
    for (const std::string& path : config.sockets) sockets.push_back(TRY(ListeningSocket::create(path)));
    return sockets;
  }
  sockets.push_back(TRY(ListeningSocket::create(kRunSocket)));
  if (classic_path_is_cgroup2() && !config.classic_socket) return sockets;
  auto classic = ListeningSocket::create(kClassicSocket);
  if (!classic && classic.error().kind() == ErrorKind::busy) return fail(std::move(classic.error()));
  if (classic)
    sockets.push_back(std::move(*classic));
  else
    log.write(LogLevel::warning, "the classic socket cannot be made: " + classic.error().text());
  return sockets;
}

/// Beside the first socket, and called after it: another daemon with another socket has another one.
Result<manager::Watches::Store> watches_store(const ListeningSocket& socket) {
  const std::string& path = socket.path();
  size_t slash = path.rfind('/');
  std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  return manager::Watches::Store{TRY(sys::openat(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY)),
                                 path.substr(slash + 1) + ".watches"};
}

}  // namespace

Result<void> run_daemon(const Options& options, const manager::Config& config, Log& log,
                        const std::function<void()>& ready) {
  hold_signals();
  std::optional<ClassicMount> classic;
  if (config.sockets.empty() && config.classic_socket && classic_path_is_cgroup2())
    classic.emplace(TRY(ClassicMount::create()));
  std::vector<ListeningSocket> sockets = TRY(open_sockets(config, log));
  auto hierarchies = TRY(cgroup::Hierarchies::discover(
      {.detach = true, .mount_unified = config.mount_unified, .mount_v1 = config.mount, .skip = config.skip}));
  for (const Error& problem : hierarchies.problems()) log.write(LogLevel::warning, problem.text());

  Daemon daemon{.options = options,
                .log = log,
                .descriptors = raise_descriptors(),
                .event = {},
                .manager = {},
                .holdings = {},
                .servers = {}};
  daemon.manager = TRY(manager::Manager::create(hierarchies, manager_limits(config), read_accounts(), log));
  TRY_VOID(daemon.manager->watches().start(most_watches(daemon.descriptors), TRY(watches_store(sockets.front()))));
  sd_event* event = nullptr;
  TRY_VOID(check(sd_event_new(&event), "sd_event_new"));
  daemon.event.reset(event);
  TRY_VOID(add_sources(daemon));
  for (ListeningSocket& socket : sockets) {
    auto server = TRY(
        bus::Server::create(event, *daemon.manager, server_limits(config, daemon.descriptors), daemon.holdings, log));
    TRY_VOID(server->listen(socket.take()));
    log.write(LogLevel::info, "listening on '" + socket.path() + "'");
    daemon.servers.push_back(std::move(server));
  }
  daemon.configure(config);
  ready();
  TRY_VOID(check(sd_event_loop(event), "sd_event_loop"));
  daemon.servers.clear();
  daemon.manager->watches().save();
  log.write(LogLevel::info, "stopped");
  return {};
}

}  // namespace cgm::cgmanager
