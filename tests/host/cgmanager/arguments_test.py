# SPDX-License-Identifier: LGPL-2.1-or-later
"""Controller and cgroup arguments: what stands for one hierarchy and what for several, what a list goes on after, and
what a path means to which method. docs/classic-api.md."""
from cgroups import LEAF, give, pids, read
from testcase import USER, DaemonTest

SINGLE = {
    "GetPidCgroup": (1,),
    "GetPidCgroupAbs": (1,),
    "GetValue": ("", "cgroup.procs"),
    "SetValue": ("", "cgroup.procs", ""),
    "GetTasks": ("",),
    "ListChildren": ("",),
    "ListKeys": ("",),
}
LIST = {
    "Create": ("x",),
    "Chown": ("", -1, -1),
    "Chmod": ("", "", 0o755),
    "MovePid": ("", 1),
    "MovePidAbs": ("", 1),
    "Remove": ("absent", 0),
    "GetTasksRecursive": ("",),
}


class Controllers(DaemonTest):
    def setUp(self):
        self.root = self.caller("root")

    def two(self) -> tuple[str, str]:
        """Two v1 hierarchies' controllers, or two of a v2 tree."""
        labels = self.root.call("ListControllers")
        names = [name for label in labels for name in label.split(",")]
        if len(names) < 2:
            self.skipTest("there are no two controllers here")
        return names[0], names[1]

    def test_the_hierarchies_are_listed_by_their_bare_names(self):
        expected = [one.label for one in self.sandbox.hierarchies if one.controllers]
        self.assertEqual(self.root.call("ListControllers"),
                         sorted(expected, key=lambda label: label.removeprefix("name=")))

    def test_a_named_hierarchy_is_known_with_and_without_the_prefix(self):
        if self.sandbox.hierarchy("systemd") is None:
            self.skipTest("there is neither name=systemd nor a v2 tree")
        for name in ("systemd", "name=systemd"):
            self.assertIn(self.root.pid, self.root.call("GetTasks", name, ""))

    def test_a_v2_name_finds_the_v1_controller(self):
        self.sandbox.require("blkio")
        self.assertEqual(self.root.call("GetTasks", "io", ""), self.root.call("GetTasks", "blkio", ""))

    def test_what_is_no_controller_is_refused_by_every_method(self):
        known = "freezer"
        for argument, why in (("", "is empty"), (",", "has an empty name"), ("," + known, "has an empty name"),
                              (known + ",,", "has an empty name"), ("nonsense", "is unknown"),
                              (known + ",nonsense", "is unknown"), ("x" * 10_000, "is too long"),
                              (",".join(["x"] * 2000), "is unknown"), ("../" + known, "is unknown"),
                              ("all," + known, "is unknown"), ("ALL", "is unknown"), (" " + known, "is unknown")):
            for member, rest in (SINGLE | LIST).items():
                with self.subTest(argument=argument[:30], member=member), self.refused(why):
                    self.root.call(member, argument, *rest)

    def test_one_hierarchy_has_to_be_named_where_one_is_needed(self):
        first, second = self.two()
        for member, rest in SINGLE.items():
            with self.subTest(member=member):
                with self.refused("where one is needed"):
                    self.root.call(member, "all", *rest)
                with self.refused("names one twice"):
                    self.root.call(member, f"{first},{first}", *rest)
                if self.sandbox.hierarchy(first) is not self.sandbox.hierarchy(second):
                    with self.refused("two hierarchies"):
                        self.root.call(member, f"{first},{second}", *rest)

    def test_a_trailing_comma_is_dropped(self):
        self.assertEqual(self.root.call("GetTasks", "freezer,", ""), self.root.call("GetTasks", "freezer", ""))

    def test_partners_of_one_hierarchy_count_as_one(self):
        partners = next((one.controllers for one in self.sandbox.hierarchies if len(one.controllers) > 1), None)
        if partners is None:
            self.skipTest("no two controllers are mounted together here")
        self.assertEqual(self.root.call("GetTasks", ",".join(partners[:2]), ""),
                         self.root.call("GetTasks", partners[0], ""))


