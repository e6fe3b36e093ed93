# SPDX-License-Identifier: LGPL-2.1-or-later
"""cgm ns enter: into namespaces of processes, files and descriptors, as root and as a plain user."""
import os
import pathlib
import re
import signal
import subprocess

import seccomp
import suite
from namespaces import KINDS, NamespaceTest, as_user, inode, inodes
from testcase import USER

CONTAINER = ("unshare", "--mount", "--uts", "--ipc", "--net", "--cgroup", "--pid", "--fork", "--mount-proc")


class EnterTest(NamespaceTest):
    before_exec = None  # of every call

    def enter(self, *arguments, **options):
        return self.cgm("enter", *arguments, preexec_fn=self.before_exec, **options)

    def said(self, *arguments, **options) -> str:
        return self.enter(*arguments, **options).stdout.rstrip("\n")

    def reached(self, *arguments, prefix=(), **options) -> dict[str, int]:
        """The namespaces that the program is in, seen from here."""
        inside = self.inhabitant(*prefix, self.program, "ns", "enter", *arguments, "--", preexec_fn=self.before_exec,
                                 **options)
        return inodes(inside.pid)

    def with_root(self):
        """A process in a root of its own."""
        root, prefix = self.other_root()
        return self.inhabitant(*prefix, "chroot", root)


