# SPDX-License-Identifier: LGPL-2.1-or-later
"""Statements about CGManager (docs/sources.md): S0.1, S0.4, S0.5, S0.9, S0.10, S0.11."""
import os
import pathlib
import re
import shutil
import subprocess

import classic
import suite
from daemon import Daemon
from testcase import OTHER, USER, DaemonTest


class Manager(DaemonTest):
    def dbus_send(self, uid: int, method: str, *arguments: str) -> subprocess.CompletedProcess:
        if not shutil.which("dbus-send"):
            self.skipTest("dbus-send is not installed")
        return self.caller(f"s0-{uid}", uid).run(
            ["dbus-send", "--print-reply", f"--peer=unix:path={self.daemon.socket}", classic.OBJECT,
             f"{classic.INTERFACE}.{method}", *(f"string:{one}" for one in arguments)])

    def test_s0_1_one_daemon_manages_every_hierarchy(self):
        root = self.caller("s0-root")
        controllers = [label.split(",")[0] for label in root.call("ListControllers")]
        self.assertNotEqual(controllers, [])
        for controller in controllers:
            with self.subTest(controller):
                self.assertEqual(root.call("Create", controller, "one/below"), -1)
                self.assertEqual(root.call("ListChildren", controller, "one"), ["below"])
                self.assertTrue(self.sandbox.dir(controller, "s0-root/one/below").is_dir())
                self.assertEqual(root.call("Remove", controller, "one", 1), 1)
                self.assertFalse(self.sandbox.dir(controller, "s0-root/one").exists())

    def test_s0_4_the_host_sees_no_mount_of_the_daemons(self):
        """Also with hierarchies that the daemon has to mount for itself. The line `0::/`, which the first cgroup2 mount
        since boot adds for good, is the one difference allowed."""
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
        made = self.dbus_send(USER, "Create", "freezer", "mine")
        self.assertEqual(made.returncode, 0, made.stderr)
        mine = self.sandbox.dir("freezer", f"s0-{USER}/mine")
        self.assertEqual((mine.stat().st_uid, mine.stat().st_gid), (USER, USER))
        other = self.caller("s0-shared", OTHER, owner=USER)
        with self.refused("no write permission"):
            other.call("Create", "freezer", "his")

    def test_s0_9_dbus_send_is_client_enough(self):
        for uid in (0, USER):
            with self.subTest(uid=uid):
                for method, *arguments in (("Create", "pids", "sent"), ("SetValue", "pids", "sent", "pids.max", "7")):
                    done = self.dbus_send(uid, method, *arguments)
                    self.assertEqual(done.returncode, 0, done.stderr)
                answer = self.dbus_send(uid, "GetValue", "pids", "sent", "pids.max")
                self.assertIn('string "7"', answer.stdout)
        refused = self.dbus_send(USER, "GetValue", "pids", "absent", "pids.max")
        self.assertIn(classic.ERROR, refused.stderr)

    def test_s0_10_every_method_has_a_command(self):
        text = subprocess.run([suite.program("cgm"), "--help"], capture_output=True, text=True, check=True).stdout
        commands = re.findall(r"(?m)^  ([a-z]+) ", text)
        for method in classic.METHODS:
            self.assertIn(method.lower(), commands)
        self.assertIn("apiversion", commands)

    def test_s0_11_the_daemon_talks_to_no_bus(self):
        """Its only unix sockets with a name are the one it listens on and its clients' ends of that."""
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
