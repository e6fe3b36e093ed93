# SPDX-License-Identifier: LGPL-2.1-or-later
"""A shell somewhere (in namespaces, in a cgroup), told one line after another from a test."""
import pathlib
import subprocess

import namespaces
import suite

END = "-- end of output --"


class Shell:
    """`sh` behind the words of `command`, started in the cgroup `place` of a sandbox."""

    def __init__(self, *command: str, sandbox=None, place: str | None = None, **options):
        join = (lambda: sandbox.join(place)) if place is not None else None
        self._process = subprocess.Popen([*command, "sh"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=subprocess.STDOUT, text=True, preexec_fn=join, **options)

    def run(self, line: str) -> str:
        """What it prints, on either stream."""
        self._process.stdin.write(f"{line}\necho '{END}'\n")
        self._process.stdin.flush()
        printed = []
        for got in self._process.stdout:
            if got.rstrip("\n").endswith(END):
                return "".join(printed) + got.rstrip("\n").removesuffix(END)
            printed.append(got)
        raise RuntimeError(f"it ended with {self._process.wait()}: {''.join(printed)}")

    @property
    def pid(self) -> int:
        """The shell's pid outside: that of the program that cgm has started, or put in its own place."""
        def name_of(pid: int) -> str:
            try:
                return pathlib.Path(f"/proc/{pid}/comm").read_text()
            except FileNotFoundError:
                return ""

        def find():
            pids = [self._process.pid, *namespaces.children(self._process.pid)]
            return next((pid for pid in pids if name_of(pid) == "sh\n"), None)
        return suite.eventually(find)

    def close(self) -> None:
        self._process.stdin.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
