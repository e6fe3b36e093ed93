# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where the lab's kernel comes from: Debian's 6.1 image with its modules, unpacked into a cache, never installed.

The cache is $CGM_LAB_CACHE, else $XDG_CACHE_HOME/cgmanager/lab, else ~/.cache/cgmanager/lab. What it holds is used as
it is; the network is asked only when it is empty.
"""
import fcntl
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
from typing import NamedTuple


class Unavailable(Exception):
    """The lab cannot run here; the text says what is missing."""


class Kernel(NamedTuple):
    release: str
    image: pathlib.Path
    modules: pathlib.Path  # the folder of lib/modules/RELEASE


def cache_folder() -> pathlib.Path:
    if "CGM_LAB_CACHE" in os.environ:
        return pathlib.Path(os.environ["CGM_LAB_CACHE"])
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return pathlib.Path(base) / "cgmanager" / "lab"


def obtain() -> Kernel:
    """The newest kernel in the cache, fetched first where the cache is empty. Raises Unavailable."""
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # boots and shells of several build trees share the cache
        kernel = _newest(cache)
        if kernel is None:
            _fetch(cache)
            kernel = _newest(cache)
    if kernel is None:
        raise Unavailable(f"no kernel image in {cache} after unpacking Debian's package")
    return kernel


def _newest(cache: pathlib.Path) -> Kernel | None:
    found = []
    for image in cache.glob("linux-image-*/boot/vmlinuz-*"):
        release = image.name.removeprefix("vmlinuz-")
        modules = image.parent.parent / "lib/modules" / release
        if (modules / "modules.dep").exists():
            found.append(Kernel(release, image, modules))
    return max(found, default=None, key=lambda kernel: [int(n) for n in re.findall(r"\d+", kernel.release)])


def _run(*command: str, cwd: pathlib.Path | None = None) -> str:
    try:
        done = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900)
    except FileNotFoundError as error:
        raise Unavailable(f"{command[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"'{' '.join(command)}' did not end within 15 minutes") from error
    if done.returncode != 0:
        raise Unavailable(f"'{' '.join(command)}' failed: {(done.stderr or done.stdout).strip()[-500:]}")
    return done.stdout


def _fetch(cache: pathlib.Path) -> None:
    depends = _run("apt-cache", "depends", "linux-image-amd64")
    name = re.search(r"Depends: (linux-image-6\.1\.\S+-amd64)", depends)
    if not name:
        raise Unavailable("apt knows no linux-image-amd64 of Debian 12 (apt-get update?)")
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        work = pathlib.Path(folder)
        _run("apt-get", "download", "-o", "APT::Sandbox::User=root", name.group(1), cwd=work)
        package = next(work.glob("*.deb"))
        _run("dpkg", "-x", str(package), "root", cwd=work)
        release = name.group(1).removeprefix("linux-image-")
        _run(*_depmod(), "-b", str(work / "root"), release)
        target = cache / name.group(1)
        shutil.rmtree(target, ignore_errors=True)
        (work / "root").rename(target)


def _depmod() -> list[str]:
    # The guest's modprobe is the host's: kmod reads only the index that kmod's depmod writes, busybox reads any.
    tool = shutil.which("depmod", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    return [tool] if tool else ["busybox", "depmod"]
