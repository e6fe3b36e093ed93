# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a client can make grow has a limit for each account, which binds nobody else; rule 18 of docs/access.md."""
import os
import unittest

import caller
import classic
import dbus
import suite
from daemon import temporary_folder
from testcase import OTHER, USER, DaemonTest


def open_connections(count: int) -> int:
    """In a caller: tries to open that many, keeps them, and returns how many are served."""
    held = caller.kept.setdefault("held", [])
    for _ in range(count):
        try:
            connection = caller.fresh_connection()
            classic.call(connection, "Ping", 1)
            held.append(connection)
        except dbus.Broken:
            pass
    return len(held)


def close_connections() -> None:
    for connection in caller.kept.pop("held", []):
        connection.close()


class Connections(DaemonTest):
    config = "[limits]\nconnections = 5\n"

    def setUp(self):
        self.user, self.other, self.root = self.caller("user", USER), self.caller("other", OTHER), self.caller("root")

    def test_one_account_gets_so_many_and_the_others_theirs(self):
        self.assertEqual(self.user.do(open_connections, 8), 5)
        self.assertEqual(self.other.do(open_connections, 8), 5)
        self.assertEqual(self.user.do(open_connections, 1), 5)
        self.user.do(close_connections)
        self.other.do(close_connections)
        self.assertTrue(suite.eventually(lambda: self.user.do(open_connections, 1)))
        self.user.do(close_connections)

    def test_root_of_the_host_is_not_bound(self):
        self.assertEqual(self.root.do(open_connections, 12), 12)
        self.root.do(close_connections)

    def test_two_processes_of_a_user_are_one_account(self):
        second = self.caller("second", USER)
        self.assertEqual(self.user.do(open_connections, 3), 3)
        self.assertEqual(second.do(open_connections, 8), 2)
        self.user.do(close_connections)
        second.do(close_connections)


class Descriptors(DaemonTest):
    """A daemon that has few descriptors of its own."""
    prefix = ("prlimit", "--nofile=160:160")

    def test_nobody_takes_them_all(self):
        users = [self.caller(f"user-{n}", USER + n) for n in range(6)]
        for user in users:
            user.do(open_connections, 40)
        self.assertEqual(self.caller("root").do(open_connections, 1), 1)  # of root's reserve
        for user in users:
            user.do(close_connections)
        self.assertTrue(suite.eventually(lambda: users[0].do(open_connections, 1)))
        self.assertIn(users[0].pid, users[0].call("GetTasks", "freezer", ""))

    def test_what_cannot_be_accepted_does_not_keep_it_busy(self):
        users = [self.caller(f"user-{n}", USER + n) for n in range(6)]
        for user in users:
            user.do(open_connections, 40)
        self.assertLess(self.daemon.load(), 0.5)
        for user in users:
            user.do(close_connections)


class Traffic(DaemonTest):
    config = "[limits]\nmessage_bytes = 4096\nunread_bytes = 262144\nauthentication_seconds = 1\n"

    def test_a_longer_message_ends_the_connection(self):
        for length, served in ((4096, True), (4097, False)):
            empty = len(dbus.encode(classic.message("SetValue", "freezer", "", "x", "")))
            with self.daemon.connect() as connection:
                connection.send(dbus.encode(classic.message("SetValue", "freezer", "", "x", "v" * (length - empty))))
                if served:
                    self.assertEqual(connection.receive().type, dbus.ERROR)
                else:
                    self.assertTrue(connection.is_closed())

    def test_who_does_not_authenticate_is_let_go(self):
        silent = self.daemon.connect(authenticate=False)
        begun = self.daemon.connect(authenticate=False)
        self.addCleanup(silent.close)
        self.addCleanup(begun.close)
        begun.send(b"\0AUTH EXT")
        for connection in (silent, begun):
            self.assertTrue(connection.is_closed(30))

    def test_who_has_authenticated_may_be_silent(self):
        with self.daemon.connect() as connection, self.daemon.connect(authenticate=False) as silent:
            self.assertTrue(silent.is_closed(30))  # later than the time that was given
            self.assertIsNone(classic.call(connection, "Ping", 1))

    def test_answers_that_nobody_reads_are_bounded_for_all_connections_of_an_account_together(self):
        user, other = self.caller("user", USER), self.caller("other", OTHER)
        before = self.daemon.rss_kb()
        user.do(leave_unread, 40)
        self.assertLess(self.daemon.rss_kb() - before, 3000)  # 40 times 64 kB would be 2.6 MB, with what is read 5
        self.assertIsNone(other.call("Ping", 1))
        user.do(close_connections)
        self.assertTrue(suite.eventually(lambda: user.do(open_connections, 1)))
        user.do(close_connections)

    def test_an_answer_that_is_too_long_is_an_error_and_not_a_loss(self):
        root = self.caller("root")
        for name in range(1500):
            self.sandbox.make("freezer", f"root/{name:0200d}")
        with self.refused("the answer is longer"):
            root.call("ListChildren", "freezer", "")
        self.assertIsNone(root.call("Ping", 1))


