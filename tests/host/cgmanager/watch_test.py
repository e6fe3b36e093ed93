# SPDX-License-Identifier: LGPL-2.1-or-later
"""RemoveOnEmpty and Prune: cgroups that go away when their last task has gone, on every hierarchy, whatever way that is,
and after a restart of the daemon too."""
import os
import signal

import caller
import dbus
import suite
from cgroups import LEAF, pids
from daemon import Daemon, temporary_folder
from testcase import USER, DaemonTest


def start_chain(sandbox, place: str, length: int) -> None:
    """In a caller: a process in that cgroup, which forks another and ends, and so on `length` times; the last ends when
    end_chain() is called."""
    held, end = os.pipe()
    child = os.fork()
    if child == 0:
        sandbox.join(place)
        for _ in range(length):
            if os.fork() != 0:
                os._exit(0)
        os.close(end)
        os.read(held, 1)
        os._exit(0)
    os.waitpid(child, 0)
    os.close(held)
    caller.kept["chain"] = end


def end_chain() -> None:
    os.close(caller.kept.pop("chain"))


class WatchTest(DaemonTest):
    controllers = ("freezer", "cpu", "memory", "pids")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.root = cls.caller("root")

    def make(self, name: str, controller: str = "freezer"):
        """A cgroup with one task that is watched; the task."""
        self.root.call("Create", controller, name)
        task = self.sleeper("elsewhere")
        self.root.call("MovePidAbs", controller, self.sandbox.path(controller, f"root/{name}"), task.pid)
        self.root.call("RemoveOnEmpty", controller, name)
        return task

    def directory(self, name: str, controller: str = "freezer"):
        return self.sandbox.dir(controller, f"root/{name}")

    def assert_goes(self, name: str, controller: str = "freezer") -> None:
        self.assertTrue(suite.eventually(lambda: not self.directory(name, controller).exists()), f"{name} stays")

    def assert_stays(self, name: str, controller: str = "freezer") -> None:
        """While another that is emptied later goes."""
        other = f"witness-of-{name}"
        task = self.make(other, controller)
        task.close()
        self.assert_goes(other, controller)
        self.assertTrue(self.directory(name, controller).exists(), f"{name} has gone")


class RemoveOnEmpty(WatchTest):
    def test_it_goes_when_the_last_task_ends(self):
        for controller in self.controllers:
            if not self.sandbox.usable(controller):
                continue
            with self.subTest(controller=controller):
                task = self.make("ends", controller)
                self.assertTrue(self.directory("ends", controller).exists())
                task.close()
                self.assert_goes("ends", controller)

    def test_it_goes_when_the_last_task_is_moved_out(self):
        for through_the_daemon in (True, False):
            task = self.make("moved")
            if through_the_daemon:
                self.root.call("MovePidAbs", "freezer", self.sandbox.path("freezer", "elsewhere"), task.pid)
            else:
                tasks = self.sandbox.hierarchy("freezer").tasks_file
                (self.sandbox.dir("freezer", "elsewhere") / tasks).write_text(str(task.pid))
            self.assert_goes("moved")
            task.close()

    def test_it_stays_while_a_task_is_left(self):
        first = self.make("two")
        second = self.sleeper("elsewhere")
        self.root.call("MovePidAbs", "freezer", self.sandbox.path("freezer", "root/two"), second.pid)
        first.close()
        self.assert_stays("two")
        self.assertIn(second.pid, self.root.call("GetTasks", "freezer", "two"))
        second.close()
        self.assert_goes("two")

    def test_it_stays_while_the_children_of_its_task_live(self):
        self.root.call("Create", "freezer", "chain")
        self.sandbox.place("root/chain")
        self.root.do(start_chain, self.sandbox, "root/chain", 50)
        self.root.call("RemoveOnEmpty", "freezer", "chain")
        self.assert_stays("chain")
        self.root.do(end_chain)
        self.assert_goes("chain")

    def test_it_stays_while_it_has_children_with_tasks(self):
        task = self.make("parent")
        inner = self.sleeper("root/parent/child")
        task.close()
        self.assert_stays("parent")
        inner.close()

    def test_it_stays_after_it_was_made_anew_by_somebody_else(self):
        task = self.make("again")
        task.close()
        self.assert_goes("again")
        other = self.sleeper("root/again")
        other.close()
        self.assert_stays("again")

    def test_a_users_own_cgroup_goes_without_a_path(self):
        """As a login session does it: made, joined, and left to itself."""
        self.sandbox.place("sessions", USER)
        session = caller.Caller(self.sandbox, self.daemon, "sessions", USER)
        self.addCleanup(session.close)
        session.call("Create", "freezer", "one")
        session.call("MovePid", "freezer", "one", session.pid)
        session.call("RemoveOnEmpty", "freezer", "")
        session.close()
        directory = self.sandbox.dir("freezer", "sessions/one")
        self.assertTrue(suite.eventually(lambda: not directory.exists()))

    def test_who_may_not_write_the_directory_is_refused(self):
        self.sandbox.make("freezer", "user/of-root")
        user = self.caller("user", USER)
        with self.refused("no write permission"):
            user.call("RemoveOnEmpty", "freezer", "of-root")
        with self.refused("no such cgroup"):
            user.call("RemoveOnEmpty", "freezer", "absent")

    def test_a_list_watches_them_all(self):
        self.sandbox.require(*self.controllers)
        for controller in self.controllers:
            self.root.call("Create", controller, "several")
        task = self.sleeper("elsewhere")
        for controller in self.controllers:
            self.root.call("MovePidAbs", controller, self.sandbox.path(controller, "root/several"), task.pid)
        self.root.call("RemoveOnEmpty", ",".join(self.controllers), "several")
        task.close()
        for controller in self.controllers:
            self.assert_goes("several", controller)

    def test_no_release_agent_is_used(self):
        self.sandbox.require("freezer", version=1)
        root_of_all = self.sandbox.hierarchy("freezer").mount / "release_agent"
        before = root_of_all.read_text() if root_of_all.exists() else ""
        task = self.make("quiet")
        self.assertEqual((self.directory("quiet") / "notify_on_release").read_text(), "0\n")
        self.assertEqual(root_of_all.read_text() if root_of_all.exists() else "", before)
        task.close()
        self.assert_goes("quiet")


