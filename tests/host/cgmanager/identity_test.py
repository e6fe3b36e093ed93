# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who a caller is: what the kernel vouched for when it connected, and nothing that /proc says later. Rules 1, 3, 4 and 5
of docs/access.md, as attacks."""
import ctypes
import os
import platform
import re
import shutil
import signal
import struct
import threading
import time
import unittest

import caller
import classic
import dbus
import suite
from cgroups import pids, read
from daemon import temporary_folder
from testcase import USER, DaemonTest

MUCH_MEMORY = 128 << 20

libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWCGROUP, CLONE_NEWUSER, CLONE_NEWPID = 0x02000000, 0x10000000, 0x20000000
PR_CAPBSET_DROP, CAP_SYS_PTRACE, CAP_SYS_ADMIN = 24, 19, 21


def outcome(connection: dbus.Connection, member: str, *arguments):
    """The answer, or the text of the refusal."""
    try:
        return classic.call(connection, member, *arguments)
    except dbus.Refused as refusal:
        return refusal.text


def with_a_connection_of_mine(then, ask) -> object:
    """In a caller: forks a process that connects and then runs `then(connection, stdin, stdout)`; a child of
    it that kept the connection sends what `ask(connection, pid of the parent, its output)` asks; the input ends with it."""
    answer, theirs = os.pipe()
    middle = os.fork()
    if middle == 0:
        try:
            connection = caller.fresh_connection()
            (its_input, input_end), (its_output, output_end) = os.pipe(), os.pipe()
            parent = os.getpid()
            if os.fork() == 0:
                os.close(its_input)
                os.close(output_end)
                os.write(theirs, repr(ask(connection, parent, its_output)).encode())
                os._exit(0)
            os.close(input_end)
            os.close(its_output)
            then(connection, its_input, output_end)
        finally:
            os._exit(1)
    os.close(theirs)
    text = b""
    while data := os.read(answer, 65536):
        text += data
    os.close(answer)
    os.waitpid(middle, 0)
    if not text:
        raise RuntimeError("the child with the connection died")
    return eval(text)


class SetUid(DaemonTest):
    """A client connects, keeps the connection in a child, and executes a set-uid program of root's."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = temporary_folder()
        cls.program = shutil.copy(suite.program("tests/tools/become_owner"), folder)
        os.chown(cls.program, 0, 0)
        os.chmod(cls.program, 0o4755)
        if os.statvfs(folder).f_flag & os.ST_NOSUID:
            raise unittest.SkipTest(f"set-uid programs do not work in {folder}")

    def test_the_uid_stays_what_it_was_at_connect(self):
        user = self.caller("user", USER)
        of_root = self.sandbox.make("freezer", "user/of-root")
        of_root.chmod(0o700)
        became, answers = user.do(attack_by_setuid, self.program)
        self.assertEqual(became, 0, "the attack itself did not work")
        for text in answers:
            self.assertRegex(text, "^invalid request: .*(no search permission|no read permission|only the owner|only root)")
        self.assertEqual(of_root.stat().st_mode & 0o777, 0o700)


def attack_by_setuid(program: str):
    def become_root(_, its_input, its_output):
        os.dup2(its_input, 0)
        os.dup2(its_output, 1)
        os.execv(program, [program])

    def ask(connection, parent, its_output):
        os.read(its_output, 100)  # it has become root
        return os.stat(f"/proc/{parent}").st_uid, [outcome(connection, *call) for call in (
            ("GetTasks", "freezer", "of-root"), ("Chmod", "freezer", "of-root", "", 0o777),
            ("Chown", "freezer", "of-root", USER, USER))]

    return with_a_connection_of_mine(become_root, ask)


