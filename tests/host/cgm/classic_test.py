# SPDX-License-Identifier: LGPL-2.1-or-later
"""The classic commands of cgm: exact output and exit status, which scripts know, through the daemon and without one.
S0.10: cgm is a simple command line for all common operations."""
import suite
from cgroups import pids, read
from testcase import OTHER, USER, DaemonTest

CGM = suite.program("cgm")


class Commands:
    """The tests; through() says how the work is done."""

    def through(self) -> list[str]:
        raise NotImplementedError

    def setUp(self):
        self.root, self.user = self.caller("root"), self.caller("user", USER)
        self.base = self.sandbox.dir("freezer", "root")

    def run_as(self, who, *arguments: str):
        return who.run([CGM, *self.through(), *arguments])

    def says(self, output: str, *arguments: str, who=None) -> None:
        """It succeeds and prints exactly that."""
        done = self.run_as(who or self.root, *arguments)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, output, ""), arguments)

    def fails(self, call: str, pattern: str, *arguments: str, who=None) -> None:
        """The call fails; `call` as the message names it."""
        done = self.run_as(who or self.root, *arguments)
        self.assertEqual((done.returncode, done.stdout), (1, ""), arguments)
        self.assertRegex(done.stderr, rf"^call to cgmanager_{call}_sync failed: [^\n]*({pattern})[^\n]*\n$")

    def test_create_says_whether_the_path_existed(self):
        self.says("", "create", "freezer", "made/below")
        self.says("Path existed\n", "create", "freezer", "made/below")
        self.assertTrue((self.base / "made/below").is_dir())
        self.says("", "create", "freezer", "")
        self.fails("create", r"holds '\.\.'", "create", "freezer", "..")
        self.fails("create", "unknown", "create", "nonsense", "x")

    def test_create_of_a_user_is_the_users(self):
        self.says("", "create", "freezer", "mine", who=self.user)
        self.assertEqual(self.sandbox.dir("freezer", "user/mine").stat().st_uid, USER)

    def test_remove_says_whether_there_was_a_path(self):
        for name in ("gone/below", "left/below"):
            self.sandbox.make("freezer", f"root/{name}")
        self.says("", "remove", "freezer", "gone")
        self.assertFalse((self.base / "gone").exists())
        self.says("Path did not exist\n", "remove", "freezer", "gone")
        self.fails("remove", "busy|not empty", "remove", "freezer", "left", "0")
        self.says("", "remove", "freezer", "left", "1")
        self.assertFalse((self.base / "left").exists())

    def test_remove_of_all_says_nothing(self):
        self.says("", "create", "all", "everywhere")
        self.says("", "remove", "all", "everywhere")
        self.says("", "remove", "all", "everywhere")

    def test_chown_gives_a_cgroup_away(self):
        directory = self.sandbox.make("freezer", "root/given")
        self.says("", "chown", "freezer", "given", str(USER), str(OTHER))
        self.assertEqual((directory.stat().st_uid, directory.stat().st_gid), (USER, OTHER))
        self.says("", "chown", "freezer", "given", "2147483646", "0")
        for ids in (("-1", "0"), ("0", "-1"), ("2147483647", "0"), ("0", "99999999999"), ("x", "0"), ("0", "")):
            done = self.run_as(self.root, "chown", "freezer", "given", *ids)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (1, "", "Bad uid or gid\n"), ids)
        self.assertEqual(directory.stat().st_uid, 2147483646)

    def test_chown_is_not_a_users(self):
        self.fails("chown", "only root", "chown", "freezer", "", str(USER), str(USER), who=self.user)

    def test_chmod_and_chmodfile_take_octal_modes(self):
        directory = self.sandbox.make("freezer", "root/modes")
        self.says("", "chmod", "freezer", "modes", "0711")
        self.assertEqual(directory.stat().st_mode & 0o7777, 0o711)
        self.says("", "chmodfile", "freezer", "modes", "cgroup.procs", "600")
        self.assertEqual((directory / "cgroup.procs").stat().st_mode & 0o7777, 0o600)
        for mode in ("0999", "999", "7x", "x", "", "0x1ff", "77777777777777"):
            done = self.run_as(self.root, "chmod", "freezer", "modes", mode)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (1, "", "Bad mode\n"), mode)
            done = self.run_as(self.root, "chmodfile", "freezer", "modes", "cgroup.procs", mode)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (1, "", "Bad mode\n"), mode)
        self.fails("chmod", "outside 0 to 0777", "chmod", "freezer", "modes", "7777")
        self.fails("chmod", "no file name", "chmodfile", "freezer", "modes", "..", "700")
        self.assertEqual(directory.stat().st_mode & 0o7777, 0o711)

    def test_values_are_set_and_printed(self):
        self.sandbox.require("pids")
        self.says("", "create", "pids", "limited")
        self.says("", "setvalue", "pids", "limited", "pids.max", "71")
        self.assertEqual(read(self.sandbox.dir("pids", "root/limited/pids.max")), "71")
        self.says("71\n", "getvalue", "pids", "limited", "pids.max")
        self.says("", "setvalue", "pids", "limited", "pids.max", "")
        self.says("71\n", "getvalue", "pids", "limited", "pids.max")
        self.says("\n", "getvalue", "pids", "limited", "cgroup.procs")
        self.fails("set_value", "pids.max", "setvalue", "pids", "limited", "pids.max", "many")
        self.fails("get_value", "nearest is 'pids.max'", "getvalue", "pids", "limited", "pids.maximum")
        self.fails("set_value", "not written for a client", "setvalue", "pids", "limited", "cgroup.procs", "1")

    def test_tasks_are_moved_and_listed_one_a_line(self):
        task = self.sleeper("root/from")
        self.sandbox.make("freezer", "root/to/below")
        self.says("", "movepid", "freezer", "to", str(task.pid))
        self.assertEqual(pids(self.base / "to"), [task.pid])
        self.says(f"{task.pid}\n", "gettasks", "freezer", "to")
        self.says("to\n", "getpidcgroup", "freezer", str(task.pid))
        self.says(self.sandbox.path("freezer", "root/to") + "\n", "getpidcgroupabs", "freezer", str(task.pid))
        self.says("", "movepidabs", "freezer", self.sandbox.path("freezer", "root/to/below"), str(task.pid))
        self.says("", "gettasks", "freezer", "to")
        self.says(f"{task.pid}\n", "gettasksrecursive", "freezer", "to")
        self.says("", "gettasksrecursive", "freezer,", "absent")
        self.fails("get_tasks", "no such cgroup", "gettasks", "freezer", "absent")

    def test_the_cgroup_may_be_left_out_of_lists(self):
        own = self.run_as(self.root, "gettasks", "freezer")
        self.assertEqual(own.returncode, 0)
        self.assertIn(str(self.root.pid), own.stdout.split("\n"))
        self.sandbox.make("freezer", "root/child")
        self.assertIn("child", self.run_as(self.root, "listchildren", "freezer").stdout.split("\n"))

    def test_a_failing_move_bears_the_old_name(self):
        for command in ("movepid", "movepidabs"):
            self.fails("move_pid_main", "no task", command, "freezer", "", "0")
            self.fails("move_pid_main", "no task", command, "freezer", "", "self")  # what is no number is 0
            self.fails("move_pid_main", "not yours|outside your cgroup|Permission denied", command, "freezer", "" if command == "movepid" else "/", "1",
                       who=self.user)
        self.fails("get_pid_cgroup", "no task", "getpidcgroup", "freezer", "-1")
        self.fails("get_pid_cgroup_abs", "no task", "getpidcgroupabs", "freezer", "2147483647")

    def test_children_are_listed_one_a_line(self):
        for name in ("a", "b"):
            self.sandbox.make("freezer", f"root/listed/{name}")
        done = self.run_as(self.root, "listchildren", "freezer", "listed")
        self.assertEqual(sorted(done.stdout.split("\n")), ["", "a", "b"])
        self.says("", "listchildren", "freezer", "listed/a")
        self.fails("list_children", "unknown|one is needed", "listchildren", "all", "listed")

    def test_keys_are_listed_with_owner_and_mode(self):
        directory = self.sandbox.make("freezer", "root/keys")
        done = self.run_as(self.root, "listkeys", "freezer", "keys")
        expected = {f"{file.name} {file.stat().st_uid} {file.stat().st_gid} {file.stat().st_mode:o}"
                    for file in directory.iterdir() if file.is_file()}
        self.assertEqual(set(done.stdout.strip().split("\n")), expected)
        self.assertRegex(done.stdout, r"(?m)^cgroup\.procs 0 0 100644$")

    def test_controllers_are_listed_one_a_line(self):
        labels = [one.label for one in self.sandbox.hierarchies if one.controllers]
        self.says("".join(f"{label}\n" for label in sorted(labels, key=lambda label: label.removeprefix("name="))),
                  "listcontrollers")

    def test_the_version_of_the_interface_is_10(self):
        self.says("10\n", "apiversion")

    def test_a_wrong_number_of_arguments_is_a_usage_error(self):
        for arguments in (["create"], ["create", "freezer"], ["create", "freezer", "x", "y"], ["chown", "freezer", "x", "1"],
                          ["chmod", "freezer", "x"], ["chmodfile", "freezer", "x", "y"], ["remove", "freezer"],
                          ["movepid", "freezer", "x"], ["movepidabs", "freezer", "x"], ["getvalue", "freezer", "x"],
                          ["setvalue", "freezer", "x", "y"], ["gettasks"], ["gettasksrecursive"], ["listchildren"],
                          ["removeonempty", "freezer"], ["prune"], ["listcontrollers", "x"], ["listkeys"],
                          ["apiversion", "x"], ["getpidcgroup", "freezer"], ["getpidcgroupabs", "freezer"]):
            with self.subTest(arguments=arguments):
                done = self.run_as(self.root, *arguments)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(f"usage: cgm {arguments[0]}", done.stderr)


