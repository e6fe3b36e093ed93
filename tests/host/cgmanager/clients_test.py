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


def dbus_send(address: str, option: str, signature: str, member: str, arguments: list) -> list[str]:
    names = {"s": "string", "i": "int32"}
    typed = [f"{names[kind]}:{value}" for kind, value in zip(signature, arguments)]
    return ["dbus-send", "--print-reply", f"--{option}={address}", classic.OBJECT, f"{classic.INTERFACE}.{member}",
            *typed]


def busctl(address: str, _, signature: str, member: str, arguments: list) -> list[str]:
    typed = [signature, "--", *map(str, arguments)] if signature else []
    return ["busctl", f"--address={address}", "--json=short", "call", "any.name", classic.OBJECT, classic.INTERFACE,
            member, *typed]


def gdbus(address: str, _, signature: str, member: str, arguments: list) -> list[str]:
    return ["gdbus", "call", "--address", address, "--dest", "any.name", "--object-path", classic.OBJECT, "--method",
            f"{classic.INTERFACE}.{member}", "--", *(f"'{one}'" if kind == "s" else str(one)
                                                     for kind, one in zip(signature, arguments))]


def parse_dbus_send(output: str):
    """All basic values of the reply in a row: dbus-send's way to show arrays is for people."""
    found = re.findall(r'^ +(?:string "(.*)"|u?int32 (-?\d+))$', output, re.MULTILINE)
    return [text if number == "" else int(number) for text, number in found]


def parse_busctl(output: str):
    return json.loads(output)["data"] if output.strip() else []


def parse_gdbus(output: str):
    return list(ast.literal_eval(re.sub(r"(?<=[(, \[])(@\S+|u?int32) ", "", output)))


def flat(value) -> list:
    if isinstance(value, (list, tuple)):
        return [one for part in value for one in flat(part)]
    return [value]


CLIENTS = {
    "dbus-send --peer": (dbus_send, "peer", parse_dbus_send),
    "dbus-send --address": (dbus_send, "address", parse_dbus_send),
    "busctl": (busctl, None, parse_busctl),
    "gdbus": (gdbus, None, parse_gdbus),
}


