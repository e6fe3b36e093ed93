# SPDX-License-Identifier: LGPL-2.1-or-later
"""cgm run: limits before the program begins, its exit status and signals passed on, nothing left behind; as a plain user
through the daemon and as root on the files."""
import json
import pathlib
import signal
import subprocess

import suite
from cgroups import read
from testcase import USER, DaemonTest

HOG = "head -c 60000000 /dev/zero | tail >/dev/null"


class RunTest(DaemonTest):
    """Programs are run by a caller of the class; `direct` says whether by the files."""
    __test__ = False
    uid = 0
    direct = False

    def setUp(self):
        self.cgm = self.for_everybody("cgm")
        self.place = "direct" if self.direct else f"through-{self.uid}"
        self.user = self.caller(self.place, self.uid)

    def run_cgm(self, *arguments: str) -> subprocess.CompletedProcess:
        mode = ["--direct"] if self.direct else ["--socket", self.daemon.socket]
        return self.user.run([self.cgm, *mode, *arguments], PATH="/usr/bin:/bin")

    def no_leftovers(self):
        mine = [path for path in self.sandbox.leftovers() if f"/{self.place}/" in path and ".cgm_leaf" not in path]
        self.assertEqual(mine, [])


class Behaviour:
    """The tests, for each way in."""

    def test_the_exit_status_is_the_programs(self):
        self.assertEqual(self.run_cgm("run", "--", "sh", "-c", "exit 7").returncode, 7)
        self.assertEqual(self.run_cgm("run", "true").returncode, 0)
        self.no_leftovers()

    def test_a_signals_end_is_128_and_its_number(self):
        self.assertEqual(self.run_cgm("run", "--", "sh", "-c", "kill -TERM $$").returncode, 128 + signal.SIGTERM)
        self.no_leftovers()

    def test_what_cannot_be_run_is_told_apart(self):
        absent = self.run_cgm("run", "--", "no-such-program")
        self.assertEqual((absent.returncode, "no-such-program" in absent.stderr), (127, True))
        self.assertEqual(self.run_cgm("run", "--", "/etc/passwd").returncode, 126)
        self.no_leftovers()

    def test_a_script_without_interpreter_line_is_run_by_sh(self):
        script = self.daemon.folder / "script"
        script.write_text("exit 9\n")
        script.chmod(0o755)
        self.assertEqual(self.run_cgm("run", "--", str(script)).returncode, 9)

    def test_the_program_sits_in_the_new_cgroup_from_its_first_moment(self):
        shown = self.run_cgm("run", "--name", "job", "--", "cat", "/proc/self/cgroup")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        places = {line.split(":", 2)[1]: line.split(":", 2)[2] for line in shown.stdout.splitlines()}
        one = self.sandbox.hierarchy("memory")
        key = "memory" if one.version == 1 else ""
        self.assertEqual(places[key], self.sandbox.path("memory", f"{self.place}/job"))
        self.no_leftovers()

    def test_a_memory_limit_bites_and_the_last_line_says_so(self):
        self.sandbox.require("memory")
        ended = self.run_cgm("run", "-m", "10M", "--", "sh", "-c", HOG)
        self.assertEqual(ended.returncode, 137, ended.stderr)
        self.assertRegex(ended.stderr.splitlines()[-1], r"^cgm: the kernel killed .*out of memory, limit 10M")
        inside = self.run_cgm("run", "-m", "60M", "--", "sh", "-c", "head -c 1000000 /dev/zero | tail | wc -c")
        self.assertEqual((inside.returncode, inside.stdout.strip(), inside.stderr), (0, "1000000", ""))
        self.no_leftovers()

    def test_limits_are_in_force_before_exec(self):
        self.sandbox.require("memory", "pids", "cpu")
        directory = {name: self.sandbox.dir(name, f"{self.place}/limited") for name in ("memory", "pids", "cpu")}
        files = {"memory": ("memory.limit_in_bytes", "memory.max"), "pids": ("pids.max", "pids.max"),
                 "cpu": ("cpu.cfs_quota_us", "cpu.max")}
        show = "; ".join(f"cat {directory[name]}/{files[name][self.sandbox.version(name) - 1]}" for name in files)
        shown = self.run_cgm("run", "--name", "limited", "-m", "30M", "--pids", "17", "--cpus", "0.5", "--", "sh", "-c", show)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        memory, pids, cpu = shown.stdout.splitlines()
        self.assertEqual((memory, pids, cpu.split()[0]), (str(30 << 20), "17", "50000"))

    def test_raw_keys_are_set_by_either_versions_name(self):
        self.sandbox.require("cpu")
        shown = self.run_cgm("run", "--name", "raw", "--set", "cpu.shares=512", "--", "cat",
                             str(self.sandbox.dir("cpu", f"{self.place}/raw")
                                 / ("cpu.shares" if self.sandbox.version("cpu") == 1 else "cpu.weight")))
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertIn(shown.stdout.strip(), ("512", "59"))

    def test_a_limit_that_is_refused_leaves_nothing(self):
        self.sandbox.require("memory")
        refused = self.run_cgm("run", "-m", "20M", "--set", "memory.limit=1", "--", "true")
        self.assertEqual(refused.returncode, 125)
        self.assertIn("memory.limit", refused.stderr)
        self.no_leftovers()

    def test_words_that_make_no_sense_are_usage_errors(self):
        for arguments in (("-m", "10Q"), ("--cpus", "-1"), ("--pids", "x"), ("--set", "novalue"), ("--io", "nodevice")):
            self.assertEqual(self.run_cgm("run", *arguments, "--", "true").returncode, 2, arguments)
        self.assertEqual(self.run_cgm("run").returncode, 2)
        self.assertEqual(self.run_cgm("run", "--nosuch", "true").returncode, 2)

    def test_a_name_that_exists_is_refused_and_left_alone(self):
        self.assertEqual(self.run_cgm("create", "memory", "taken").returncode, 0)
        refused = self.run_cgm("run", "--name", "taken", "-m", "20M", "--", "true")
        self.assertEqual((refused.returncode, "exists" in refused.stderr), (125, True), refused.stderr)
        self.assertEqual(self.run_cgm("listchildren", "memory", "").stdout.split(), ["taken"])
        self.assertEqual(self.run_cgm("remove", "memory", "taken").returncode, 0)

    def test_keep_leaves_the_cgroup_and_in_uses_one_that_exists(self):
        self.sandbox.require("memory")
        self.assertEqual(self.run_cgm("run", "--keep", "--name", "kept", "-m", "20M", "--", "true").returncode, 0)
        again = self.run_cgm("run", "--in", "kept", "--", "cat", "/proc/self/cgroup")
        self.assertIn(self.sandbox.path("memory", f"{self.place}/kept"), again.stdout)
        limit = self.run_cgm("getvalue", "memory", "kept", "memory.limit_in_bytes")
        self.assertEqual(limit.stdout.strip(), str(20 << 20), limit.stderr)
        for line in self.run_cgm("listcontrollers").stdout.split():
            self.run_cgm("remove", line.split(",")[0], "kept")
        self.no_leftovers()

    def test_stats_tell_what_was_used(self):
        self.sandbox.require("memory")
        ended = self.run_cgm("run", "--stats", "-m", "50M", "--", "sh", "-c", "head -c 5000000 /dev/zero | tail >/dev/null")
        self.assertRegex(ended.stderr, r"cgm: peak memory .*of 50M.* of wall time")
        ended = self.run_cgm("run", "--stats", "--json", "-m", "50M", "--", "true")
        stats = json.loads(ended.stderr)
        self.assertEqual(stats["memory"]["limit_bytes"], 50 << 20)
        self.assertGreater(stats["wall_seconds"], 0)

    def test_signals_are_passed_on(self):
        script = "trap 'echo got it; exit 5' TERM; echo ready; while :; do sleep 0.1; done"
        mode = ["--direct"] if self.direct else ["--socket", self.daemon.socket]
        status, output = self.user.do(run_and_signal, [self.cgm, *mode, "run", "--", "sh", "-c", script], signal.SIGTERM)
        self.assertEqual((status, output), (5, "got it\n"))
        self.no_leftovers()

    def test_what_is_left_running_is_killed_when_asked_for(self):
        started = self.run_cgm("run", "--kill", "--name", "left", "--", "sh", "-c", "sleep 1000 >/dev/null 2>&1 & echo $!")
        self.assertEqual(started.returncode, 0, started.stderr)
        self.assertTrue(suite.eventually(lambda: not alive(int(started.stdout))))
        self.no_leftovers()


def alive(pid: int) -> bool:
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def run_and_signal(command, sign):
    """In a caller: starts it, signals it after its first line, and returns its status and what it said then."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    process.stdout.readline()
    process.send_signal(sign)
    rest = process.stdout.read()
    return process.wait(timeout=120), rest


class ThroughTheDaemonAsAPlainUser(Behaviour, RunTest):
    uid = USER


class ThroughTheDaemonAsRoot(Behaviour, RunTest):
    pass


class DirectlyAsRoot(Behaviour, RunTest):
    direct = True

    def test_loads_no_libsystemd(self):
        shown = self.run_cgm("run", "--", "sh", "-c", "cat /proc/$PPID/maps")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertIn("libc.so", shown.stdout)
        self.assertNotRegex(shown.stdout, "libsystemd|libelogind")


class DirectlyAsAPlainUser(Behaviour, RunTest):
    """In a cgroup of the user's own, where the kernel lets him."""
    uid = USER
    direct = True

    def setUp(self):
        super().setUp()
        self.place = f"direct-{self.uid}"
        self.user = self.caller(self.place, self.uid)


if __name__ == "__main__":
    suite.main()
