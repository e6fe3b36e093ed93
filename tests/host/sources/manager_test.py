# SPDX-License-Identifier: LGPL-2.1-or-later
"""Statements about CGManager (docs/sources.md, S0) that no other test shows by itself."""
import os
import pathlib
import subprocess

import classic
from testcase import USER, DaemonTest

OBJECT = "/org/linuxcontainers/cgmanager"


class Manager(DaemonTest):
    def dbus_send(self, method: str, *arguments: str, uid: int = 0) -> subprocess.CompletedProcess:
        caller = self.caller(f"s0-{uid}", uid)
        return caller.run(["dbus-send", "--print-reply", f"--peer=unix:path={self.daemon.socket}", OBJECT,
                           f"org.linuxcontainers.cgmanager0_0.{method}", *arguments])

    def test_s0_4_the_host_sees_no_mount_of_the_daemons(self):
        """Also with hierarchies that the daemon has to mount for itself. The line `0::/`, which the first cgroup2 mount
        since boot adds for good, is the one difference allowed."""
        from daemon import Daemon

        def seen():
            lines = pathlib.Path("/proc/1/cgroup").read_text().splitlines()
            return (pathlib.Path("/proc/self/mountinfo").read_text(), [line for line in lines if not line.startswith("0::")])

        before = seen()
        with Daemon(config="[hierarchies]\nmount_unified = true\n") as daemon:
            daemon.connect().close()
            self.assertEqual(seen(), before)
            mounts = pathlib.Path(f"/proc/{daemon.pid}/mountinfo").read_text()
        self.assertEqual(seen(), before)
        self.assertEqual(mounts, before[0])

    def test_s0_5_a_plain_call_is_judged_by_the_initial_credentials(self):
        self.sandbox.place("s0-admin")
        mine = self.dbus_send("Create", "string:freezer", "string:mine", uid=USER)
        self.assertEqual(mine.returncode, 0, mine.stderr)
        one = self.sandbox.dir("freezer", f"s0-{USER}/mine")
        self.assertEqual((one.stat().st_uid, one.stat().st_gid), (USER, USER))

    def test_s0_9_dbus_send_is_client_enough(self):
        answer = self.dbus_send("GetPidCgroup", "string:freezer", "int32:1", uid=USER)
        self.assertIn(classic.ERROR, answer.stderr)  # pid 1 is outside the caller's cgroup
        answer = self.dbus_send("ListControllers", uid=USER)
        self.assertIn("array [", answer.stdout)

    def test_s0_11_the_daemon_talks_to_no_bus(self):
        """Its only unix sockets are the one it listens on, a client's, and the pair of its own codec."""
        with self.daemon.connect() as client:
            classic.call(client, "Ping", 1)
            inodes = set()
            for entry in os.listdir(f"/proc/{self.daemon.pid}/fd"):
                target = os.readlink(f"/proc/{self.daemon.pid}/fd/{entry}")
                if target.startswith("socket:["):
                    inodes.add(target[8:-1])
            named = [line.split()[7] for line in pathlib.Path("/proc/net/unix").read_text().splitlines()[1:]
                     if line.split()[6] in inodes and len(line.split()) > 7]
        self.assertTrue(named)
        self.assertEqual(set(named), {self.daemon.socket})
