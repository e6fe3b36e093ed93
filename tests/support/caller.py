# SPDX-License-Identifier: LGPL-2.1-or-later
"""Callers: processes of any uid, gid and groups, in any cgroup of a sandbox, that do what the test tells them."""
import atexit
import ctypes
import multiprocessing
import os
import signal
import subprocess
import threading
import time
import traceback

import classic
import dbus

ANSWER_SECONDS = 120
_PR_SET_PDEATHSIG = 1


def _die_with_parent() -> None:
    """In a child, once it has its ids (a change of them undoes this): the parent's end is its own, without a word."""
    for ending in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
        signal.signal(ending, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Caller:
    """A child process; it sits in the cgroup `place` of the sandbox, in every hierarchy, and has the ids given.

    `call()` is a request over a connection of its own, made at the first one; `do()` runs any function there."""

    def __init__(self, sandbox, daemon=None, place: str = "caller", uid: int = 0, gid: int | None = None, groups=()):
        self.uid, self.gid = uid, uid if gid is None else gid
        socket = daemon.socket if daemon else None
        self._pipe, theirs = multiprocessing.Pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                self._pipe.close()
                sandbox.join(place)
                os.setgroups(list(groups))
                os.setresgid(self.gid, self.gid, self.gid)
                os.setresuid(uid, uid, uid)
                _die_with_parent()
                _serve(theirs, socket)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(1)
        theirs.close()
        atexit.register(self.close)
        self.do(os.getpid)  # it sits where it should

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def do(self, function, *arguments):
        """Runs a function (named at the top of a module) in the caller; its result, or its exception, comes back."""
        self.begin(function, *arguments)
        return self.finish()

    def begin(self, function, *arguments) -> None:
        """As do(), without waiting for it; finish() has to follow."""
        self._pipe.send((function, arguments))

    def is_done(self) -> bool:
        return self._pipe.poll(0)

    def finish(self):
        if not self._pipe.poll(ANSWER_SECONDS):
            raise TimeoutError(f"the caller has not answered for {ANSWER_SECONDS} s")
        ok, value = self._pipe.recv()
        if not ok:
            raise value
        return value

    def call(self, member: str, *arguments):
        """A classic request. Raises dbus.Refused."""
        return self.do(_call, member, *arguments)

    def run(self, command, **environment) -> subprocess.CompletedProcess:
        """Runs a program as the caller, and returns its status and output as text."""
        return self.do(_run, command, environment)

    def close(self) -> None:
        atexit.unregister(self.close)
        if self.pid == 0:
            return
        pid, self.pid = self.pid, 0
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        self._pipe.close()


# In a caller's own process: what functions that it was told to run keep from one order to the next, by name.
kept: dict = {}


def _serve(pipe, socket) -> None:
    kept["socket"] = socket
    while True:
        try:
            function, arguments = pipe.recv()
        except EOFError:
            return
        try:
            answer = (True, function(*arguments))
        except Exception as error:
            answer = (False, error)
        pipe.send(answer)


def connection() -> dbus.Connection:
    """In a caller: its own connection."""
    if "connection" not in kept:
        kept["connection"] = fresh_connection()
    return kept["connection"]


def fresh_connection(**options) -> dbus.Connection:
    """In a caller: another connection to the same daemon."""
    return dbus.Connection(kept["socket"], **options)


def _call(member, *arguments):
    return classic.call(connection(), member, *arguments)


def _run(command, environment):
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=ANSWER_SECONDS,
                          env=os.environ | environment)


class Sleeper:
    """A process that does nothing, of any uid, in any cgroup; `threads` more sleep beside its first one."""

    def __init__(self, sandbox, place: str, uid: int = 0, threads: int = 0):
        ready, theirs = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                sandbox.join(place)
                os.setgroups([])
                os.setresgid(uid, uid, uid)
                os.setresuid(uid, uid, uid)
                _die_with_parent()
                _start_threads(threads)
                os.write(theirs, b"\n")
                while True:
                    signal.pause()
            finally:
                os._exit(1)
        os.close(theirs)
        atexit.register(self.close)
        started = os.read(ready, 1)
        os.close(ready)
        if not started:
            raise RuntimeError(f"no process could be started in '{place}'")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def tasks(self) -> list[int]:
        """Its thread ids, the process' own among them."""
        return sorted(map(int, os.listdir(f"/proc/{self.pid}/task")))

    def close(self) -> None:
        atexit.unregister(self.close)
        if self.pid:
            pid, self.pid = self.pid, 0
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _start_threads(count: int) -> None:
    started = [threading.Event() for _ in range(count)]

    def sleep(event):
        event.set()
        while True:
            time.sleep(3600)

    for event in started:
        threading.Thread(target=sleep, args=(event,), daemon=True).start()
    for event in started:
        event.wait()
