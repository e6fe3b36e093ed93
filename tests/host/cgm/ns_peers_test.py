# SPDX-License-Identifier: LGPL-2.1-or-later
"""cgm ns beside unshare(1), nsenter(1) and lsns(8) of util-linux: the same options, the same outcome."""
import json
import os
import signal
import subprocess
import unittest

import suite
from namespaces import KINDS, SECONDS, NamespaceTest, as_user, inode, inodes
from testcase import USER

HAS_TIME = os.path.exists("/proc/self/ns/time")
# What the program tells of where it is; where /proc shows other processes than its own, nothing of them.
LOOK = """
import json, os, time
told = {"pid": os.getpid(), "ppid": os.getppid() != 0, "ids": [os.getresuid(), os.getresgid(), os.getgroups()],
        "cwd": os.getcwd(), "marker": os.path.exists("/marker"), "ahead": [time.clock_gettime(clock) > 1e9 for clock in
        (time.CLOCK_MONOTONIC, time.CLOCK_BOOTTIME)]}
lines = open("/proc/self/mountinfo").read().splitlines()
told["propagation"] = [[word.split(":")[0] for word in line.split(" - ")[0].split()[6:]] for line in lines
                       if line.split()[4] == "/"]
told["status"] = [line for line in open("/proc/self/status").read().splitlines() if line.startswith("Cap")]
for name in ("uid_map", "gid_map", "setgroups"):
    told[name] = open("/proc/self/" + name).read().split()
told["proc"] = os.readlink("/proc/self") == str(os.getpid())
told["ns"] = {kind: os.readlink("/proc/self/ns/" + kind) for kind in os.listdir("/proc/self/ns")}
print(json.dumps(told))
"""


class Peers(NamespaceTest):
    def run_program(self, command, **options) -> subprocess.CompletedProcess:
        options = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": SECONDS} | options
        return subprocess.run([str(word) for word in command], **options)

    def told(self, command, prefix=(), **options) -> dict:
        done = self.run_program([*prefix, *command, "python3", "-c", LOOK], **options)
        self.assertEqual(done.returncode, 0, (command, done.stdout, done.stderr))
        return json.loads(done.stdout)


