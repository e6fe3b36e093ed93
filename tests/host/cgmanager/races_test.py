# SPDX-License-Identifier: LGPL-2.1-or-later
"""Requests of one caller between the look and the act of another's."""
import os

import classic
import dbus
from cgroups import give, pids
from suite import eventually
from testcase import USER, DaemonTest

ROUNDS = 60
CALLS = 40  # of the user's in each round
ESCAPES_WITHIN = 0.05  # seconds


class Moves(DaemonTest):
    """A user moves his task to and fro below his own cgroup while root puts it where he may not take it from."""

    def setUp(self):
        self.sandbox.place("user", USER)
        for below in ("user/a", "user/b"):
            self.sandbox.make("freezer", below, USER)
        self.sandbox.make("freezer", "jail")
        self.root = self.caller("root")
        self.user = self.caller("user", USER)
        self.task = self.sleeper("user/a", USER)
        give(self.sandbox.dir("freezer", "user"), USER, USER)

    def test_who_is_put_away_does_not_come_back_by_a_move_that_had_begun(self):
        where = {name: self.sandbox.path("freezer", name) for name in ("user/a", "jail")}
        for _ in range(ROUNDS):
            self.root.call("MovePidAbs", "freezer", where["user/a"], self.task.pid)
            self.user.do(begin_moves, self.task.pid)
            self.root.call("MovePidAbs", "freezer", where["jail"], self.task.pid)
            escaped = eventually(lambda: self.task.pid not in pids(self.sandbox.dir("freezer", "jail")), ESCAPES_WITHIN)
            self.user.do(end_moves)
            self.assertFalse(escaped)


def begin_moves(pid: int) -> None:
    """In a caller: asks for many moves at once, and waits for no answer."""
    import caller
    connection = caller.connection()
    connection.send(b"".join(dbus.encode(classic.message("MovePid", "freezer", "ab"[n % 2], pid, serial=n + 1))
                             for n in range(CALLS)))


def end_moves() -> None:
    import caller
    for _ in range(CALLS):
        caller.connection().receive()


class Depths(DaemonTest):
    """Who may make directories on the kernel's own file system nests them as deep as he likes."""
    LEVELS = 400

    def setUp(self):
        self.sandbox.place("deep")
        self.top = self.sandbox.dir("freezer", "deep")
        self.addCleanup(self.remove)
        directory = os.open(self.top, os.O_RDONLY | os.O_DIRECTORY)
        for _ in range(self.LEVELS):
            os.mkdir("d", dir_fd=directory)
            below = os.open("d", os.O_RDONLY | os.O_DIRECTORY, dir_fd=directory)
            os.close(directory)
            directory = below
        os.close(directory)

    def remove(self):
        directory, levels = os.open(self.top, os.O_RDONLY | os.O_DIRECTORY), 0
        while "d" in os.listdir(directory):
            below = os.open("d", os.O_RDONLY | os.O_DIRECTORY, dir_fd=directory)
            os.close(directory)
            directory, levels = below, levels + 1
        for _ in range(levels):
            above = os.open("..", os.O_RDONLY | os.O_DIRECTORY, dir_fd=directory)
            os.close(directory)
            directory = above
            os.rmdir("d", dir_fd=directory)
        os.close(directory)

    def test_no_request_follows_without_end(self):
        root = self.caller("root")
        deep = self.caller("deep")
        with self.refused("levels down"):
            deep.call("GetTasksRecursive", "freezer", "")
        with self.refused("levels down"):
            deep.call("Remove", "freezer", "d", 1)
        self.assertEqual(root.call("GetTasksRecursive", "freezer", ""), [root.pid])
