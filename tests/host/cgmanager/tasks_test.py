# SPDX-License-Identifier: LGPL-2.1-or-later
"""Moving and listing tasks: threads on v1, whole processes on v2, what is no task of anybody's, and the leaf that holds
the tasks of an inner v2 cgroup and that nobody sees."""
import os
import pathlib
import signal

import suite
from cgroups import LEAF, pids, read
from testcase import OTHER, USER, DaemonTest

PF_KTHREAD = 0x00200000
NOBODY = 2**31 - 1  # above any pid


def kernel_threads() -> list[int]:
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[6]) & PF_KTHREAD:
                found.append(int(entry.name))
    return found


class Victims(DaemonTest):
    def setUp(self):
        self.root = self.caller("root")
        self.user = self.caller("user", USER)

    def test_what_is_no_task_is_told_so_by_every_method_that_takes_a_pid(self):
        dead = os.fork()
        if dead == 0:
            os._exit(0)
        os.waitpid(dead, 0)
        for who in (self.root, self.user):
            for pid, why in ((0, "no task"), (-1, "no task"), (-2**31, "no task"), (dead, f"no task {dead}"),
                             (NOBODY, f"no task {NOBODY}")):
                for call in (("GetPidCgroup",), ("GetPidCgroupAbs",), ("MovePid", ""), ("MovePidAbs", "/")):
                    member, *path = call
                    with self.subTest(pid=pid, member=member), self.refused(why):
                        who.call(member, "freezer", *path, pid)

    def test_a_zombie_is_not_moved(self):
        child = os.fork()
        if child == 0:
            os._exit(0)
        self.addCleanup(os.waitpid, child, 0)
        self.assertTrue(suite.eventually(lambda: f") Z" in pathlib.Path(f"/proc/{child}/stat").read_text()))
        with self.refused(f"no task {child}"):
            self.root.call("MovePidAbs", "freezer", self.sandbox.path("freezer", "root"), child)

    def test_processes_of_others_are_not_moved_by_a_user(self):
        for pid in (1, self.root.pid, self.sleeper("user/x", OTHER).pid):
            with self.refused("not yours"):
                self.user.call("MovePidAbs", "freezer", self.sandbox.path("freezer", "user"), pid)

    def test_kernel_threads_are_moved_by_nobody(self):
        threads = kernel_threads()
        if not threads:
            self.skipTest("no kernel threads are seen here")
        swap = [pid for pid in threads if pathlib.Path(f"/proc/{pid}/comm").read_text().startswith("kswapd")]
        for pid in (threads[0], *swap[:1]):  # the kernel itself would let kswapd be moved
            with self.refused("kernel thread"):
                self.root.call("MovePidAbs", "freezer", self.sandbox.path("freezer", "root"), pid)
            self.assertNotIn(pid, pids(self.sandbox.dir("freezer", "root")))

    def test_long_lists_are_whole_sorted_and_without_repetition(self):
        many = 300  # the original's answers ended after 277
        task = self.sleeper("root/many", threads=many)
        told = self.root.call("GetTasks", "freezer", "many")
        expected = task.tasks() if self.sandbox.version("freezer") == 1 else [task.pid]
        self.assertEqual(told, expected)
        self.assertEqual(self.root.call("GetTasksRecursive", "freezer", "many"), expected)
        self.assertEqual(self.root.call("GetValue", "freezer", "many", "cgroup.procs"), str(task.pid))


class Threads(DaemonTest):
    def test_v1_moves_one_thread_by_its_id(self):
        self.sandbox.require("freezer", version=1)
        root = self.caller("root")
        task = self.sleeper("root/from", threads=2)
        to = self.sandbox.make("freezer", "root/to")
        first, second = [thread for thread in task.tasks() if thread != task.pid]
        root.call("MovePid", "freezer", "to", first)
        self.assertEqual(pids(to, "tasks"), [first])
        self.assertEqual(root.call("GetPidCgroup", "freezer", first), "to")
        self.assertEqual(root.call("GetPidCgroup", "freezer", second), "from")
        root.call("MovePid", "freezer", "to", task.pid)  # on v1 the pid means the first thread
        self.assertEqual(root.call("GetTasks", "freezer", "to"), sorted((task.pid, first)))
        self.assertEqual(root.call("GetTasks", "freezer", "from"), [second])

    def test_v1_asks_for_the_right_on_a_thread_as_on_its_process(self):
        self.sandbox.require("freezer", version=1)
        user = self.caller("user", USER)
        task = self.sleeper("user/from", OTHER, threads=1)
        self.sandbox.make("freezer", "user/to", USER)
        with self.refused("not yours"):
            user.call("MovePid", "freezer", "to", next(one for one in task.tasks() if one != task.pid))

    def test_v2_moves_a_process_whole_and_no_thread(self):
        self.sandbox.require("unified")
        root = self.caller("root")
        task = self.sleeper("root/from", threads=1)
        to = self.sandbox.make("unified", "root/to")
        thread = next(one for one in task.tasks() if one != task.pid)
        with self.refused(f"is a thread.*{task.pid}"):
            root.call("MovePid", "unified", "to", thread)
        root.call("MovePid", "unified", "to", task.pid)
        self.assertEqual(sorted(pids(to, "cgroup.threads")), task.tasks())


