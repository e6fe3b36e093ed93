# SPDX-License-Identifier: LGPL-2.1-or-later
"""cgm kill: nobody is left, or those who are are named; through the daemon with a plain user's rights, and as root on
the files."""
import json
import os
import signal
import subprocess

import suite
from cgroups import read
from testcase import OTHER, USER, DaemonTest

# Each process forks the next one and exits, so that a list of them is old when it has been read.
CHAIN = "import os\nos.write(1, b'r')\nwhile True:\n    if os.fork(): os._exit(0)\n"


class KillTest(DaemonTest):
    """`direct` says whether by the files."""
    uid = 0
    direct = False

    def setUp(self):
        self.cgm = self.for_everybody("cgm")
        self.place = f"direct-{self.uid}" if self.direct else f"through-{self.uid}"
        self.user = self.caller(self.place, self.uid)

    def kill(self, *arguments: str) -> subprocess.CompletedProcess:
        mode = ["--direct"] if self.direct else ["--socket", self.daemon.socket]
        return self.user.run([self.cgm, *mode, "kill", *arguments], PATH="/usr/bin:/bin")

    def make(self, below: str) -> None:
        """A cgroup in every hierarchy that is the caller's whole, its freezer too."""
        for one in self.sandbox.hierarchies:
            directory = self.sandbox.make(one.controllers[0] if one.controllers else "unified", f"{self.place}/{below}")
            for file in (directory, *directory.iterdir()):
                os.chown(file, self.uid, self.uid)

    def start(self, below: str, *command: str, uid: int | None = None) -> subprocess.Popen:
        """A program in a cgroup of the caller's in every hierarchy, after its first byte of output."""
        uid = self.uid if uid is None else uid
        self.make(below)

        def enter():
            self.sandbox.join(f"{self.place}/{below}")
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)

        process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, preexec_fn=enter)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        process.stdout.read(1)
        return process

    def stubborn(self, below: str) -> subprocess.Popen:
        return self.start(below, "sh", "-c", "trap '' TERM; echo; exec sleep 1000")

    def is_empty(self, below: str) -> bool:
        return not any((directory / "cgroup.procs").read_text() for one in self.sandbox.hierarchies
                       for directory in [self.sandbox.dir(one.controllers[0] if one.controllers else "unified",
                                                          f"{self.place}/{below}")])


class Behaviour:
    """The tests, for each way in."""

    def test_all_end_and_it_says_nothing(self):
        self.make("job/a")
        here, below = self.start("job", "sh", "-c", "echo; sleep 1000"), self.start("job/a/b", "sh", "-c", "echo; sleep 1000")
        beside = self.start("other", "sh", "-c", "echo; sleep 1000")
        done = self.kill("job")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        self.assertEqual((here.wait(), below.wait()), (-signal.SIGKILL, -signal.SIGKILL))
        self.assertTrue(self.is_empty("job"))
        self.assertIsNone(beside.poll())
        self.assertEqual(self.kill("other").returncode, 0)

    def test_what_is_frozen_ends_too(self):
        self.sandbox.require("freezer")
        key, frozen, thawed = (("freezer.state", "FROZEN", "THAWED"), ("cgroup.freeze", "1", "0"))[
            self.sandbox.version("freezer") - 1]
        for below in ("cold", "cold/inside"):
            with self.subTest(below=below):
                process = self.start(below, "sh", "-c", "echo; sleep 1000")
                state = self.sandbox.dir("freezer", f"{self.place}/{below}") / key
                self.addCleanup(state.write_text, thawed)
                state.write_text(frozen)
                done = self.kill("cold")
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertEqual(process.wait(), -signal.SIGKILL)
                self.assertEqual(read(state), thawed)

    def test_a_chain_of_forks_is_not_faster(self):
        self.sandbox.require("freezer")
        self.start("chain", "python3", "-c", CHAIN)
        done = self.kill("--timeout", "100", "chain")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertTrue(self.is_empty("chain"))

    def test_who_does_not_take_the_signal_is_named(self):
        process = self.stubborn("stubborn")
        done = self.kill("--signal", "sigterm", "--timeout", "0.3", "stubborn")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, f"cgm: cgroup 'stubborn': process {process.pid} (sleep) has not ended\n")
        self.assertIsNone(process.poll())
        told = self.kill("--json", "--signal", str(int(signal.SIGTERM)), "--timeout", "0.1", "stubborn")
        self.assertEqual(json.loads(told.stdout),
                         {"left": [{"pid": process.pid, "command": "sleep", "why": "has not ended"}], "unseen": False})
        self.assertEqual(self.kill("stubborn").returncode, 0)

    def test_an_empty_cgroup_is_done_with(self):
        self.make("empty")
        self.assertEqual(self.kill("--json", "empty").stdout, '{\n  "left": [],\n  "unseen": false\n}\n')

    def test_ones_own_cgroup_is_not_killed(self):
        for path in ("", "/", ".", "./"):
            done = self.kill("--", path)
            self.assertEqual(done.returncode, 2, path)
            self.assertIn("is one's own cgroup", done.stderr)
        beside = self.start("", "sh", "-c", "echo; sleep 1000")
        done = self.kill(self.sandbox.path("freezer", self.place))
        self.assertEqual(done.returncode, 1)
        self.assertIn("this very process", done.stderr)
        self.assertIsNone(beside.poll())

    def test_what_is_no_signal_or_no_cgroup_is_refused(self):
        for name in ("NONSENSE", "SIG", "0", "65", "-1", ""):
            done = self.kill(f"--signal={name}", "job")
            self.assertEqual(done.returncode, 2, name)
        absent = self.kill("absent")
        self.assertEqual((absent.returncode, "no such cgroup" in absent.stderr), (1, True))


class ThroughTheDaemonAsAPlainUser(Behaviour, KillTest):
    uid = USER

    def test_processes_of_others_are_left_alone_and_named(self):
        mine, other = (self.start("mixed", "sh", "-c", "echo; exec sleep 1000", uid=uid) for uid in (USER, OTHER))
        done = self.kill("mixed")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, rf"^cgm: cgroup 'mixed': process {other.pid} \(sleep\) .*not permitted\n$")
        self.assertEqual(mine.wait(), -signal.SIGKILL)
        self.assertIsNone(other.poll())


class ThroughTheDaemonAsRoot(Behaviour, KillTest):
    pass


class DirectAsRoot(Behaviour, KillTest):
    direct = True


class DirectAsAPlainUser(Behaviour, KillTest):
    direct = True
    uid = USER


if __name__ == "__main__":
    suite.main()
