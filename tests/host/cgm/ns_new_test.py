# SPDX-License-Identifier: LGPL-2.1-or-later
"""cgm ns new: each kind of namespace seen from within, as root and as a plain user, and why one cannot be had."""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess

import seccomp
import suite
from cgroups import Sandbox
from namespaces import NamespaceTest, as_user, in_mount_namespace, inode, inodes
from testcase import USER

IDS = ("sh", "-c", "id -u; id -g")
NAME = "cgmt-user"  # of USER, where a test gives that user a name
HAS_TIME = os.path.exists("/proc/self/ns/time")


class NewTest(NamespaceTest):
    before_exec = None  # of every call

    def new(self, *arguments, **options):
        return self.cgm("new", *arguments, **{"preexec_fn": self.before_exec} | options)

    def said(self, *arguments, **options) -> str:
        return self.new(*arguments, **options).stdout.rstrip("\n")

    def inside(self, *arguments, prefix=(), **options):
        """A process that waits in the new namespaces."""
        return self.inhabitant(*prefix, self.program, "ns", "new", *arguments, "--", preexec_fn=self.before_exec,
                               **options)

    def others_than_ours(self, *arguments, **options) -> set[str]:
        reached, own = inodes(self.inside(*arguments, **options).pid), inodes()
        return {kind for kind in own if reached[kind] != own[kind]}


class Basics(NewTest):
    def test_each_kind_is_new_by_itself(self):
        # A pid or cgroup namespace needs mounts that show it.
        for option, kinds in (("--net", {"net"}), ("--uts", {"uts"}), ("--ipc", {"ipc"}), ("--mount", {"mount"}),
                              ("--user", {"user"}), ("--pid", {"pid", "mount"}), ("--cgroup", {"cgroup", "mount"}),
                              *([("--time", {"time"})] if HAS_TIME else [])):
            self.assertEqual(self.others_than_ours(option), kinds)

    def test_all_is_all_but_user_and_time(self):
        self.assertEqual(self.others_than_ours("--all"), set(inodes()) - {"user", "time"})

    def test_without_options_nothing_is_new(self):
        self.assertEqual(self.others_than_ours(), set())

    def test_the_program_is_process_1_and_sees_only_its_own(self):
        self.assertEqual(self.said("--pid", "--", "sh", "-c", "echo $$; ps -e -o pid=; :").split(), ["1", "1", "2"])

    def test_the_exit_status_is_the_programs(self):
        for options in ((), ("--pid",), ("--map-root",)):
            self.new(*options, "--", "sh", "-c", "exit 7", status=7)
            self.new(*options, "--", "true", status=0)

    def test_a_signals_end_is_128_and_its_number(self):
        self.new("--net", "--", "sh", "-c", "kill -TERM $$", status=128 + signal.SIGTERM)
        self.new("--pid", "--", "sh", "-c", "sh -c 'kill -KILL $$'; exit $?", status=128 + signal.SIGKILL)

    def test_what_cannot_be_run_is_told_apart(self):
        for options in ((), ("--pid",), ("--map-root",)):
            self.assertIn("no-such-program", self.new(*options, "--", "no-such-program", status=127).stderr)
            self.assertIn("/etc/passwd", self.new(*options, "--", "/etc/passwd", status=126).stderr)

    def test_a_plain_user_becomes_root_inside(self):
        one = self.inside("--map-root", "--net", prefix=as_user(USER))
        for file, line in (("uid_map", f"0 {USER} 1"), ("gid_map", f"0 {USER} 1"), ("setgroups", "deny")):
            self.assertEqual(" ".join(pathlib.Path(f"/proc/{one.pid}/{file}").read_text().split()), line)
        status = pathlib.Path(f"/proc/{one.pid}/status").read_text()
        self.assertEqual(re.search(r"Uid:(.*)\n", status)[1].split(), [str(USER)] * 4)
        self.assertEqual(self.said("--map-root", "--", *IDS, prefix=as_user(USER)).split(), ["0", "0"])

    def test_three_can_be_nested(self):
        nested = [self.program, "ns", "new", "--map-root", "--pid", "--"]
        shown = self.said("--map-root", "--pid", "--", *nested, *nested, "sh", "-c",
                          "echo $$; id -u; cat /proc/self/uid_map", prefix=as_user(USER))
        self.assertEqual(shown.split(), ["1", "0", "0", "0", "1"])