def leave_unread(count: int) -> None:
    """In a caller: connections on which calls are sent, as long as the daemon takes them, and no answer is read."""
    calls = dbus.encode(classic.message("ListKeys", "freezer", "", serial=1)) * 20
    held = caller.kept.setdefault("held", [])
    for _ in range(count):
        try:
            connection = caller.fresh_connection()
        except dbus.Broken:
            continue
        held.append(connection)
        connection.socket.setblocking(False)
        try:
            for _ in range(1000):
                connection.socket.sendall(calls)
        except (BlockingIOError, BrokenPipeError, ConnectionResetError):
            pass


PAYER = 64500


class Cgroups(DaemonTest):
    # The daemon counts all cgroups of the host: tests that run beside these must not be the same user.
    config = "[limits]\ncgroups = 6\n"

    def create(self, who, count: int, controller: str = "freezer") -> int:
        """How many can be made before one is refused for the quota."""
        for made in range(count):
            try:
                who.call("Create", controller, f"n{made}")
            except dbus.Refused as refusal:
                self.assertRegex(refusal.text, r"has \d+ cgroups, as many as it may")
                return made
        return count

    def test_an_account_has_so_many_in_all_hierarchies_and_no_more(self):
        self.sandbox.place("user")
        user = self.caller("user", PAYER, owner=0)
        for controller in ("freezer", "cpu"):
            self.sandbox.require(controller)
            self.sandbox.dir(controller, "user").chmod(0o777)
        self.assertEqual(self.create(user, 4), 4)
        if self.sandbox.hierarchy("cpu") is not self.sandbox.hierarchy("freezer"):
            self.assertEqual(self.create(user, 4, "cpu"), 2)
        user.call("Remove", "freezer", "n0", 0)
        self.assertEqual(user.call("Create", "freezer", "again"), -1)
        root = self.caller("root")
        self.assertEqual(self.create(root, 10), 10)

    def test_a_cgroup_that_changes_hands_changes_accounts(self):
        giver = self.caller("giver")
        user = self.caller("taker", PAYER + 1, owner=0)
        self.sandbox.dir("freezer", "taker").chmod(0o777)
        for name in range(4):
            giver.call("Create", "freezer", f"given{name}")
            giver.call("Chown", "freezer", f"given{name}", PAYER + 1, PAYER + 1)
        self.assertEqual(self.create(user, 4), 2)
        for name in range(4):
            giver.call("Chown", "freezer", f"given{name}", 0, 0)
        self.assertEqual(user.call("Create", "freezer", "more"), -1)


class Depth(DaemonTest):
    config = "[limits]\ndepth = 200\n"
    options = ("--max-depth", "9")  # over the file's

    def test_depth_counts_from_the_callers_floor(self):
        user, root = self.caller("deep", USER), self.caller("root")
        levels = 9 - self.sandbox.path("freezer", "deep").count("/")
        if levels < 1:
            self.skipTest("the tests run too far down in the tree")
        self.assertEqual(user.call("Create", "freezer", "/".join("d" * levels)), -1)
        with self.refused("a cgroup 10 levels down, more than 9"):
            user.call("Create", "freezer", "/".join("d" * (levels + 1)))
        with self.refused("levels down"):
            user.call("Create", "freezer", "/".join("e" * 40))
        self.assertFalse(self.sandbox.dir("freezer", "deep/e").exists())
        self.assertEqual(root.call("Create", "freezer", "/".join("d" * 20)), -1)


class Subordinates(DaemonTest):
    """A uid in somebody's range of /etc/subuid pays as that somebody; this daemon sees a file of our own there."""
    config = "[limits]\nconnections = 3\n"

    @classmethod
    def setUpClass(cls):
        ranges = temporary_folder() / "subuid"
        ranges.write_text(f"{USER}:700000:65536\nnobody-of-this-name:800000:65536\n")
        script = f"mount --bind {ranges} /etc/subuid && exec \"$@\""
        cls.prefix = ("unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh")
        if not os.path.exists("/etc/subuid"):
            raise unittest.SkipTest("there is no /etc/subuid to mount another over")
        super().setUpClass()

    def test_subordinate_uids_are_their_owners_account(self):
        callers = [self.caller(f"uid-{uid}", uid) for uid in (700000, 765535, USER, 765536, 800000)]
        self.assertEqual([one.do(open_connections, 2) for one in callers], [2, 1, 0, 2, 2])
        for one in callers:
            one.do(close_connections)