class Leaf(DaemonTest):
    """A v2 cgroup that holds both tasks and children, as on v1."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tree = next((one for one in cls.sandbox.hierarchies if one.version == 2), None)
        usable = [name for name in (cls.tree.controllers if cls.tree else ()) if cls.sandbox.usable(name)]
        if not usable:
            cls.sandbox.require("unified")
            cls.skipTest(cls, "no controller of the v2 tree can be enabled here")
        cls.controller = usable[0]

    def setUp(self):
        self.place = self._testMethodName
        self.user = self.caller(self.place, USER)
        self.own = self.sandbox.dir("unified", self.place)

    def enabled(self) -> list[str]:
        return read(self.own / "cgroup.subtree_control").split()

    def test_tasks_give_way_to_a_child_that_needs_a_controller(self):
        self.assertIn(self.user.pid, pids(self.own))
        self.assertEqual(self.user.call("Create", self.controller, "child"), -1)
        self.assertIn(self.controller, self.enabled())
        self.assertEqual(pids(self.own), [])
        self.assertEqual(read(self.own / "cgroup.type"), "domain")
        self.assertIn(self.user.pid, pids(self.own / LEAF))

    def test_the_leaf_is_seen_by_nobody(self):
        self.user.call("Create", self.controller, "child")
        self.assertEqual(self.user.call("ListChildren", "unified", ""), ["child"])
        for member in ("GetTasks", "GetTasksRecursive"):
            self.assertIn(self.user.pid, self.user.call(member, "unified", ""))
        self.assertIn(str(self.user.pid), self.user.call("GetValue", "unified", "", "cgroup.procs").split("\n"))
        self.assertEqual(self.user.call("GetPidCgroup", "unified", self.user.pid), "/")
        self.assertEqual(self.user.call("GetPidCgroupAbs", "unified", self.user.pid),
                         self.sandbox.path("unified", self.place))

    def test_later_arrivals_go_to_the_leaf(self):
        self.user.call("Create", self.controller, "child")
        task = self.sleeper(self.place + "/child", USER)
        self.user.call("MovePid", "unified", "", task.pid)
        self.assertIn(task.pid, pids(self.own / LEAF))
        self.assertEqual(self.user.call("GetPidCgroup", "unified", task.pid), "/")
        self.user.call("MovePid", "unified", "child", task.pid)
        self.assertEqual(self.user.call("GetTasks", "unified", "child"), [task.pid])

    def test_it_stays_while_a_child_needs_it_and_goes_with_its_cgroup(self):
        self.user.call("Create", self.controller, "child/below")
        self.user.call("Create", self.controller, "other")
        self.assertEqual(self.user.call("Remove", self.controller, "other", 0), 1)
        self.assertIn(self.user.pid, self.user.call("GetTasks", "unified", ""))
        self.assertEqual(self.user.call("Remove", self.controller, "child", 1), 1)
        self.assertEqual([path.name for path in self.own.iterdir() if path.is_dir() and path.name != LEAF], [])

    def test_a_cgroup_with_tasks_in_its_leaf_is_not_removed(self):
        self.user.call("Create", self.controller, "joined/below")
        task = self.sleeper(self.place + "/other", USER)
        self.user.call("MovePid", "unified", "joined", task.pid)
        self.assertIn(task.pid, pids(self.own / "joined" / LEAF))
        with self.refused("busy|not empty"):
            self.user.call("Remove", "unified", "joined", 1)
        self.assertIn(task.pid, pids(self.own / "joined" / LEAF))
        os.kill(task.pid, signal.SIGKILL)
        self.assertTrue(suite.eventually(lambda: not pids(self.own / "joined" / LEAF)))
        self.assertEqual(self.user.call("Remove", "unified", "joined", 1), 1)

    def test_who_may_not_move_the_tasks_is_refused(self):
        self.sandbox.place("of-root")
        task = self.sleeper("of-root")
        stranger = self.caller("of-root", OTHER, owner=0)
        directory = self.sandbox.dir("unified", "of-root")
        directory.chmod(0o777)  # may make children, and not move root's tasks
        with self.refused("no write permission"):
            stranger.call("Create", self.controller, "child")
        self.assertIn(task.pid, pids(directory))
        self.assertEqual([path for path in directory.iterdir() if path.is_dir()], [])