class Clients(DaemonTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sandbox.require(CONTROLLER)

    def setUp(self):
        self.root = self.caller("root")
        self.user = self.caller("user", USER)
        self.base = self.sandbox.dir(CONTROLLER, "root")

    def ask(self, client: str, who, member: str, arguments, signature: str):
        make, option, _ = CLIENTS[client]
        command = make(f"unix:path={self.daemon.socket}", option, signature, member, list(arguments))
        if not shutil.which(command[0]):
            self.skipTest(f"{command[0]} is not installed")
        return who.run(command)

    def succeed(self, client: str, member: str, *arguments, who=None) -> list:
        """The values of the answer, in a row."""
        done = self.ask(client, who or self.root, member, arguments, classic.METHODS[member][0])
        self.assertEqual(done.returncode, 0, f"{client} {member}{arguments}: {done.stderr}")
        return flat(CLIENTS[client][2](done.stdout))

    def each_client(self):
        for client in CLIENTS:
            with self.subTest(client=client):
                yield client

    # Each method once succeeding.

    def test_ping_and_list_controllers(self):
        for client in self.each_client():
            self.assertEqual(self.succeed(client, "Ping", 7), [])
            self.assertIn(CONTROLLER, ",".join(self.succeed(client, "ListControllers")).split(","))

    def test_create_and_remove_make_and_remove_a_cgroup(self):
        for client in self.each_client():
            self.assertEqual(self.succeed(client, "Create", CONTROLLER, "made/below"), [-1])
            self.assertEqual(self.succeed(client, "Create", CONTROLLER, "made"), [1])
            self.assertTrue((self.base / "made/below").is_dir())
            self.assertEqual(self.succeed(client, "Remove", CONTROLLER, "made", 1), [1])
            self.assertEqual(self.succeed(client, "Remove", CONTROLLER, "made", 0), [-1])
            self.assertFalse((self.base / "made").exists())

    def test_chown_and_chmod_change_owner_and_mode(self):
        for uid, client in enumerate(self.each_client(), USER):
            directory = self.sandbox.make(CONTROLLER, "root/given")
            self.succeed(client, "Chown", CONTROLLER, "given", uid, -1)
            self.assertEqual((directory.stat().st_uid, directory.stat().st_gid), (uid, 0))
            self.succeed(client, "Chmod", CONTROLLER, "given", "", 0o700 + uid % 8)
            self.assertEqual(directory.stat().st_mode & 0o7777, 0o700 + uid % 8)
            self.succeed(client, "Chmod", CONTROLLER, "given", "cgroup.procs", 0o600)
            self.assertEqual((directory / "cgroup.procs").stat().st_mode & 0o7777, 0o600)

    def test_set_value_and_get_value_write_and_read_a_limit(self):
        self.root.call("Create", CONTROLLER, "limited")  # enables the controller there, on v2
        directory = self.base / "limited"
        for number, client in enumerate(self.each_client(), 70):
            self.succeed(client, "SetValue", CONTROLLER, "limited", "pids.max", str(number))
            self.assertEqual(read(directory / "pids.max"), str(number))
            self.assertEqual(self.succeed(client, "GetValue", CONTROLLER, "limited", "pids.max"), [str(number)])

    def test_move_pid_moves_and_the_tasks_are_told(self):
        v = self.sleeper("root/from")
        self.sandbox.make(CONTROLLER, "root/to")
        self.sandbox.make(CONTROLLER, "root/to/inner")
        for client in self.each_client():
            self.succeed(client, "MovePid", CONTROLLER, "to", v.pid)
            self.assertEqual(pids(self.base / "to"), [v.pid])
            self.assertEqual(self.succeed(client, "GetPidCgroup", CONTROLLER, v.pid), ["to"])
            self.assertEqual(self.succeed(client, "GetPidCgroupAbs", CONTROLLER, v.pid),
                             [self.sandbox.path(CONTROLLER, "root/to")])
            self.assertEqual(self.succeed(client, "GetTasks", CONTROLLER, "to"), [v.pid])
            self.succeed(client, "MovePidAbs", CONTROLLER, self.sandbox.path(CONTROLLER, "root/to/inner"), v.pid)
            self.assertEqual(self.succeed(client, "GetTasks", CONTROLLER, "to"), [])
            self.assertEqual(self.succeed(client, "GetTasksRecursive", CONTROLLER, "to"), [v.pid])
            self.succeed(client, "MovePid", CONTROLLER, "from", v.pid)

    def test_children_and_keys_are_listed(self):
        for name in ("one", "two"):
            self.sandbox.make(CONTROLLER, f"root/listed/{name}")
        directory = self.base / "listed"
        there = {entry.name: entry.stat() for entry in directory.iterdir() if entry.is_file()}
        for client in self.each_client():
            self.assertCountEqual(self.succeed(client, "ListChildren", CONTROLLER, "listed"), ["one", "two"])
            told = self.succeed(client, "ListKeys", CONTROLLER, "listed")
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
        for client in self.each_client():
            for member, arguments in self.REFUSED.items():
                done = self.ask(client, self.user, member, arguments, classic.METHODS[member][0])
                self.assertEqual(done.returncode, 1, f"{member}{arguments}: {done.stdout}")
                self.assertIn("invalid request", done.stderr)

    # Each method once with a wrong signature: a string more than it takes.

    def test_a_wrong_signature_is_named(self):
        for client in self.each_client():
            for member, (signature, _) in classic.METHODS.items():
                arguments = ["1" if kind == "i" else "x" for kind in signature] + ["extra"]
                done = self.ask(client, self.user, member, arguments, signature + "s")
                self.assertEqual(done.returncode, 1, f"{member}: {done.stdout}")
                self.assertIn(f"Invalid arguments to {member} method", done.stderr)


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