class Targets(EnterTest):
    def test_a_process_is_entered_with_all_its_namespaces(self):
        time = ["--time"] if os.path.exists("/proc/self/ns/time") else []
        one = self.inhabitant(*CONTAINER, *time)
        self.assertEqual(self.reached(one.pid), inodes(one.pid))
        self.assertEqual(self.reached(one.pid, "--all"), inodes(one.pid))

    def test_of_a_process_the_kinds_that_are_named_are_entered(self):
        one = self.inhabitant(*CONTAINER)
        for options, kinds in ((["--net"], {"net"}), (["-u", "-i"], {"uts", "ipc"}), (["-mC"], {"mount", "cgroup"}),
                               (["--pid"], {"pid"})):
            reached, own = self.reached(one.pid, *options), inodes()
            self.assertEqual({kind for kind in own if reached[kind] != own[kind]}, kinds)
            self.assertEqual({kind: reached[kind] for kind in kinds}, {kind: inode(one.pid, kind) for kind in kinds})

    def test_our_own_process_is_entered_without_a_change(self):
        self.assertEqual(self.reached(os.getpid()), inodes())

    def test_a_namespace_file_is_entered_alone(self):
        one = self.inhabitant(*CONTAINER)
        for kind in ("net", "mount", "pid", "uts"):
            self.assertEqual(self.reached(f"/proc/{one.pid}/ns/{KINDS[kind]}"), inodes() | {kind: inode(one.pid, kind)})

    def test_a_mounted_namespace_is_entered_when_its_last_process_has_died(self):
        one = self.inhabitant("unshare", "--net")
        number, file = inode(one.pid, "net"), self.pin(f"/proc/{one.pid}/ns/net")
        one.close()
        self.assertEqual(self.reached(file), inodes() | {"net": number})

    def test_a_pidfd_is_entered_as_its_process(self):
        one = self.inhabitant(*CONTAINER)
        pidfd = os.pidfd_open(one.pid)
        self.addCleanup(os.close, pidfd)
        self.assertEqual(self.reached(f"fd:{pidfd}", pass_fds=(pidfd,)), inodes(one.pid))
        self.assertEqual(self.reached(f"fd:{pidfd}", "--net", pass_fds=(pidfd,)),
                         inodes() | {"net": inode(one.pid, "net")})

    def test_a_descriptor_of_a_namespace_is_entered(self):
        one = self.inhabitant("unshare", "--uts")
        number, held = inode(one.pid, "uts"), os.open(f"/proc/{one.pid}/ns/uts", os.O_RDONLY)
        self.addCleanup(os.close, held)
        one.close()
        self.assertEqual(self.reached(f"fd:{held}", pass_fds=(held,)), inodes() | {"uts": number})

    def test_a_kind_may_come_from_a_file_beside_those_of_a_process(self):
        one, other = self.inhabitant(*CONTAINER), self.inhabitant("unshare", "--net")
        file = f"--net=/proc/{other.pid}/ns/net"
        expected = inodes(one.pid) | {"net": inode(other.pid, "net")}
        self.assertEqual(self.reached(one.pid, file), expected)
        self.assertEqual(self.reached(one.pid, file, "--all"), expected)
        self.assertEqual(self.reached(one.pid, file, "--uts"),
                         inodes() | {"net": expected["net"], "uts": expected["uts"]})

    def test_a_kind_may_come_from_a_file_beside_a_file(self):
        one = self.inhabitant("unshare", "--net", "--uts")
        self.assertEqual(self.reached(f"/proc/{one.pid}/ns/net", f"--uts=/proc/{one.pid}/ns/uts"), inodes(one.pid))

    def test_a_file_of_another_kind_is_refused_by_name(self):
        one = self.inhabitant("unshare", "--net", "--uts")
        refused = self.enter(one.pid, f"--net=/proc/{one.pid}/ns/uts", "--", "true", status=2).stderr
        self.assertIn(f"/proc/{one.pid}/ns/uts", refused)
        self.assertRegex(refused, "uts namespace, no net namespace")

    def test_a_kind_without_file_needs_a_process(self):
        one = self.inhabitant("unshare", "--net")
        self.assertIn("--uts", self.enter(f"/proc/{one.pid}/ns/net", "--uts", "--", "true", status=2).stderr)

    def test_the_pid_namespace_is_that_of_the_program_itself(self):
        one = self.inhabitant(*CONTAINER)
        own, first, mine = self.said(one.pid, "--", "sh", "-c", "echo $$; tr '\\0\\n' '  ' </proc/1/cmdline; echo; "
                                     "readlink /proc/self/ns/pid").splitlines()
        self.assertLess(int(own), 1000)
        self.assertTrue(first.startswith("sh -c"), first)
        self.assertEqual(mine, f"pid:[{inode(one.pid, 'pid')}]")
        pids = self.said(one.pid, "--pid", "--", "grep", "NSpid", "/proc/self/status").split()
        self.assertEqual(len(pids), 3, pids)

    def test_clocks_of_a_time_namespace_are_the_programs(self):
        if not os.path.exists("/proc/self/ns/time"):
            self.skipTest("this kernel has no time namespaces")
        one = self.inhabitant("unshare", "--time", "--boottime=1000000000", "--fork")
        self.assertGreater(float(self.said(one.pid, "--", "cat", "/proc/uptime").split()[0]), 1e9)

    def test_what_is_no_target_is_told(self):
        fifo = self.folder / "fifo"
        os.mkfifo(fifo)
        zombie = subprocess.Popen(["true"])
        self.addCleanup(zombie.wait)
        os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
        for target in (self.gone_pid(), zombie.pid, 2**30, 0, "4294967297", "/etc/passwd", "/", "/no/such", fifo,
                       "fd:999", "fd:0", "fd:", "fd:x", "fd:-1", "net:[1]", "someone", ""):
            refused = self.enter(target, "--", "true", status=None)
            self.assertIn(refused.returncode, (2, 125), target)
            self.assertIn(str(target), refused.stderr)
        self.enter("-1", "--", "true", status=2)
        self.enter(status=2)

    def test_an_empty_word_is_no_option_that_was_not_given(self):
        for option in ("--setuid", "--setgid", "--wd-inside"):
            self.assertIn(option, self.enter(os.getpid(), option, "", "--", "true", status=2).stderr)

    def test_an_option_that_there_is_not_is_a_usage_error(self):
        self.assertIn("--nett", self.enter(os.getpid(), "--nett", "--", "true", status=2).stderr)


class AsOnOlderKernels(Targets):
    """Where setns takes one namespace at a time."""

    def setUp(self):
        super().setUp()
        self.before_exec = seccomp.setns_of_one_kind()


