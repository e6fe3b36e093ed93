# SPDX-License-Identifier: LGPL-2.1-or-later
"""Beside systemd: the lab boots Debian's as process 1, and these tests run in a unit to which it has delegated its cgroup.
Rule 19 of access.md: what is delegated is ours to fill, the rest of the v2 tree is systemd's."""
import os
import pathlib
import subprocess
import unittest

import classic
import suite
from daemon import Daemon

TREE = pathlib.Path("/sys/fs/cgroup")


def own_cgroup() -> pathlib.Path:
    return TREE / pathlib.Path("/proc/self/cgroup").read_text().split("::", 1)[1].strip().lstrip("/")


@unittest.skipUnless(os.path.isdir("/run/systemd/system"), "systemd is not process 1")
class BesideSystemd(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = own_cgroup()
        cls.daemon = Daemon()
        cls.addClassCleanup(cls.daemon.close)

    def call(self, member: str, *arguments):
        with self.daemon.connect() as connection:
            return classic.call(connection, member, *arguments)

    def test_the_guest_is_what_these_tests_are_for(self):
        self.assertEqual(pathlib.Path("/proc/1/comm").read_text(), "systemd\n")
        self.assertIn("memory", (TREE / "cgroup.controllers").read_text().split())
        self.assertEqual(os.getxattr(self.home, "trusted.delegate"), b"1")

    def test_a_delegated_cgroup_is_filled(self):
        self.call("Create", "memory", "inside")
        self.addCleanup(self.call, "Remove", "memory", "inside", 1)
        self.call("SetValue", "memory", "inside", "memory.limit_in_bytes", "10000000")
        self.assertEqual((self.home / "inside/memory.max").read_text(), "9998336\n")

    def test_what_is_systemds_is_left_alone(self):
        for path in ("outside", "system.slice/outside"):
            with self.subTest(path=path):
                # From the root cgroup, which is nobody's delegation.
                cgm = [suite.program("cgm"), "--socket", self.daemon.socket, "create", "memory", path]
                done = subprocess.run(["sh", "-c", f'echo $$ >{TREE}/cgroup.procs && exec "$@"', "sh", *cgm],
                                      stdin=subprocess.DEVNULL, capture_output=True, text=True)
                self.assertEqual(done.returncode, 1, done)
                self.assertIn("is systemd's, and not delegated", done.stderr)
                self.assertFalse((TREE / path).exists())
