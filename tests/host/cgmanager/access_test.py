# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who may do what, as tables: the caller, the owner and mode of what it asks for, and whether it is allowed or why not.
Rules 8, 9, 12, 14 and 15 of docs/access.md, for callers in the daemon's own namespaces."""
import os
from typing import NamedTuple

from cgroups import give, pids, read
from testcase import OTHER, USER, DaemonTest

GROUP = 64100

CALLERS = {
    "root": (0, 0, ()),
    "owner": (USER, USER, ()),
    "of the group": (USER, GROUP, ()),
    "in the group": (USER, USER, (64099, GROUP)),
    "other": (OTHER, OTHER, ()),
}


class Owned(NamedTuple):
    uid: int
    gid: int
    mode: int

    def put_on(self, path) -> None:
        os.chown(path, self.uid, self.gid)
        os.chmod(path, self.mode)


READ, WRITE, SEARCH = "no read permission", "no write permission", "no search permission"
OPEN = Owned(0, 0, 0o755)


class AccessTest(DaemonTest):
    @classmethod
    def who(cls, name: str):
        """All callers sit in one cgroup, which is root's."""
        uid, gid, groups = CALLERS[name]
        return cls.caller("all", uid, gid, groups, owner=0)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.freezer = {1: ("freezer.state", "THAWED"), 2: ("cgroup.freeze", "0")}[cls.sandbox.version("freezer")]

    def expect(self, outcome: str | None, who: str, member: str, *arguments):
        """Calls; `outcome` is None where it is allowed, else why not. Returns the answer."""
        if outcome is None:
            return self.who(who).call(member, *arguments)
        with self.refused(outcome):
            self.who(who).call(member, *arguments)


class Files(AccessTest):
    # caller, its directory, the file: whether it may be read, and written
    TABLE = [
        ("owner", OPEN, Owned(USER, 0, 0o600), None, None),
        ("owner", OPEN, Owned(USER, 0, 0o400), None, WRITE),
        ("owner", OPEN, Owned(USER, 0, 0o077), READ, WRITE),  # the first class that matches decides
        ("of the group", OPEN, Owned(0, GROUP, 0o060), None, None),
        ("of the group", OPEN, Owned(0, GROUP, 0o606), READ, WRITE),
        ("in the group", OPEN, Owned(0, GROUP, 0o020), READ, None),
        ("in the group", OPEN, Owned(0, 64099, 0o040), None, WRITE),
        ("in the group", OPEN, Owned(0, GROUP, 0o606), READ, WRITE),
        ("other", OPEN, Owned(USER, GROUP, 0o770), READ, WRITE),
        ("other", OPEN, Owned(0, 0, 0o644), None, WRITE),
        ("other", OPEN, Owned(0, 0, 0o602), READ, None),
        ("other", Owned(0, 0, 0o711), Owned(0, 0, 0o666), READ, READ),  # the directory has to be readable too
        ("other", Owned(0, 0, 0o700), Owned(0, 0, 0o666), READ, READ),
        ("root", Owned(USER, GROUP, 0), Owned(USER, GROUP, 0), None, None),
    ]

    def test_get_value_and_set_value_ask_for_the_file(self):
        key, value = self.freezer
        directory = self.sandbox.make("freezer", "all/object")
        for row in self.TABLE:
            who, of_directory, of_file, may_read, may_write = row
            with self.subTest(row=row):
                of_directory.put_on(directory)
                of_file.put_on(directory / key)
                self.expect(may_read, who, "GetValue", "freezer", "object", key)
                self.expect(may_write, who, "SetValue", "freezer", "object", key, value)

    def test_each_directory_on_the_way_has_to_be_searchable(self):
        key, _ = self.freezer
        self.sandbox.make("freezer", "all/way/object")
        way = self.sandbox.dir("freezer", "all/way")
        for who, mode, outcome in (("other", 0o744, SEARCH), ("other", 0o711, None), ("owner", 0o710, SEARCH),
                                   ("in the group", 0o710, None), ("root", 0o000, None)):
            with self.subTest(who=who, mode=oct(mode)):
                Owned(0, GROUP, mode).put_on(way)
                self.expect(outcome, who, "GetValue", "freezer", "way/object", key)

    def test_a_user_below_a_closed_directory_reaches_nothing(self):
        self.sandbox.place("closed/user", USER)
        user = self.caller("closed/user", USER)
        key, _ = self.freezer
        self.assertTrue(user.call("GetValue", "freezer", "", key))
        self.sandbox.dir("freezer", "closed").chmod(0o700)
        with self.refused(SEARCH):
            user.call("GetValue", "freezer", "", key)
        with self.refused(SEARCH):
            user.call("Create", "freezer", "x")


