# SPDX-License-Identifier: LGPL-2.1-or-later
"""The usual sockets and the hierarchies that the daemon mounts itself, tried in mount namespaces that nobody else sees.
S0.4: it binds /sys/fs/cgroup/cgmanager/sock."""
import os
import pathlib
import subprocess
import unittest

import classic
import dbus
import suite
from daemon import Daemon, temporary_folder

CLASSIC, RUN = "/sys/fs/cgroup/cgmanager/sock", "/run/cgmanager/sock"

# What is mounted below /sys/fs/cgroup is moved to a tmpfs of the same layout, so that the host's own gets no new entry.
PRIVATE = """
set -e
mount -t tmpfs cgmt /run
mkdir /run/old && mount --rbind /sys/fs/cgroup /run/old
mount -t tmpfs -o mode=755 cgmt /sys/fs/cgroup
for directory in /run/old/*; do
  mkdir "/sys/fs/cgroup/${directory##*/}"
  mountpoint -q "$directory" && mount --rbind "$directory" "/sys/fs/cgroup/${directory##*/}"
done
umount -l /run/old && rmdir /run/old
exec "$@"
"""
PRIVATE_V2 = 'mount -t tmpfs cgmt /run && exec "$@"'


def is_v2() -> bool:
    return os.path.exists("/sys/fs/cgroup/cgroup.controllers")


class PlacesTest(unittest.TestCase):
    def daemon(self, *options: str, script: str) -> Daemon:
        daemon = Daemon(*options, private=False,
                        prefix=("unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh"))
        self.addCleanup(daemon.close)
        return daemon

    def inside(self, daemon: Daemon, *command: str) -> subprocess.CompletedProcess:
        """Runs a program in the mount namespace of the daemon, or of what was left of it."""
        return subprocess.run(["nsenter", f"--mount={self.namespace(daemon)}", *command], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=60, env={**os.environ, "CGM_SOCKET": ""})

    def namespace(self, daemon: Daemon) -> str:
        """Held by a descriptor, so that it outlives the daemon."""
        if not hasattr(self, "_namespace"):
            self._namespace = os.open(f"/proc/{daemon.pid}/ns/mnt", os.O_RDONLY)
            self.addCleanup(os.close, self._namespace)
        return f"/proc/{os.getpid()}/fd/{self._namespace}"

    def served(self, daemon: Daemon) -> list[str]:
        return [path for path in (CLASSIC, RUN)
                if self.inside(daemon, suite.program("cgm"), "--socket", path, "ping").returncode == 0]

    def traces(self, daemon: Daemon) -> str:
        return self.inside(daemon, "ls", "-d", "/run/cgmanager", "/sys/fs/cgroup/cgmanager").stdout


class UsualSockets(PlacesTest):
    def test_both_are_served_and_found_by_cgm_and_removed_at_the_end(self):
        if is_v2():
            self.skipTest("/sys/fs/cgroup is a cgroup2 mount here")
        daemon = self.daemon(script=PRIVATE)
        self.assertEqual(self.served(daemon), [CLASSIC, RUN])
        told = self.inside(daemon, suite.program("cgm"), "-v", "ping")
        self.assertEqual((told.returncode, told.stdout), (0, ""))
        self.assertIn(CLASSIC, told.stderr)
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(self.traces(daemon), "")

    def test_a_cgroup2_mount_gets_none_unless_asked(self):
        if not is_v2():
            self.skipTest("/sys/fs/cgroup is no cgroup2 mount here")
        daemon = self.daemon(script=PRIVATE_V2)
        self.assertEqual(self.served(daemon), [RUN])
        self.assertFalse(os.path.exists("/sys/fs/cgroup/cgmanager"))
        self.assertEqual(self.inside(daemon, suite.program("cgm"), "ping").returncode, 0)

    def test_a_cgroup2_mount_gets_the_classic_one_when_asked_and_keeps_no_trace(self):
        if not is_v2():
            self.skipTest("/sys/fs/cgroup is no cgroup2 mount here")
        daemon = self.daemon("--classic-socket", script=PRIVATE_V2)
        self.assertEqual(self.served(daemon), [CLASSIC, RUN])
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(self.traces(daemon), "")
        self.assertFalse(os.path.exists("/sys/fs/cgroup/cgmanager"))

    def test_a_second_daemon_leaves_the_first_its_classic_one(self):
        if not is_v2():
            self.skipTest("/sys/fs/cgroup is no cgroup2 mount here")
        daemon = self.daemon("--classic-socket", script=PRIVATE_V2)
        second = self.inside(daemon, suite.program("cgmanager"), "--classic-socket", "--config", str(daemon.config))
        self.assertEqual(second.returncode, 1)
        self.assertIn("cgmanager is already running", second.stderr)
        self.assertEqual(self.served(daemon), [CLASSIC, RUN])

    def test_a_second_daemon_says_so_there_too(self):
        script = PRIVATE_V2 if is_v2() else PRIVATE
        daemon = self.daemon(script=script)
        second = self.inside(daemon, suite.program("cgmanager"), "--config", str(daemon.config))
        self.assertEqual(second.returncode, 1)
        self.assertIn("cgmanager is already running", second.stderr)
        self.assertEqual(self.served(daemon), [RUN] if is_v2() else [CLASSIC, RUN])