class Dead(DaemonTest):
    def test_a_caller_that_is_dead_is_refused(self):
        user = self.caller("user", USER)
        for known in (False, True):  # to the daemon, by an earlier request
            for call in (("GetTasks", "freezer", ""), ("Create", "freezer", "posthumous"),
                         ("GetPidCgroupAbs", "freezer", user.pid)):
                with self.subTest(call=call, known=known):
                    self.assertRegex(user.do(ask_after_death, call, known), "^invalid request: .* is gone$")
        self.assertFalse(self.sandbox.dir("freezer", "user/posthumous").exists())

    def test_nothing_is_done_in_the_root_for_one_that_is_exiting(self):
        """From the moment that a task begins to exit its v1 cgroups read `/`; its namespaces are there for as long as its
        memory takes to be freed."""
        for who in (self.caller("user", USER), self.caller("root")):
            texts = who.do(ask_while_exiting)
            self.assertEqual([text for text in texts if not text.startswith("invalid request")], [])
            self.assertIn("gone", texts[-1])

    def test_a_request_of_one_that_did_not_wait_takes_effect_in_its_cgroup_or_nowhere(self):
        """dbus-send without --print-reply ends at once, often before its request is read."""
        if not shutil.which("dbus-send"):
            self.skipTest("dbus-send is not installed")
        root = self.caller("root")
        names = [f"{self.sandbox.name}-{number}" for number in range(20)]
        for name in names:
            sent = root.run(["dbus-send", "--type=method_call", f"--peer=unix:path={self.daemon.socket}", classic.OBJECT,
                             f"{classic.INTERFACE}.Create", "string:freezer", f"string:{name}"])
            self.assertEqual(sent.returncode, 0, sent.stderr)
        self.assertIsNone(root.call("Ping", 1))
        top = self.sandbox.hierarchy("freezer").mount
        escaped = [name for name in names if (top / name).exists()]
        for name in escaped:
            (top / name).rmdir()
        self.assertEqual(escaped, [])

    def test_it_may_still_ask_what_concerns_nobody(self):
        user = self.caller("user", USER)
        self.assertIsNone(user.do(ask_after_death, ("Ping", 1), False))
        self.assertEqual(user.do(ask_after_death, ("ListControllers",), False), user.call("ListControllers"))

    def test_a_leader_that_exited_while_its_threads_live_is_dead(self):
        """On v1 /proc then shows `/` for it, which would be the root for it to work in: for a root in its own container
        just as for a user's paths."""
        root = self.caller("root")
        texts = root.do(ask_with_dead_leader, (("Create", "freezer", f"{self.sandbox.name}-escaped"),
                                               ("GetTasks", "freezer", ""), ("ListChildren", "freezer", "/")))
        self.assertEqual(set(texts), {"invalid request: the caller is gone"})
        self.assertFalse((self.sandbox.hierarchy("freezer").mount / f"{self.sandbox.name}-escaped").exists())

    def test_a_victim_whose_leader_exited_is_where_its_threads_are(self):
        self.sandbox.place("root/from")
        self.sandbox.make("freezer", "root/to")
        root = self.caller("root")
        pid, thread = root.do(start_with_dead_leader, self.sandbox, "root/from")
        self.addCleanup(root.do, end_child, pid)
        for controller in ("freezer", "cpu"):
            self.assertEqual(root.call("GetPidCgroup", controller, pid), "from")
            self.assertEqual(root.call("GetPidCgroupAbs", controller, pid), self.sandbox.path(controller, "root/from"))
        with self.refused("outside your cgroup"):
            self.caller("user", USER).call("GetPidCgroup", "freezer", pid)
        if self.sandbox.version("freezer") == 1:
            root.call("MovePid", "freezer", "to", thread)
            self.assertEqual(pids(self.sandbox.dir("freezer", "root/to"), "tasks"), [thread])


def ask_after_death(call, known: bool):
    def live(connection, *_):
        if known:
            classic.call(connection, "GetTasks", "freezer", "")
        os._exit(0)

    def ask(connection, parent, its_output):
        os.read(its_output, 1)  # the end: it is exiting
        suite.eventually(lambda: state_of(parent) in "ZX")
        return outcome(connection, *call)

    return with_a_connection_of_mine(live, ask)


