# SPDX-License-Identifier: LGPL-2.1-or-later
"""A test case with a sandbox, a daemon, and callers, made once for each class and gone with it."""
import contextlib
import re
import shutil
import unittest

import classic
import dbus
import suite
from caller import Caller, Sleeper
from cgroups import Sandbox
from daemon import Daemon

USER, OTHER = 64001, 64002  # uids that nobody has


class DaemonTest(unittest.TestCase):
    """`options`, `config` and `prefix` are the daemon's."""
    options: tuple = ()
    config = ""
    prefix: tuple = ()

    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox()
        cls.addClassCleanup(cls.sandbox.close)
        cls.daemon = Daemon(*cls.options, config=cls.config, prefix=cls.prefix)
        cls.addClassCleanup(cls.daemon.close)
        cls._callers = {}

    @classmethod
    def caller(cls, place: str, uid: int = 0, gid: int | None = None, groups: tuple = (), owner: int | None = None):
        """The caller with these ids in this cgroup, made at the first call; `place` is given to `owner`, by default
        to the caller itself."""
        key = (place, uid, gid, groups)
        if key not in cls._callers:
            cls.sandbox.place(place, uid if owner is None else owner)
            cls._callers[key] = Caller(cls.sandbox, cls.daemon, place, uid, gid, groups)
            cls.addClassCleanup(cls._callers[key].close)
        return cls._callers[key]

    @classmethod
    def for_everybody(cls, program: str) -> str:
        """A copy of a program, as a plain user may not be able to look into the build tree."""
        copy = cls.daemon.folder / program
        if not copy.exists():
            shutil.copy(suite.program(program), copy)
        return str(copy)

    def sleeper(self, place: str, uid: int = 0, threads: int = 0) -> Sleeper:
        """A process that ends with the test."""
        self.sandbox.place(place)
        sleeper = Sleeper(self.sandbox, place, uid, threads)
        self.addCleanup(sleeper.close)
        return sleeper

    @contextlib.contextmanager
    def refused(self, pattern: str = ""):
        """The block has to raise the classic interface's refusal, with a reason that matches."""
        with self.assertRaises(dbus.Refused) as caught:
            yield
        self.assertEqual(caught.exception.name, classic.ERROR)
        self.assertRegex(caught.exception.text, "^invalid request")
        if not re.search(pattern, caught.exception.text):
            self.fail(f"'{caught.exception.text}' does not match '{pattern}'")