class BesideUnshare(Peers):
    def outcome(self, command, **options) -> dict:
        """With numbers of namespaces told as whether they are other than ours."""
        told = self.told(command, **options)
        own = {file: os.readlink(f"/proc/self/ns/{file}") for file in told["ns"]}
        told["ns"] = {file: link != own[file] for file, link in told["ns"].items()}
        return told

    def same(self, theirs, ours=None, but_for=("pid", "ppid"), **options) -> dict:
        """Ours is called as theirs, or as `ours` where the options differ. unshare executes the program in its own
        place, cgm in a child: the pids differ."""
        ours = theirs if ours is None else ours
        both = [self.outcome(command, **options) for command in
                (["unshare", *theirs], [self.program, "ns", "new", *ours, "--"])]
        for key in but_for:
            for told in both:
                del told[key]
        self.assertEqual(both[1], both[0])
        return both[0]

    def test_each_kind(self):
        for option, kind in (("-m", "mnt"), ("-u", "uts"), ("-i", "ipc"), ("-n", "net"), ("-U", "user")):
            expected = self.same([option])
            self.assertEqual({file for file, other in expected["ns"].items() if other}, {kind})

    def test_several_kinds(self):
        self.same(["-m", "-u", "-i", "-n"])
        self.same(["--mount", "--uts", "--ipc", "--net", "--user"])

    def test_a_cgroup_namespace(self):
        """Ours mounts the cgroups anew, in a new mount namespace, if it is not told to leave that."""
        self.same(["-C"], ["-C", "--keep-mounts"])
        self.same(["-C", "-m"], ["-C"])

    def test_a_pid_namespace(self):
        """Ours forks and mounts a /proc, if it is not told to leave that."""
        self.assertEqual(self.same(["-p", "-f", "--mount-proc"], ["-p"], but_for=())["pid"], 1)
        self.same(["-p", "-f", "--mount-proc", "-n"], ["--pid", "--net"], but_for=())

    def test_a_pid_namespace_with_the_proc_that_there_was(self):
        script = "echo $$; read pid rest </proc/self/stat; test $pid -ne 1"
        for command in (["unshare", "-p", "-f"], [self.program, "ns", "new", "-p", "--keep-mounts", "--"]):
            done = self.run_program([*command, "sh", "-c", script])
            self.assertEqual((done.returncode, done.stdout), (0, "1\n"))

    @unittest.skipUnless(HAS_TIME, "this kernel has no time namespaces")
    def test_a_time_namespace(self):
        for theirs in (["-T"], ["-T", "--monotonic", "1000000000"], ["-T", "--boottime", "1000000000"]):
            # unshare's program is in it by exec since Linux 6.3, else only as a child.
            self.same([*theirs, "-f"], theirs)

    def test_maps_of_ones_own_ids(self):
        # As root, who may set groups anyway, ours leaves that allowed inside.
        for prefix, but_for in (((), ("pid", "ppid", "setgroups")), (as_user(USER), ("pid", "ppid"))):
            for options in (["-r"], ["-c"], ["--map-user=5"], ["--map-group=6"], ["--map-user=5", "--map-group=6"],
                            ["--map-root-user", "-n"], ["-r", "-m", "-u", "-i", "-n"]):
                ours = ["--map-root" if word == "--map-root-user" else word for word in options]
                self.same(options, ours, but_for, prefix=prefix)

    def test_setgroups(self):
        self.same(["-U", "--setgroups", "deny"])

    def test_kept_capabilities(self):
        self.same(["-c", "--keep-caps"], prefix=as_user(USER))
        self.same(["-c", "--keep-caps"], but_for=("pid", "ppid", "setgroups"))

    def test_root_and_working_directory(self):
        root, prefix = self.other_root()
        for options in (["-R", root], ["-R", root, "-w", "/inner"], ["-m", "-R", root], ["-m", "-w", "/usr"]):
            self.same(options, prefix=prefix)

    def test_ids_of_the_program(self):
        for options in (["-S", USER], ["-G", USER], ["-S", USER, "-G", USER + 1], ["-n", "-S", USER, "-G", USER]):
            self.same([str(word) for word in options], prefix=as_user(0, 7, 8))

    def test_propagation(self):
        # A shell stays there: a mount is no slave of one that is gone.
        shared = ["unshare", "--mount", "--propagation", "shared", "sh", "-c", '"$@"; exit $?', "sh"]
        for how in ("private", "slave", "shared", "unchanged"):
            self.same(["-m", "--propagation", how], prefix=shared)
        self.same(["-m"], prefix=shared)

    def test_the_exit_status(self):
        for script, status in (("exit 0", 0), ("exit 7", 7), ("exit 255", 255)):
            for command in (["unshare", "-n"], [self.program, "ns", "new", "-n", "--"]):
                self.assertEqual(self.run_program([*command, "sh", "-c", script]).returncode, status)

    def test_a_program_that_cannot_be_run(self):
        for program, status in (("no-such-program", 127), ("/etc/passwd", 126)):
            for command in (["unshare", "-n"], [self.program, "ns", "new", "-n", "--"]):
                self.assertEqual(self.run_program([*command, program]).returncode, status)

    def test_the_program_is_killed_with_its_starter(self):
        """By default here."""
        for command in (["unshare", "-p", "-f", "--kill-child"], [self.program, "ns", "new", "-p", "--"]):
            one = self.inhabitant(*command)
            pid = one.pid
            self.assertEqual(len(one.pids), 2)
            one.process.kill()
            self.assertEqual(one.process.wait(), -signal.SIGKILL)
            self.assertTrue(suite.eventually(lambda pid=pid: not os.path.exists(f"/proc/{pid}")))

    def test_what_is_denied_to_a_plain_user(self):
        for option in ("-m", "-u", "-i", "-n", "-C", "-p"):
            for command in (["unshare", option], [self.program, "ns", "new", option, "--"]):
                done = self.run_program([*as_user(USER), *command, "true"])
                self.assertNotEqual(done.returncode, 0)
                self.assertIn("Operation not permitted", done.stderr)


