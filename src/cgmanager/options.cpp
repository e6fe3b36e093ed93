// SPDX-License-Identifier: LGPL-2.1-or-later
// Options, by CLI11.
#include "cgmanager/options.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/number.hpp"
#include "base/sys.hpp"

namespace cgm::cgmanager {

namespace {

std::vector<std::string> split_commas(const std::vector<std::string>& lists) {
  std::vector<std::string> parts;
  for (std::string_view rest : lists)
    while (!rest.empty()) {
      std::string_view part = take_until(rest, ',');
      if (!part.empty()) parts.emplace_back(part);
    }
  return parts;
}

template <class T>
void append(std::vector<T>& to, const std::vector<T>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

}  // namespace

manager::Config Options::over(manager::Config config) const {
  if (!sockets.empty()) config.sockets = sockets;
  append(config.skip, skip);
  append(config.mount, mount);
  config.classic_socket = config.classic_socket || classic_socket;
  if (log) config.log = *log;
  if (depth) config.depth = *depth;
  return config;
}

std::variant<Options, int> parse_options(int argc, char** argv) {
  Options options;
  std::string level, autoremove;
  std::vector<std::string> skip, mount;
  bool foreground = false, quiet = false, verbose = false, debug = false, set_agent = false, version = false;
  CLI::App app("Manages the cgroups of this host for callers who are not trusted with the kernel's files.",
               "cgmanager");
  app.footer(
      "Signals: TERM and INT finish what has begun and stop; HUP reads the configuration again.\n"
      "See cgmanager(8), cgmanager.conf(5).");
  app.add_option("--socket", options.sockets, "serve this socket instead of the usual ones (may be given again)")
      ->type_name("PATH");
  app.add_flag("--classic-socket", options.classic_socket,
               "serve /sys/fs/cgroup/cgmanager/sock also where /sys/fs/cgroup is a cgroup2 mount");
  app.add_option("--config", options.config_path, "read this file instead of " + std::string(kDefaultConfig))
      ->type_name("FILE");
  app.add_flag("--check-config", options.check_config, "say whether the configuration is good, and exit");
  app.add_flag("--foreground", foreground, "stay in the foreground (the default)");
  app.add_flag("--daemon", options.daemon, "go to the background once ready");
  app.add_option("--pid-file", options.pid_file, "write the pid here (with --daemon: /run/cgmanager.pid)")
      ->type_name("FILE");
  app.add_option("--ready-fd", options.ready_fd, "write a newline to this descriptor once ready")->type_name("FD");
  app.add_flag("--sigstop", options.sigstop, "raise SIGSTOP once ready");
  app.add_option("--log", level, "error, warning, notice, info or debug")->type_name("LEVEL");
  app.add_flag("-q,--quiet", quiet, "log errors only");
  app.add_flag("-v,--verbose", verbose, "log more");
  app.add_flag("--debug", debug, "log everything");
  app.add_option("-M,--skip", skip, "leave these controllers alone")->type_name("LIST");
  app.add_option("-m,--mount", mount,
                 "mount these v1 hierarchies, for the daemon alone, where nobody has (name=systemd)")
      ->type_name("LIST");
  app.add_option("--max-depth", options.depth, "levels of cgroups below a caller's floor")
      ->type_name("N")
      ->check(CLI::Range(1, 256));
  app.add_option("--allow-autoremove-premounted", autoremove,
                 "accepted as of old: remove-on-empty works on every hierarchy")
      ->type_name("LIST")
      ->expected(0, 1);
  app.add_flag("--autoremove-premounted-set-release-agent", set_agent, "accepted as of old: no release agent is used");
  app.add_flag("--version", version, "print the version");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return 0;
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "cgmanager: %s\ncgmanager: --help shows the options\n", error.what());
    return 2;
  }
  if (version) {
    std::puts("cgmanager " CGM_VERSION);
    return 0;
  }
  if (foreground && options.daemon) {
    std::fputs("cgmanager: --foreground and --daemon exclude each other\n", stderr);
    return 2;
  }
  if (!level.empty()) {
    auto parsed = manager::parse_log_level(level);
    if (!parsed) {
      std::fprintf(stderr, "cgmanager: --log: %s\n", parsed.error().text().c_str());
      return 2;
    }
    options.log = *parsed;
  }
  if (quiet) options.log = LogLevel::error;
  if (verbose) options.log = LogLevel::info;
  if (debug) options.log = LogLevel::debug;
  options.skip = split_commas(skip);
  options.mount = split_commas(mount);
  if (options.daemon && options.pid_file.empty()) options.pid_file = "/run/cgmanager.pid";
  return options;
}

Result<manager::Config> load_config(const Options& options) {
  bool named = !options.config_path.empty();
  const std::string path = named ? options.config_path : kDefaultConfig;
  auto file = sys::openat(AT_FDCWD, path, O_RDONLY);
  if (!file && !named && file.error().kind() == ErrorKind::not_found) return options.over({});
  if (!file) return fail(std::move(file.error()));
  auto config = manager::parse_config(TRY(sys::read_all(file->get(), 1 << 20)));
  if (!config) return fail(std::move(config.error()).with(path));
  return options.over(std::move(*config));
}

}  // namespace cgm::cgmanager
