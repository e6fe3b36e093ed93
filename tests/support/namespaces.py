# SPDX-License-Identifier: LGPL-2.1-or-later
"""Processes in namespaces that the test made, and what the kernel says of them, read without any code of ours. A
process ends when its standard input does: with the test at the latest, however that ends."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import unittest

import suite
from daemon import temporary_folder

SECONDS = 120  # of one command, on emulated machines
# By our names, in our order; what the kernel calls them.
KINDS = {"mount": "mnt", "uts": "uts", "ipc": "ipc", "pid": "pid", "net": "net", "user": "user", "cgroup": "cgroup",
         "time": "time"}


def inode(pid, kind: str) -> int:
    """The number of a namespace of a process; `kind` may also be pid_for_children."""
    return int(re.search(r"\d+", os.readlink(f"/proc/{pid}/ns/{KINDS.get(kind, kind)}"))[0])


def inodes(pid="self") -> dict[str, int]:
    return {kind: inode(pid, kind) for kind, file in KINDS.items() if os.path.lexists(f"/proc/{pid}/ns/{file}")}


def children(pid: int) -> list[int]:
    found = []
    for entry in os.listdir("/proc"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if entry.isdigit():
                fields = pathlib.Path(f"/proc/{entry}/stat").read_text(errors="replace").rsplit(")", 1)[1].split()
                if int(fields[1]) == pid:
                    found.append(int(entry))
    return sorted(found)


def as_user(uid: int, *groups: int) -> list[str]:
    """What a command line begins with to be run by this user, whose group has the same number."""
    further = ["--groups", ",".join(map(str, groups))] if groups else ["--clear-groups"]
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", *further, "--"]


def in_mount_namespace(script: str) -> list[str]:
    """What a command line begins with to be run in a mount namespace of its own, after a script."""
    return ["unshare", "--mount", "sh", "-ec", f'{script}; exec "$@"', "sh"]


class Inhabitant:
    """`prefix` is a command that executes, or starts and waits for, a shell which then waits: unshare(1), nsenter(1),
    any chain of them, or nothing. `pid` is the shell's, `pids` are all from the first to it; `words` stand behind it on
    its command line. `script` is what the shell does before; the children of it read its input as descriptor 3.
    `program` may take the shell's place: it has to say `ready`, and to end with its input."""

    def __init__(self, *prefix, words=(), script: str = "", program=None, **options):
        shell = ["sh", "-c", f"exec 3<&0; {script}\necho ready; read line", *words]
        self._start([*map(str, prefix), *(shell if program is None else program)], options)

    def _start(self, command: list, options: dict):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options)
        said = self.process.stdout.readline()
        if said != "ready\n":
            self.close()
            raise RuntimeError(f"{command} said '{said}', and ended with {self.process.returncode}")
        self.pids = [self.process.pid]
        while (below := children(self.pids[-1])):
            self.pids.append(below[0])

    @property
    def pid(self) -> int:
        return self.pids[-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self) -> None:
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(timeout=SECONDS)


class NamespaceTest(unittest.TestCase):
    """Runs cgm, a copy of it in a folder that everybody may enter."""

    @classmethod
    def setUpClass(cls):
        cls.folder = temporary_folder()
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.program = str(cls.folder / "cgm")
        shutil.copy(suite.program("cgm"), cls.program)

    def cgm(self, *arguments, prefix=(), status: int | None = 0, **options) -> subprocess.CompletedProcess:
        """`cgm ns ARGUMENTS`. Of any status, if that is None."""
        command = [*map(str, prefix), self.program, "ns", *map(str, arguments)]
        options = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": SECONDS} | options
        done = subprocess.run(command, **options)
        if status is not None:
            self.assertEqual(done.returncode, status, (command, done.stdout, done.stderr))
        return done

    def output(self, *arguments, **options) -> str:
        return self.cgm(*arguments, **options).stdout.rstrip("\n")

    def json(self, *arguments, **options):
        return json.loads(self.cgm(*arguments, "--json", **options).stdout)

    def entries(self, *arguments, **options) -> dict[int, dict]:
        """What `ns list` says, by number."""
        return {one["ns"]: one for one in self.json("list", *arguments, **options)["namespaces"]}

    def inhabitant(self, *prefix, **options) -> Inhabitant:
        """A process that ends with the test, if not before."""
        one = Inhabitant(*prefix, **options)
        self.addCleanup(one.close)
        return one

    def time_maker(self) -> Inhabitant:
        """A process whose children will be in a new time namespace; one that it executes would be there, too."""
        if not os.path.exists("/proc/self/ns/time"):
            self.skipTest("this kernel has no time namespaces")
        code = "import ctypes; assert ctypes.CDLL(None).unshare(0x80) == 0; print('ready', flush=True); input()"
        return self.inhabitant(program=["python3", "-c", code], stderr=subprocess.DEVNULL)

    def pin(self, source: str, name: str = "pin") -> str:
        """A file on which a namespace is mounted until the test ends."""
        file = self.folder / f"{name}-{self._testMethodName}"
        file.touch()
        subprocess.run(["mount", "--bind", source, str(file)], check=True)
        self.addCleanup(subprocess.run, ["umount", "--lazy", str(file)], check=True)
        return str(file)

    def other_root(self) -> tuple[str, list[str]]:
        """A folder that can be a root, with a file `marker` and a folder `inner`, and the beginning of a command line
        that has it furnished, in a mount namespace of its own."""
        root = self.folder / f"root-{self._testMethodName}"
        (root / "inner").mkdir(parents=True)
        (root / "marker").write_text("here\n")
        folders = [name for name in ("usr", "bin", "lib", "lib64", "proc") if os.path.exists(f"/{name}")]
        for name in folders:
            (root / name).mkdir()
        mounts = "; ".join(f"mount --rbind /{name} {root}/{name}" for name in folders)
        return str(root), in_mount_namespace(mounts)

    def gone_pid(self) -> int:
        """The pid of a process that has ended, and is reaped."""
        process = subprocess.Popen(["true"])
        process.wait()
        return process.pid
