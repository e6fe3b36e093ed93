# SPDX-License-Identifier: LGPL-2.1-or-later
"""Limits that v1 does not make binding on children bind through the daemon all the same: copied into the child, root's
there, and followed down. Rule 13 of docs/access.md."""
import pathlib
import unittest

from cgroups import read
from testcase import USER, DaemonTest


def disk() -> str:
    """MAJOR:MINOR of a disk of this host."""
    for device in sorted(pathlib.Path("/sys/block").iterdir()):
        if (device / "device").exists() and read(device / "size") != "0":
            return read(device / "dev")
    raise unittest.SkipTest("there is no disk here")


class Uninherited(DaemonTest):
    def binds_children(self, controller: str, key: str, first: str, second: str) -> None:
        self.sandbox.require(controller, version=1)
        if not (self.sandbox.dir(controller) / key).exists():
            self.skipTest(f"the kernel has no {key}")
        root = self.caller("root")
        root.call("Create", controller, "limited")
        root.call("Chown", controller, "limited", USER, USER)
        self.sandbox.place("root/limited")
        user = self.caller("root/limited", USER)
        root.call("SetValue", controller, "limited", key, first)
        limited = self.sandbox.dir(controller, "root/limited")
        at_first = read(limited / key)
        self.assertIn(first.split()[-1], at_first)
        self.assertEqual(user.call("Create", controller, "child/below"), -1)
        for name in ("child", "child/below"):
            self.assertEqual(read(limited / name / key), at_first)
            self.assertEqual((limited / name).stat().st_uid, USER)
            self.assertEqual((limited / name / key).stat().st_uid, 0)
            with self.refused("no write permission"):
                user.call("SetValue", controller, name, key, second)
            with self.refused("only the owner"):
                user.call("Chmod", controller, name, key, 0o666)
        root.call("SetValue", controller, "limited", key, second)
        at_last = read(limited / key)
        self.assertNotEqual(at_last, at_first)
        for name in ("child", "child/below"):
            self.assertEqual(read(limited / name / key), at_last)

    def test_throttling_of_a_disk_binds_the_children(self):
        device = disk()
        self.binds_children("blkio", "blkio.throttle.read_bps_device", f"{device} 1048576", f"{device} 2097152")

    def test_the_class_of_packets_binds_the_children(self):
        self.binds_children("net_cls", "net_cls.classid", "1048577", "1048578")

    def test_the_priority_of_packets_binds_the_children(self):
        self.binds_children("net_prio", "net_prio.ifpriomap", "lo 1", "lo 2")


class Fresh(DaemonTest):
    def test_a_fresh_cpuset_takes_tasks(self):
        self.sandbox.require("cpuset")
        root = self.caller("root")
        task = self.sleeper("root/from")
        root.call("Create", "cpuset", "fresh/below")
        if self.sandbox.version("cpuset") == 1:
            for key in ("cpuset.cpus", "cpuset.mems"):
                self.assertEqual(root.call("GetValue", "cpuset", "fresh/below", key),
                                 read(self.sandbox.dir("cpuset", "root") / key))
        root.call("MovePid", "cpuset", "fresh/below", task.pid)
        self.assertEqual(root.call("GetTasks", "cpuset", "fresh/below"), [task.pid])