class Program(EnterTest):
    def test_the_exit_status_is_the_programs(self):
        one = self.inhabitant(*CONTAINER)
        for options in ((), ("--net",)):
            self.enter(one.pid, *options, "--", "sh", "-c", "exit 7", status=7)
            self.enter(one.pid, *options, "--", "true", status=0)

    def test_a_signals_end_is_told(self):
        one = self.inhabitant(*CONTAINER)
        self.enter(one.pid, "--", "sh", "-c", "kill -TERM $$", status=128 + signal.SIGTERM)
        self.enter(one.pid, "--net", "--", "sh", "-c", "kill -TERM $$", status=-signal.SIGTERM)  # in our place

    def test_what_cannot_be_run_is_told_apart(self):
        one = self.inhabitant(*CONTAINER)
        for options in ((), ("--net",)):
            self.assertIn("no-such-program", self.enter(one.pid, *options, "--", "no-such-program", status=127).stderr)
            self.assertIn("/etc/passwd", self.enter(one.pid, *options, "--", "/etc/passwd", status=126).stderr)

    def test_the_programs_own_options_are_left_to_it(self):
        self.assertEqual(self.said(os.getpid(), "printf", "%s ", "--net", "-a", "--", "--uts"), "--net -a -- --uts ")
        self.assertEqual(self.said(os.getpid(), "--", "printf", "%s ", "--net", "--help"), "--net --help ")

    def test_without_a_program_the_users_shell_is_run(self):
        self.enter(os.getpid(), status=9, input="exit 9\n", stdin=None, env=os.environ | {"SHELL": "/bin/sh"})

    def test_a_signal_is_passed_on(self):
        one = self.inhabitant(*CONTAINER)
        script = "trap 'echo got it; exit 5' TERM; echo ready; while :; do read line; done"
        command = [self.program, "ns", "enter", str(one.pid), "--", "sh", "-c", script]
        keep, theirs = os.pipe()  # which is never written to
        self.addCleanup(os.close, theirs)
        with subprocess.Popen(command, stdin=keep, stdout=subprocess.PIPE, text=True) as process:
            os.close(keep)
            self.assertEqual(process.stdout.readline(), "ready\n")
            process.send_signal(signal.SIGTERM)
            self.assertEqual((process.stdout.read(), process.wait(timeout=120)), ("got it\n", 5))

    def test_the_program_ends_when_cgm_is_killed(self):
        one = self.inhabitant(*CONTAINER)
        inside = self.inhabitant(self.program, "ns", "enter", one.pid)
        self.assertEqual(len(inside.pids), 2)
        pidfd = os.pidfd_open(inside.pid)
        self.addCleanup(os.close, pidfd)
        inside.process.kill()
        self.assertEqual(inside.process.wait(), -signal.SIGKILL)
        self.assertTrue(suite.eventually(lambda: not os.path.exists(f"/proc/{inside.pid}")))

    def test_no_descriptor_of_ours_is_left_to_it(self):
        one = self.inhabitant(*CONTAINER)
        for options in ((), ("--net",)):
            self.assertEqual(self.said(one.pid, *options, "--", "sh", "-c", "ls /proc/$$/fd").split(), ["0", "1", "2"])


