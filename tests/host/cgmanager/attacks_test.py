# SPDX-License-Identifier: LGPL-2.1-or-later
"""Attacks that worked on the original manager (CVE-2014-1425 and its kin), or that the kernel would let a daemon of
root's do for anybody: each shown to be gone."""
import os
import subprocess

import dbus
import suite
from cgroups import LEAF, pids, read
from daemon import temporary_folder
from testcase import OTHER, USER, DaemonTest


class Containment(DaemonTest):
    """Two siblings whose names begin alike: what is one's own is told by components, not by a prefix of the text."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user = cls.caller("sib", USER)
        cls.sandbox.place("sib2", USER)  # even its own files elsewhere are out of reach of what counts from C(r)

    def test_a_task_of_the_other_sibling_is_no_task_of_mine(self):
        task = self.sleeper("sib2/x", USER)
        with self.refused("outside your cgroup"):
            self.user.call("GetPidCgroup", "freezer", task.pid)
        with self.refused("outside your cgroup"):
            self.user.call("MovePid", "freezer", "", task.pid)
        self.assertEqual(pids(self.sandbox.dir("freezer", "sib2/x")), [task.pid])

    def test_an_absolute_path_into_the_other_sibling_is_outside(self):
        outside = self.sandbox.path("freezer", "sib2")
        calls = [("GetTasks",), ("GetTasksRecursive",), ("ListChildren",), ("ListKeys",), ("GetValue", "cgroup.procs"),
                 ("SetValue", "cgroup.clone_children", "0")]
        for member, *rest in calls:
            with self.subTest(member=member), self.refused("not lie below your own cgroup"):
                self.user.call(member, "freezer", outside, *rest)

    def test_the_keys_of_a_stranger_are_not_told(self):
        for path in ("/", self.sandbox.path("freezer"), self.sandbox.path("freezer", "sib2")):
            with self.refused("not lie below your own cgroup"):
                self.user.call("ListKeys", "freezer", path)


class Keys(DaemonTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user, cls.root = cls.caller("user", USER), cls.caller("user")
        cls.sandbox.make("freezer", "user/child")

    def refused_to_both(self, why: str, member: str, *arguments) -> None:
        for who in (self.user, self.root):
            with self.subTest(uid=who.uid, member=member, arguments=arguments), self.refused(why):
                who.call(member, *arguments)

    def test_a_key_that_leaves_the_cgroup_is_none(self):
        secret = temporary_folder() / "secret"
        secret.write_text("untouched")
        secret.chmod(0o666)
        up = "../" * 20
        for key in ("../cgroup.procs", up + "etc/passwd", up + str(secret).lstrip("/"), str(secret), "child/tasks",
                    "child/cgroup.procs", ".", "..", "", "/", "a\nb", "x" * 256):
            self.refused_to_both("no file name", "GetValue", "freezer", "", key)
            self.refused_to_both("no file name|no key", "SetValue", "freezer", "", key, "x")
            if key:
                self.refused_to_both("no file name", "Chmod", "freezer", "", key, 0o777)
        self.assertEqual(secret.read_text(), "untouched")

    def test_a_child_is_no_key(self):
        for member, *rest in (("GetValue", "child"), ("SetValue", "child", "x"), ("Chmod", "child", 0o777)):
            self.refused_to_both("no file of a cgroup|Is a directory|no key", member, "freezer", "", *rest)

    def test_chmod_of_two_dots_does_not_reach_the_parent(self):
        parent = self.sandbox.dir("freezer")
        before = parent.stat().st_mode
        for file in ("..", ".", "../..", "child/..", "child\\x"):
            self.refused_to_both("no file name", "Chmod", "freezer", "child", file, 0o777)
        self.assertEqual(parent.stat().st_mode, before)

    def test_what_moves_or_ends_tasks_is_never_written(self):
        for key in ("tasks", "cgroup.procs", "cgroup.threads", "cgroup.event_control", "cgroup.kill"):
            for value in ("1", str(self.root.pid), ""):
                self.refused_to_both("not written for a client", "SetValue", "freezer", "child", key, value)

    def test_tasks_can_be_read(self):
        for who in (self.user, self.root):
            for key in ("tasks", "cgroup.procs"):
                told = who.call("GetValue", "freezer", "", key).split("\n")
                self.assertIn(str(self.user.pid), told)
                self.assertEqual(told, sorted(set(told), key=int))

    def test_what_the_kernel_asks_a_capability_for_is_roots_alone(self):
        """The user owns the files: the kernel would ask the writer, and that would be the daemon."""
        keys = [("freezer", "notify_on_release"), ("freezer", "release_agent")]
        if self.sandbox.version("devices") == 1:  # device rules of v2 have no file: devices_test.py
            keys += [("devices", "devices.allow"), ("devices", "devices.deny")]
        for controller, key in keys:
            with self.subTest(key=key):
                self.user.call("Create", controller, "owned")
                with self.refused("only written for root of the host"):
                    self.user.call("SetValue", controller, "owned", key, "1" if "notify" in key else "a")

    def test_root_of_the_host_sets_notify_on_release(self):
        self.sandbox.require("freezer", version=1)
        self.sandbox.make("freezer", "user/owned")
        self.assertEqual(read(self.sandbox.dir("freezer", "user/owned/notify_on_release")), "0")
        self.root.call("SetValue", "freezer", "owned", "notify_on_release", "1")
        self.assertEqual(read(self.sandbox.dir("freezer", "user/owned/notify_on_release")), "1")

    def test_root_sets_a_device_rule_and_a_user_sees_it(self):
        self.sandbox.require("devices", version=1)
        self.root.call("Create", "devices", "ruled")
        self.root.call("SetValue", "devices", "ruled", "devices.deny", "a")
        self.root.call("SetValue", "devices", "ruled", "devices.allow", "c 1:3 rwm")
        self.assertEqual(self.user.call("GetValue", "devices", "ruled", "devices.list"), "c 1:3 rwm")

    def test_a_mode_beyond_the_permission_bits_is_refused(self):
        child = self.sandbox.dir("freezer", "user/child")
        before = child.stat().st_mode
        for mode in (-1, 0o1000, 0o7777, 0o4755, 2**31 - 1, -2**31):
            self.refused_to_both("outside 0 to 0777", "Chmod", "freezer", "child", "", mode)
        self.assertEqual(child.stat().st_mode, before)

    def test_an_unknown_key_is_refused_and_the_nearest_named(self):
        nearest = "freezer.state" if self.sandbox.version("freezer") == 1 else "cpu.stat"
        for member, *value in (("GetValue",), ("SetValue", "x")):
            self.refused_to_both(f"no key .*nearest is '{nearest}'", member, "freezer", "child", nearest + "x", *value)


class Planted(DaemonTest):
    """Names and mounts that somebody else has put in the way."""

    def test_a_leaf_that_a_user_planted_is_not_taken_for_ours(self):
        self.sandbox.require("pids", version=2)
        user = self.caller("user", USER)
        planted = self.sandbox.dir("pids", f"user/{LEAF}")
        user.do(os.mkdir, planted)
        with self.refused("not ours"):
            user.call("Create", "pids", "x")
        self.assertIn(user.pid, pids(planted.parent))
        self.assertEqual(pids(planted), [])

    def test_a_link_behind_a_bind_mount_is_not_followed(self):
        """The files of another file system over a cgroup: neither the daemon nor `cgm --direct` reads through them."""
        victim = self.sandbox.make("freezer", "bound/over")
        folder = temporary_folder()
        (folder / "secret").write_text("told")
        (folder / "link").symlink_to("/etc")
        (folder / "passwd").symlink_to("/etc/passwd")
        (folder / "child").mkdir()
        script = f"mount --bind {folder} {victim} && exec \"$@\""
        calls = (["getvalue", "freezer", "over", "passwd"], ["getvalue", "freezer", "over", "secret"],
                 ["getvalue", "freezer", "over/link", "passwd"], ["listkeys", "freezer", "over/link"],
                 ["setvalue", "freezer", "over", "secret", "x"])
        root = self.caller("bound")
        for daemon in (False, True):
            socket = temporary_folder() / "sock"
            ask = [suite.program("cgm"), *(["--socket", str(socket)] if daemon else ["--direct"])]
            begin = ["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh"]
            if daemon:
                config = socket.with_name("conf")
                config.write_text("[hierarchies]\nmount_unified = false\n")
                serving = subprocess.Popen([*begin, suite.program("cgmanager"), "--socket", str(socket), "--config",
                                            str(config)], stderr=subprocess.DEVNULL)
                self.addCleanup(serving.wait)
                self.addCleanup(serving.terminate)
                self.assertTrue(suite.eventually(socket.exists))
            for call in calls:
                with self.subTest(daemon=daemon, call=call):
                    done = root.run([*(begin if not daemon else []), *ask, *call])
                    self.assertEqual(done.returncode, 1, done.stdout)
                    self.assertNotIn("told", done.stdout)
        self.assertEqual((folder / "secret").read_text(), "told")


class Quiet(DaemonTest):
    def test_a_cgroup_that_never_held_a_task_can_be_removed(self):
        """On v2 the original could not, for want of a leaf; `all` then stopped there."""
        root = self.caller("root")
        self.assertEqual(root.call("Create", "all", "empty/below"), -1)
        self.assertEqual(root.call("Remove", "all", "empty", 1), 1)
        self.assertEqual([path for path in self.sandbox.leftovers() if "empty" in path], [])

    def test_a_refusal_tells_a_stranger_nothing_of_what_is_there(self):
        """Absent and forbidden get the same text where the directory above may not be searched."""
        user = self.caller("user", USER)
        closed = self.sandbox.make("freezer", "user/closed")
        self.sandbox.make("freezer", "user/closed/there")
        closed.chmod(0o700)
        os.chown(closed, OTHER, 0)
        texts = set()
        for name in ("there", "absent"):
            with self.assertRaises(dbus.Refused) as caught:
                user.call("GetTasks", "freezer", f"closed/{name}")
            texts.add(caught.exception.text)
        self.assertEqual(len(texts), 1, texts)