class Prune(WatchTest):
    def test_what_is_empty_goes_at_once_and_the_rest_when_it_is(self):
        for name in ("pruned/empty/below", "pruned/full"):
            self.root.call("Create", "freezer", name)
        task = self.sleeper("elsewhere")
        self.root.call("MovePidAbs", "freezer", self.sandbox.path("freezer", "root/pruned/full"), task.pid)
        self.root.call("Prune", "freezer", "pruned")
        self.assertFalse(self.directory("pruned/empty").exists())
        self.assertIn(task.pid, self.root.call("GetTasks", "freezer", "pruned/full"))
        task.close()
        self.assert_goes("pruned/full")
        self.assert_goes("pruned")

    def test_an_empty_tree_goes_whole(self):
        self.root.call("Create", "freezer", "hollow/a/b")
        self.root.call("Prune", "freezer", "hollow")
        self.assertFalse(self.directory("hollow").exists())

    def test_ones_own_cgroup_is_pruned_below_and_stays(self):
        own = self.caller("own")
        own.call("Create", "freezer", "a/b")
        own.call("Prune", "freezer", "")
        self.assertEqual([path.name for path in self.sandbox.dir("freezer", "own").iterdir()
                          if path.is_dir() and path.name != LEAF], [])

    def test_what_is_somebody_elses_stays(self):
        user = self.caller("user", USER)
        user.call("Create", "freezer", "mine")
        kept = self.sandbox.make("freezer", "user/mine/of-root/below")
        user.call("Prune", "freezer", "mine")
        self.assertTrue(kept.is_dir())

    def test_a_missing_cgroup_is_an_error_alone_and_none_in_a_list(self):
        with self.refused("no such cgroup"):
            self.root.call("Prune", "freezer", "absent")
        self.assertIsNone(self.root.call("Prune", "freezer,", "absent"))
        self.assertIsNone(self.root.call("Prune", "all", "absent"))


class Quota(WatchTest):
    config = "[limits]\nwatches = 3\n"

    def test_a_user_has_so_many_watches(self):
        user = self.caller("user", USER)
        for name in range(5):
            user.call("Create", "freezer", f"n{name}")
        for name in range(3):
            user.call("RemoveOnEmpty", "freezer", f"n{name}")
        with self.refused("watch"):
            user.call("RemoveOnEmpty", "freezer", "n3")
        user.call("Remove", "freezer", "n0", 0)
        self.assertTrue(suite.eventually(lambda: self.succeeds(user)))

    @staticmethod
    def succeeds(user) -> bool:
        try:
            user.call("RemoveOnEmpty", "freezer", "n3")
            return True
        except dbus.Refused:
            return False


class Restart(WatchTest):
    """Each test has two daemons, one after the other, in the same folder."""

    def setUp(self):
        self.folder = temporary_folder()

    def start(self) -> Daemon:
        daemon = Daemon(folder=self.folder)
        self.addCleanup(daemon.close)
        return daemon

    def watched(self, name: str, ending: int):
        """A cgroup with one task, watched by a daemon that has ended; the task."""
        daemon = self.start()
        with caller.Caller(self.sandbox, daemon, "root") as root:
            root.call("Create", "freezer", name)
            task = self.sleeper("elsewhere")
            root.call("MovePidAbs", "freezer", self.sandbox.path("freezer", f"root/{name}"), task.pid)
            root.call("RemoveOnEmpty", "freezer", name)
        daemon.stop(ending)
        return task

    def test_a_watch_survives_a_stop_and_a_kill(self):
        for ending in (signal.SIGTERM, signal.SIGKILL):
            task = self.watched("kept", ending)
            daemon = self.start()
            self.assertTrue(self.directory("kept").exists())
            task.close()
            self.assert_goes("kept")
            daemon.close()

    def test_what_was_emptied_meanwhile_goes_at_the_start(self):
        task = self.watched("emptied", signal.SIGTERM)
        task.close()
        self.assertTrue(self.directory("emptied").exists())
        self.start()
        self.assert_goes("emptied")

    def test_a_cgroup_of_the_same_name_is_not_taken_for_the_old_one(self):
        task = self.watched("renewed", signal.SIGTERM)
        task.close()
        self.assertTrue(suite.eventually(lambda: not pids(self.directory("renewed"))))
        self.directory("renewed").rmdir()
        self.directory("renewed").mkdir()
        self.start()
        other = self.sleeper("root/renewed")
        other.close()
        self.assert_stays("renewed")
