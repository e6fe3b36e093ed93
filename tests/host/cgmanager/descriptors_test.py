# SPDX-License-Identifier: LGPL-2.1-or-later
"""Descriptors that clients pass along: none may stay open in the daemon, and none may hold it up. A file of a FUSE file
system, which any user of a user namespace can mount, is not closed before its server has answered."""
import array
import ctypes
import os
import select
import signal
import socket
import stat
import struct

import caller
import classic
import dbus
import suite
from daemon import temporary_folder
from testcase import USER, DaemonTest

libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, MS_PRIVATE_REC = 0x00020000, 0x44000
MOST = 253  # SCM_MAX_FD: what one message may carry


def passing_connection() -> dbus.Connection:
    """In a caller: a connection that may pass descriptors."""
    connection = caller.fresh_connection(authenticate=False)
    connection.send(b"\0")
    connection.say("AUTH ANONYMOUS")
    connection.say("NEGOTIATE_UNIX_FD")
    connection.send(b"BEGIN\r\n")
    return connection


def pass_along(connection: dbus.Connection, data: bytes, descriptors: list[int]) -> dbus.Message | None:
    """In a caller: sends the bytes with the descriptors; the answer, or None where the connection ends."""
    connection.socket.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))])
    try:
        return connection.receive()
    except dbus.Broken:
        return None


def pass_many(data: bytes, count: int) -> dbus.Message | None:
    descriptor = os.open("/dev/null", os.O_RDONLY)
    with passing_connection() as connection:
        answer = pass_along(connection, data, [descriptor] * count)
    os.close(descriptor)
    return answer


class Descriptors(DaemonTest):
    def setUp(self):
        self.user = self.caller("user", USER)
        self.user.call("Ping", 1)
        self.before = self.daemon.descriptors()

    def tearDown(self):
        self.assertTrue(suite.eventually(lambda: self.daemon.descriptors() <= self.before),
                        f"{self.daemon.descriptors()} descriptors, {self.before} before")

    def test_a_call_with_descriptors_that_it_has_no_use_for_is_served(self):
        for count in (1, 16, MOST):
            answer = self.user.do(pass_many, dbus.encode(classic.message("Ping", 1, descriptors=count)), count)
            self.assertEqual(answer.type, dbus.RETURN)

    def test_a_method_that_is_not_there_is_named_though_it_came_with_a_descriptor(self):
        call = dbus.Message(path=classic.OBJECT, interface=classic.INTERFACE, member="NoSuchMethod", signature="sh",
                            body=("x", 0), descriptors=1)
        self.assertEqual(self.user.do(pass_many, dbus.encode(call), 1).error, classic.UNKNOWN)

    def test_malformed_messages_leave_no_descriptor_behind(self):
        bad = bytearray(dbus.encode(classic.message("Ping", 1, descriptors=16)))
        at = bad.index(b"cgmanager0_0")
        bad[at:at + 4] = b"...."
        for data in (bytes(bad), b"l" + bytes(200), dbus.encode(classic.message("Ping", 1))[:40]):
            for _ in range(10):
                self.user.do(pass_and_leave, data)

    def test_descriptors_before_authentication_are_not_kept(self):
        for _ in range(10):
            self.user.do(pass_while_authenticating)


def pass_and_leave(data: bytes) -> None:
    descriptor = os.open("/dev/null", os.O_RDONLY)
    with passing_connection() as connection:
        connection.socket.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor] * 16))])
    os.close(descriptor)


def pass_while_authenticating() -> None:
    descriptor = os.open("/dev/null", os.O_RDONLY)
    with caller.fresh_connection(authenticate=False) as connection:
        for line in (b"\0AUTH EXTERNAL\r\n", b"DATA\r\n", b"NEGOTIATE_UNIX_FD\r\n"):
            connection.socket.sendmsg([line], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor] * 16))])
            connection.line()
    os.close(descriptor)


