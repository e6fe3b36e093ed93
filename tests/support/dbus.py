# SPDX-License-Identifier: LGPL-2.1-or-later
"""D-Bus without a bus, from the client's side and from the specification alone: messages to bytes and back, and a
connection that can also be told to misbehave. Nothing here knows what the daemon's methods mean.

https://dbus.freedesktop.org/doc/dbus-specification.html
"""
import dataclasses
import os
import socket
import struct
import time
from typing import Any

CALL, RETURN, ERROR, SIGNAL = 1, 2, 3, 4
NO_REPLY_EXPECTED = 1

_KERNEL = tuple(map(int, os.uname().release.split("-")[0].split(".")[:2]))
_FIXED = {"y": ("B", 1), "b": ("I", 4), "n": ("h", 2), "q": ("H", 2), "i": ("i", 4), "u": ("I", 4), "x": ("q", 8),
          "t": ("Q", 8), "d": ("d", 8), "h": ("I", 4)}
_ALIGNMENT = {"s": 4, "o": 4, "g": 1, "a": 4, "(": 8, "{": 8, "v": 1} | {t: size for t, (_, size) in _FIXED.items()}
# Header fields: code, type, attribute of Message.
_FIELDS = [(1, "o", "path"), (2, "s", "interface"), (3, "s", "member"), (4, "s", "error"), (5, "u", "reply_to"),
           (6, "s", "destination"), (7, "s", "sender"), (8, "g", "signature"), (9, "u", "descriptors")]


class Broken(Exception):
    """The connection ended, or what came is no D-Bus."""


class Refused(Exception):
    """An error reply: `name`, and `text` as its first argument says it."""

    def __init__(self, name: str, text: str):
        super().__init__(name, text)
        self.name, self.text = name, text

    def __str__(self):
        return f"{self.name}: {self.text}"


@dataclasses.dataclass
class Message:
    type: int = CALL
    serial: int = 1
    flags: int = 0
    path: str = ""
    interface: str = ""
    member: str = ""
    error: str = ""
    reply_to: int = 0
    destination: str = ""
    sender: str = ""
    signature: str = ""
    descriptors: int = 0
    body: tuple = ()
    order: str = "<"  # or ">": big endian


def _one_type(signature: str) -> tuple[str, str]:
    """The first complete type of a signature, and the rest."""
    if signature[0] == "a":
        element, rest = _one_type(signature[1:])
        return "a" + element, rest
    if signature[0] not in "({":
        return signature[0], signature[1:]
    depth = 0
    for end, char in enumerate(signature):
        depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(char, 0)
        if depth == 0:
            return signature[:end + 1], signature[end + 1:]
    raise ValueError(f"signature {signature!r} does not end")


class _Writer:
    def __init__(self, order: str):
        self.order, self.data = order, bytearray()

    def align(self, to: int) -> None:
        self.data += bytes(-len(self.data) % to)

    def write(self, signature: str, values) -> None:
        values = list(values)
        while signature:
            kind, signature = _one_type(signature)
            self._one(kind, values.pop(0))
        if values:
            raise ValueError(f"{len(values)} values more than the signature has types")

    def _one(self, kind: str, value) -> None:
        self.align(_ALIGNMENT[kind[0]])
        if kind in _FIXED:
            self.data += struct.pack(self.order + _FIXED[kind][0], value)
        elif kind in "sog":
            text = value if isinstance(value, bytes) else value.encode()
            self.data += struct.pack(self.order + ("B" if kind == "g" else "I"), len(text)) + text + b"\0"
        elif kind == "v":
            self.write("g", [value[0]])
            self.write(value[0], [value[1]])
        elif kind[0] == "a":
            self._array(kind[1:], value)
        else:
            self.write(kind[1:-1], value)

    def _array(self, element: str, values) -> None:
        length_at = len(self.data)
        self.data += bytes(4)
        self.align(_ALIGNMENT[element[0]])
        begin = len(self.data)
        for value in values:
            self._one(element, value)
        struct.pack_into(self.order + "I", self.data, length_at, len(self.data) - begin)


class _Reader:
    def __init__(self, data: bytes, order: str, at: int = 0):
        self.data, self.order, self.at = data, order, at

    def align(self, to: int) -> None:
        self.at += -self.at % to

    def read(self, signature: str) -> tuple:
        values = []
        while signature:
            kind, signature = _one_type(signature)
            values.append(self._one(kind))
        return tuple(values)

    def _unpack(self, code: str, size: int):
        value, = struct.unpack_from(self.order + code, self.data, self.at)
        self.at += size
        return value

    def _one(self, kind: str) -> Any:
        self.align(_ALIGNMENT[kind[0]])
        if kind in _FIXED:
            return self._unpack(*_FIXED[kind])
        if kind in "sog":
            length = self._unpack(*(("B", 1) if kind == "g" else ("I", 4)))
            text = self.data[self.at:self.at + length]
            self.at += length + 1
            return text.decode()
        if kind == "v":
            return self.read(self.read("g")[0])[0]
        if kind[0] != "a":
            return self.read(kind[1:-1])
        length = self._unpack("I", 4)
        self.align(_ALIGNMENT[kind[1]])
        end, values = self.at + length, []
        while self.at < end:
            values.append(self._one(kind[1:]))
        return values