class Mounts(unittest.TestCase):
    NAME = f"name=cgmt-{os.getpid()}"

    def known(self) -> bool:
        return self.NAME in pathlib.Path("/proc/self/cgroup").read_text()

    def forget(self) -> None:
        """A v1 hierarchy whose last cgroup went away shortly before its last mount stays in the kernel, empty, until it is
        mounted and unmounted once more."""
        folder = temporary_folder()
        script = f"mount -t cgroup -o none,{self.NAME} cgmt {folder} && umount {folder}"
        suite.eventually(lambda: not self.known() or
                         subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c", script]) and False)

    def daemon(self) -> Daemon:
        daemon = Daemon("--mount", self.NAME)
        self.addCleanup(self.forget)
        self.addCleanup(daemon.close)
        if "mount v1 hierarchy" in daemon.log():
            self.skipTest(f"the kernel mounts no named v1 hierarchy here: {daemon.log()}")
        return daemon

    def test_a_hierarchy_that_is_asked_for_is_mounted_for_the_daemon_alone(self):
        before = pathlib.Path("/proc/self/mountinfo").read_text()
        daemon = self.daemon()
        self.assertTrue(self.known())
        self.assertEqual(pathlib.Path("/proc/self/mountinfo").read_text(), before)
        with daemon.connect() as connection:
            self.assertIn(self.NAME, classic.call(connection, "ListControllers"))
            self.assertIn(os.getpid(), classic.call(connection, "GetTasks", self.NAME, ""))
        self.assertEqual(daemon.stop(), 0)
        self.assertTrue(suite.eventually(lambda: not self.known()), "the hierarchy outlives the daemon")

    def test_cgroups_are_made_in_it(self):
        with self.daemon().connect() as connection:
            self.assertEqual(classic.call(connection, "Create", self.NAME, "a/b"), -1)
            self.assertEqual(classic.call(connection, "ListChildren", self.NAME, ""), ["a"])
            self.assertEqual(classic.call(connection, "Remove", self.NAME, "a", 1), 1)

    def test_cgroup2_is_mounted_for_the_daemon_alone_where_nobody_has(self):
        if "cgroup2" in pathlib.Path("/proc/self/mountinfo").read_text():
            self.skipTest("cgroup2 is mounted here")
        before = pathlib.Path("/proc/self/mountinfo").read_text()
        daemon = Daemon(config="[hierarchies]\nmount_unified = true\n")
        self.addCleanup(daemon.close)
        with daemon.connect() as connection:
            self.assertEqual(pathlib.Path("/proc/self/mountinfo").read_text(), before)
            self.assertIn(os.getpid(), classic.call(connection, "GetTasks", "unified", ""))
            self.assertEqual(classic.call(connection, "Create", "unified", "cgmt-private"), -1)
            self.assertEqual(classic.call(connection, "Remove", "unified", "cgmt-private", 1), 1)

    def test_what_cannot_be_mounted_is_a_warning_and_no_failure(self):
        daemon = Daemon("--mount", "no-such-controller")
        self.addCleanup(daemon.close)
        self.assertIn("no-such-controller", daemon.log())
        with daemon.connect() as connection:
            self.assertIsNone(classic.call(connection, "Ping", 1))
            with self.assertRaises(dbus.Refused):
                classic.call(connection, "GetTasks", "no-such-controller", "")
