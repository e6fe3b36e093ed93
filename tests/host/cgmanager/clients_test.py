# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each classic method by each of the clients that nobody here wrote: once succeeding, once refused, once with a wrong
signature. S0.9: any process can use plain D-Bus (dbus-send) on the socket. S0.11: no bus daemon is needed."""
import ast
import json
import re
import shutil

import classic
from cgroups import pids, read
from testcase import USER, DaemonTest

CONTROLLER = "pids"  # has the same limit file on v1 and v2


def flat(value) -> list:
    if isinstance(value, (list, tuple)):
        return [one for part in value for one in flat(part)]
    return [value]


class Calls:
    """The tests; what a client's command is, and how its output is read, is the business of the classes below."""

    def command(self, address: str, signature: str, member: str, arguments: list) -> list[str]:
        raise NotImplementedError

    def parse(self, output: str) -> list:
        """The values of the answer, in a row."""
        raise NotImplementedError

    def setUp(self):
        self.root = self.caller("root")
        self.user = self.caller("user", USER)
        self.base = self.sandbox.dir(CONTROLLER, "root")

    def ask(self, who, member: str, arguments, signature: str):
        command = self.command(f"unix:path={self.daemon.socket}", signature, member, list(arguments))
        if not shutil.which(command[0]):
            self.skipTest(f"{command[0]} is not installed")
        return who.run(command)

    def succeed(self, member: str, *arguments) -> list:
        done = self.ask(self.root, member, arguments, classic.METHODS[member][0])
        self.assertEqual(done.returncode, 0, f"{member}{arguments}: {done.stderr}")
        return self.parse(done.stdout)

    # Each method once succeeding.

    def test_ping_and_list_controllers(self):
        self.assertEqual(self.succeed("Ping", 7), [])
        self.assertIn(CONTROLLER, ",".join(self.succeed("ListControllers")).split(","))

    def test_create_and_remove_make_and_remove_a_cgroup(self):
        self.assertEqual(self.succeed("Create", CONTROLLER, "made/below"), [-1])
        self.assertEqual(self.succeed("Create", CONTROLLER, "made"), [1])
        self.assertTrue((self.base / "made/below").is_dir())
        self.assertEqual(self.succeed("Remove", CONTROLLER, "made", 1), [1])
        self.assertEqual(self.succeed("Remove", CONTROLLER, "made", 0), [-1])
        self.assertFalse((self.base / "made").exists())

    def test_chown_and_chmod_change_owner_and_mode(self):
        directory = self.sandbox.make(CONTROLLER, "root/given")
        self.succeed("Chown", CONTROLLER, "given", USER, -1)
        self.assertEqual((directory.stat().st_uid, directory.stat().st_gid), (USER, 0))
        self.succeed("Chmod", CONTROLLER, "given", "", 0o711)
        self.assertEqual(directory.stat().st_mode & 0o7777, 0o711)
        self.succeed("Chmod", CONTROLLER, "given", "cgroup.procs", 0o600)
        self.assertEqual((directory / "cgroup.procs").stat().st_mode & 0o7777, 0o600)

    def test_set_value_and_get_value_write_and_read_a_limit(self):
        self.root.call("Create", CONTROLLER, "limited")  # enables the controller there, on v2
        directory = self.base / "limited"
        self.succeed("SetValue", CONTROLLER, "limited", "pids.max", "70")
        self.assertEqual(read(directory / "pids.max"), "70")
        self.assertEqual(self.succeed("GetValue", CONTROLLER, "limited", "pids.max"), ["70"])

    def test_move_pid_moves_and_the_tasks_are_told(self):
        v = self.sleeper("root/from")
        self.sandbox.make(CONTROLLER, "root/to")
        self.sandbox.make(CONTROLLER, "root/to/inner")
        self.succeed("MovePid", CONTROLLER, "to", v.pid)
        self.assertEqual(pids(self.base / "to"), [v.pid])
        self.assertEqual(self.succeed("GetPidCgroup", CONTROLLER, v.pid), ["to"])
        self.assertEqual(self.succeed("GetPidCgroupAbs", CONTROLLER, v.pid),
                         [self.sandbox.path(CONTROLLER, "root/to")])
        self.assertEqual(self.succeed("GetTasks", CONTROLLER, "to"), [v.pid])
        self.succeed("MovePidAbs", CONTROLLER, self.sandbox.path(CONTROLLER, "root/to/inner"), v.pid)
        self.assertEqual(self.succeed("GetTasks", CONTROLLER, "to"), [])
        self.assertEqual(self.succeed("GetTasksRecursive", CONTROLLER, "to"), [v.pid])
        self.succeed("MovePid", CONTROLLER, "from", v.pid)

    def test_children_and_keys_are_listed(self):
        for name in ("one", "two"):
            self.sandbox.make(CONTROLLER, f"root/listed/{name}")
        directory = self.base / "listed"
        there = {entry.name: entry.stat() for entry in directory.iterdir() if entry.is_file()}
        self.assertCountEqual(self.succeed("ListChildren", CONTROLLER, "listed"), ["one", "two"])
        told = self.succeed("ListKeys", CONTROLLER, "listed")
        self.assertCountEqual([tuple(told[i:i + 4]) for i in range(0, len(told), 4)],
                              [(name, st.st_uid, st.st_gid, st.st_mode) for name, st in there.items()])

    # Each method once refused: to a user who asks for what is root's, or with an argument that means nothing.

    REFUSED = {
        "GetPidCgroup": (CONTROLLER, 0),
        "GetPidCgroupAbs": (CONTROLLER, 0),
        "Create": (CONTROLLER, "../x"),
        "Chown": (CONTROLLER, "", USER, USER),
        "Chmod": (CONTROLLER, "", "pids.max", 0o777),
        "MovePid": (CONTROLLER, "", 1),
        "MovePidAbs": (CONTROLLER, "/", 1),
        "GetValue": (CONTROLLER, "", "../pids.max"),
        "SetValue": (CONTROLLER, "", "pids.max", "max"),
        "Remove": (CONTROLLER, "..", 1),
        "GetTasks": (CONTROLLER, "/"),
        "GetTasksRecursive": (CONTROLLER, "/"),
        "ListChildren": (CONTROLLER, "/"),
        "RemoveOnEmpty": (CONTROLLER, "absent"),
        "Prune": (CONTROLLER, "absent"),
        "ListKeys": (CONTROLLER, "/"),
    }

    def test_a_refusal_says_so(self):
        for member, arguments in self.REFUSED.items():
            done = self.ask(self.user, member, arguments, classic.METHODS[member][0])
            self.assertEqual(done.returncode, 1, f"{member}{arguments}: {done.stdout}")
            self.assertIn("invalid request", done.stderr)

    # Each method once with a wrong signature: a string more than it takes.

    def test_a_wrong_signature_is_named(self):
        for member, (signature, _) in classic.METHODS.items():
            arguments = ["1" if kind == "i" else "x" for kind in signature] + ["extra"]
            done = self.ask(self.user, member, arguments, signature + "s")
            self.assertEqual(done.returncode, 1, f"{member}: {done.stdout}")
            self.assertIn(f"Invalid arguments to {member} method", done.stderr)