def encode(message: Message) -> bytes:
    body = _Writer(message.order)
    body.write(message.signature, message.body)
    fields = [(code, (kind, getattr(message, name))) for code, kind, name in _FIELDS if getattr(message, name)]
    header = _Writer(message.order)
    header.write("yyyyuua(yv)", [ord("l" if message.order == "<" else "B"), message.type, message.flags, 1,
                                 len(body.data), message.serial, fields])
    header.align(8)
    return bytes(header.data + body.data)


def decode(data: bytes) -> tuple[Message, int] | None:
    """The first message in `data` and its length; None while it is incomplete."""
    if len(data) < 16:
        return None
    order = {ord("l"): "<", ord("B"): ">"}.get(data[0])
    if order is None or data[3] != 1:
        raise Broken(f"no message: {data[:16]!r}")
    body_length, serial, fields_length = struct.unpack_from(order + "III", data, 4)
    begin = 16 + fields_length + -fields_length % 8
    if len(data) < begin + body_length:
        return None
    message = Message(type=data[1], flags=data[2], serial=serial, order=order)
    names = {code: name for code, _, name in _FIELDS}
    for code, value in _Reader(data, order, 12).read("a(yv)")[0]:
        if code in names:
            setattr(message, names[code], value)
    message.body = _Reader(data, order, begin).read(message.signature)
    return message, begin + body_length


class Connection:
    """A client's connection. Each wait has a deadline of `timeout` seconds; `patience` is how many it waits longer before each
    further attempt."""

    def __init__(self, path: str, timeout: float = 60, authenticate: bool = True, patience: float = 0):
        self._serial = 0
        self._connect(path, timeout)
        # Before Linux 6.5 the daemon closes what waited while it was busy, which an emulated machine often is.
        for attempt in range(10 if authenticate else 0):
            try:
                return self.authenticate()
            except Broken:
                if attempt == 9 or _KERNEL >= (6, 5):
                    raise
                self.socket.close()
                time.sleep(patience * attempt)  # until it is less busy: nothing tells
                self._connect(path, timeout)

    def _connect(self, path: str, timeout: float) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(path)
        self._in = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Broken("the daemon closed the connection") from error

    def _more(self) -> None:
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionResetError:
            data = b""
        if not data:
            raise Broken("the daemon closed the connection")
        self._in += data

    def line(self) -> str:
        """A line of the daemon's side of the authentication."""
        while b"\r\n" not in self._in:
            self._more()
        line, self._in = self._in.split(b"\r\n", 1)
        return line.decode()

    def say(self, line: str) -> str:
        """Sends a line of authentication and returns the answer."""
        self.send(line.encode() + b"\r\n")
        return self.line()

    def authenticate(self) -> None:
        self.send(b"\0")
        answer = self.say("AUTH EXTERNAL " + str(os.geteuid()).encode().hex())
        if not answer.startswith("OK "):
            raise Broken(f"authentication: {answer}")
        self.send(b"BEGIN\r\n")

    def next_serial(self) -> int:
        self._serial += 1
        return self._serial

    def receive(self) -> Message:
        while (found := decode(self._in)) is None:
            self._more()
        message, length = found
        self._in = self._in[length:]
        return message

    def ask(self, message: Message) -> Message:
        """Sends a call, with a fresh serial, and returns its reply as it came."""
        message.serial = self.next_serial()
        self.send(encode(message))
        reply = self.receive()
        if reply.reply_to != message.serial:
            raise Broken(f"an answer to {reply.reply_to} came for {message.serial}")
        return reply

    def call(self, path: str, interface: str, member: str, signature: str = "", *body) -> Any:
        """Calls a method; returns what it answers: None, one value, or a tuple. Raises Refused."""
        reply = self.ask(Message(path=path, interface=interface, member=member, signature=signature, body=body))
        if reply.type == ERROR:
            raise Refused(reply.error, reply.body[0] if reply.body else "")
        return reply.body[0] if len(reply.body) == 1 else reply.body or None

    def is_closed(self, seconds: float = 60) -> bool:
        """True once the daemon has closed the connection, whatever it sent before."""
        self.socket.settimeout(seconds)
        try:
            while self.socket.recv(1 << 16):
                pass
        except ConnectionResetError:
            pass
        except TimeoutError:
            return False
        return True
