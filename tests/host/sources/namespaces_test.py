# SPDX-License-Identifier: LGPL-2.1-or-later
"""Statements about namespaces (docs/sources.md). Of cgroups: S1.1, S1.2, S1.3, S1.4, S1.5, S1.6, S1.7,
S1.8, S1.9, S1.10, S1.11, S1.12, S4.1, S4.3, S4.4, S4.5. Docker's: S2.2, S2.3, S2.4, S2.5, S2.6, S2.7, S2.8, S2.9, S2.10. What a
container is of them: S3.1, S3.2, S3.3, S3.4, S3.5, S3.6."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import suite
from cgroups import Sandbox
from shell import Shell

USER = 64001  # the page's uid 9000
CONTROLLER = "freezer"  # on v2 it is the tree itself
KINDS = ("uts", "ipc", "pid", "net", "mount", "user")


def cgroup_in(text: str, hierarchy) -> str:
    """The third field of /proc/PID/cgroup."""
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        if set(filter(None, controllers.split(","))) == set(hierarchy.controllers if hierarchy.version == 1 else ()):
            return path
    raise LookupError(text)


def root_in(mountinfo: str, mount: pathlib.Path) -> str:
    """The fourth field, of the mount that is seen at a path."""
    return [line.split()[3] for line in mountinfo.splitlines() if line.split()[4] == str(mount)][-1]


class NamespaceTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox()
        cls.addClassCleanup(cls.sandbox.close)
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="cgmt-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.folder.chmod(0o755)
        cls.cgm = str(cls.folder / "cgm")  # where a plain user can execute it
        shutil.copy(suite.program("cgm"), cls.cgm)
        cls.hierarchy = cls.sandbox.hierarchy(CONTROLLER)

    def new(self, *options: str, place: str | None = None, prefix: tuple = (), **more) -> Shell:
        if place is not None:
            self.sandbox.place(place)
        shell = Shell(*prefix, self.cgm, "ns", "new", *options, "--", sandbox=self.sandbox, place=place, **more)
        self.addCleanup(shell.close)
        return shell

    def shell(self, place: str) -> Shell:
        """One that is in that cgroup and in no new namespace."""
        self.sandbox.place(place)
        shell = Shell(sandbox=self.sandbox, place=place)
        self.addCleanup(shell.close)
        return shell

    def ns(self, *arguments: str, status: int = 0, **options) -> str:
        done = subprocess.run([self.cgm, "ns", *arguments], capture_output=True, text=True, **options)
        self.assertEqual(done.returncode, status, (arguments, done.stdout, done.stderr))
        return done.stdout

    def view(self, process: Shell, reader: Shell | None = None) -> str:
        """Its cgroup as `reader` reads it, by our tool, which has to say what the kernel tells the reader itself."""
        from_ = ["--from", str(reader.pid)] if reader else []
        text = self.ns("cgroup-view", "--json", *from_, str(process.pid))
        for one in json.loads(text)["cgroups"]:
            if set(one["controllers"]) == set(self.hierarchy.controllers if self.hierarchy.version == 1 else ()):
                return one["path"]
        raise LookupError(text)

    def own(self, shell: Shell) -> str:
        return cgroup_in(shell.run("cat /proc/self/cgroup"), self.hierarchy)

    def root(self, shell: Shell) -> str:
        return root_in(shell.run("cat /proc/self/mountinfo"), self.hierarchy.mount)

    def levels(self, place: str) -> str:
        """`/..` for each level from a cgroup up to the root of the hierarchy."""
        return "/.." * len(pathlib.PurePosixPath(self.sandbox.path(CONTROLLER, place).strip("/")).parts)


class CgroupNamespaces(NamespaceTest):
    def test_s1_1_cgroup_and_mountinfo_show_another_view(self):
        plain, inside = self.shell("s1-1/sub"), self.new("--cgroup", place="s1-1/sub")
        self.assertEqual(self.own(plain), self.sandbox.path(CONTROLLER, "s1-1/sub"))
        self.assertEqual((self.own(inside), self.root(inside)), ("/", "/"))

    def test_s1_2_each_has_roots_of_its_own(self):
        first, second = self.new("--cgroup", place="s1-2/a"), self.new("--cgroup", place="s1-2/b")
        self.assertEqual((self.own(first), self.own(second)), ("/", "/"))
        self.assertEqual(self.view(second, first), "/../b")
        self.assertEqual(self.view(first, second), "/../a")

    def test_s1_3_the_present_cgroups_become_the_roots(self):
        """By clone (ns new) and by unshare (ns new --no-fork), and again within."""
        for options in ((), ("--no-fork", "--keep-mounts")):
            inside = self.new("--cgroup", *options, place="s1-3")
            self.assertEqual(self.own(inside), "/")
            nested = inside.run(f"{self.cgm} ns new --cgroup -- cat /proc/self/cgroup")
            self.assertEqual(cgroup_in(nested, self.hierarchy), "/")

    def test_s1_4_the_path_is_relative_to_the_readers_root(self):
        inside, below = self.new("--cgroup", place="s1-4"), self.shell("s1-4/x/y")
        self.assertEqual(self.view(below, inside), "/x/y")
        self.assertEqual(self.view(below), self.sandbox.path(CONTROLLER, "s1-4/x/y"))

    def test_s1_5_what_lies_outside_shows_a_step_up_for_each_level(self):
        inside, outside = self.new("--cgroup", place="s1-5/a/b/c"), self.shell("s1-5")
        self.assertEqual(self.view(outside, inside), "/../../..")

    def test_s1_6_the_session_of_the_page(self):
        above, sleeper = self.shell("s1-6"), self.shell("s1-6/sub2")
        self.assertEqual(self.own(self.shell("s1-6/sub")), self.sandbox.path(CONTROLLER, "s1-6/sub"))
        inside = self.new("--cgroup", "--mount", "--keep-mounts", place="s1-6/sub")
        read = {name: cgroup_in(inside.run(f"cat /proc/{pid}/cgroup"), self.hierarchy)
                for name, pid in (("self", "self"), ("above", above.pid), ("sleeper", sleeper.pid))}
        self.assertEqual(read, {"self": "/", "above": "/..", "sleeper": "/../sub2"})
        self.assertEqual({"self": self.view(inside, inside), "above": self.view(above, inside),
                          "sleeper": self.view(sleeper, inside)}, read)

    def test_s1_7_an_old_mount_still_shows_the_way_up(self):
        inside = self.new("--cgroup", "--mount", "--keep-mounts", place="s1-7/sub")
        self.assertEqual(self.root(inside), self.levels("s1-7/sub"))

    def test_s1_8_mounted_anew_it_shows_the_root(self):
        inside = self.new("--cgroup", "--propagation", "slave", place="s1-8/sub")
        self.assertEqual(self.root(inside), "/")

    def test_s1_9_no_path_from_outside_is_told(self):
        as_user = ("setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups")
        for prefix, options in (((), ()), (as_user, ("--map-root",))):
            inside = self.new("--cgroup", "--pid", *options, place="s1-9/sub", prefix=prefix)
            told = inside.run("cat /proc/[0-9]*/cgroup /proc/[0-9]*/mountinfo")
            self.assertIn(":/\n", told)
            self.assertNotIn(self.sandbox.name, told)
            self.assertNotIn("s1-9", told)

    def test_s1_10_a_process_tree_sees_the_same_wherever_it_is(self):
        seen = []
        for place in ("s1-10/here", "s1-10/far/away/and/deep"):
            inside = self.new("--cgroup", "--pid", place=place)
            mounts = inside.run("cat /proc/self/mountinfo")
            roots = {line.split()[4]: line.split()[3] for line in mounts.splitlines() if " - cgroup" in line}
            seen.append((inside.run("cat /proc/self/cgroup"), inside.run("cat /proc/1/cgroup"), roots))
            self.assertEqual(set(roots.values()), {"/"})
        self.assertEqual(seen[0], seen[1])

    def test_s1_11_ancestors_cannot_be_reached(self):
        inside = self.new("--cgroup", place="s1-11/sub")
        below = self.sandbox.make(CONTROLLER, "s1-11/sub/below")
        mount = self.hierarchy.mount
        self.assertEqual(inside.run(f"stat -c %i {mount}/below").strip(), str(below.stat().st_ino))
        self.assertNotEqual(inside.run(f"stat -c %d {mount}/..").strip(), str(below.stat().st_dev))
        self.assertIn("No such file", inside.run(f"cat {self.sandbox.dir(CONTROLLER, 's1-11')}/{self.hierarchy.tasks_file}"))
        self.assertEqual(inside.run(f"find {mount} -name sub"), "")

    def test_s1_12_who_owns_an_ancestor_cannot_even_see_it(self):
        owned = self.sandbox.make(CONTROLLER, "s1-12/1", USER)
        self.sandbox.place("s1-12/1/2", USER)
        ids = (f"--setuid={USER}", f"--setgid={USER}")
        without = self.new("--uts", *ids, place="s1-12/1/2")
        self.assertEqual(without.run(f"mkdir {owned}/planted && echo made"), "made\n")
        (owned / "planted").rmdir()
        within = self.new("--cgroup", *ids, place="s1-12/1/2")
        self.assertIn("No such file", within.run(f"mkdir {owned}/planted"))
        self.assertEqual(within.run(f"mkdir {self.hierarchy.mount}/own && echo made"), "made\n")
        self.assertTrue((owned / "2/own").is_dir(), "at or below its own it is its own master")

    def test_s4_1_without_one_a_mount_inside_shows_all_of_the_hosts(self):
        inside = self.new("--mount", place="s4-1/docker/c1")
        self.assertEqual(self.own(inside), self.sandbox.path(CONTROLLER, "s4-1/docker/c1"))
        above = self.sandbox.dir(CONTROLLER, "s4-1")
        self.assertEqual(inside.run(f"mkdir {above}/changed && echo made"), "made\n")
        (above / "changed").rmdir()

    def test_s4_3_the_roots_of_a_container(self):
        host, inside = self.shell("s4-3"), self.new("--cgroup", "--keep-mounts", place="s4-3/docker/container1")
        self.assertEqual(self.own(inside), "/")
        self.assertEqual(cgroup_in(inside.run(f"cat /proc/{host.pid}/cgroup"), self.hierarchy), "/../..")
        self.assertEqual(self.view(host, inside), "/../..")

    def test_s4_4_what_ls_shows_before_and_after_mounting_anew(self):
        place = "s4-4/docker/container1"
        before = self.new("--cgroup", "--mount", "--keep-mounts", place=place)
        after = self.new("--cgroup", place=place)
        top = self.sandbox.dir(CONTROLLER, "s4-4")
        self.assertEqual(self.root(before), self.levels(place))
        self.assertIn("docker\n", before.run(f"ls {top}"))
        self.assertEqual(self.root(after), "/")
        self.assertNotIn(self.sandbox.name, after.run(f"ls {self.hierarchy.mount}"))

    def test_s4_5_from_the_first_namespace_the_full_path_is_seen(self):
        inside = self.new("--cgroup", place="s4-5/docker/container1")
        path = self.sandbox.path(CONTROLLER, "s4-5/docker/container1")
        self.assertEqual(self.view(inside), path)
        self.assertEqual(cgroup_in(pathlib.Path(f"/proc/{inside.pid}/cgroup").read_text(), self.hierarchy), path)


class Namespaces(NamespaceTest):
    def differ(self, a: int, b: int) -> set[str]:
        done = subprocess.run([self.cgm, "ns", "same", "--json", str(a), str(b)], capture_output=True, text=True)
        told = json.loads(done.stdout)
        self.assertEqual(done.returncode, 0 if told["same"] else 1)
        return {one["kind"] for one in told["namespaces"] if not one["same"]}

    def test_s2_2_each_of_the_six_kinds_can_be_had_alone(self):
        for kind in KINDS:
            inside = self.new(f"--{kind}", "--keep-mounts")
            self.assertEqual(self.differ(inside.pid, os.getpid()), {kind})

    def test_s2_3_members_see_each_others_changes_and_nothing_outside_does(self):
        before = os.uname().nodename
        inside = self.new("--uts")
        inside.run("hostname changed-inside")
        self.assertEqual(self.ns("enter", str(inside.pid), "--", "hostname"), "changed-inside\n")
        self.assertEqual(os.uname().nodename, before)

    def test_s2_4_the_four_ways(self):
        cloned, unshared = self.new("--uts", "--hostname=cloned"), self.new("--uts", "--no-fork", "--hostname=unshared")
        self.assertEqual(self.ns("enter", str(cloned.pid), "--", "hostname"), "cloned\n")  # setns
        self.assertEqual(unshared.run("hostname"), "unshared\n")
        self.assertEqual(self.ns("enter", f"/proc/{unshared.pid}/ns/uts", "--", "hostname"), "unshared\n")

    def test_s2_5_equal_numbers_mean_the_same_namespace(self):
        inside = self.new("--uts")
        member = Shell(self.cgm, "ns", "enter", str(inside.pid), "--")
        self.addCleanup(member.close)
        member.run("true")
        self.assertEqual(self.differ(inside.pid, member.pid), set())
        for a, b, same in ((inside.pid, member.pid, True), (inside.pid, os.getpid(), False)):
            self.assertEqual(os.readlink(f"/proc/{a}/ns/uts") == os.readlink(f"/proc/{b}/ns/uts"), same)

    def listed(self, inode: int) -> dict | None:
        told = json.loads(self.ns("list", "--all", "--json"))["namespaces"]
        return next((one for one in told if one["ns"] == inode), None)

    def test_s2_6_a_held_descriptor_keeps_a_namespace(self):
        inside = self.new("--uts", "--hostname=held")
        with open(f"/proc/{inside.pid}/ns/uts") as held:
            inode = os.fstat(held.fileno()).st_ino
            inside.close()
            self.assertEqual(self.listed(inode)["kept_by"], ["descriptor"])
            self.assertEqual(self.listed(inode)["descriptors"], [{"pid": os.getpid(), "fd": held.fileno()}])
            self.assertEqual(self.ns("enter", f"fd:{held.fileno()}", "--", "hostname", pass_fds=(held.fileno(),)), "held\n")
        self.assertIsNone(self.listed(inode))

    def test_s2_7_and_s2_8_a_bind_mount_in_a_home_folder_keeps_it_and_is_entered(self):
        """S2.7, and S2.8 with what `setns-test ~/uts /bin/bash` does."""
        inside = self.new("--uts", "--hostname=bound")
        inode = os.stat(f"/proc/{inside.pid}/ns/uts").st_ino
        home = self.new("--mount")  # its mounts are its own
        file = self.folder / "uts"
        home.run(f"touch {file} && mount --bind /proc/{inside.pid}/ns/uts {file}")
        inside.close()
        self.assertEqual(self.listed(inode)["kept_by"], ["mount"])
        self.assertEqual(self.listed(inode)["mounts"], [str(file)])
        self.assertEqual(home.run(f"{self.cgm} ns enter {file} -- hostname"), "bound\n")
        home.run(f"umount {file}")
        self.assertIsNone(self.listed(inode))

    def test_s2_7_so_does_a_pin_that_is_entered_by_its_name(self):
        name = f"cgmt-{os.getpid()}"
        for folder in ("/run/cgmanager", "/run/cgmanager/ns"):
            if not os.path.exists(folder):
                self.addCleanup(os.rmdir, folder)
        inside = self.new("--uts", "--hostname=pinned", "--pin", name)
        self.addCleanup(subprocess.run, [self.cgm, "ns", "unpin", name], capture_output=True)
        inside.run("true")
        inside.close()
        self.assertEqual(self.ns("enter", name, "--", "hostname"), "pinned\n")
        self.ns("unpin", name)
        self.ns("enter", name, "--", "true", status=125)

    def test_s2_9_exec_is_setns_and_then_clone(self):
        inside = self.new("--pid", "--uts", "--hostname=box")
        told = self.ns("enter", str(inside.pid), "--", "sh", "-c", "hostname; readlink /proc/self; readlink /proc/self/ns/pid")
        host, pid, namespace = told.splitlines()
        self.assertEqual((host, namespace), ("box", inside.run("readlink /proc/self/ns/pid").strip()))
        self.assertGreater(int(pid), 1)

    def test_s2_10_unshare_needs_no_new_process(self):
        inside = self.new("--uts", "--no-fork")
        own = inside.run("echo $$").strip()
        self.assertEqual(int(own), inside.pid)
        self.assertEqual(inside.pid, inside._process.pid, "cgm itself has become the shell")
        self.assertEqual(self.differ(inside.pid, os.getpid()), {"uts"})

    def test_s3_1_processes_of_one_kernel_are_isolated_and_limited(self):
        self.sandbox.require("memory")
        self.sandbox.place("s3-1")
        done = subprocess.run([self.cgm, "run", "--direct", "-m", "20M", "--all-namespaces", "--", "sh", "-c",
                               "uname -r; ls -d /proc/[0-9]* | wc -l; head -c 60000000 /dev/zero | tail > /dev/null"],
                              capture_output=True, text=True, preexec_fn=lambda: self.sandbox.join("s3-1"))
        kernel, processes = done.stdout.splitlines()
        self.assertEqual(kernel, os.uname().release)
        self.assertLess(int(processes), 5)
        self.assertEqual(done.returncode, 137)
        self.assertIn("the kernel killed", done.stderr)

    def test_s3_2_one_is_process_1_and_sees_two(self):
        inside = self.new("--pid")
        self.assertEqual(inside.run("echo $$"), "1\n")
        seen = inside.run("find /proc -maxdepth 1 -name '[0-9]*'")
        self.assertEqual(len(seen.split()), 2, seen)

    def test_s3_3_from_outside_it_has_another_pid(self):
        inside = self.new("--pid")
        shown = json.loads(self.ns("show", "--json", str(inside.pid)))
        self.assertEqual(shown["pids"], [inside.pid, 1])
        self.assertNotEqual(inside.pid, 1)

    def test_s3_4_the_same_port_is_free_in_each_network(self):
        listen = "python3 -c \"import socket, sys; s = socket.create_server(('', 80)); print('listens', flush=True); sys.stdin.read()\""
        servers = []
        for _ in range(2):
            server = subprocess.Popen([self.cgm, "ns", "new", "--net", "--", "sh", "-c", listen], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True)
            servers.append(server)
            self.addCleanup(server.wait)
            self.addCleanup(server.stdout.close)
            self.addCleanup(server.stdin.close)
        self.assertEqual([server.stdout.readline() for server in servers], ["listens\n"] * 2)

    def test_s3_5_a_mount_does_not_affect_the_host(self):
        inside = self.new("--mount")
        place = self.folder / "mounted"
        place.mkdir()
        inside.run(f"mount -t tmpfs none {place} && touch {place}/file")
        self.assertEqual(inside.run(f"ls {place}"), "file\n")
        self.assertEqual(list(place.iterdir()), [])
        self.assertNotIn(str(place), pathlib.Path("/proc/self/mountinfo").read_text())

    def test_s3_6_a_running_program_is_entered(self):
        inside = self.new("--pid", "--net", "--ipc", "--uts", "--cgroup")
        told = self.ns("enter", str(inside.pid), "--", "sh", "-c", "for f in /proc/self/ns/*; do readlink $f; done")
        self.assertEqual(told, inside.run("for f in /proc/self/ns/*; do readlink $f; done"))

    def test_uid_0_inside_is_a_plain_user_outside(self):
        inside = self.new("--map-root", prefix=("setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"))
        self.assertEqual(inside.run("id -u"), "0\n")
        self.assertEqual(os.stat(f"/proc/{inside.pid}").st_uid, USER)

    def test_ipc_objects_are_apart(self):
        """Shared memory, semaphores and message queues of System V, and queues of POSIX."""
        first, second = self.new("--ipc", "--mount"), self.new("--ipc", "--mount")
        for option in ("-M 64", "-S 1", "-Q"):
            self.assertIn("id:", first.run(f"ipcmk {option}"))
        for option in ("-m", "-s", "-q"):
            self.assertEqual(len([line for line in first.run(f"ipcs {option}").splitlines() if line.startswith("0x")]), 1)
            self.assertFalse([line for line in second.run(f"ipcs {option}").splitlines() if line.startswith("0x")])
