# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where a test may work: one cgroup of its own in every hierarchy, below the cgroup that the test was started in, gone
when the test ends, also when it fails. The same idea as sandbox.hpp, read from the kernel without any code of ours."""
import atexit
import contextlib
import fcntl
import itertools
import os
import pathlib
import signal
import unittest
from typing import Iterator, NamedTuple

from suite import eventually

LEAF = ".cgm_leaf"
NOTE_OF_ENABLED = "trusted.cgmanager.enabled."  # a daemon's
ENABLED_BEFORE = "trusted.cgmt.enabled"


class Hierarchy(NamedTuple):
    version: int
    controllers: tuple[str, ...]  # v1: mounted together, `name=X` for a named one; v2: what the root offers
    mount: pathlib.Path
    own: str  # the test's own cgroup below the mount, `` for its root

    @property
    def label(self) -> str:
        """As the daemon lists it."""
        return ",".join(sorted(self.controllers, key=lambda name: name.removeprefix("name="))) or "unified"

    @property
    def tasks_file(self) -> str:
        return "tasks" if self.version == 1 else "cgroup.procs"

    def serves(self, controller: str) -> bool:
        names = [name.removeprefix("name=") for name in self.controllers]
        if self.version == 2:
            controller = {"blkio": "io", "cpuacct": "cpu"}.get(controller, controller)
            return controller in names or controller in ("unified", "freezer", "devices", "systemd")
        return controller.removeprefix("name=") in names


def hierarchies() -> list[Hierarchy]:
    """Those mounted here for everybody, v1 before v2; of several mounts of one the first that shows its root."""
    cgroups = {}
    for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        cgroups[frozenset(filter(None, controllers.split(",")))] = path
    found = {}
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        left, right = line.split(" - ", 1)
        root, mount = left.split()[3:5]
        kind, _, options = right.split()[:3]
        if root != "/" or kind not in ("cgroup", "cgroup2"):
            continue
        if kind == "cgroup":
            key = next((key for key in cgroups if key and key <= set(options.split(","))), None)
        else:
            key = frozenset() if frozenset() in cgroups else None
        if key is None or key in found:
            continue
        names = tuple(key) or tuple((pathlib.Path(mount) / "cgroup.controllers").read_text().split())
        found[key] = Hierarchy(1 if key else 2, names, pathlib.Path(mount), cgroups[key].strip("/"))
    return sorted(found.values(), key=lambda one: (one.version, one.label))


def read(file: pathlib.Path) -> str:
    return file.read_text().rstrip("\n")


def pids(directory: pathlib.Path, file: str = "cgroup.procs") -> list[int]:
    """The ids listed in one cgroup, a leaf's not among them."""
    return [int(line) for line in (directory / file).read_text().split()]


