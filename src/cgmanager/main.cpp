// SPDX-License-Identifier: LGPL-2.1-or-later
// cgmanager: options, background, readiness, exit status.
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "base/sys.hpp"
#include "cgmanager/daemon.hpp"
#include "cgmanager/options.hpp"

namespace {

using cgm::Fd;
using cgm::Log;
using cgm::LogLevel;

void write_pid_file(const std::string& path, const Log& log) {
  auto file = cgm::sys::openat(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  auto written = file ? cgm::sys::write(file->get(), std::to_string(::getpid()) + "\n", path) : cgm::Result<size_t>(0);
  if (!file) log.write(LogLevel::warning, "no pid file: " + file.error().text());
  if (!written) log.write(LogLevel::warning, "no pid file: " + written.error().text());
}

/// Forks into the background; the parent waits until the daemon is ready, and tells how it went by its exit status.
/// Returns, in the child, where to write a byte when ready.
Fd go_to_background() {
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) < 0) std::exit(1);
  pid_t child = ::fork();
  if (child < 0) std::exit(1);
  if (child > 0) {
    ::close(pipe[1]);
    char byte;
    std::_Exit(::read(pipe[0], &byte, 1) == 1 ? 0 : 1);
  }
  ::close(pipe[0]);
  ::setsid();
  if (pid_t again = ::fork(); again != 0) std::_Exit(again < 0 ? 1 : 0);
  (void)!::chdir("/");
  return Fd(pipe[1]);
}

void detach_stdio() {
  Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (int fd : {0, 1, 2}) ::dup2(null.get(), fd);
}

}  // namespace

int main(int argc, char** argv) {
  auto parsed = cgm::cgmanager::parse_options(argc, argv);
  if (int* status = std::get_if<int>(&parsed)) return *status;
  auto& options = std::get<cgm::cgmanager::Options>(parsed);
  ::umask(022);
  // One arena: threads that come and go would each keep memory of their own.
  ::mallopt(M_ARENA_MAX, 1);
  Log log(LogLevel::notice, ::getenv("JOURNAL_STREAM") != nullptr);
  auto config = cgm::cgmanager::load_config(options);
  if (!config) {
    log.write(LogLevel::error, config.error().text());
    return 1;
  }
  if (options.check_config) {
    std::puts("the configuration is good");
    return 0;
  }
  log.set_level(config->log);
  Fd background = options.daemon ? go_to_background() : Fd();
  bool is_ready = false;
  auto ready = [&] {
    is_ready = true;
    if (!options.pid_file.empty()) write_pid_file(options.pid_file, log);
    if (background) {
      log.to_syslog();
      detach_stdio();
      (void)!::write(background.get(), "\n", 1);
      background.reset();
    }
    if (options.ready_fd >= 0) {
      (void)!::write(options.ready_fd, "\n", 1);
      ::close(options.ready_fd);
    }
    sd_notify(0, "READY=1");
    if (options.sigstop) ::raise(SIGSTOP);
  };
  auto served = cgm::cgmanager::run_daemon(options, *config, log, ready);
  if (is_ready && !options.pid_file.empty()) ::unlink(options.pid_file.c_str());
  if (served) return 0;
  log.write(LogLevel::error, served.error().text());
  return 1;
}
