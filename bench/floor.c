// SPDX-License-Identifier: LGPL-2.1-or-later
// The kernel's work of starting a program with cgroups, limits and namespaces of its own, and nothing around it: a
// cgroup below each directory that is named, in whatever hierarchy, one clone3, `0` into the v1 ones, exec, wait,
// rmdir. What it costs is the lower bound of what any tool can reach.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 32 };

static void die(const char* what) {
  fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
  _exit(125);
}

static int write_at(int directory, const char* file, const char* text) {
  int fd = openat(directory, file, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  if (write(fd, text, strlen(text)) < 0) die(file);
  close(fd);
  return 1;
}

static void copy_key(int from, int to, const char* file) {
  char text[256];
  int fd = openat(from, file, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  if (n <= 0) return;
  text[n] = '\0';
  write_at(to, file, text);
}

static void limit(int parent, int directory) {
  if (!write_at(directory, "memory.limit_in_bytes", "268435456")) write_at(directory, "memory.max", "268435456");
  if (!write_at(directory, "cpu.cfs_quota_us", "50000")) write_at(directory, "cpu.max", "50000 100000");
  write_at(directory, "pids.max", "100");
  if (faccessat(directory, "tasks", F_OK, 0) != 0) return;
  copy_key(parent, directory, "cpuset.cpus");  // a v1 cpuset takes no task without
  copy_key(parent, directory, "cpuset.mems");
}

int main(int argc, char** argv) {
  int parents[MOST], tasks[MOST], count = 0, tasks_count = 0, unified = -1, i = 1;
  char name[32];
  snprintf(name, sizeof name, "floor%d", getpid());
  for (; i < argc && strcmp(argv[i], "--") != 0 && count < MOST; i++) {
    int parent = open(argv[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0 || mkdirat(parent, name, 0755) < 0) die(argv[i]);
    int directory = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) die(name);
    limit(parent, directory);
    parents[count++] = parent;
    int fd = openat(directory, "tasks", O_WRONLY | O_CLOEXEC);
    if (fd >= 0)
      tasks[tasks_count++] = fd;
    else
      unified = dup(directory);
    close(directory);
  }
  if (i + 1 >= argc) return 2;
  struct clone_args args = {.flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET,
                            .exit_signal = SIGCHLD};
  if (unified >= 0) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = (uint64_t)unified;
  }
  pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
  if (pid < 0) die("clone3");
  if (pid == 0) {
    for (int k = 0; k < tasks_count; k++)
      if (write(tasks[k], "0", 1) != 1) die("tasks");
    if (unshare(CLONE_NEWCGROUP) < 0) die("unshare");
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) die("mount");
    execv(argv[i + 1], argv + i + 1);
    die(argv[i + 1]);
  }
  siginfo_t info;
  if (waitid(P_PID, (id_t)pid, &info, WEXITED) < 0) die("waitid");
  for (int k = 0; k < count; k++)
    while (unlinkat(parents[k], name, AT_REMOVEDIR) < 0)
      if (errno != EBUSY) die("rmdir");  // v2: the task leaves a moment after it was reaped
  return info.si_code == CLD_EXITED ? info.si_status : 1;
}
