# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon's life: start, readiness, configuration, background, stop, and that the host does not see any of it. S0.4:
what it mounts, it mounts for itself."""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import unittest

import caller
import classic
import dbus
import suite
from cgroups import hierarchies
from daemon import Daemon, temporary_folder
from testcase import USER, DaemonTest

PROGRAM = suite.program("cgmanager")


def run(*options: str) -> subprocess.CompletedProcess:
    """Runs the daemon's program where it has to end by itself."""
    return subprocess.run([PROGRAM, *options], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)


class LifeTest(unittest.TestCase):
    def setUp(self):
        self.folder = temporary_folder()
        self.addCleanup(shutil.rmtree, self.folder)
        self.empty = self.folder / "empty.conf"
        self.empty.write_text("[hierarchies]\nmount_unified = false\n")

    def daemon(self, *options: str, **more) -> Daemon:
        daemon = Daemon(*options, folder=self.folder, **more)
        self.addCleanup(daemon.close)
        return daemon

    def assert_serves(self, path: str) -> None:
        with dbus.Connection(path) as connection:
            self.assertIsNone(classic.call(connection, "Ping", 1))


class Sockets(LifeTest):
    def test_the_socket_is_everybodys_and_its_folder_roots(self):
        daemon = self.daemon()
        self.assertEqual(os.stat(daemon.socket).st_mode & 0o7777, 0o777)
        self.assertEqual(os.stat(os.path.dirname(daemon.socket)).st_mode & 0o7777, 0o755)

    def test_a_strict_umask_changes_nothing_of_that(self):
        before = os.umask(0o077)
        self.addCleanup(os.umask, before)
        daemon = self.daemon()
        self.assertEqual(os.stat(daemon.socket).st_mode & 0o7777, 0o777)
        self.assertEqual(os.stat(os.path.dirname(daemon.socket)).st_mode & 0o7777, 0o755)

    def test_a_second_daemon_on_a_live_socket_says_so(self):
        daemon = self.daemon()
        second = run("--socket", daemon.socket, "--config", str(self.empty))
        self.assertEqual(second.returncode, 1)
        self.assertIn("cgmanager is already running", second.stderr)
        self.assert_serves(daemon.socket)

    def test_a_stale_socket_is_replaced(self):
        daemon = self.daemon()
        daemon.stop(signal.SIGKILL)
        self.assertTrue(os.path.exists(daemon.socket))
        self.assert_serves(self.daemon().socket)

    def test_a_socket_whose_queue_is_full_is_live(self):
        path = str(self.folder / "full")
        clients = []
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen(0)
            try:
                while True:
                    clients.append(socket.socket(socket.AF_UNIX))
                    clients[-1].setblocking(False)
                    clients[-1].connect(path)
            except BlockingIOError:
                pass
            done = run("--socket", path, "--config", str(self.empty))
            for client in clients:
                client.close()
        self.assertEqual(done.returncode, 1)
        self.assertIn("cgmanager is already running", done.stderr)

    def test_a_socket_that_is_another_daemons_by_now_is_left_to_it(self):
        first = self.daemon()
        os.unlink(first.socket)
        second = self.daemon()
        self.assertEqual(first.stop(), 0)
        self.assert_serves(second.socket)

    def test_a_file_that_is_no_socket_is_left_alone(self):
        file = self.folder / "file"
        file.write_text("mine")
        done = run("--socket", str(file), "--config", str(self.empty))
        self.assertEqual(done.returncode, 1)
        self.assertIn("is no socket", done.stderr)
        self.assertEqual(file.read_text(), "mine")

    def test_several_sockets_are_served_and_all_are_removed(self):
        second = str(self.folder / "second")
        daemon = self.daemon("--socket", second)
        for path in (daemon.socket, second):
            self.assert_serves(path)
        self.assertEqual(daemon.stop(), 0)
        self.assertFalse(os.path.exists(second))

    def test_no_trace_is_left_by_term_or_int(self):
        for ending in (signal.SIGTERM, signal.SIGINT):
            daemon = self.daemon()
            self.assertEqual(daemon.stop(ending), 0)
            self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["cgmanager.conf", "empty.conf", "log"])

    def test_a_folder_that_was_there_stays(self):
        (self.folder / "run").mkdir()
        (self.folder / "run/other").touch()
        self.assertEqual(self.daemon().stop(), 0)
        self.assertEqual(os.listdir(self.folder / "run"), ["other"])

    def test_idle_clients_do_not_keep_it_from_stopping(self):
        daemon = self.daemon()
        clients = [daemon.connect(authenticate=number % 2 == 0) for number in range(10)]
        self.assertEqual(daemon.stop(), 0)
        for client in clients:
            self.assertTrue(client.is_closed())
            client.close()

    def test_a_client_that_reads_nothing_does_not_keep_it_for_ever(self):
        daemon = self.daemon()
        with daemon.connect() as client:
            call = dbus.encode(classic.message("ListKeys", "freezer", ""))
            client.socket.settimeout(1)
            with self.assertRaises(TimeoutError):
                while True:
                    client.socket.sendall(call * 64)
            self.assertEqual(daemon.stop(), 0)