class BasicsWithoutClone3(Basics):
    """As in a container whose filter does not know that call."""

    def setUp(self):
        super().setUp()
        self.before_exec = seccomp.masked("clone3")


class Kinds(NewTest):
    def test_the_host_has_another_name(self):
        before = os.uname().nodename
        self.assertEqual(self.said("--hostname", "box", "--", "uname", "-n"), "box")
        self.assertEqual(os.uname().nodename, before)

    def test_a_host_name_that_is_too_long_is_refused(self):
        self.assertIn("sethostname", self.new("--hostname", "x" * 65, "--", "true", status=125).stderr)

    def test_shared_memory_is_not_shared(self):
        made = subprocess.run(["ipcmk", "--shmem", "4096"], capture_output=True, text=True, check=True)
        number = re.search(r"\d+", made.stdout)[0]
        self.addCleanup(subprocess.run, ["ipcrm", "--shmem-id", number], check=True)
        pattern = rf"(?m)^\S+ +{number} "
        self.assertRegex(self.said("--", "ipcs", "--shmems"), pattern)
        self.assertNotRegex(self.said("--ipc", "--", "ipcs", "--shmems"), pattern)

    def test_a_mount_of_message_queues_shows_the_new_ones(self):
        queues = self.folder / "queues"
        queues.mkdir()
        prefix = ["unshare", "--ipc", *in_mount_namespace(f"mount -t mqueue queues {queues}; touch {queues}/ours")]
        self.assertEqual(self.said("--ipc", "--mount", "--", "ls", queues, prefix=prefix), "")
        self.assertEqual(self.said("--ipc", "--mount", "--keep-mounts", "--", "ls", queues, prefix=prefix), "ours")
        self.assertEqual(self.said("--mount", "--", "ls", queues, prefix=prefix), "ours")

    def test_a_port_that_is_taken_is_free_in_a_new_network(self):
        with socket.socket() as taken:
            taken.bind(("", 0))
            code = f"import socket; socket.socket().bind(('', {taken.getsockname()[1]})); print('bound')"
            self.assertIn("in use", self.new("--uts", "--", "python3", "-c", code, status=1).stderr)
            self.assertEqual(self.said("--net", "--", "python3", "-c", code), "bound")

    def test_a_new_network_has_a_loopback_device_alone(self):
        lines = self.said("--net", "--", "cat", "/proc/self/net/dev").splitlines()
        # The kernel may add tunnels of modules that are loaded.
        self.assertIn("lo", [line.split(":")[0].strip() for line in lines])
        self.assertNotIn("eth0", [line.split(":")[0].strip() for line in lines])

    def test_a_mount_is_not_seen_outside(self):
        folder = self.folder / "mounted"
        folder.mkdir()
        shown = self.said("--mount", "--", "sh", "-ec",
                          f"mount -t tmpfs test {folder}; touch {folder}/file; ls {folder}")
        self.assertEqual((shown, list(folder.iterdir())), ("file", []))

    def test_clocks_are_set_forward(self):
        if not HAS_TIME:
            self.skipTest("this kernel has no time namespaces")
        clocks = "import time; print(time.clock_gettime(time.CLOCK_MONOTONIC), time.clock_gettime(time.CLOCK_BOOTTIME))"
        for options, monotonic, boottime in ((("--monotonic", "1000000000"), True, False),
                                             (("--boottime", "1000000000"), False, True),
                                             (("--boottime=1000000000", "--monotonic=1000000000"), True, True)):
            shown = [float(text) > 1e9 for text in self.said(*options, "--", "python3", "-c", clocks).split()]
            self.assertEqual(shown, [monotonic, boottime])

    def test_clocks_take_seconds_alone(self):
        for option in ("--monotonic", "--boottime"):
            self.assertIn(option, self.new(f"{option}=1d", "--", "true", status=2).stderr)

    def test_a_clock_before_the_boot_is_refused(self):
        if not HAS_TIME:
            self.skipTest("this kernel has no time namespaces")
        self.assertIn("time", self.new("--boottime=-1000000000", "--", "true", status=125).stderr)