class Directories(AccessTest):
    def setUp(self):
        self.directory = self.sandbox.make("freezer", "all/directory")
        self.sandbox.make("freezer", "all/directory/child")
        self.addCleanup(self.restore)

    def restore(self):
        OPEN.put_on(self.directory)

    def test_create_asks_for_write_on_the_parent(self):
        for who, owned, outcome in (("owner", Owned(USER, 0, 0o700), None), ("owner", Owned(USER, 0, 0o500), WRITE),
                                    ("owner", Owned(USER, 0, 0o600), SEARCH), ("other", OPEN, WRITE),
                                    ("in the group", Owned(0, GROUP, 0o070), None), ("root", Owned(USER, 0, 0), None)):
            with self.subTest(who=who, owned=owned):
                owned.put_on(self.directory)
                self.expect(outcome, who, "Create", "freezer", "directory/new")
                self.assertEqual((self.directory / "new").exists(), outcome is None)
                if outcome is None:
                    (self.directory / "new").rmdir()

    def test_create_asks_for_read_on_what_exists(self):
        self.directory.chmod(0o733)
        self.expect(READ, "other", "Create", "freezer", "directory")
        self.directory.chmod(0o744)
        self.assertEqual(self.who("other").call("Create", "freezer", "directory"), 1)

    def test_remove_asks_for_write_on_the_parent_alone(self):
        child = self.directory / "child"
        for who, parent, target, outcome in (("other", OPEN, Owned(OTHER, 0, 0o777), WRITE),
                                             ("owner", Owned(USER, 0, 0o300), Owned(0, 0, 0), None),
                                             ("root", Owned(USER, 0, 0), Owned(USER, 0, 0), None)):
            with self.subTest(who=who, parent=parent):
                child.mkdir(exist_ok=True)
                target.put_on(child)
                parent.put_on(self.directory)
                self.expect(outcome, who, "Remove", "freezer", "directory/child", 0)
                self.assertEqual(child.exists(), outcome is not None)

    def test_lists_ask_for_read_on_the_directory(self):
        for member in ("ListChildren", "ListKeys", "GetTasks", "GetTasksRecursive"):
            for who, owned, outcome in (("other", Owned(0, 0, 0o751), READ), ("owner", Owned(USER, 0, 0o077), READ),
                                        ("in the group", Owned(0, GROUP, 0o040), None), ("other", OPEN, None),
                                        ("root", Owned(USER, 0, 0), None)):
                with self.subTest(member=member, who=who, owned=owned):
                    owned.put_on(self.directory)
                    self.expect(outcome, who, member, "freezer", "directory")

    def test_recursive_lists_leave_out_what_may_not_be_read(self):
        open_task, closed_task = self.sleeper("all/directory/open"), self.sleeper("all/directory/closed/below")
        (self.directory / "closed").chmod(0o711)
        self.addCleanup((self.directory / "closed").chmod, 0o755)
        self.assertEqual(self.who("other").call("GetTasksRecursive", "freezer", "directory"), [open_task.pid])
        self.assertCountEqual(self.who("root").call("GetTasksRecursive", "freezer", "directory"),
                              [open_task.pid, closed_task.pid])

    def test_remove_leaves_alone_what_is_somebody_elses(self):
        Owned(USER, 0, 0o755).put_on(self.directory)
        kept = self.sandbox.make("freezer", "all/directory/child/of-root")
        with self.refused(WRITE):
            self.who("owner").call("Remove", "freezer", "directory/child", 1)
        self.assertTrue(kept.is_dir())

    def test_chmod_is_the_owners_alone(self):
        key, _ = self.freezer
        for who, owned, outcome in (("owner", Owned(USER, 0, 0), None), ("root", Owned(USER, 0, 0), None),
                                    ("other", Owned(USER, 0, 0o777), "only the owner"),
                                    ("in the group", Owned(0, GROUP, 0o777), "only the owner")):
            for file in ("", key):
                with self.subTest(who=who, owned=owned, file=file):
                    owned.put_on(self.directory / file)
                    self.expect(outcome, who, "Chmod", "freezer", "directory", file, 0o711)
                    self.assertEqual((self.directory / file).stat().st_mode & 0o777,
                                     owned.mode if outcome else 0o711)
                    self.restore()

    def test_chown_is_roots_alone(self):
        Owned(USER, USER, 0o755).put_on(self.directory)
        for uid in (OTHER, USER, -1):
            self.expect("only root", "owner", "Chown", "freezer", "directory", uid, uid)
        self.assertEqual(self.directory.stat().st_uid, USER)

    def test_chown_gives_the_directory_and_what_moves_tasks_and_no_limit(self):
        self.who("root").call("Chown", "freezer", "directory", USER, GROUP)
        expected = {"tasks", "cgroup.procs"} if self.sandbox.version("freezer") == 1 else set(
            open("/sys/kernel/cgroup/delegate").read().split())
        given = {file.name for file in self.directory.iterdir() if file.is_file() and file.stat().st_uid == USER}
        present = {file.name for file in self.directory.iterdir() if file.is_file()}
        self.assertEqual(given, expected & present)
        self.assertEqual((self.directory.stat().st_uid, self.directory.stat().st_gid), (USER, GROUP))
        self.who("root").call("Chown", "freezer", "directory", -1, 0)
        self.assertEqual((self.directory.stat().st_uid, self.directory.stat().st_gid), (USER, 0))

    def test_create_hands_the_new_cgroup_with_all_its_files_to_the_caller(self):
        Owned(0, GROUP, 0o775).put_on(self.directory)
        self.who("in the group").call("Create", "freezer", "directory/mine/below")
        for made in (self.directory / "mine", self.directory / "mine/below"):
            self.assertEqual(made.stat().st_mode & 0o7777, 0o755)
            for path in (made, *(file for file in made.iterdir() if file.is_file())):
                self.assertEqual((path.stat().st_uid, path.stat().st_gid), (USER, USER), path)