class BesideNsenter(Peers):
    def setUp(self):
        kinds = ["--mount", "--uts", "--ipc", "--net", "--cgroup", "--pid", "--fork", "--mount-proc"]
        self.one = self.inhabitant("unshare", *kinds, *(["--time"] if HAS_TIME else []))

    def reached(self, command, prefix=()) -> dict[str, int]:
        return inodes(self.inhabitant(*prefix, *command).pid)

    def same(self, *options, target=None, prefix=()) -> dict[str, int]:
        target = self.one.pid if target is None else target
        theirs = self.reached(["nsenter", "-t", target, *options, "--"], prefix)
        self.assertEqual(self.reached([self.program, "ns", "enter", target, *options, "--"], prefix), theirs)
        return theirs

    def test_each_kind(self):
        for option, kind in (("-m", "mount"), ("-u", "uts"), ("-i", "ipc"), ("-n", "net"), ("-C", "cgroup"),
                             ("-p", "pid")):
            reached = self.same(option)
            self.assertEqual(reached, inodes() | {kind: inode(self.one.pid, kind)})

    @unittest.skipUnless(HAS_TIME, "this kernel has no time namespaces")
    def test_a_time_namespace(self):
        self.same("-T")

    def test_all(self):
        self.assertEqual(self.same("-a"), inodes(self.one.pid))

    def test_a_file(self):
        theirs = self.reached(["nsenter", f"--net=/proc/{self.one.pid}/ns/net", "--"])
        self.assertEqual(self.reached([self.program, "ns", "enter", f"/proc/{self.one.pid}/ns/net", "--"]), theirs)

    def test_a_container_of_a_plain_user(self):
        one = self.inhabitant(*as_user(USER), "unshare", "--map-root-user", "--net", "--mount", "--uts")
        self.assertEqual(self.same("-a", target=one.pid), inodes(one.pid))
        # A user's nsenter gives up where it may not set groups, if it is not told to keep its ids.
        for prefix, keep in (((), []), (as_user(USER), ["--preserve-credentials"])):
            theirs, ours = ["nsenter", "-t", one.pid, *keep], [self.program, "ns", "enter", one.pid]
            look = ["sh", "-c", "id -u; id -g; cat /proc/self/uid_map; pwd; cd /proc/self/ns; readlink user net"]
            for options in (["-U"], ["-U", "-n"], ["-U", "-n", "-m", "-u"]):
                shown = [self.run_program([*prefix, *command, *options, *look]) for command in (theirs, ours)]
                self.assertEqual([done.returncode for done in shown], [0, 0], [done.stderr for done in shown])
                self.assertEqual(shown[1].stdout, shown[0].stdout)

    def test_preserved_credentials(self):
        one = self.inhabitant(*as_user(USER), "unshare", "--map-root-user")
        look = ["-U", "--preserve-credentials", "sh", "-c", "id -u; id -g"]
        theirs = self.run_program(["nsenter", "-t", one.pid, *look])
        self.assertEqual(self.run_program([self.program, "ns", "enter", one.pid, *look]).stdout, theirs.stdout)

    def test_ids_and_folders(self):
        one = self.inhabitant("unshare", "--uts", cwd="/usr")
        for options in (["-S", USER], ["-G", USER], ["-S", USER, "-G", USER], ["-w"], ["-w/usr/bin"], ["-r", "-w"],
                        ["-W", "/usr/bin"]):
            ours = ["--wd=/usr/bin"] if options == ["-w/usr/bin"] else options
            theirs = self.told(["nsenter", "-t", one.pid, "-u", *options])
            told = self.told([self.program, "ns", "enter", one.pid, "-u", *ours, "--"])
            for key in ("ids", "cwd", "status", "ns"):
                self.assertEqual(told[key], theirs[key], (options, key))

    def test_the_exit_status(self):
        for options in (["-n"], ["-p"]):
            for script, status in (("exit 0", 0), ("exit 7", 7)):
                for command in (["nsenter", "-t", self.one.pid], [self.program, "ns", "enter", self.one.pid]):
                    done = self.run_program([*command, *options, "sh", "-c", script])
                    self.assertEqual(done.returncode, status)


class BesideLsns(Peers):
    def theirs(self, *options) -> dict[int, dict]:
        def told():  # it gives up when a process ends that it looks at
            done = self.run_program(["lsns", "--json", "--list", *options])
            return done.stdout if done.returncode == 0 else None
        return {int(one["ns"]): one for one in json.loads(suite.eventually(told))["namespaces"]}

    def made(self) -> set[int]:
        kinds = ("--mount", "--uts", "--ipc", "--net", "--cgroup", "--pid", "--fork", "--mount-proc")
        made = [self.inhabitant("unshare", *kinds), self.inhabitant(*as_user(USER), "unshare", "-r", "-n")]
        made.append(self.inhabitant("nsenter", "-t", made[0].pid, "-n"))
        return {number for one in made for number in inodes(one.pid).values()} - set(inodes().values())

    def test_what_the_test_made_is_told_alike(self):
        numbers = self.made()
        theirs, ours = self.theirs(), self.entries()
        self.assertEqual(len(numbers), 8)
        for number in numbers:
            their, our = theirs[number], ours[number]
            self.assertEqual((KINDS[our["kind"]], our["processes"], our["leader"]["pid"], our["leader"]["user"]),
                             (their["type"], int(their["nprocs"]), int(their["pid"]), their["user"]))

    def test_each_kind_alone(self):
        numbers = self.made()
        for kind, file in KINDS.items():
            if os.path.exists(f"/proc/self/ns/{file}"):
                found = numbers & self.entries("--kind", kind).keys()
                self.assertEqual(found, numbers & self.theirs("-t", file).keys())

    def test_those_of_a_process(self):
        one = self.inhabitant("unshare", "--net", "--uts")
        self.assertEqual(self.entries("--pid", one.pid).keys(), self.theirs("--task", one.pid).keys())

    def test_a_plain_user_sees_the_same_of_them(self):
        numbers = self.made()
        done = self.run_program([*as_user(USER), "lsns", "--json", "--list"])
        theirs = {int(one["ns"]) for one in json.loads(done.stdout)["namespaces"]}
        found = numbers & self.entries(prefix=as_user(USER)).keys()
        self.assertEqual((found, len(found)), (numbers & theirs, 2))
