// SPDX-License-Identifier: LGPL-2.1-or-later
// Processes.
#include "process.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "base/number.hpp"
#include "base/sys.hpp"

namespace cgm::bench {

namespace {

double microseconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
}

}  // namespace

Result<Run> run_process(const std::vector<std::string>& words) {
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  std::string path = find_program(words.front()).value_or(words.front());
  Fd nowhere = TRY(sys::openat(AT_FDCWD, "/dev/null", O_WRONLY));
  int64_t began = sys::monotonic_ns();
  pid_t pid = ::vfork();
  if (pid < 0) return fail(Error::from_errno(errno, "vfork"));
  if (pid == 0) {
    ::dup2(nowhere.get(), STDOUT_FILENO);
    ::execv(path.c_str(), argv.data());
    ::_exit(127);
  }
  int status = 0;
  rusage usage;
  while (::wait4(pid, &status, 0, &usage) < 0)
    if (errno != EINTR) return fail(Error::from_errno(errno, "wait4"));
  if (status != 0) return fail(ErrorKind::os, "'" + words.front() + "' failed");
  return Run{static_cast<double>(sys::monotonic_ns() - began) / 1000,
             microseconds(usage.ru_utime) + microseconds(usage.ru_stime)};
}

std::optional<std::string> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* path = ::getenv("PATH");
  for (std::string_view rest = path ? path : ""; !rest.empty();) {
    std::string file = std::string(take_until(rest, ':')) + "/" + name;
    if (::access(file.c_str(), X_OK) == 0) return file;
  }
  return std::nullopt;
}

}  // namespace cgm::bench