class Lists(DaemonTest):
    """The caller sits in `user`, which is its own in the freezer's hierarchy alone."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sandbox.require("freezer", version=1)
        cls.sandbox.require("pids", version=1)
        cls.user = cls.caller("user", USER, owner=0)
        give(cls.sandbox.dir("freezer", "user"), USER, USER)
        cls.root = cls.caller("user")

    def made(self, name: str) -> list[str]:
        return [controller for controller in ("freezer", "pids") if self.sandbox.dir(controller, f"user/{name}").is_dir()]

    def test_create_passes_over_what_is_not_allowed(self):
        self.assertEqual(self.user.call("Create", "pids,freezer", "mixed"), -1)
        self.assertEqual(self.made("mixed"), ["freezer"])
        self.assertEqual(self.user.call("Create", "pids,freezer", "mixed"), 1)
        self.assertEqual(self.user.call("Create", "pids,", "nowhere"), -1)
        self.assertEqual(self.made("nowhere"), [])
        with self.refused("no write permission"):
            self.user.call("Create", "pids", "nowhere")

    def test_create_all_makes_it_wherever_the_caller_may(self):
        self.assertEqual(self.user.call("Create", "all", "everywhere"), -1)
        self.assertEqual(self.made("everywhere"), ["freezer"])
        self.assertEqual(self.root.call("Create", "all", "everywhere"), 1)
        for one in self.sandbox.hierarchies:
            if one.controllers:
                self.assertTrue(self.sandbox.dir(one.controllers[0], "user/everywhere").is_dir(), one.label)
        self.assertEqual(self.root.call("Remove", "all", "everywhere", 1), 1)

    def test_create_says_existed_where_any_had_it(self):
        self.sandbox.make("pids", "user/half")
        self.assertEqual(self.root.call("Create", "freezer,pids", "half"), 1)
        self.assertEqual(self.made("half"), ["freezer", "pids"])

    def test_chown_and_chmod_pass_over_what_is_not_allowed(self):
        for controller in ("freezer", "pids"):
            self.sandbox.make(controller, "user/modes")
        give(self.sandbox.dir("freezer", "user/modes"), USER, USER)
        self.user.call("Chmod", "pids,freezer", "modes", "", 0o700)
        self.assertEqual([self.sandbox.dir(one, "user/modes").stat().st_mode & 0o777 for one in ("freezer", "pids")],
                         [0o700, 0o755])
        self.user.call("Chown", "pids,freezer", "modes", USER, USER)
        with self.refused("no such cgroup"):
            self.user.call("Chmod", "freezer,pids", "absent", "", 0o700)

    def test_remove_says_existed_even_of_nothing(self):
        self.assertEqual(self.user.call("Remove", "freezer", "absent", 1), -1)
        self.assertEqual(self.user.call("Remove", "freezer,pids", "absent", 1), 1)
        self.assertEqual(self.user.call("Remove", "freezer,", "absent", 1), 1)

    def test_remove_passes_over_what_is_not_allowed_and_stops_at_other_failures(self):
        for controller in ("freezer", "pids"):
            self.sandbox.make(controller, "user/mine")
        self.assertEqual(self.user.call("Remove", "pids,freezer", "mine", 0), 1)
        self.assertEqual(self.made("mine"), ["pids"])
        self.sandbox.make("freezer", "user/mine/child")
        with self.refused("busy|not empty|Directory not empty"):
            self.root.call("Remove", "freezer,pids", "mine", 0)
        self.assertEqual(self.made("mine"), ["freezer", "pids"])

    def test_recursive_tasks_of_a_list_are_merged_and_absent_cgroups_ignored(self):
        task = self.sleeper("user/merged/below")
        with self.refused("no such cgroup"):
            self.user.call("GetTasksRecursive", "freezer", "absent")
        self.assertEqual(self.user.call("GetTasksRecursive", "freezer,pids", "absent"), [])
        self.assertEqual(self.user.call("GetTasksRecursive", "freezer,pids", "merged"), [task.pid])

    def test_a_move_tries_every_controller_and_fails_if_one_failed(self):
        for controller in ("freezer", "pids"):
            self.sandbox.make(controller, "user/to")
        self.sandbox.make("cpu", "user/to")
        task = self.sleeper("user/from")
        self.sandbox.dir("pids", "user/to").rmdir()
        with self.refused("no such cgroup"):
            self.root.call("MovePid", "freezer,pids,cpu", "to", task.pid)
        for controller in ("freezer", "cpu"):
            self.assertEqual(pids(self.sandbox.dir(controller, "user/to")), [task.pid])
        self.assertEqual(pids(self.sandbox.dir("pids", "user/from")), [task.pid])


class Paths(DaemonTest):
    def setUp(self):
        self.user = self.caller("user", USER)
        self.root = self.caller("user")
        self.here = self.sandbox.dir("freezer", "user")

    # Every method that takes a cgroup, with arguments that are good but for the path.
    CALLS = {
        "Create": ("freezer",),
        "Chown": ("freezer", -1, -1),
        "Chmod": ("freezer", "", 0o755),
        "MovePid": ("freezer", 0),
        "MovePidAbs": ("freezer", 0),
        "GetValue": ("freezer", "cgroup.procs"),
        "SetValue": ("freezer", "cgroup.clone_children", "0"),
        "Remove": ("freezer", 1),
        "GetTasks": ("freezer",),
        "GetTasksRecursive": ("freezer",),
        "ListChildren": ("freezer",),
        "RemoveOnEmpty": ("freezer",),
        "Prune": ("freezer",),
        "ListKeys": ("freezer",),
    }

    def call(self, who, member: str, path: str):
        controller, *rest = self.CALLS[member]
        return who.call(member, controller, path, *rest)

    def test_paths_that_are_none_are_refused_by_every_method(self):
        for path, why in (("..", r"holds '\.\.'"), ("../x", r"holds '\.\.'"), ("x/..", r"holds '\.\.'"),
                          ("x/../y", r"holds '\.\.'"), ("/..", r"holds '\.\.'|no absolute path"),
                          ("a\nb", "newline|control"), ("x" * 256, "longer than 255"), ("y/" * 2100, "longer than 4095"),
                          (LEAF, "leaf"), (f"x/{LEAF}", "leaf"), (f"{LEAF}/x", "leaf")):
            for member in self.CALLS:
                with self.subTest(path=path[:20], member=member), self.refused(why):
                    self.call(self.root, member, path)

    def test_two_dots_within_a_name_are_a_name(self):
        for name in ("a..b", "..a", "a..", "..."):
            self.assertEqual(self.user.call("Create", "freezer", name), -1)
            self.assertTrue((self.here / name).is_dir())
            self.assertIsNone(self.user.call("Chmod", "freezer", name, "", 0o700))
            self.assertEqual(self.user.call("ListChildren", "freezer", name), [])
            self.assertEqual(self.user.call("Remove", "freezer", name, 0), 1)

    def test_the_longest_name_and_odd_ones_are_names(self):
        for name in ("n" * 255, "with blank", "ünïcödé", "-r", "name=x", "a,b", "100%", "'"):
            with self.subTest(name=name[:10]):
                self.assertEqual(self.user.call("Create", "freezer", name), -1)
                self.assertTrue((self.here / name).is_dir())
                self.assertEqual(self.user.call("Remove", "freezer", name, 1), 1)

    def test_the_empty_path_is_the_callers_own_cgroup(self):
        self.assertEqual(self.user.call("Create", "freezer", ""), -1)
        self.assertIn(self.user.pid, self.user.call("GetTasks", "freezer", ""))
        with self.refused("own cgroup"):
            self.root.call("Remove", "freezer", "", 1)
        self.assertTrue(self.here.is_dir())

    def test_dots_and_repeated_slashes_mean_nothing(self):
        for path in ("./one", "one/", "one//two/.", "./one/././two//"):
            self.user.call("Create", "freezer", path)
        self.assertTrue((self.here / "one/two").is_dir())
        self.assertEqual(self.user.call("ListChildren", "freezer", ".//one/."), ["two"])
        self.assertEqual(self.user.call("Remove", "freezer", "one/", 1), 1)

    def test_a_leading_slash_means_nothing_to_methods_that_change(self):
        self.assertEqual(self.user.call("Create", "freezer", "/slashed"), -1)
        self.assertTrue((self.here / "slashed").is_dir())
        self.user.call("Chmod", "freezer", "/slashed", "", 0o700)
        self.assertEqual((self.here / "slashed").stat().st_mode & 0o777, 0o700)
        self.root.call("Chown", "freezer", "//slashed", 0, 0)
        self.assertEqual((self.here / "slashed").stat().st_uid, 0)
        self.assertEqual(self.user.call("Remove", "freezer", "/slashed", 0), 1)

    def test_a_leading_slash_counts_from_the_root_to_methods_that_read(self):
        (self.here / "read").mkdir()
        own = self.sandbox.path("freezer", "user")
        for member in ("GetTasks", "GetTasksRecursive", "ListChildren", "ListKeys"):
            self.assertEqual(self.user.call(member, "freezer", own + "/read"),
                             self.user.call(member, "freezer", "read"))
            for outside in ("/", self.sandbox.path("freezer"), own + "2", "/read"):
                for who in (self.user, self.root):
                    with self.subTest(member=member, path=outside), self.refused("not lie below your own cgroup"):
                        who.call(member, "freezer", outside)
        key, value = ("freezer.state", "THAWED") if self.sandbox.version("freezer") == 1 else ("cgroup.freeze", "0")
        self.assertEqual(self.root.call("GetValue", "freezer", own + "/read", key), value)
        self.root.call("SetValue", "freezer", own + "/read", key, value)
        for outside in ("/", self.sandbox.path("freezer")):
            with self.refused("not lie below your own cgroup"):
                self.root.call("GetValue", "freezer", outside, "cgroup.procs")
            with self.refused("not lie below your own cgroup"):
                self.root.call("SetValue", "freezer", outside, key, value)

    def test_move_pid_abs_counts_from_the_root_with_and_without_a_slash(self):
        task = self.sleeper("user/start")
        self.sandbox.make("freezer", "user/end")
        for path in (self.sandbox.path("freezer", "user/end"), self.sandbox.path("freezer", "user/start").strip("/")):
            self.root.call("MovePidAbs", "freezer", path, task.pid)
            self.assertEqual(self.root.call("GetPidCgroupAbs", "freezer", task.pid), "/" + path.strip("/"))

    def test_a_path_of_a_task_is_told_from_the_callers_cgroup(self):
        task = self.sleeper("user/told/below")
        self.assertEqual(self.user.call("GetPidCgroup", "freezer", task.pid), "told/below")
        self.assertEqual(self.user.call("GetPidCgroup", "freezer", self.user.pid), "/")
        self.assertEqual(self.user.call("GetPidCgroupAbs", "freezer", task.pid),
                         self.sandbox.path("freezer", "user/told/below"))

    def test_a_cgroup_that_is_not_there_is_named(self):
        for member in ("Chmod", "GetValue", "GetTasks", "ListChildren", "ListKeys", "GetTasksRecursive"):
            with self.subTest(member=member), self.refused(f"'{self.sandbox.path('freezer', 'user/absent')}'.*no such"):
                self.call(self.user, member, "absent")

    def test_create_leaves_nothing_of_a_path_that_it_cannot_finish(self):
        (self.here / "half").mkdir(exist_ok=True)
        self.assertEqual((self.here / "half").stat().st_uid, 0)
        with self.refused("no write permission"):
            self.user.call("Create", "freezer", "half/never")
        with self.refused("levels down"):
            self.user.call("Create", "freezer", "begun/" + "d/" * 40)
        self.assertFalse((self.here / "begun").exists())

    def test_values_are_whole_and_lose_their_last_newlines_alone(self):
        self.sandbox.require("cpu")
        text = self.root.call("GetValue", "cpu", "", "cpu.stat")
        self.assertEqual([line.split()[0] for line in text.split("\n")],
                         [line.split()[0] for line in read(self.sandbox.dir("cpu", "user/cpu.stat")).split("\n")])
