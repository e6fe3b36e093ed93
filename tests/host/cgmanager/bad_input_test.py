# SPDX-License-Identifier: LGPL-2.1-or-later
"""Input that means nothing or means harm. After each of it the daemon serves on, holds no descriptor more than before,
its memory is back, and nothing is left in the tree."""
import os
import random
import resource
import struct
import threading

import caller
import classic
import dbus
import suite
from cgroups import read
from testcase import USER, DaemonTest

MESSAGE_LIMIT = 1 << 20
LITTLE_MORE_KB = 2048  # what memory may have grown by when all is over; one abused limit alone is 4 MB


class BadInput(DaemonTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.root, cls.user = cls.caller("root"), cls.caller("user", USER)
        for who in (cls.root, cls.user):  # pinned, a worker begun, buffers in use
            who.call("GetTasks", "freezer", "")
        cls.tree = cls.sandbox.leftovers()
        cls.memory = cls.daemon.rss_kb()

    def setUp(self):
        self.descriptors = self.daemon.descriptors()
        self.addCleanup(self.check)  # after every other cleanup

    def check(self):
        with self.daemon.connect() as connection:
            self.assertIsNone(classic.call(connection, "Ping", 1))
        self.assertTrue(suite.eventually(lambda: self.daemon.descriptors() <= self.descriptors),
                        f"{self.daemon.descriptors()} descriptors, {self.descriptors} before")
        self.assertEqual(self.sandbox.leftovers(), self.tree)
        self.assertTrue(suite.eventually(lambda: self.daemon.rss_kb() <= self.memory + LITTLE_MORE_KB, 10),
                        f"{self.daemon.rss_kb()} kB, {self.memory} kB at first")

    def connection(self, **options) -> dbus.Connection:
        connection = self.daemon.connect(**options)
        self.addCleanup(connection.close)
        return connection


class Values(BadInput):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sandbox.require("pids")
        cls.root.call("Create", "pids", "limited")
        cls.tree = cls.sandbox.leftovers()
        cls.file = cls.sandbox.dir("pids", "root/limited/pids.max")

    def set(self, value: str, key: str = "pids.max") -> None:
        self.root.call("SetValue", "pids", "limited", key, value)

    def test_an_empty_value_succeeds_and_writes_nothing(self):
        self.set("77")
        self.set("")
        self.assertEqual(read(self.file), "77")
        with self.refused("no key"):
            self.set("", "pids.maximum")

    def test_what_is_no_number_is_refused_and_nothing_changes(self):
        self.set("78")
        for value in ("abc", "12x", "-7", "1e3", "\n", " ", "9" * 65536, "ä" * 100, "%s%n", "7;8"):
            with self.subTest(value=value[:8]), self.refused("pids.max"):
                self.set(value)
            self.assertEqual(read(self.file), "78")

    def test_a_refused_value_is_named_but_not_at_any_length(self):
        with self.assertRaises(dbus.Refused) as caught:
            self.set("9" * 65536)
        self.assertLess(len(caught.exception.text), 500)
        self.assertIn("999", caught.exception.text)

    def test_a_memory_limit_below_present_use_is_refused(self):
        self.sandbox.require("memory")
        with open("/proc/swaps") as swaps:
            if len(swaps.readlines()) > 1:
                self.skipTest("there is swap here, which makes room")
        self.root.call("Create", "memory", "used")
        self.addCleanup(self.root.call, "Remove", "memory", "used", 1)
        with caller.Caller(self.sandbox, place="root") as task:
            self.root.call("MovePid", "memory", "used", task.pid)
            task.do(keep_memory, 16 << 20)
            key = {1: "memory.limit_in_bytes", 2: "memory.max"}[self.sandbox.version("memory")]
            before = self.root.call("GetValue", "memory", "used", key)
            for word in ("memory.limit_in_bytes", "memory.max"):
                with self.refused(key):
                    self.root.call("SetValue", "memory", "used", word, str(1 << 20))
            self.assertEqual(self.root.call("GetValue", "memory", "used", key), before)
            self.assertEqual(task.do(os.getpid), task.pid)

    def test_ids_below_minus_one_are_none(self):
        for uid, gid in ((-2, 0), (0, -2), (-2**31, -1), (-1, -2**31)):
            with self.refused("is no id"):
                self.root.call("Chown", "pids", "limited", uid, gid)
        self.root.call("Chown", "pids", "limited", -1, -1)
        self.assertEqual(self.file.parent.stat().st_uid, 0)
        self.root.call("Chown", "pids", "limited", 2**31 - 1, 2**31 - 1)
        self.assertEqual(self.file.parent.stat().st_uid, 2**31 - 1)
        self.root.call("Chown", "pids", "limited", 0, 0)


def keep_memory(size: int) -> None:
    """In a caller: holds that many bytes of memory in use."""
    caller.kept["memory"] = bytearray(os.urandom(4096) * (size // 4096))


class Messages(BadInput):
    def set_value(self, length: int) -> bytes:
        """A call whose message is `length` bytes long."""
        empty = len(dbus.encode(classic.message("SetValue", "freezer", "", "no.such.key", "")))
        data = dbus.encode(classic.message("SetValue", "freezer", "", "no.such.key", "v" * (length - empty)))
        assert len(data) == length
        return data

    def test_a_message_at_the_limit_is_served_and_one_byte_more_ends_the_connection(self):
        connection = self.connection()
        connection.send(self.set_value(MESSAGE_LIMIT))
        self.assertEqual(connection.receive().type, dbus.ERROR)
        self.assertIsNone(classic.call(connection, "Ping", 1))
        with self.assertRaises(dbus.Broken):
            connection.send(self.set_value(MESSAGE_LIMIT + 1))
            connection.receive()

    def test_a_claim_of_128_mb_ends_the_connection_at_once(self):
        for body, fields in ((128 << 20, 100), (0xFFFFFFFF, 0xFFFFFFFF), (4, 128 << 20)):
            connection = self.connection()
            connection.send(b"l\1\0\1" + struct.pack("<III", body, 1, fields))
            self.assertTrue(connection.is_closed())

    def test_half_a_message_waits_without_harm(self):
        data = dbus.encode(classic.message("Ping", 1, serial=7))
        connection = self.connection()
        connection.send(data[:len(data) // 2])
        self.assertIsNone(self.user.call("Ping", 1))
        connection.send(data[len(data) // 2:])
        self.assertEqual(connection.receive().reply_to, 7)
        for cut in (1, 15, 16, len(data) // 2, len(data) - 1):
            with self.daemon.connect() as cut_off:
                cut_off.send(data[:cut])

    def test_strings_that_are_none_are_no_arguments(self):
        for text in (b"a\0b", b"\0", b"\xff\xfe", b"\xed\xa0\x80", b"\xc0\xaf"):
            answer = self.connection().ask(classic.message("GetTasks", "freezer", text))
            self.assertEqual(answer.body, ("Invalid arguments to GetTasks method",), text)

    def test_headers_that_break_the_rules_end_the_connection_or_are_refused(self):
        for fields in ({"path": "no/slash"}, {"path": "/a//b"}, {"interface": "nodots"}, {"member": "1x"}, {"member": "a.b"},
                       {"destination": ".."}, {"interface": "a" * 300 + ".b"}, {"serial": 0}, {"signature": "(" * 40},
                       {"type": 0}, {"type": 200}, {"path": "/org/freedesktop/DBus/Local"},
                       {"interface": "org.freedesktop.DBus.Local"}):
            with self.subTest(fields=fields):
                connection = self.connection()
                message = classic.message("Ping", 1)
                for name, value in fields.items():
                    setattr(message, name, value)
                if "signature" in fields:
                    message.body, message.signature = (), ""
                    data = dbus.encode(message).replace(b"\x08\x01g\0\0\0", b"\x08\x01g\0\x28" + b"(" * 40 + b"\0")
                else:
                    data = dbus.encode(message)
                try:
                    connection.send(data)
                    connection.send(dbus.encode(classic.message("Ping", 1, serial=99)))
                    while (answer := connection.receive()).reply_to != 99:
                        self.assertEqual(answer.type, dbus.ERROR)
                except dbus.Broken:
                    pass

    def test_ten_thousand_calls_in_a_row_are_all_answered_in_order(self):
        connection = self.connection()
        data = b"".join(dbus.encode(classic.message("Ping", 1, serial=n)) for n in range(1, 10_001))
        sender = threading.Thread(target=connection.send, args=(data,))
        sender.start()
        self.assertEqual([connection.receive().reply_to for _ in range(10_000)], list(range(1, 10_001)))
        sender.join()

    def test_a_client_that_reads_no_answers_is_served_no_further(self):
        connection = self.connection()
        call = dbus.encode(classic.message("ListKeys", "freezer", "", serial=1))
        self.assertEqual(self.fill(connection, call), "full")
        self.assertLess(self.daemon.rss_kb(), self.memory + 8192)
        self.assertIsNone(self.user.call("Ping", 1))
        self.assertLess(self.daemon.load(), 0.5, "the daemon does not rest")

    @staticmethod
    def fill(connection: dbus.Connection, call: bytes) -> str:
        """Sends calls and reads nothing until the daemon takes no more for a second, or 64 MB."""
        connection.socket.settimeout(1)
        for _ in range((64 << 20) // (64 * len(call))):
            try:
                connection.socket.sendall(call * 64)
            except TimeoutError:
                return "full"
        return "taken"

    def test_a_client_that_leaves_before_the_answer_harms_nobody(self):
        calls = [classic.message("GetTasksRecursive", "freezer", ""), classic.message("ListKeys", "freezer", ""),
                 classic.message("Remove", "freezer", "absent", 1), classic.message("MovePid", "freezer", "", 1)]
        for call in calls * 10:
            self.user.do(ask_and_leave, dbus.encode(call))

    def test_a_client_at_the_end_of_its_descriptors_is_served(self):
        self.assertIn(self.user.pid, self.user.do(ask_without_descriptors))

    def test_a_thousand_mutilated_messages_harm_nobody(self):
        chance = random.Random(20140421)
        samples = [dbus.encode(classic.message("SetValue", "freezer", "x/y", "freezer.state", "FROZEN", serial=3)),
                   dbus.encode(classic.message("Chown", "all", "", 1, 2, serial=4, order=">")),
                   dbus.encode(classic.message("ListControllers", serial=5, destination="a.b"))]
        for number in range(1000):
            data = bytearray(chance.choice(samples))
            for _ in range(chance.randint(1, 4)):
                at = chance.randrange(len(data))
                data[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256), data[at] ^ 1 << chance.randrange(8)))
            with self.daemon.connect(patience=0.05) as connection:
                connection.send(bytes(data))
            if number % 100 == 99:
                self.assertIsNone(self.user.call("Ping", 1))


def ask_and_leave(call: bytes) -> None:
    with caller.fresh_connection() as connection:
        connection.send(call)


def ask_without_descriptors() -> list[int]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    held = []
    with caller.fresh_connection() as connection:
        try:
            while True:
                held.append(os.open("/dev/null", os.O_RDONLY))
        except OSError:
            pass
        try:
            return classic.call(connection, "GetTasks", "freezer", "")
        finally:
            for descriptor in held:
                os.close(descriptor)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
