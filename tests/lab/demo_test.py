# SPDX-License-Identifier: LGPL-2.1-or-later
"""`make demo` to its end, in the guest alone: it adds a user to /etc/passwd."""
import os
import pathlib
import pwd
import subprocess
import unittest

import suite


def cgroups() -> set[str]:
    return {str(path) for path in pathlib.Path("/sys/fs/cgroup").rglob("*") if path.is_dir()}


@unittest.skipUnless("CGM_LAB_MODE" in os.environ, "it adds a user to /etc/passwd: run in the lab alone")
class Demo(unittest.TestCase):
    def test_shows_the_limit_bite_and_leaves_nothing_behind(self):
        before = cgroups()
        demo = subprocess.run([suite.SOURCE / "scripts/demo.sh", suite.BUILD], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(demo.returncode, 0, demo.stdout)
        self.assertIn("9998336", demo.stdout)
        self.assertIn("fits", demo.stdout)
        self.assertLessEqual(len(demo.stdout.splitlines()), 60)
        self.assertRaises(KeyError, pwd.getpwnam, "bork")
        self.assertEqual({path for path in cgroups() - before if "demo" in path}, set())
