# SPDX-License-Identifier: LGPL-2.1-or-later
"""The commands for people: limit, stat, tree, freeze, thaw, wait, controllers, doctor; help, JSON and exit statuses."""
import json
import subprocess

import suite
from cgroups import read
from testcase import USER, DaemonTest

COMMANDS = ("run", "limit", "stat", "tree", "freeze", "thaw", "kill", "wait", "controllers", "doctor")


class People(DaemonTest):
    def setUp(self):
        self.cgm = self.for_everybody("cgm")
        self.user = self.caller("user", USER)

    def cgm_as_user(self, *arguments: str, status: int = 0, **environment) -> subprocess.CompletedProcess:
        done = self.user.run([self.cgm, *arguments], CGM_SOCKET=self.daemon.socket, **environment)
        self.assertEqual(done.returncode, status, (arguments, done.stdout, done.stderr))
        return done

    def make(self, name: str, *controllers: str):
        self.sandbox.require(*controllers)
        for controller in controllers:
            self.cgm_as_user("create", controller, name)

    def test_help_goes_to_stdout_and_usage_to_stderr(self):
        whole = self.cgm_as_user("--help")
        self.assertEqual(whole.stderr, "")
        for command in COMMANDS:
            self.assertIn(f"  {command} ", whole.stdout)
            one = self.cgm_as_user(command, "--help")
            self.assertTrue(one.stdout.startswith(f"usage: cgm {command}"), one.stdout)
            self.assertEqual(one.stderr, "")
        for arguments in ((), ("nosuch",), ("--nosuch",), ("limit",), ("stat", "--nosuch"), ("create", "memory")):
            wrong = self.cgm_as_user(*arguments, status=2)
            self.assertEqual(wrong.stdout, "")
            self.assertIn("usage: cgm", wrong.stderr)

    def test_what_cannot_be_written_is_a_failure(self):
        for arguments in (("--help",), ("controllers",), ("ns", "list", "--json")):
            with open("/dev/full", "w") as full:
                done = subprocess.run([self.cgm, *arguments], stdout=full, stderr=subprocess.PIPE, text=True)
            self.assertEqual((done.returncode, done.stderr), (1, "cgm: standard output: No space left on device\n"))

    def test_limits_are_set_all_together_and_shown_in_human_units(self):
        self.make("limited", "memory", "pids", "cpu")
        self.cgm_as_user("limit", "limited", "--memory", "64M", "--pids", "40", "--cpus", "1.5")
        shown = self.cgm_as_user("limit", "limited").stdout
        for line in (r"memory +64M", r"pids +40", r"cpus +1.5"):
            self.assertRegex(shown, line)
        document = json.loads(self.cgm_as_user("limit", "--json", "limited").stdout)
        self.assertEqual(document["memory"]["max_bytes"], 64 << 20)
        self.assertEqual(document["pids"]["max"], 40)
        # One that the kernel refuses takes the others back.
        refused = self.cgm_as_user("limit", "limited", "--pids", "50", "--cpuset-cpus", "999", status=1)
        self.assertIn("cpuset", refused.stderr)
        self.assertEqual(json.loads(self.cgm_as_user("limit", "--json", "limited").stdout)["pids"]["max"], 40)

    def test_a_memory_limit_below_use_is_refused_unless_forced(self):
        self.make("full", "memory")
        holder = subprocess.Popen(
            [self.cgm, "--direct", "run", "--in", f"{self.sandbox.name}/user/full", "--", "python3", "-c",
             "x = bytearray(30 << 20); print('ready', flush=True); import signal; signal.pause()"],
            stdout=subprocess.PIPE, text=True)
        self.addCleanup(holder.wait)
        self.addCleanup(holder.kill)
        self.assertEqual(holder.stdout.readline(), "ready\n")
        refused = self.cgm_as_user("limit", "full", "--memory", "1M", status=1)
        self.assertRegex(refused.stderr, "below the present use")
        limit = json.loads(self.cgm_as_user("limit", "--json", "full").stdout)["memory"]["max_bytes"]
        self.assertEqual(limit, "max")
        if self.sandbox.version("memory") == 2:
            self.cgm_as_user("limit", "--force", "full", "--memory", "1M")
            self.assertEqual(holder.wait(timeout=120), 137)
        else:  # the kernel refuses, whatever we are told
            self.cgm_as_user("limit", "--force", "full", "--memory", "1M", status=1)
        holder.terminate()

    def test_stat_and_tree_tell_use_and_limits(self):
        self.make("outer", "memory")
        self.make("outer/inner", "memory")
        self.cgm_as_user("limit", "outer/inner", "--memory", "32M")
        sleeper = self.sleeper("user/outer/inner", USER)
        tree = self.cgm_as_user("tree", "outer").stdout.splitlines()
        self.assertTrue(tree[0].startswith("outer  0 tasks"), tree)
        self.assertTrue(tree[1].startswith("└─ inner  1 task, memory "), tree)
        self.assertIn("of 32M", tree[1])
        document = json.loads(self.cgm_as_user("tree", "--json", "outer").stdout)
        self.assertEqual(document["children"][0]["tasks"], 1)
        self.assertEqual(document["children"][0]["stats"]["memory"]["limit_bytes"], 32 << 20)
        self.assertRegex(self.cgm_as_user("stat", "outer/inner").stdout, r"memory limit +32M")
        self.assertNotIn("\033", self.cgm_as_user("tree", "outer").stdout, "no colours where there is no terminal")
        sleeper.close()

    def test_freeze_stops_thaw_goes_on_and_wait_waits(self):
        self.make("cold", "freezer")
        sleeper = self.sleeper("user/cold", USER)
        self.cgm_as_user("freeze", "cold")
        self.assertEqual(self.cgm_as_user("getvalue", "freezer", "cold", "freezer.state").stdout, "FROZEN\n")
        self.cgm_as_user("thaw", "cold")
        self.assertEqual(self.cgm_as_user("getvalue", "freezer", "cold", "freezer.state").stdout, "THAWED\n")
        late = self.cgm_as_user("wait", "--timeout", "0.2", "cold", status=1)
        self.assertIn("still has", late.stderr)
        waiter = subprocess.Popen([self.cgm, "--direct", "wait", f"{self.sandbox.name}/user/cold"])
        self.addCleanup(waiter.wait)
        self.addCleanup(waiter.kill)
        sleeper.close()
        self.assertEqual(waiter.wait(timeout=120), 0)

    def test_controllers_say_version_place_and_right(self):
        document = json.loads(self.cgm_as_user("controllers", "--json").stdout)
        versions = {one.version for one in self.sandbox.hierarchies if one.controllers}
        self.assertEqual(document["mode"], "hybrid" if len(versions) == 2 else f"v{versions.pop()}")
        for one in document["hierarchies"]:
            self.assertTrue(one["may_create"], one)
            self.assertEqual(one["owner"], USER)
        self.assertIn("MOUNT", self.cgm_as_user("controllers").stdout)

    def test_doctor_is_content_with_what_is_given_and_names_a_cure_for_what_is_not(self):
        fine = self.user.run([self.cgm, "doctor"], CGM_SOCKET=self.daemon.socket)
        self.assertIn("ok  daemon", fine.stdout)
        stranger = self.caller("user", 64002, owner=USER)
        ill = stranger.run([self.cgm, "doctor", "--json"], CGM_SOCKET=self.daemon.socket)
        self.assertEqual(ill.returncode, 1)
        bad = [one for one in json.loads(ill.stdout)["findings"] if one["health"] == "bad"]
        self.assertTrue(bad)
        for one in bad:
            self.assertIn("cgm create", one["cure"])

    def test_what_is_not_there_is_an_error(self):
        for command in ("limit", "stat", "tree", "freeze", "thaw", "kill", "wait"):
            self.assertIn("no such cgroup", self.cgm_as_user(command, "absent", status=1).stderr)

    def test_a_socket_that_was_named_has_to_answer(self):
        silent = self.user.run([self.cgm, "stat"], CGM_SOCKET="/nonexistent/sock")
        self.assertEqual(silent.returncode, 1)
        self.assertIn("Failed opening dbus connection: org.freedesktop.DBus.Error.FileNotFound", silent.stderr)
        direct = self.user.run([self.cgm, "--direct", "-v", "stat"], CGM_SOCKET="/nonexistent/sock")
        self.assertEqual(direct.returncode, 0, direct.stderr)


if __name__ == "__main__":
    suite.main()