class Readiness(LifeTest):
    def test_sd_notify_is_told_of_start_reload_and_stop(self):
        path = str(self.folder / "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(path)
            notify.settimeout(60)
            daemon = self.daemon(environment={"NOTIFY_SOCKET": path})
            self.assertIn("READY=1", notify.recv(4096).decode().split("\n"))
            daemon.process.send_signal(signal.SIGHUP)
            self.assertIn("RELOADING=1", notify.recv(4096).decode().split("\n"))
            self.assertIn("READY=1", notify.recv(4096).decode().split("\n"))
            self.assertEqual(daemon.stop(), 0)
            self.assertIn("STOPPING=1", notify.recv(4096).decode().split("\n"))

    def test_sigstop_is_raised_once_it_serves(self):
        process = subprocess.Popen([PROGRAM, "--socket", str(self.folder / "sock"), "--config", str(self.empty),
                                    "--sigstop"])
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        pid, status = os.waitpid(process.pid, os.WUNTRACED)
        self.assertTrue(os.WIFSTOPPED(status))
        self.assertEqual(os.WSTOPSIG(status), signal.SIGSTOP)
        self.assertTrue((self.folder / "sock").exists())
        process.send_signal(signal.SIGCONT)
        self.assert_serves(str(self.folder / "sock"))

    def test_the_background_is_entered_when_it_serves(self):
        pid_file = self.folder / "pid"
        path = str(self.folder / "sock")
        done = run("--daemon", "--pid-file", str(pid_file), "--socket", path, "--config", str(self.empty))
        self.assertEqual(done.returncode, 0, done.stderr)
        pid = int(pid_file.read_text())
        self.addCleanup(self.end, pid)
        self.assert_serves(path)
        self.assertEqual(os.readlink(f"/proc/{pid}/cwd"), "/")
        self.assertEqual({os.readlink(f"/proc/{pid}/fd/{number}") for number in (0, 1, 2)}, {"/dev/null"})
        self.assertEqual(os.getsid(pid) == os.getsid(0), False)
        # The original cut clients off at its first error message in the background.
        with dbus.Connection(path) as connection:
            for _ in range(30):
                with self.assertRaises(dbus.Refused):
                    classic.call(connection, "GetTasks", "nonsense", "")
            self.assertIsNone(classic.call(connection, "Ping", 1))
        os.kill(pid, signal.SIGTERM)
        self.assertTrue(suite.eventually(lambda: not pid_file.exists() and not os.path.exists(path)))

    @staticmethod
    def end(pid: int) -> None:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def test_a_start_in_the_background_that_fails_says_so(self):
        daemon = self.daemon()
        done = run("--daemon", "--pid-file", str(self.folder / "pid"), "--socket", daemon.socket, "--config",
                   str(self.empty))
        self.assertEqual(done.returncode, 1)
        self.assertIn("already running", done.stderr)
        self.assertFalse((self.folder / "pid").exists())


class Options(LifeTest):
    def test_help_and_version_go_to_standard_output(self):
        for option, pattern in (("--help", r"(?s)--socket.*--config.*--max-depth"), ("--version", r"^cgmanager \d+\.\d+")):
            done = run(option)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertRegex(done.stdout, pattern)

    def test_usage_errors_exit_2(self):
        for options in (["--nonsense"], ["--max-depth", "0"], ["--max-depth", "x"], ["--max-depth"], ["--log", "loud"],
                        ["--daemon", "--foreground"], ["argument"], ["--ready-fd", "x"]):
            with self.subTest(options=options):
                done = run(*options)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn("cgmanager: ", done.stderr)

    def test_old_options_are_accepted(self):
        self.daemon("--allow-autoremove-premounted=all", "--autoremove-premounted-set-release-agent", "-m", "name=systemd",
                    "-q", "--foreground")

    def test_skipped_controllers_are_not_there(self):
        whole = self.daemon()
        with whole.connect() as connection:
            labels = classic.call(connection, "ListControllers")
        whole.close()
        if len(labels) < 2:
            self.skipTest("there are not two hierarchies here")
        without = self.daemon("--skip", f"{labels[0]},nonsense", "-M", labels[1])
        with without.connect() as connection:
            self.assertEqual(classic.call(connection, "ListControllers"), labels[2:])
            for label in labels[:2]:
                with self.assertRaisesRegex(dbus.Refused, "is unknown here"):
                    classic.call(connection, "GetTasks", label, "")


class Configuration(LifeTest):
    BAD = {
        "limits.depth": "[limits]\ndepth = 0\n",
        "a level": "log = 7\n",
        "no key 'limits.nonsense'": "[limits]\nnonsense = 1\n",
        "no section 'nonsense'": "[nonsense]\n",
        "line 2": "[limits]\nconnections = \n",
        "takes a list": "sockets = 'x'\n",
        "true or false": "classic_socket = 1\n",
    }

    def check(self, text: str) -> subprocess.CompletedProcess:
        file = self.folder / "checked.conf"
        file.write_text(text)
        return run("--check-config", "--config", str(file))

    def test_check_config_tells_good_from_bad(self):
        for text in ("", "log = 'debug'\nsockets = ['/x']\n[limits]\nconnections = 7\n[hierarchies]\nskip = ['cpu']\n"):
            done = self.check(text)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
        for named, text in self.BAD.items():
            with self.subTest(text=text):
                done = self.check(text)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn("checked.conf", done.stderr)
                self.assertIn(named, done.stderr)

    def test_a_file_that_is_named_has_to_be_there(self):
        done = run("--config", str(self.folder / "absent.conf"), "--socket", str(self.folder / "sock"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("absent.conf", done.stderr)

    def test_it_does_not_start_on_a_bad_file(self):
        bad = self.folder / "bad.conf"
        bad.write_text(self.BAD["limits.depth"])
        done = run("--config", str(bad), "--socket", str(self.folder / "sock"))
        self.assertEqual(done.returncode, 1)
        self.assertFalse((self.folder / "sock").exists())

    def limit_of(self, daemon: Daemon) -> int:
        """The longest message that is served, tried at 5000 and 9000 bytes."""
        served = 0
        for length in (5000, 9000):
            with daemon.connect() as connection:
                connection.send(dbus.encode(classic.message("GetTasks", "x" * length, "")))
                try:
                    connection.receive()
                    served = length
                except dbus.Broken:
                    return served
        return served

    def test_sighup_reads_it_again_whole_or_not_at_all(self):
        daemon = self.daemon(config="[limits]\nmessage_bytes = 4096\n")
        self.assertEqual(self.limit_of(daemon), 0)
        daemon.configure("[limits]\nmessage_bytes = 8192\n")
        daemon.reload()
        self.assertEqual(self.limit_of(daemon), 5000)
        daemon.configure("[limits]\nmessage_bytes = 1000000\ndepth = 'deep'\n")
        daemon.reload()
        self.assertIn("the old one stays", daemon.log())
        self.assertIn("limits.depth", daemon.log())
        self.assertEqual(self.limit_of(daemon), 5000)
        daemon.config.unlink()
        daemon.reload()
        self.assertEqual(self.limit_of(daemon), 5000)
        daemon.configure("[limits]\nmessage_bytes = 1000000\n")
        daemon.reload()
        self.assertEqual(self.limit_of(daemon), 9000)

    def test_sighup_ends_no_connection(self):
        daemon = self.daemon()
        with daemon.connect() as connection:
            self.assertIsNone(classic.call(connection, "Ping", 1))
            daemon.reload()
            self.assertIsNone(classic.call(connection, "Ping", 1))


class Invisible(LifeTest):
    def view(self) -> tuple[str, str]:
        # The first cgroup2 mount since boot adds `0::/` to everybody's file for good; other tests mount name=cgmt-PID.
        cgroup = re.sub(r"^(0::|\d+:name=cgmt-).*\n", "", pathlib.Path("/proc/1/cgroup").read_text(), flags=re.MULTILINE)
        return pathlib.Path("/proc/self/mountinfo").read_text(), cgroup

    def test_the_host_sees_no_mount_and_no_cgroup(self):
        before = self.view()
        for config in ("[hierarchies]\nmount_unified = true\n", "[hierarchies]\nmount_unified = false\n"):
            daemon = self.daemon(config=config)
            self.assertEqual(self.view(), before)
            with daemon.connect() as connection:
                classic.call(connection, "GetTasks", "freezer", "")
            self.assertEqual(self.view(), before)
            daemon.close()
            self.assertEqual(self.view(), before)

    def test_a_mount_can_be_removed_beneath_it(self):
        """It keeps no mount of the host's busy: in a mount namespace of its own that is tried with the host's own."""
        mount = next((one for one in hierarchies() if one.serves("freezer")), None)
        if mount is None:
            self.skipTest("no hierarchy serves the freezer here")
        daemon = self.daemon(prefix=("unshare", "-m", "--propagation", "private"))
        with daemon.connect() as connection:
            subprocess.run(["nsenter", "-t", str(daemon.pid), "-m", "umount", mount.mount], check=True)
            self.assertIn(os.getpid(), classic.call(connection, "GetTasks", "freezer", ""))


class Audit(DaemonTest):
    def lines(self) -> list[str]:
        return [line for line in self.daemon.log().splitlines() if "refused" in line]

    def test_a_refusal_is_one_line_with_who_what_and_why(self):
        user = self.caller("user", USER)
        with self.refused():
            user.call("Chmod", "freezer", "", "cgroup.procs", 0o7777)
        self.assertEqual(self.lines()[-1], f"cgmanager: refused uid={USER} pid={user.pid} Chmod('freezer', '', "
                                           "'cgroup.procs', 4095): mode 4095 is outside 0 to 0777")

    def test_a_client_writes_no_lines_of_its_own(self):
        user = self.caller("liar", USER + 1)
        before = len(self.daemon.log().splitlines())
        with self.refused():
            user.call("GetTasks", "freezer\ncgmanager: refused uid=0 pid=1", "\x1b[31m\r\n" + "x" * 10_000)
        self.assertEqual(len(self.daemon.log().splitlines()), before + 1)
        self.assertLess(len(self.lines()[-1]), 1000)
        self.assertNotRegex(self.lines()[-1], r"[\x00-\x1f\x7f]")

    def test_a_flood_is_held_to_a_rate_and_hides_nobody_else(self):
        flooder, other = self.caller("flooder", USER + 2), self.caller("other", USER + 3)
        flooder.do(be_refused, 300)
        with self.refused():
            other.call("GetTasks", "nonsense", "")
        self.assertIn(f"uid={other.uid} ", self.lines()[-1])
        self.assertLess(len([line for line in self.lines() if f"uid={flooder.uid} " in line]), 100)
        self.assertTrue(suite.eventually(lambda: self.says_how_many_more(flooder)))

    def says_how_many_more(self, flooder) -> bool:
        flooder.do(be_refused, 1)
        return f"more refusals of uid {flooder.uid} were not logged" in self.daemon.log()


def be_refused(count: int) -> None:
    for _ in range(count):
        try:
            classic.call(caller.connection(), "GetTasks", "nonsense", "")
        except dbus.Refused:
            pass