class Moves(AccessTest):
    """The callers sit in `all`; every task begins in `all/from`, unless the row says otherwise."""

    # caller; the task's uid and where it is; method and destination; owner of the tasks file of the destination, and of
    # the nearest cgroup that contains both ends; outcome
    TABLE = [
        ("owner", USER, "from", "MovePid", "from/below", USER, 0, None),
        ("owner", USER, "from", "MovePid", "to", USER, USER, None),
        ("owner", USER, "from", "MovePid", "to", USER, 0, "nearest cgroup that contains both"),
        ("owner", USER, "from", "MovePid", "to", 0, USER, "destination's tasks"),
        ("owner", USER, "from", "MovePid", "to", OTHER, USER, "destination's tasks"),
        ("owner", USER, "from/below", "MovePid", "from", USER, USER, None),
        ("owner", OTHER, "from", "MovePid", "to", USER, USER, "not yours"),
        ("owner", 0, "from", "MovePid", "to", USER, USER, "not yours"),
        ("owner", USER, "away", "MovePid", "to", USER, USER, "outside your cgroup"),
        ("owner", USER, "away", "MovePidAbs", "to", USER, 0, "nearest cgroup that contains both"),
        ("owner", USER, "from", "MovePidAbs", "to", USER, USER, None),
        ("owner", USER, "from", "MovePidAbs", "from/below", USER, 0, None),
        ("owner", USER, "from", "MovePidAbs", "from", USER, 0, None),
        ("owner", USER, "from", "MovePidAbs", "away", 0, USER, "destination's tasks"),
        ("root", USER, "from", "MovePid", "to", OTHER, OTHER, None),
        ("root", USER, "away", "MovePid", "to", 0, 0, "outside your cgroup"),
        ("root", USER, "away", "MovePidAbs", "to", 0, 0, None),
        ("root", USER, "from", "MovePidAbs", "away", USER, USER, None),
    ]

    def place_of(self, name: str) -> str:
        return name if name == "away" else f"all/{name}"

    def test_the_task_the_destination_and_what_contains_both_decide(self):
        tasks_file = self.sandbox.hierarchy("freezer").tasks_file
        for row in self.TABLE:
            who, task_uid, start, member, end, of_end, of_ancestor, outcome = row
            with self.subTest(row=row):
                for name in ("from", "from/below", "to", "away"):
                    self.sandbox.place(self.place_of(name))
                first, last = self.place_of(start), self.place_of(end)
                ancestor = os.path.commonpath([first, last]) if first.split("/")[0] == last.split("/")[0] else ""
                with self.sleeper(first, task_uid) as task:
                    os.chown(self.sandbox.dir("freezer", ancestor) / tasks_file, of_ancestor, 0)
                    os.chown(self.sandbox.dir("freezer", last) / tasks_file, of_end, 0)
                    where = self.sandbox.path("freezer", last) if member == "MovePidAbs" else end
                    self.expect(outcome, who, member, "freezer", where, task.pid)
                    expected = first if outcome else last
                    self.assertIn(task.pid, pids(self.sandbox.dir("freezer", expected)))
                for name in (ancestor, last):
                    os.chown(self.sandbox.dir("freezer", name) / tasks_file, 0, 0)

    def test_the_destination_has_to_be_readable(self):
        to = self.sandbox.make("freezer", "all/to")
        give(to, USER, USER)
        to.chmod(0o300)
        self.addCleanup(Owned(0, 0, 0o755).put_on, to)
        give(self.sandbox.dir("freezer", "all"), USER, USER)
        self.addCleanup(give, self.sandbox.dir("freezer", "all"), 0, 0)
        task = self.sleeper("all/from", USER)
        self.expect(READ, "owner", "MovePid", "freezer", "to", task.pid)

    def test_a_supplementary_group_may_write_tasks(self):
        tasks_file = self.sandbox.hierarchy("freezer").tasks_file
        to = self.sandbox.make("freezer", "all/from/to")
        Owned(0, GROUP, 0o664).put_on(to / tasks_file)
        task = self.sleeper("all/from", USER)
        self.expect("destination's tasks", "owner", "MovePid", "freezer", "from/to", task.pid)
        self.expect(None, "in the group", "MovePid", "freezer", "from/to", task.pid)

    def test_a_plain_user_does_not_get_to_the_root(self):
        task = self.sleeper("all/from", USER)
        self.expect("destination's tasks", "owner", "MovePidAbs", "freezer", "/", task.pid)
        self.expect("no absolute path", "owner", "MovePid", "freezer", "/to", task.pid)

    def test_root_moves_a_task_to_the_root_and_back(self):
        task = self.sleeper("all/from", USER)
        self.who("root").call("MovePidAbs", "freezer", "/", task.pid)
        self.assertEqual(self.who("root").call("GetPidCgroupAbs", "freezer", task.pid), "/")
        self.who("root").call("MovePidAbs", "freezer", self.sandbox.path("freezer", "all/from"), task.pid)
        self.assertEqual(pids(self.sandbox.dir("freezer", "all/from")), [task.pid])

    def test_a_limit_follows_the_right_to_its_file_and_not_the_directory(self):
        self.sandbox.require("pids")
        self.who("root").call("Create", "pids", "given")
        self.who("root").call("SetValue", "pids", "given", "pids.max", "7")
        self.who("root").call("Chown", "pids", "given", USER, USER)
        self.expect(WRITE, "owner", "SetValue", "pids", "given", "pids.max", "max")
        self.expect(None, "owner", "Create", "pids", "given/mine")
        self.expect(None, "owner", "SetValue", "pids", "given/mine", "pids.max", "9")
        self.assertEqual(read(self.sandbox.dir("pids", "all/given/pids.max")), "7")
