# SPDX-License-Identifier: LGPL-2.1-or-later
"""A cgmanager of the test's own: started on a private socket, watched from outside, and stopped by its pid."""
import atexit
import os
import pathlib
import select
import shutil
import signal
import subprocess
import tempfile
import time

import dbus
import suite

START_SECONDS = 60
STOP_SECONDS = 60


def temporary_folder() -> pathlib.Path:
    """An empty folder that every user may enter; removed at exit if not before."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="cgmt-"))
    folder.chmod(0o755)
    owner = os.getpid()
    atexit.register(lambda: os.getpid() == owner and shutil.rmtree(folder, ignore_errors=True))
    return folder


class Daemon:
    """Runs from the constructor, which waits until it is ready, to stop().

    `config` is the text of its configuration; by default it mounts nothing. `options` are added to the command line,
    `prefix` is a command that executes it. Without `private` it serves the usual sockets, which is for a prefix that
    gives it a mount namespace of its own.
    """

    def __init__(self, *options: str, config: str = "", environment: dict | None = None, folder=None, prefix=(),
                 private: bool = True):
        self._stopped = False
        self.folder = folder or temporary_folder()
        self._owns_folder = folder is None
        self.socket = str(self.folder / "run/sock")
        self.config = self.folder / "cgmanager.conf"
        self.configure(config)
        self.log_file = self.folder / "log"
        ready, write_end = os.pipe()
        sockets = ["--socket", self.socket] if private else []
        command = [*prefix, suite.program("cgmanager"), *sockets, "--config", str(self.config), "--ready-fd",
                   str(write_end), *options]
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            pass_fds=(write_end,), env=os.environ | (environment or {}))
        atexit.register(self._end)
        os.close(write_end)
        try:
            readable, _, _ = select.select([ready], [], [], START_SECONDS)
            if not readable or os.read(ready, 1) != b"\n":
                raise RuntimeError(f"the daemon did not get ready: {self.log()}")
        except RuntimeError:
            self._end()
            raise
        finally:
            os.close(ready)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def pid(self) -> int:
        return self.process.pid

    def configure(self, text: str) -> None:
        """Writes the configuration; reload() has it read."""
        if "mount_unified" not in text:
            text += "\n[hierarchies]\nmount_unified = false\n"
        self.config.write_text(text)

    def reload(self) -> None:
        """Sends SIGHUP and waits until the log says how that went."""
        before = self.log().count("configuration")
        self.process.send_signal(signal.SIGHUP)
        if not suite.eventually(lambda: self.log().count("configuration") > before):
            raise RuntimeError("the daemon said nothing to SIGHUP")

    def connect(self, **options) -> dbus.Connection:
        return dbus.Connection(self.socket, **options)

    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def rss_kb(self) -> int:
        """0 in a build with sanitizers, which keep what was freed: there the leak checker looks after memory."""
        if suite.is_sanitized():
            return 0
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def load(self) -> float:
        """The share of one processor that it uses during the second that this takes."""
        def ticks() -> int:
            fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
            return int(fields[11]) + int(fields[12])

        before, begun = ticks(), time.monotonic()
        time.sleep(1)
        return (ticks() - before) / os.sysconf("SC_CLK_TCK") / (time.monotonic() - begun)

    def stop(self, sign: int = signal.SIGTERM) -> int:
        """Signals it and returns its exit status; close() then has nothing to say."""
        self._stopped = True
        if self.process.poll() is None:
            self.process.send_signal(sign)
        return self.process.wait(timeout=STOP_SECONDS)

    def close(self) -> None:
        """Stops it; raises where it had died before, or does not stop cleanly."""
        stopped, died = self._stopped, self.process.poll() is not None
        status = self.stop()
        log = self.log()
        self._end()
        if not stopped and (died or status != 0):
            raise AssertionError(f"the daemon {'had ended' if died else 'stopped'} with {status}: {log}")

    def _end(self) -> None:
        atexit.unregister(self._end)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self._owns_folder:
            shutil.rmtree(self.folder, ignore_errors=True)