class DbusSendPeer(Calls, DaemonTest):
    option = "peer"

    def command(self, address, signature, member, arguments):
        names = {"s": "string", "i": "int32"}
        typed = [f"{names[kind]}:{value}" for kind, value in zip(signature, arguments)]
        return ["dbus-send", "--print-reply", f"--{self.option}={address}", classic.OBJECT,
                f"{classic.INTERFACE}.{member}", *typed]

    def parse(self, output):
        found = re.findall(r'^ +(?:string "(.*)"|u?int32 (-?\d+))$', output, re.MULTILINE)
        return [text if number == "" else int(number) for text, number in found]


class DbusSendAddress(DbusSendPeer):
    option = "address"


class Busctl(Calls, DaemonTest):
    def command(self, address, signature, member, arguments):
        typed = [signature, "--", *map(str, arguments)] if signature else []
        return ["busctl", f"--address={address}", "--json=short", "call", "any.name", classic.OBJECT,
                classic.INTERFACE, member, *typed]

    def parse(self, output):
        return flat(json.loads(output)["data"]) if output.strip() else []


class Gdbus(Calls, DaemonTest):
    def command(self, address, signature, member, arguments):
        typed = [f"'{value}'" if kind == "s" else str(value) for kind, value in zip(signature, arguments)]
        return ["gdbus", "call", "--address", address, "--dest", "any.name", "--object-path", classic.OBJECT,
                "--method", f"{classic.INTERFACE}.{member}", "--", *typed]

    def parse(self, output):
        return flat(ast.literal_eval(re.sub(r"(?<=[(, \[])(@\S+|u?int32) ", "", output)))


class Introspection(DaemonTest):
    def test_busctl_shows_the_whole_interface(self):
        done = self.caller("root").run(["busctl", f"--address=unix:path={self.daemon.socket}", "introspect", "any.name",
                                        classic.OBJECT])
        self.assertEqual(done.returncode, 0, done.stderr)
        for member, (arguments, answer) in classic.METHODS.items():
            self.assertRegex(done.stdout, rf"\.{member} +method +{re.escape(arguments or '-')} +{re.escape(answer or '-')} ")
        self.assertRegex(done.stdout, r"\.api_version +property +i +10 ")

    def test_gdbus_finds_the_object_from_the_root(self):
        done = self.caller("root").run(["gdbus", "introspect", "--address", f"unix:path={self.daemon.socket}", "--dest",
                                        "any.name", "--object-path", "/", "--recurse"])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"interface {classic.INTERFACE} {{", done.stdout)
