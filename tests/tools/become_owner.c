// SPDX-License-Identifier: LGPL-2.1-or-later
// A set-uid program as a system has many: takes its owner's uid for good, says so with one line, and ends when its
// standard input does.
#define _GNU_SOURCE
#include <stdio.h>
#include <unistd.h>

int main(void) {
  if (setresuid(geteuid(), geteuid(), geteuid()) != 0) return 1;
  printf("uid %d\n", (int)getuid());
  fflush(stdout);
  char byte;
  return read(0, &byte, 1) < 0;
}
