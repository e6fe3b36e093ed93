# SPDX-License-Identifier: LGPL-2.1-or-later
"""Kernel work that takes its time: nobody else waits for it, SIGTERM lets it finish, and a deadline ends it. The slow
request is a reclaim of much page cache: memory.force_empty on v1, memory.reclaim on v2."""
import os
import pathlib
import time
import unittest

import caller
import classic
import dbus
import suite
from cgroups import read
from daemon import temporary_folder
from testcase import OTHER, USER, DaemonTest

ENOUGH_SECONDS = 0.1  # a quicker request shows nothing


def available_mb() -> int:
    text = pathlib.Path("/proc/meminfo").read_text()
    return int(text.split("MemAvailable:")[1].split()[0]) >> 10


def large_file(mb: int) -> tuple[str, int]:
    """A file whose pages can be dropped again, and how many MB of it there are: a sparse one, or a disk."""
    folder = temporary_folder()
    kind = next(line.split()[2] for line in reversed(pathlib.Path("/proc/mounts").read_text().splitlines())
                if str(folder).startswith(line.split()[1].rstrip("/") + "/"))
    if kind != "tmpfs":
        file = folder / "sparse"
        file.touch()
        os.truncate(file, mb << 20)
        return str(file), mb
    for disk in sorted(pathlib.Path("/sys/block").iterdir()):
        size = int(read(disk / "size")) >> 11
        if size >= 64 and os.access(f"/dev/{disk.name}", os.R_OK):
            return f"/dev/{disk.name}", min(mb, size)
    raise unittest.SkipTest("there is no file whose pages could be reclaimed: temporary files are in memory, and no disk")


def fill_cache(path: str, mb: int) -> None:
    """In a caller: reads the file into the page cache, page by page: large folios would be gone at once."""
    piece = bytearray(1 << 20)
    descriptor = os.open(path, os.O_RDONLY)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)  # what an earlier cgroup was charged for
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_RANDOM)
    for _ in range(mb):
        os.readv(descriptor, [piece])
    before = caller.kept.pop("cached", None)
    caller.kept["cached"] = descriptor  # with its last descriptor a disk's pages would go
    if before is not None:
        os.close(before)


def timed_call(member: str, *arguments) -> tuple[float, str]:
    """In a caller: how long the request took, and the text of its refusal."""
    begun = time.monotonic()
    try:
        classic.call(caller.connection(), member, *arguments)
        text = ""
    except dbus.Refused as refusal:
        text = refusal.text
    return time.monotonic() - begun, text


class SlowTest(DaemonTest):
    most_mb = 2048

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sandbox.require("memory")
        cls.user, cls.filler = cls.caller("user", USER), cls.caller("filler")
        cls.file, cls.mb = large_file(min(cls.most_mb, available_mb() // 4))
        cls.user.call("Create", "memory", "cache")
        cls.directory = cls.sandbox.dir("memory", "user/cache")
        version = cls.sandbox.version("memory")
        cls.use = cls.directory / {1: "memory.usage_in_bytes", 2: "memory.current"}[version]
        cls.key = {1: "memory.force_empty", 2: "memory.reclaim"}[version]
        if not (cls.directory / cls.key).exists():
            raise unittest.SkipTest(f"the kernel has no {cls.key}")

    def begin_slow(self) -> int:
        """Fills the cgroup with page cache and has the user begin to reclaim it; how much there was."""
        (self.directory / self.sandbox.hierarchy("memory").tasks_file).write_text(str(self.filler.pid))
        self.filler.do(fill_cache, self.file, self.mb)
        before = int(read(self.use))
        # memory.reclaim fails where it cannot get all that it is asked for.
        value = "0" if self.key == "memory.force_empty" else str(before * 6 // 10)
        self.user.begin(timed_call, "SetValue", "memory", "cache", self.key, value)
        return before

    def wait_until_under_way(self, before: int) -> None:
        suite.eventually(lambda: int(read(self.use)) < before * 0.9 or self.user.is_done(), 10)
        if self.user.is_done():
            self.user.finish()
            self.skipTest("the request ended before it could be seen at work")


class Neighbours(SlowTest):
    def test_another_users_requests_are_answered_meanwhile(self):
        other = self.caller("other", OTHER)
        calls = (("Ping", 1), ("GetPidCgroup", "freezer", other.pid), ("GetTasks", "freezer", ""))
        for call in calls:
            other.call(*call)
        self.wait_until_under_way(self.begin_slow())
        answered = 0
        while not self.user.is_done():
            self.assertEqual(other.do(timed_call, *calls[answered % len(calls)])[1], "")
            answered += 1
        took, text = self.user.finish()
        self.assertEqual(text, "")
        if took < ENOUGH_SECONDS:
            self.skipTest(f"the reclaim of {self.mb} MB took only {took * 1000:.0f} ms")
        self.assertGreater(answered, 2 * len(calls), f"within {took:.2f} s")


class Stop(SlowTest):
    def test_sigterm_lets_it_finish_and_takes_no_more(self):
        before = self.begin_slow()
        self.wait_until_under_way(before)
        self.daemon.process.terminate()
        self.assertTrue(suite.eventually(self.refuses_connections))
        took, text = self.user.finish()
        self.assertEqual(text, "", "the answer of what had begun")
        self.assertEqual(self.daemon.stop(), 0)
        self.assertFalse(os.path.exists(self.daemon.socket))
        self.assertFalse(os.path.exists(os.path.dirname(self.daemon.socket)))

    def refuses_connections(self) -> bool:
        try:
            self.daemon.connect().close()
        except (ConnectionRefusedError, FileNotFoundError, dbus.Broken):
            return True
        return False


class Deadline(SlowTest):
    config = "[limits]\ndeadline_seconds = 1\n"
    most_mb = 6144

    def test_what_takes_too_long_is_interrupted(self):
        self.begin_slow()
        took, text = self.user.finish()
        if not text and took < 2:
            self.skipTest(f"the reclaim of {self.mb} MB took only {took * 1000:.0f} ms")
        self.assertRegex(text, "Interrupted|deadline|time")
        self.assertLess(took, 10)
        self.assertIsNone(self.user.call("Ping", 1))