def ask_while_exiting() -> list[str]:
    """In a caller: a process with much memory exits, and a child that kept its connection asks all the while for what only
    one in the root may; the last answers."""
    def live(*_):
        memory = bytearray(os.urandom(4096) * (MUCH_MEMORY // 4096))
        os._exit(len(memory) & 0)

    def ask(connection, *_):
        texts = []
        while not texts or not texts[-1].endswith("gone"):
            texts.append(str(outcome(connection, "ListChildren", "freezer", "/")))
        return texts[-100:]

    return with_a_connection_of_mine(live, ask)


def state_of(pid) -> str:
    """The state of a task as /proc/PID/stat has it; X where there is none any more."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return "X"


def exit_this_thread() -> None:
    """exit(2) of the calling thread alone, as pthread_exit(3) ends a leader whose process goes on."""
    libc.syscall({"x86_64": 60, "aarch64": 93, "riscv64": 93}[platform.machine()], 0)


def ask_with_dead_leader(calls):
    """In a caller: a process whose leader connects and exits; a thread of it asks then."""
    answer, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        connection = caller.fresh_connection()

        def ask():
            suite.eventually(lambda: state_of("self") == "Z")
            os.write(theirs, repr([outcome(connection, *call) for call in calls]).encode())
            os._exit(0)

        threading.Thread(target=ask).start()
        exit_this_thread()
    os.close(theirs)
    text = os.read(answer, 65536)
    os.close(answer)
    os.waitpid(child, 0)
    return eval(text)


def start_with_dead_leader(sandbox, place: str):
    """In a caller: starts a process whose leader has exited and one of whose threads sleeps; its pid and the thread's."""
    ready, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        sandbox.join(place)

        def sleep():
            suite.eventually(lambda: state_of("self") == "Z")
            os.write(theirs, str(threading.get_native_id()).encode())
            while True:
                time.sleep(3600)

        threading.Thread(target=sleep).start()
        exit_this_thread()
    os.close(theirs)
    thread = int(os.read(ready, 100))
    os.close(ready)
    return child, thread


def end_child(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


class LesserRoot(DaemonTest):
    """uid 0 in the daemon's namespaces, without CAP_SYS_ADMIN in its bounding set: held to its own cgroup."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lesser = cls.caller("container")
        cls.lesser.do(drop, CAP_SYS_ADMIN)
        cls.outside = cls.caller("outside")

    def test_nothing_above_its_own_cgroup_exists_for_it(self):
        for pid in (self.outside.pid, 1, 2**22 - 1):
            for member in ("GetPidCgroup", "GetPidCgroupAbs"):
                with self.refused(f"no task {pid}$"):
                    self.lesser.call(member, "freezer", pid)
        self.assertEqual(self.lesser.call("GetPidCgroupAbs", "freezer", self.lesser.pid), "/")

    def test_it_moves_nothing_out_and_nothing_in(self):
        task = self.sleeper("outside/x")
        for pid in (task.pid, 1, 2, 2**22 - 1):
            for member in ("MovePid", "MovePidAbs"):
                with self.refused(f"no task {pid}$"):
                    self.lesser.call(member, "freezer", "", pid)
        inside = self.sleeper("container/x")
        self.lesser.call("MovePidAbs", "freezer", "/", inside.pid)
        self.assertIn(inside.pid, pids(self.sandbox.dir("freezer", "container")))

    def test_it_sets_no_limit_on_its_own_cgroup_and_does_on_a_childs(self):
        self.sandbox.require("pids")
        before = read(self.sandbox.dir("pids", "container/pids.max"))
        with self.refused("limits of your own cgroup"):
            self.lesser.call("SetValue", "pids", "", "pids.max", "max")
        with self.refused("own cgroup"):
            self.lesser.call("Chown", "pids", "", USER, USER)
        self.assertEqual(read(self.sandbox.dir("pids", "container/pids.max")), before)
        self.lesser.call("Create", "pids", "child")
        self.lesser.call("SetValue", "pids", "child", "pids.max", "9")
        self.assertEqual(read(self.sandbox.dir("pids", "container/child/pids.max")), "9")

    def test_it_opens_no_limit_of_its_own_cgroup_to_other_users(self):
        self.sandbox.require("pids")
        limit = self.sandbox.dir("pids", "container/pids.max")
        with self.refused("limits of your own cgroup"):
            self.lesser.call("Chmod", "pids", "", "pids.max", 0o666)
        self.assertEqual(limit.stat().st_mode & 0o777, 0o644)
        tasks = self.sandbox.hierarchy("pids").tasks_file
        self.lesser.call("Chmod", "pids", "", tasks, 0o664)
        self.lesser.call("Chmod", "pids", "", tasks, 0o644)
        self.lesser.call("Create", "pids", "opened")
        self.lesser.call("Chmod", "pids", "opened", "pids.max", 0o666)

    def test_it_enables_no_controller_above_its_own_cgroup_for_which_tasks_had_to_move(self):
        tree = next((one for one in self.sandbox.hierarchies if one.version == 2), None)
        usable = [name for name in tree.controllers if self.sandbox.usable(name)] if tree else []
        controller = next((name for name in usable if self.sandbox.hierarchy(name) == tree), None)
        if controller is None:
            self.skipTest("no controller can be used on a v2 tree here")
        task = self.sleeper("outer")
        self.sandbox.place("outer/inner")
        lesser = self.caller("outer/inner")
        lesser.do(drop, CAP_SYS_ADMIN)
        with self.refused("above your reach"):
            lesser.call("Create", controller, "child")
        outer = self.sandbox.dir(controller, "outer")
        self.assertEqual(pids(outer), [task.pid])
        self.assertEqual(read(outer / "cgroup.subtree_control"), "")

    def test_it_reaches_no_file_that_asks_for_a_capability(self):
        for key in ("release_agent", "notify_on_release", "devices.allow"):
            with self.refused("only written for root of the host"):
                self.lesser.call("SetValue", "devices", "", key, "1")


def drop(capability: int) -> None:
    """In a caller: gives a capability up for good."""
    with open("/proc/self/status") as file:
        permitted = int(re.search(r"^CapPrm:\s*(\w+)", file.read(), re.MULTILINE).group(1), 16) & ~(1 << capability)
    header = struct.pack("Ii", 0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this thread
    low, high = permitted & 0xFFFFFFFF, permitted >> 32
    if (libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 or
            libc.capset(header, struct.pack("6I", low, low, 0, high, high, 0)) != 0):
        raise OSError(ctypes.get_errno(), f"capability {capability} cannot be dropped")


class WithoutPtrace(DaemonTest):
    """A daemon without CAP_SYS_PTRACE, as a container's often is: the kernel shows it no namespaces of who has more."""
    prefix = ("setpriv", "--bounding-set", "-sys_ptrace")

    def test_a_task_whose_namespaces_are_hidden_is_found_and_moved(self):
        root = self.caller("root")
        root.do(drop, CAP_SYS_PTRACE)
        task = self.sleeper("root/from", USER)
        self.assertEqual(root.call("GetPidCgroup", "freezer", task.pid), "from")
        self.sandbox.make("freezer", "root/to")
        root.call("MovePid", "freezer", "to", task.pid)
        self.assertEqual(pids(self.sandbox.dir("freezer", "root/to")), [task.pid])

    def test_a_caller_whose_namespaces_are_hidden_is_refused_with_the_reason(self):
        with self.refused("namespaces cannot be read.*CAP_SYS_PTRACE"):
            self.caller("user", USER).call("GetTasks", "freezer", "")


class OtherNamespaces(DaemonTest):
    """Callers from elsewhere are refused rather than misread; what concerns nobody they may ask."""

    def refuses_all_but_the_harmless(self, flags: int, uid: int) -> None:
        texts = self.caller(f"uid-{uid}", uid).do(ask_from_namespaces, flags)
        if texts is None:
            self.skipTest("the kernel makes no such namespace for this user here")
        ping, controllers, version, *others = texts
        self.assertIsNone(ping)
        self.assertIn("freezer", ",".join(controllers) + ",freezer")
        self.assertEqual(version, 10)
        for text in others:
            self.assertRegex(text, "^invalid request: the caller is in another pid, user or cgroup namespace")

    def test_a_cgroup_namespace(self):
        self.refuses_all_but_the_harmless(CLONE_NEWCGROUP, 0)

    def test_a_user_namespace_of_roots(self):
        self.refuses_all_but_the_harmless(CLONE_NEWUSER, 0)

    def test_a_user_namespace_of_a_plain_users(self):
        self.refuses_all_but_the_harmless(CLONE_NEWUSER, USER)

    def test_a_pid_namespace(self):
        self.refuses_all_but_the_harmless(CLONE_NEWPID, 0)


def ask_from_namespaces(flags: int):
    """In a caller: what a child in new namespaces is answered; None where it gets none."""
    answer, theirs = os.pipe()
    middle = os.fork()
    if middle == 0:
        os.close(answer)
        if libc.unshare(flags) != 0:
            os._exit(0)
        child = os.fork()  # the first in a new pid namespace
        if child == 0:
            with caller.fresh_connection(authenticate=False) as connection:
                connection.send(b"\0")
                connection.say("AUTH ANONYMOUS")
                connection.send(b"BEGIN\r\n")
                version = connection.call(classic.OBJECT, "org.freedesktop.DBus.Properties", "Get", "ss",
                                          classic.INTERFACE, "api_version")
                os.write(theirs, repr([outcome(connection, "Ping", 1), outcome(connection, "ListControllers"), version,
                                       outcome(connection, "GetTasks", "freezer", ""),
                                       outcome(connection, "Create", "freezer", "x"),
                                       outcome(connection, "GetPidCgroup", "freezer", 1),
                                       outcome(connection, "MovePidAbs", "freezer", "/", os.getpid())]).encode())
            os._exit(0)
        os.waitpid(child, 0)
        os._exit(0)
    os.close(theirs)
    text = os.read(answer, 65536)
    os.close(answer)
    os.waitpid(middle, 0)
    return eval(text) if text else None
