# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who is let in while the daemon is busy. Before Linux 6.5 it cannot tell a client from a later process of the same pid,
so it turns away who may have waited long in the accept queue; nobody else."""
import pathlib
import signal
import time

import classic
import dbus
from suite import eventually
from testcase import DaemonTest

CALLS, STOPS, STOP_SECONDS = 500, 5, 0.2


class WhileItWorks(DaemonTest):
    def is_stopped(self) -> bool:
        return ") T " in pathlib.Path(f"/proc/{self.daemon.pid}/stat").read_text()

    def test_lets_in_who_comes_after_a_long_turn(self):
        with self.daemon.connect() as busy:
            for _ in range(STOPS):
                calls = []
                for _ in range(CALLS):
                    message = classic.message("ListControllers")
                    message.serial = busy.next_serial()
                    calls.append(dbus.encode(message))
                busy.send(b"".join(calls))
                # Stopped with calls before it, most likely in the middle of one: a turn that takes long.
                self.daemon.process.send_signal(signal.SIGSTOP)
                self.assertTrue(eventually(self.is_stopped))
                time.sleep(STOP_SECONDS)
                self.daemon.process.send_signal(signal.SIGCONT)
                for _ in range(CALLS):
                    busy.receive()
                with self.daemon.connect() as late:
                    self.assertIsNone(classic.call(late, "Ping", 1))
