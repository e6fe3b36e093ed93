# SPDX-License-Identifier: LGPL-2.1-or-later
"""Statements about limits (docs/sources.md): a cgroup for a user (S0.3, S3.7), ten million bytes (S3.8), and what they do
(S2.1, S3.9)."""
from testcase import USER, DaemonTest


class Container(DaemonTest):
    def setUp(self):
        self.sandbox.require("memory")
        self.cgm = self.for_everybody("cgm")
        self.admin = self.caller("s3", 0)
        self.user = self.caller("s3", USER, owner=0)
        self.name = f"mycoolgroup-{self._testMethodName[5:9]}"
        self.as_(self.admin, "create", "memory", self.name)
        self.as_(self.admin, "chown", "memory", self.name, str(USER), str(USER))

    def as_(self, caller, *arguments: str, status: int = 0):
        done = caller.run([self.cgm, "--socket", self.daemon.socket, *arguments], PATH="/usr/bin:/bin")
        self.assertEqual(done.returncode, status, (arguments, done.stdout, done.stderr))
        return done

    def test_s3_7_a_cgroup_for_a_user(self):
        self.as_(self.user, "create", "memory", f"{self.name}/own")
        self.as_(self.user, "setvalue", "memory", f"{self.name}/own", "memory.limit_in_bytes", "20M")
        # Unlike with cgcreate -a, the limits of the cgroup that was given stay the administrator's.
        self.as_(self.user, "setvalue", "memory", self.name, "memory.limit_in_bytes", "20M", status=1)

    def test_s3_8_ten_million_bytes(self):
        self.as_(self.user, "create", "memory", f"{self.name}/own")
        self.as_(self.user, "setvalue", "memory", f"{self.name}/own", "memory.limit_in_bytes", "10000000")
        shown = self.as_(self.user, "getvalue", "memory", f"{self.name}/own", "memory.limit_in_bytes")
        self.assertEqual(shown.stdout, "9998336\n", "whole pages")
        file = "memory.limit_in_bytes" if self.sandbox.version("memory") == 1 else "memory.max"
        kernel = self.sandbox.dir("memory", f"s3/{self.name}/own") / file
        self.assertEqual(kernel.read_text(), "9998336\n")
        refused = self.as_(self.user, "setvalue", "memory", f"{self.name}/own", "memory.kmem.limit_in_bytes", "10000000", status=1)
        self.assertIn("memory.limit_in_bytes", refused.stderr)

    def test_s3_9_what_fits_runs_and_what_does_not_is_killed(self):
        small = self.as_(self.user, "run", "-m", "10000000", "--name", f"{self.name}/job", "--", "ls", "/")
        self.assertIn("usr", small.stdout)
        killed = self.as_(self.user, "run", "-m", "10000000", "--name", f"{self.name}/job", "--", "sh", "-c",
                          "head -c 40000000 /dev/zero | tail >/dev/null", status=137)
        self.assertIn("the kernel killed", killed.stderr)
