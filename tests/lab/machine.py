# SPDX-License-Identifier: LGPL-2.1-or-later
"""One virtual machine of the lab: this host's root seen through an overlay, Debian's kernel, cgroups in one mode.

The guest runs one command. Its output comes over a virtio console to a file descriptor of the caller's, its exit status
and whatever else it writes to /run/lab/out over 9p into a folder of the host; everything else it writes is forgotten.
"""
import os
import pathlib
import shlex
import shutil
import subprocess
from typing import IO, NamedTuple

from kernel import Kernel, Unavailable

MODES = ("v1", "v2", "hybrid", "systemd")
TOOLS = pathlib.Path(__file__).resolve().parent
# In the order of their needs.
MODULES = ("virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_console virtio_blk netfs "
           "fscache 9pnet 9pnet_virtio 9p overlay").split()
SYSTEMD = "/lib/systemd/systemd"
DISK_BYTES = 256 << 20  # /dev/vda: empty, for tests that need a block device


class Guest(NamedTuple):
    mode: str  # how the cgroup trees are mounted: one of MODES; `systemd`: v2, by Debian's systemd as process 1
    source: pathlib.Path
    build: pathlib.Path
    folder: pathlib.Path  # of the host, for this machine alone: initramfs, console.log, out/

    @property
    def out(self) -> pathlib.Path:
        return self.folder / "out"

    @property
    def console(self) -> pathlib.Path:
        return self.folder / "console.log"


class Ended(NamedTuple):
    status: int | None  # of the command; None where the guest ended, or was ended, before the command did
    late: bool  # killed at the deadline


def qemu() -> str:
    found = shutil.which("qemu-system-x86_64")
    if os.uname().machine != "x86_64":
        raise Unavailable("the lab's kernel is for x86-64 alone")
    if not found:
        raise Unavailable("qemu-system-x86_64 is not installed (package qemu-system-x86)")
    return found


def busybox() -> pathlib.Path:
    found = shutil.which("busybox")
    if not found or b"/lib64/ld-linux" in pathlib.Path(found).read_bytes()[:4096]:
        raise Unavailable("no static busybox is installed (package busybox-static)")
    return pathlib.Path(found)


def run(guest: Guest, kernel: Kernel, command: str, output: IO | None, seconds: float) -> Ended:
    """Boots, runs `command` (a bash script) there, waits for power-off; at most `seconds`.

    `output` None: an interactive shell on this terminal instead of the command.
    """
    if guest.mode == "systemd" and not os.access(SYSTEMD, os.X_OK):
        raise Unavailable("systemd is not installed")
    shutil.rmtree(guest.folder, ignore_errors=True)
    guest.out.mkdir(parents=True)
    (guest.out / "command").write_text(command)
    _write_initramfs(guest, kernel, interactive=output is None)
    disk = guest.folder / "disk"
    with open(disk, "wb") as file:
        file.truncate(DISK_BYTES)
    # pdeathsig: no guest outlives us, however we end.
    arguments = ["setpriv", "--pdeathsig", "KILL", qemu(), "-M", "q35", "-cpu", "max", "-smp", "2", "-m", os.environ.get("CGM_LAB_MEMORY", "1024"),
                 "-accel", os.environ.get("CGM_LAB_ACCEL", "tcg,thread=multi"),
                 "-nodefaults", "-no-user-config", "-nographic", "-no-reboot", "-rtc", "base=utc",
                 "-kernel", str(kernel.image), "-initrd", str(guest.folder / "initramfs"),
                 "-append", "console=ttyS0 quiet panic=-1 mitigations=off nokaslr tsc=reliable",
                 "-drive", f"file={_comma(disk)},format=raw,if=virtio",
                 *_share("host", pathlib.Path("/"), writable=False),
                 *_share("modules", kernel.modules, writable=False),
                 *_share("out", guest.out, writable=True)]
    if output is None:
        arguments += ["-chardev", "stdio,id=terminal,signal=off", "-serial", "chardev:terminal"]
    else:
        arguments += ["-chardev", f"file,id=console,path={_comma(guest.console)}", "-serial", "chardev:console",
                      "-device", "virtio-serial-pci",
                      "-chardev", "stdio,id=output,signal=off", "-device", "virtconsole,chardev=output"]
    process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL if output else None, stdout=output)
    late = False
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        late = True
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        disk.unlink()
    return Ended(_status(guest.out / "status"), late)


def _status(file: pathlib.Path) -> int | None:
    text = file.read_text().strip() if file.exists() else ""
    return int(text) if text.isdigit() else None


def _comma(path: pathlib.Path) -> str:
    return str(path).replace(",", ",,")  # qemu's own escape


def _share(tag: str, folder: pathlib.Path, writable: bool) -> list[str]:
    options = f"local,id={tag},path={_comma(folder)},security_model=none,multidevs=remap"
    return ["-fsdev", options if writable else options + ",readonly=on",
            "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]


def _write_initramfs(guest: Guest, kernel: Kernel, interactive: bool) -> None:
    root = guest.folder / "initramfs.d"
    for folder in ("bin", "modules"):
        (root / folder).mkdir(parents=True)
    shutil.copy(busybox(), root / "bin/busybox")
    shutil.copy(TOOLS / "guest/init", root / "init")
    (root / "init").chmod(0o755)
    for name in MODULES:
        shutil.copy(next(kernel.modules.rglob(f"{name}.ko")), root / "modules")
    size = shutil.get_terminal_size()
    conf = {"MODE": guest.mode, "SOURCE": guest.source, "BUILD": guest.build, "TOOLS": TOOLS,
            "MODULES": " ".join(MODULES), "INTERACTIVE": "1" if interactive else "",
            "SCREEN": f"rows {size.lines} columns {size.columns}", "TERMINAL": os.environ.get("TERM", "vt100")}
    (root / "lab.conf").write_text("".join(f"{key}={shlex.quote(str(value))}\n" for key, value in conf.items()))
    names = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
    with open(guest.folder / "initramfs", "wb") as archive:
        subprocess.run([str(busybox()), "cpio", "-o", "-H", "newc"], cwd=root, input=names.encode(), stdout=archive,
                       stderr=subprocess.DEVNULL, check=True)
    shutil.rmtree(root)