def give(directory: pathlib.Path, uid: int, gid: int) -> None:
    """Hands a cgroup over as an administrator delegates it: the directory and what moves tasks, never a limit."""
    files = ("", "tasks", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control")
    for file in files:
        if (directory / file).exists():
            os.chown(directory / file, uid, gid)


class Sandbox:
    """A cgroup `cgmt-PID-N` in each hierarchy; on v2 with all controllers enabled for its children that the kernel
    lets us enable. Paths are given `below` it."""

    _numbers = itertools.count()

    def __init__(self):
        self.hierarchies = hierarchies()
        self.name = f"cgmt-{os.getpid()}-{next(self._numbers)}"
        self._owner = os.getpid()
        atexit.register(self.close)
        for one in self.hierarchies:
            with _alone_in(one):
                if one.version == 2:
                    _remember_what_is_enabled(one)
                self._make(one, self._root(one))
            if one.version == 2:
                for controller in one.controllers:
                    try:
                        (self._root(one) / "cgroup.subtree_control").write_text(f"+{controller}")
                    except OSError:
                        pass  # usable() tells

    def hierarchy(self, controller: str) -> Hierarchy | None:
        """v1 where it is mounted there, else the v2 tree if that has it."""
        return next((one for one in self.hierarchies if one.serves(controller)), None)

    def version(self, controller: str) -> int:
        return self.hierarchy(controller).version

    def usable(self, controller: str) -> bool:
        one = self.hierarchy(controller)
        if one is None or one.version == 1 or controller not in one.controllers:
            return one is not None
        return controller in read(self._root(one) / "cgroup.subtree_control").split()

    def require(self, *controllers: str, version: int | None = None) -> None:
        """Skips the test where one of them cannot be used, or not with this version."""
        for controller in controllers:
            if not self.usable(controller):
                raise unittest.SkipTest(f"controller {controller} cannot be used here")
            if version and self.version(controller) != version:
                raise unittest.SkipTest(f"controller {controller} is on v{self.version(controller)} here")

    def dir(self, controller: str, below: str = "") -> pathlib.Path:
        return self._root(self.hierarchy(controller)) / below

    def path(self, controller: str, below: str = "") -> str:
        """The cgroup's name from the hierarchy's root, as /proc/PID/cgroup shows it."""
        one = self.hierarchy(controller)
        return "/" + str(self.dir(controller, below).relative_to(one.mount))

    def make(self, controller: str, below: str, uid: int = 0, gid: int | None = None) -> pathlib.Path:
        """Makes a cgroup, and its parents, in one hierarchy; the last one is given to uid:gid."""
        one = self.hierarchy(controller)
        directory = self._root(one)
        for component in pathlib.PurePosixPath(below).parts:
            directory /= component
            self._make(one, directory)
        if uid or gid:
            give(directory, uid, uid if gid is None else gid)
        return directory

    def place(self, below: str, uid: int = 0, gid: int | None = None) -> None:
        """Makes a cgroup in every hierarchy, given to uid:gid, for a caller to sit in."""
        for one in self.hierarchies:
            self.make(one.controllers[0] if one.controllers else "unified", below, uid, gid)

    def join(self, below: str) -> None:
        """Moves the calling process (of one thread) there, in every hierarchy."""
        for one in self.hierarchies:
            place = self._root(one) / below
            if (place / LEAF).exists():  # an inner cgroup's tasks live there
                place /= LEAF
            (place / one.tasks_file).write_text("0")

    def leftovers(self) -> list[str]:
        """What is below the sandbox, in every hierarchy."""
        return sorted(str(path) for one in self.hierarchies for path in self._below(self._root(one)))

    def close(self) -> None:
        """Kills the processes below it, all of them ours, and removes everything. Once, and only where it was made."""
        if os.getpid() != self._owner:
            return
        atexit.unregister(self.close)
        for one in self.hierarchies:
            _kill_and_remove(self._root(one))
            if one.version == 2:
                with _alone_in(one):
                    _disable_what_a_daemon_enabled(one)

    def _root(self, one: Hierarchy) -> pathlib.Path:
        return one.mount / one.own / self.name

    @staticmethod
    def _make(one: Hierarchy, directory: pathlib.Path) -> None:
        if directory.exists():
            return
        directory.mkdir(0o755)
        if one.version == 1 and "cpuset" in one.controllers:
            for key in ("cpuset.cpus", "cpuset.mems"):  # without them it takes no task
                (directory / key).write_text(read(directory.parent / key))

    @staticmethod
    def _below(directory: pathlib.Path) -> Iterator[pathlib.Path]:
        for folder, children, _ in os.walk(directory):
            yield from (pathlib.Path(folder) / child for child in children)


@contextlib.contextmanager
def _alone_in(one: Hierarchy) -> Iterator[None]:
    """Holds back other tests that make or remove their sandbox there."""
    descriptor = os.open(one.mount / one.own, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _above(one: Hierarchy) -> list[pathlib.Path]:
    """Where sandboxes are made, and the cgroups above that."""
    place = one.mount / one.own
    return [place, *(parent for parent in place.parents if parent.is_relative_to(one.mount))]


def _remember_what_is_enabled(one: Hierarchy) -> None:
    """By the first sandbox of those that there are at a time."""
    for directory in _above(one):
        if ENABLED_BEFORE not in os.listxattr(directory):
            os.setxattr(directory, ENABLED_BEFORE, read(directory / "cgroup.subtree_control").encode())


def _disable_what_a_daemon_enabled(one: Hierarchy) -> None:
    """By the last one: a daemon enables controllers from the root down to its caller's cgroup, notes that, and does not
    disable them while a cgroup is left there, which ours are for it."""
    if any((one.mount / one.own).glob("cgmt-*")):
        return
    for directory in _above(one):
        before = os.getxattr(directory, ENABLED_BEFORE).decode().split()
        for controller in read(directory / "cgroup.subtree_control").split():
            note = NOTE_OF_ENABLED + controller
            if controller not in before and note in os.listxattr(directory):
                (directory / "cgroup.subtree_control").write_text(f"-{controller}")
                os.removexattr(directory, note)
        os.removexattr(directory, ENABLED_BEFORE)


def _kill_and_remove(directory: pathlib.Path) -> None:
    if not directory.exists():
        return
    for key, thawed in (("freezer.state", "THAWED"), ("cgroup.freeze", "0")):
        if (directory / key).exists():
            (directory / key).write_text(thawed)
    for child in directory.iterdir():
        if child.is_dir():
            _kill_and_remove(child)

    def gone() -> bool:
        try:
            for pid in pids(directory):
                if pid not in (0, 1, os.getpid()):
                    os.kill(pid, signal.SIGKILL)
            directory.rmdir()
        except FileNotFoundError:
            return True
        except (OSError, ProcessLookupError):
            return False
        return True

    if not eventually(gone):
        raise RuntimeError(f"{directory} cannot be removed: it holds {pids(directory)}")