class ThroughTheDaemon(Commands, DaemonTest):
    def through(self):
        return ["--socket", self.daemon.socket]

    def test_ping_says_nothing_and_takes_any_arguments(self):
        self.says("", "ping")
        self.says("", "ping", "1", "2", "3", who=self.user)

    def test_the_socket_may_come_from_the_environment(self):
        done = self.root.run([CGM, "ping"], CGM_SOCKET=self.daemon.socket)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))


class WithoutADaemon(Commands, DaemonTest):
    def through(self):
        return ["--direct"]

    def test_ping_finds_nobody(self):
        done = self.run_as(self.root, "ping")
        self.assertEqual((done.returncode, done.stdout), (1, ""))

    def test_a_user_gets_no_more_than_the_kernel_allows(self):
        of_root = self.sandbox.make("freezer", "user/of-root")
        self.fails("create", "permission|Permission", "create", "freezer", "of-root/x", who=self.user)
        self.fails("chmod", "only the owner", "chmod", "freezer", "of-root", "777", who=self.user)
        self.assertEqual([path for path in of_root.iterdir() if path.is_dir()], [])


class Itself(DaemonTest):
    """What cgm says of itself and of a daemon that it does not find."""

    def cgm(self, *arguments: str, **environment):
        return self.caller("root").run([CGM, *arguments], **environment)

    def test_help_goes_to_standard_output(self):
        for arguments in (["--help"], ["-h"]):
            done = self.cgm(*arguments)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            for command in ("create", "movepidabs", "listkeys", "run"):
                self.assertRegex(done.stdout, rf"(?m)^ +{command}\b")
        done = self.cgm("create", "--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("usage: cgm create", done.stdout)

    def test_usage_errors_exit_2_on_standard_error(self):
        for arguments, text in (([], "usage: cgm"), (["nonsense"], "Unknown command: nonsense"), (["--nonsense"], "--nonsense"),
                                (["--socket"], "--socket")):
            done = self.cgm(*arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""), arguments)
            self.assertIn(text, done.stderr)

    def test_version_names_the_program(self):
        done = self.cgm("--version")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"^cgm \d+\.\d+\.\d+\S*\n$")

    def test_a_daemon_that_was_named_and_is_not_there_is_a_failure(self):
        stale = str(self.daemon.folder / "nobody")
        for done in (self.cgm("--socket", "/nonexistent/sock", "ping"), self.cgm("create", "freezer", "x", CGM_SOCKET=stale)):
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertRegex(done.stderr, r"^Failed opening dbus connection: org\.freedesktop\.DBus\.Error\.\w+: .+\n$")
        self.assertFalse(self.sandbox.dir("freezer", "root/x").exists())