class Fuse(DaemonTest):
    def test_a_file_that_cannot_be_closed_holds_up_nobody(self):
        if not os.access("/dev/fuse", os.W_OK):
            self.skipTest("there is no /dev/fuse here")
        attacker = self.caller("attacker")
        attacker.do(mount_and_pass, str(temporary_folder()))
        self.addCleanup(attacker.do, end_file_system)
        with self.daemon.connect(timeout=30) as other:
            self.assertIsNone(classic.call(other, "Ping", 1))


# A file system with one file, whose server answers everything but the flush of a file by anybody else than its opener.
_LOOKUP, _GETATTR, _OPEN, _FLUSH, _INIT = 1, 3, 14, 25, 26
_NO_ANSWER = (2, 36, 42)  # forget, interrupt, batched forget
_ENOSYS = 38


def serve_file_system(fuse: int, opener) -> None:
    while True:
        try:
            request = os.read(fuse, 1 << 17)
        except OSError:
            return
        _, code, unique, node, _, _, pid, _ = struct.unpack_from("<IIQQIIII", request)
        if code in _NO_ANSWER or (code == _FLUSH and pid != opener()):
            continue
        kind = stat.S_IFDIR | 0o755 if node == 1 and code != _LOOKUP else stat.S_IFREG | 0o644
        attributes = struct.pack("<6Q10I", 2 if code == _LOOKUP else node, 0, 0, 0, 0, 0, 0, 0, 0, kind, 1, 0, 0, 0, 4096, 0)
        answers = {
            _INIT: struct.pack("<4I2H2I2H8I", 7, 31, 65536, 0, 0, 0, 65536, 1, 0, 0, *[0] * 8)[:64],
            _LOOKUP: struct.pack("<4Q2I", 2, 1, 1, 1, 0, 0) + attributes,
            _GETATTR: struct.pack("<QII", 1, 0, 0) + attributes,
            _OPEN: struct.pack("<QII", 1, 0, 0),
            _FLUSH: b"",
        }
        body = answers.get(code, b"")
        os.write(fuse, struct.pack("<IiQ", 16 + len(body), 0 if code in answers else -_ENOSYS, unique) + body)


def mount_and_pass(folder: str) -> None:
    """In a caller: starts the file system's server, in a mount namespace of its own, and passes the file to the daemon
    from a child of that; waits until the daemon may have taken it."""
    ready, theirs = os.pipe()
    server = os.fork()
    if server == 0:
        try:
            libc.unshare(CLONE_NEWNS)
            libc.mount(None, b"/", None, MS_PRIVATE_REC, None)
            fuse = os.open("/dev/fuse", os.O_RDWR)
            options = f"fd={fuse},rootmode=40000,user_id=0,group_id=0".encode()
            if libc.mount(b"cgmt", folder.encode(), b"fuse", 0, options) != 0:
                raise OSError(ctypes.get_errno(), "mount")
            opener = os.fork()
            if opener == 0:
                os.close(fuse)
                with passing_connection() as connection:
                    file = os.open(f"{folder}/file", os.O_RDONLY)
                    answer = pass_along(connection, dbus.encode(classic.message("Ping", 1, descriptors=1)), [file])
                os.write(theirs, b"passed" if answer else b"ended")
                os._exit(0)
            serve_file_system(fuse, lambda: opener)
        finally:
            os._exit(1)
    os.close(theirs)
    caller.kept["server"] = server
    # A daemon that hangs does not answer: that is for the test to find out.
    readable, _, _ = select.select([ready], [], [], 10)
    if readable and not os.read(ready, 10):
        raise RuntimeError("the file system could not be mounted")
    os.close(ready)


def end_file_system() -> None:
    """In a caller: with its server the file system ends, and whoever waits for it is let go."""
    os.kill(caller.kept["server"], signal.SIGKILL)
    os.waitpid(caller.kept["server"], 0)