class Surroundings(EnterTest):
    """Environment, folders and ids of the program."""

    def test_variables_are_set_and_replaced(self):
        variables = ("--env", "A=1", "-e", "B=x=y", "-e", "PATH=/bin:/usr/bin")
        shown = self.said(os.getpid(), *variables, "--", "env").splitlines()
        self.assertEqual([line for line in shown if line.startswith("PATH=")], ["PATH=/bin:/usr/bin"])
        self.assertLessEqual({"A=1", "B=x=y"}, set(shown))

    def test_the_environment_can_begin_empty(self):
        self.assertEqual(self.said(os.getpid(), "--clear-env", "-e", "A=1", "--", "env"), "A=1")

    def test_variables_end_where_the_program_begins(self):
        self.assertEqual(self.said(os.getpid(), "--env", "A=1", "printenv", "A"), "1")
        self.assertEqual(self.said("--env", "A=1", os.getpid(), "printenv", "A"), "1")

    def test_a_variable_without_name_or_value_is_a_usage_error(self):
        for text in ("A", "=1"):
            self.assertIn(f"'{text}'", self.enter(os.getpid(), "--env", text, "--", "true", status=2).stderr)

    def test_the_working_directory_can_be_the_targets(self):
        one = self.inhabitant("unshare", "--uts", cwd=self.folder)
        self.assertEqual(self.said(one.pid, "--wd", "--", "pwd", "-P"), str(self.folder))

    def test_the_working_directory_can_be_one_of_ours(self):
        one = self.inhabitant("unshare", "--uts")
        self.assertEqual(self.said(one.pid, f"--wd={self.folder}", "--", "pwd", "-P"), str(self.folder))
        self.assertEqual(self.said(one.pid, "--", "pwd", "-P", cwd=self.folder), str(self.folder))

    def test_the_root_can_be_the_targets(self):
        one = self.with_root()
        self.assertEqual(self.said(one.pid, "--root", "--", "cat", "/marker"), "here")
        self.assertEqual(self.said(one.pid, "--root", "--wd-inside", "/inner", "--", "pwd", "-P"), "/inner")
        self.enter(one.pid, "--", "cat", "/marker", status=1)

    def test_the_root_can_be_any_folder(self):
        one, other = self.with_root(), self.inhabitant("unshare", "--net")
        self.assertEqual(self.said(other.pid, f"--root=/proc/{one.pid}/root", "--", "cat", "/marker"), "here")

    def test_the_directory_inside_is_one_of_the_mount_namespace(self):
        inside = self.folder / "mounted"
        inside.mkdir()
        one = self.inhabitant("unshare", "--mount", "sh", "-ec",
                              f'mount -t tmpfs test {inside}; mkdir {inside}/deep; exec "$@"', "sh")
        self.assertEqual(self.said(one.pid, "--wd-inside", f"{inside}/deep", "--", "pwd", "-P"), f"{inside}/deep")
        refused = self.enter(one.pid, "--uts", "--wd-inside", f"{inside}/deep", "--", "true", status=125)
        self.assertIn(f"{inside}/deep", refused.stderr)

    def test_a_folder_that_there_is_not_is_named(self):
        for option in ("--root", "--wd"):
            self.assertIn("/no/such", self.enter(os.getpid(), f"{option}=/no/such", "--", "true", status=125).stderr)

    def test_the_targets_folders_need_a_process(self):
        one = self.inhabitant("unshare", "--net")
        for option in ("--root", "--wd"):
            self.enter(f"/proc/{one.pid}/ns/net", option, "--", "true", status=2)

    def test_ids_are_those_asked_for_and_further_groups_are_dropped(self):
        one = self.inhabitant("unshare", "--net")
        shown = self.said(one.pid, "--setuid", USER, "--setgid", USER + 1, "--", "grep", "-E", "^(Uid|Gid|Groups):",
                          "/proc/self/status")
        self.assertEqual(shown.split(), ["Uid:", *[str(USER)] * 4, "Gid:", *[str(USER + 1)] * 4, "Groups:"])

    def test_what_is_no_id_is_refused(self):
        for option in ("--setuid", "--setgid"):
            for text in ("x", "-1", "4294967295"):
                self.enter(os.getpid(), f"{option}={text}", "--", "true", status=2)

    def test_another_user_namespace_is_entered_as_its_root(self):
        one = self.inhabitant(*as_user(USER), "unshare", "--map-root-user")
        inside = self.inhabitant(self.program, "ns", "enter", one.pid)
        status = pathlib.Path(f"/proc/{inside.pid}/status").read_text()
        self.assertEqual(re.search(r"Uid:(.*)\nGid:(.*)\n", status)[0].split(),
                         ["Uid:", *[str(USER)] * 4, "Gid:", *[str(USER)] * 4])
        self.assertEqual(self.said(one.pid, "--", "id", "-u"), "0")

    def test_credentials_can_be_preserved_in_another_user_namespace(self):
        one = self.inhabitant(*as_user(USER), "unshare", "--map-root-user")
        inside = self.inhabitant(self.program, "ns", "enter", one.pid, "--preserve-credentials")
        status = pathlib.Path(f"/proc/{inside.pid}/status").read_text()
        self.assertEqual(re.search(r"Uid:(.*)\n", status)[1].split(), ["0"] * 4)

    def test_ids_may_be_chosen_in_another_user_namespace(self):
        one = self.inhabitant("unshare", "--user", script=":")
        pathlib.Path(f"/proc/{one.pid}/uid_map").write_text("0 100000 1000")
        pathlib.Path(f"/proc/{one.pid}/gid_map").write_text("0 100000 1000")
        self.assertEqual(self.said(one.pid, "-S", "5", "-G", "6", "--", "sh", "-c", "id -u; id -g").split(), ["5", "6"])