class Cgroups(NewTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sandbox = Sandbox()
        cls.addClassCleanup(cls.sandbox.close)

    def views(self, place: str, *options, prefix=()) -> tuple[set, set]:
        """Where /proc says that the program is, and what of each hierarchy its mounts show."""
        shown = self.said("--cgroup", *options, "--", "cat", "/proc/self/cgroup", "/proc/self/mountinfo", prefix=prefix,
                          preexec_fn=lambda: self.sandbox.join(place))
        lines = shown.splitlines()
        places = {line.split(":", 2)[2] for line in lines if " - " not in line}
        mounts = [line.split() for line in lines if " - cgroup" in line]
        self.assertTrue(mounts)
        seen = {}  # by mount point: the last one covers those before
        for fields in mounts:
            seen[fields[4]] = fields[3]
        return places, set(seen.values())

    def test_the_programs_cgroup_is_the_root(self):
        self.sandbox.place("root")
        self.assertEqual(self.views("root"), ({"/"}, {"/"}))

    def test_it_is_for_a_plain_user_too(self):
        self.sandbox.place("plain", USER)
        self.assertEqual(self.views("plain", "--map-root", prefix=as_user(USER)), ({"/"}, {"/"}))

    def test_mounts_can_be_kept(self):
        self.sandbox.place("kept")
        places, roots = self.views("kept", "--keep-mounts")
        self.assertEqual((places, "/" in roots), ({"/"}, False))

    def test_the_mounts_hold_the_programs_cgroup(self):
        self.sandbox.place("held")
        one = self.sandbox.hierarchies[0]
        (one.mount / one.own / self.sandbox.name / "held/below").mkdir()
        shown = self.said("--cgroup", "--", "sh", "-c", f"test -d {one.mount}/below && cat {one.mount}/cgroup.procs",
                          preexec_fn=lambda: self.sandbox.join("held"))
        self.assertTrue(shown.split())


class Program(NewTest):
    """How it runs, and how it ends."""

    def test_without_a_program_the_users_shell_is_run(self):
        self.new("--net", status=9, input="exit 9\n", stdin=None, env=os.environ | {"SHELL": "/bin/sh"})

    def test_the_programs_own_options_are_left_to_it(self):
        self.assertEqual(self.said("--net", "printf", "%s ", "--pid", "-a", "--", "--uts"), "--pid -a -- --uts ")

    def test_ranges_end_where_the_program_begins(self):
        self.assertEqual(self.said("--map-users", "0:0:10", "--map-users", "10:10:5", "id", "-u"), "0")

    def test_an_option_that_there_is_not_is_a_usage_error(self):
        self.assertIn("--nett", self.new("--nett", "--", "true", status=2).stderr)

    def test_the_first_process_of_a_pid_namespace_ends_by_a_signal_that_it_does_not_handle(self):
        for script, status in (("echo ready; sleep 600", 128 + signal.SIGTERM),
                               ("trap 'exit 5' TERM; echo ready; sleep 600 & wait", 5),
                               ("trap '' TERM; echo ready; read line; exit 6", 6)):
            with subprocess.Popen([self.program, "ns", "new", "--pid", "--", "sh", "-c", f"{script}; exit 1"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
                self.assertEqual(process.stdout.readline(), "ready\n")
                process.send_signal(signal.SIGTERM)
                process.communicate("go on\n", timeout=120)
                self.assertEqual(process.returncode, status, script)

    def test_a_signal_is_passed_on(self):
        for options in (("--net",), ("--pid",)):
            script = "trap 'echo got it; exit 5' TERM; echo ready; while :; do read line; done"
            keep, theirs = os.pipe()  # which is never written to
            self.addCleanup(os.close, theirs)
            with subprocess.Popen([self.program, "ns", "new", *options, "--", "sh", "-c", script], stdin=keep,
                                  stdout=subprocess.PIPE, text=True) as process:
                os.close(keep)
                self.assertEqual(process.stdout.readline(), "ready\n")
                process.send_signal(signal.SIGTERM)
                self.assertEqual((process.stdout.read(), process.wait(timeout=120)), ("got it\n", 5))

    def kill_cgm(self, *options, prefix=()) -> int:
        """Returns the program's pid."""
        one = self.inside(*options, prefix=prefix)
        self.assertEqual(len(one.pids), 2)
        one.process.kill()
        one.process.wait()
        self.addCleanup(suite.eventually, lambda: not os.path.exists(f"/proc/{one.pid}"))
        self.addCleanup(one.process.stdin.close)
        return one.pid

    def test_the_program_ends_when_cgm_is_killed(self):
        for options in (("--net",), ("--pid",), ("--uts", "--setuid", USER)):
            pid = self.kill_cgm(*options)
            self.assertTrue(suite.eventually(lambda pid=pid: not os.path.exists(f"/proc/{pid}")), options)
        pid = self.kill_cgm("--map-root", prefix=as_user(USER))
        self.assertTrue(suite.eventually(lambda: not os.path.exists(f"/proc/{pid}")))

    def test_the_program_can_survive_cgm(self):
        pid = self.kill_cgm("--net", "--survive")
        self.assertTrue(os.path.exists(f"/proc/{pid}"))
        self.assertTrue(suite.eventually(lambda: int(re.search(r"PPid:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status")
                                                               .read_text())[1]) != os.getpid()))

    def test_no_descriptor_of_ours_is_left_to_it(self):
        for options in (("--net",), ("--pid",), ("--map-root", "--cgroup")):
            self.assertEqual(self.said(*options, "--", "sh", "-c", "ls /proc/$$/fd").split(), ["0", "1", "2"])

    def test_the_root_is_another_folder(self):
        root, prefix = self.other_root()
        shown = self.said("--root", root, "--", "sh", "-c", "cat /marker; pwd", prefix=prefix)
        self.assertEqual(shown.split(), ["here", "/"])
        self.assertEqual(self.said("--root", root, "--wd", "/inner", "--", "pwd", "-P", prefix=prefix), "/inner")

    def test_another_root_gets_a_proc_of_its_own(self):
        root, prefix = self.other_root()
        shown = self.said("--pid", "--root", root, "--", "sh", "-c", "echo $$; ps -e -o pid=; :", prefix=prefix)
        self.assertEqual(shown.split(), ["1", "1", "2"])

    def test_the_working_directory_is_another_folder(self):
        self.assertEqual(self.said("--wd", self.folder, "--", "pwd", "-P"), str(self.folder))

    def test_a_folder_that_there_is_not_is_named(self):
        for option in ("--root", "--wd", "--mount-proc"):
            refused = self.new("--pid", option, "/no/such", "--", "true", status=125)
            self.assertIn('"/no/such"', refused.stderr)

    def test_ids_are_those_asked_for_and_further_groups_are_dropped(self):
        shown = self.said("--setuid", USER, "--setgid", USER + 1, "--", "grep", "-E", "^(Uid|Gid|Groups|CapEff):",
                          "/proc/self/status", prefix=as_user(0, 7, 8)).split()
        self.assertEqual(shown, ["Uid:", *[str(USER)] * 4, "Gid:", *[str(USER + 1)] * 4, "Groups:", "CapEff:",
                                 "0" * 16])

    def test_ids_may_be_names(self):
        shown = self.said("--setuid", "nobody", "--setgid", "nogroup", "--", "id", "-un")
        self.assertEqual(shown, "nobody")
        self.assertIn("no-such-user", self.new("--setuid", "no-such-user", "--", "true", status=2).stderr)
        self.assertIn("no-such-group", self.new("--setgid", "no-such-group", "--", "true", status=2).stderr)

    def test_capabilities_can_be_kept_by_who_is_not_root(self):
        for options, prefix in ((("--net", "--setuid", USER), ()), (("--map-current",), as_user(USER))):
            look = ("--", "grep", "CapEff", "/proc/self/status")
            kept = self.said(*options, "--keep-caps", *look, prefix=prefix).split()
            self.assertGreater(int(kept[1], 16), 0)
            self.assertEqual(int(self.said(*options, *look, prefix=prefix).split()[1], 16), 0)


class Mounts(NewTest):
    def root_mount(self, *options) -> str:
        """The optional fields of the root's mount, where that was shared before."""
        shown = self.said(*options, "--", "cat", "/proc/self/mountinfo", prefix=("unshare", "--mount", "--propagation",
                                                                               "shared"))
        fields = next(line.split() for line in shown.splitlines() if line.split()[4] == "/")
        return " ".join(fields[6:fields.index("-")])

    def test_mounts_do_not_propagate_unless_asked_for(self):
        self.assertEqual(self.root_mount("--mount"), "")
        self.assertEqual(self.root_mount("--mount", "--propagation", "private"), "")

    def test_mounts_propagate_as_asked_for(self):
        self.assertRegex(self.root_mount("--mount", "--propagation", "slave"), r"^master:\d+$")
        self.assertRegex(self.root_mount("--mount", "--propagation", "shared"), r"^shared:\d+$")
        self.assertRegex(self.root_mount("--mount", "--propagation", "unchanged"), r"^shared:\d+$")

    def test_mounts_propagate_in_no_other_way(self):
        self.assertIn("public", self.new("--mount", "--propagation", "public", "--", "true", status=2).stderr)

    def test_proc_can_be_left_as_it_is(self):
        own, shown = self.said("--pid", "--keep-mounts", "--", "sh", "-c",
                               "echo $$; read pid rest </proc/self/stat; echo $pid").split()
        self.assertEqual(own, "1")
        self.assertNotEqual(shown, "1")
        self.assertEqual(self.others_than_ours("--pid", "--keep-mounts"), {"pid"})

    def test_proc_can_be_mounted_elsewhere(self):
        folder = self.folder / "proc"
        folder.mkdir()
        script = f"for proc in {folder} /proc; do read pid rest <$proc/self/stat; echo $pid; done"
        shown = self.said("--pid", "--mount-proc", folder, "--", "sh", "-c", script).split()
        self.assertEqual(shown[0], "1")
        self.assertNotEqual(shown[1], "1")
        self.assertEqual(list(folder.iterdir()), [])

    def test_a_proc_of_its_own_has_the_usual_restrictions(self):
        shown = self.said("--pid", "--", "cat", "/proc/self/mountinfo").splitlines()
        options = [line.split()[5] for line in shown if line.split()[4] == "/proc"][-1].split(",")
        self.assertLessEqual({"nosuid", "nodev", "noexec"}, set(options))


class AsAPlainUser(NewTest):
    user = as_user(USER)

    def maps(self, *options, prefix=None) -> dict[str, list[str]]:
        one = self.inside(*options, prefix=self.user if prefix is None else prefix)
        files = [pathlib.Path(f"/proc/{one.pid}/{name}") for name in ("uid_map", "gid_map", "setgroups")]
        return {file.name: [" ".join(line.split()) for line in file.read_text().splitlines()] for file in files}

    def test_the_user_can_stay_the_same(self):
        self.assertEqual(self.maps("--map-current"), {"uid_map": [f"{USER} {USER} 1"], "gid_map": [f"{USER} {USER} 1"],
                                                      "setgroups": ["deny"]})
        self.assertEqual(self.said("--map-current", "--", *IDS, prefix=self.user).split(),
                         [str(USER)] * 2)

    def test_the_user_can_be_any_other(self):
        self.assertEqual(self.maps("--map-user", "5", "--map-group", "6"),
                         {"uid_map": [f"5 {USER} 1"], "gid_map": [f"6 {USER} 1"], "setgroups": ["deny"]})
        shown = self.said("--map-user", "5", "--map-group", "6", "--", *IDS, prefix=self.user)
        self.assertEqual(shown.split(), ["5", "6"])

    def test_without_a_map_the_user_is_nobody(self):
        self.assertEqual(self.maps("--user"), {"uid_map": [], "gid_map": [], "setgroups": ["allow"]})
        self.assertEqual(self.said("--user", "--", "id", "-u", prefix=self.user), "65534")

    def test_everything_else_then_belongs_to_the_users_namespace(self):
        one = self.inside("--map-root", "--all", prefix=self.user)
        entries = self.entries()
        for kind in ("net", "uts", "ipc", "mount", "pid", "cgroup"):
            self.assertEqual(entries[inode(one.pid, kind)]["owner"], inode(one.pid, "user"))
        self.assertEqual(entries[inode(one.pid, "user")]["maker_uid"], USER)

    def test_further_groups_cannot_be_allowed_with_ones_own_alone(self):
        self.assertIn("setgroups", self.new("--map-root", "--setgroups", "allow", "--", "true", prefix=self.user,
                                            status=2).stderr)

    def test_new_namespaces_without_a_user_namespace_need_a_capability_that_is_named(self):
        for option in ("--net", "--pid", "--mount", "--uts", "--ipc", "--cgroup"):
            refused = self.new(option, "--", "true", prefix=self.user, status=125)
            self.assertIn("CAP_SYS_ADMIN", refused.stderr)

    def test_a_time_namespace_needs_it_too(self):
        if not HAS_TIME:
            self.skipTest("this kernel has no time namespaces")
        self.assertIn("time namespace", self.new("--time", "--", "true", prefix=self.user, status=125).stderr)

    def test_ids_of_others_need_subordinate_ids(self):
        self.new("--map-root", "--setuid", "5", "--", "true", prefix=self.user, status=125)


class SubordinateIds(AsAPlainUser):
    """A user whose name, and subordinate ids, are known in a mount namespace alone."""
    lines = f"someone:500000:65536\n{NAME}:100000:65536\n{USER}:300000:10\n"

    def setUp(self):
        super().setUp()
        if not shutil.which("newuidmap"):
            self.skipTest("newuidmap is not installed (package uidmap)")
        self.user = self.with_subids(self.lines)

    def with_subids(self, lines: str) -> list[str]:
        mounts = []
        for name, text in (("passwd", pathlib.Path("/etc/passwd").read_text() + f"{NAME}:x:{USER}:{USER}::/:/bin/sh\n"),
                           ("group", pathlib.Path("/etc/group").read_text() + f"{NAME}:x:{USER}:\n"),
                           ("subuid", lines), ("subgid", lines)):
            copy = self.folder / f"{name}-{len(list(self.folder.iterdir()))}"
            copy.write_text(text)
            if not os.path.exists(f"/etc/{name}"):
                self.skipTest(f"no /etc/{name}, over which a file could be mounted")
            mounts.append(f"mount --bind {copy} /etc/{name}")
        return [*in_mount_namespace("; ".join(mounts)), *as_user(USER)]

    def test_all_of_the_first_block_is_mapped_beside_oneself(self):
        maps = self.maps("--map-root", "--map-auto")
        self.assertEqual(maps["uid_map"], [f"0 {USER} 1", "1 100000 65536"])
        self.assertEqual(maps["gid_map"], [f"0 {USER} 1", "1 100000 65536"])

    def test_oneself_may_be_in_the_middle(self):
        maps = self.maps("--map-user", "1000", "--map-group", "1000", "--map-auto")
        self.assertEqual(maps["uid_map"], ["0 100000 1000", f"1000 {USER} 1", "1001 101000 64536"])

    def test_without_oneself_the_program_is_root(self):
        self.assertEqual(self.maps("--map-auto")["uid_map"], ["0 100000 65536"])
        self.assertEqual(self.said("--map-auto", "--", *IDS, prefix=self.user).split(), ["0", "0"])

    def test_ranges_are_mapped_as_asked_for(self):
        maps = self.maps("--map-users", "0:100000:10", "--map-users", "10:100500:5", "--map-groups", "0:100000:3")
        self.assertEqual(maps["uid_map"], ["0 100000 10", "10 100500 5"])
        self.assertEqual(maps["gid_map"], ["0 100000 3"])

    def test_ids_inside_can_be_taken(self):
        shown = self.said("--map-root", "--map-auto", "--setuid", "5", "--setgid", "6", "--", "sh", "-c",
                          "id -u; id -g; id -G", prefix=self.user)
        self.assertEqual(shown.split(), ["5", "6", "6"])

    def test_files_made_inside_belong_to_subordinate_ids(self):
        folder = self.folder / "files"
        folder.mkdir()
        folder.chmod(0o777)
        self.said("--map-root", "--map-auto", "--", "sh", "-ec", f"touch {folder}/file; chown 5:6 {folder}/file",
                  prefix=self.user)
        made = (folder / "file").stat()
        self.assertEqual((made.st_uid, made.st_gid), (100004, 100005))

    def test_ranges_that_are_not_ours_are_named_with_the_file(self):
        refused = self.new("--map-users", "0:100000:65537", "--", "true", prefix=self.user, status=125)
        self.assertIn(f"/etc/subuid does not give '{NAME}' the ids 165536", refused.stderr)
        refused = self.new("--map-groups", "0:500000:10", "--", "true", prefix=self.user, status=125)
        self.assertIn(f"/etc/subgid does not give '{NAME}' the ids 500000-500009", refused.stderr)

    def test_who_has_no_subordinate_ids_is_told_which_file_lacks_them(self):
        user = self.with_subids("someone:1:1\n")
        refused = self.new("--map-root", "--map-auto", "--", "true", prefix=user, status=125)
        self.assertIn("/etc/subuid", refused.stderr)
        self.assertIn(NAME, refused.stderr)

    def test_without_the_tool_its_package_is_named(self):
        refused = self.new("--map-root", "--map-auto", "--", "/bin/true", prefix=[*self.user, "env", "PATH=/nowhere"],
                           status=125)
        self.assertRegex(refused.stderr, "newgidmap.*package uidmap")


class Refused(NewTest):
    def test_an_empty_word_is_no_option_that_was_not_given(self):
        for option in ("--root", "--wd", "--setuid", "--setgid", "--hostname", "--mount-proc", "--map-user",
                       "--monotonic"):
            self.assertIn(option, self.new(option, "", "--", "true", status=2).stderr)

    def allowing(self, kind: str, count: int) -> list[str]:
        """The beginning of a command line that is run where this sysctl says so: in a user namespace."""
        script = f'echo {count} >/proc/sys/user/max_{kind}_namespaces; exec "$@"'
        return ["unshare", "--map-root-user", "sh", "-ec", script, "sh"]

    def test_maps_that_no_kernel_takes_are_usage_errors_that_say_why(self):
        many = [word for number in range(341) for word in ("--map-users", f"{number * 2}:{number}:1")]
        for words, why in ((("--map-users", "0:0"), "INSIDE:OUTSIDE:COUNT"), (("--map-users", "0:0:x"), "0:0:x"),
                           (("--map-users", "0:0:1:1"), "0:0:1:1"), (("--map-users", "-1:0:1"), "INSIDE:OUTSIDE:COUNT"),
                           (("--map-users", "0:0:0"), "no id"), (("--map-users", "1:1:4294967295"), "4294967294"),
                           (("--map-users", "0:0:4294967296"), "INSIDE:OUTSIDE:COUNT"), (many, "340"),
                           (("--map-users", "0:0:10", "--map-users", "5:100:10"), "overlap inside"),
                           (("--map-groups", "0:0:10", "--map-groups", "50:5:10"), "overlap outside"),
                           (("--map-root", "--map-users", "0:5:10"), "overlap inside")):
            refused = self.new(*words, "--", "true", status=2)
            self.assertIn(why, refused.stderr)

    def test_340_ranges_are_taken(self):
        words = [word for number in range(340) for word in ("--map-users", f"{number * 2}:{number}:1")]
        self.assertEqual(len(self.said(*words, "--", "cat", "/proc/self/uid_map").splitlines()), 340)

    def test_a_sysctl_that_forbids_a_kind_is_named(self):
        for options in (("--net",), ("--net", "--uts"), ("--map-root", "--net")):
            refused = self.new(*options, "--", "true", prefix=self.allowing("net", 0), status=125)
            self.assertIn("user.max_net_namespaces", refused.stderr)

    def test_a_sysctl_that_allows_too_few_is_named(self):
        nested = [self.program, "ns", "new", "--uts", "--", "true"]
        refused = self.new("--uts", "--", *nested, prefix=self.allowing("uts", 1), status=125)
        self.assertIn("user.max_uts_namespaces allows 1", refused.stderr)