class Containers(EnterTest):
    """Of a plain user."""

    def setUp(self):
        self.one = self.inhabitant(*as_user(USER), *CONTAINER, "--map-root-user")

    def test_a_users_container_is_entered_by_the_user(self):
        self.assertEqual(self.reached(self.one.pid, prefix=as_user(USER)), inodes(self.one.pid))
        self.assertEqual(self.said(self.one.pid, "--", "id", "-u", prefix=as_user(USER)), "0")

    def test_a_users_container_is_entered_by_root(self):
        self.assertEqual(self.reached(self.one.pid), inodes(self.one.pid))

    def test_its_net_is_reached_through_its_user_namespace(self):
        reached = self.reached(self.one.pid, "--user", "--net", prefix=as_user(USER))
        self.assertEqual(reached, inodes() | {kind: inode(self.one.pid, kind) for kind in ("user", "net")})

    def test_root_may_enter_its_net_alone(self):
        self.assertEqual(self.reached(self.one.pid, "--net"), inodes() | {"net": inode(self.one.pid, "net")})

    def test_the_user_may_not_without_its_user_namespace(self):
        refused = self.enter(self.one.pid, "--net", "--", "true", prefix=as_user(USER), status=125)
        self.assertIn(f"net:[{inode(self.one.pid, 'net')}]", refused.stderr)

    def test_another_user_may_not_see_it(self):
        refused = self.enter(self.one.pid, "--", "true", prefix=as_user(USER + 1), status=125)
        self.assertIn("may not be seen", refused.stderr)

    def test_roots_namespaces_are_denied_to_the_user(self):
        one = self.inhabitant("unshare", "--net")
        self.enter(one.pid, "--", "true", prefix=as_user(USER), status=125)
        file = self.pin(f"/proc/{one.pid}/ns/net")
        refused = self.enter(file, "--", "true", prefix=as_user(USER), status=125)
        self.assertIn(f"net:[{inode(one.pid, 'net')}]", refused.stderr)

    def nested(self):
        return self.inhabitant(self.program, "ns", "enter", self.one.pid, "--", "unshare", "--map-root-user", "--net")

    def test_root_enters_a_container_in_it(self):
        inner = self.nested()
        self.assertEqual(self.reached(inner.pid), inodes(inner.pid))

    def test_the_user_enters_a_container_in_it(self):
        inner = self.nested()
        self.assertEqual(self.reached(inner.pid, prefix=as_user(USER)), inodes(inner.pid))


class ContainersAsOnOlderKernels(Containers):
    def setUp(self):
        super().setUp()
        self.before_exec = seccomp.setns_of_one_kind()

    def test_the_user_enters_a_container_in_it(self):
        """One at a time those of the outer one cannot be had: rights over them go with the user namespace."""
        inner = self.nested()
        refused = self.enter(inner.pid, "--", "true", prefix=as_user(USER), status=125)
        self.assertRegex(refused.stderr, r"^cgm: enter \w+:\[\d+\]: setns: Operation not permitted")
