# SPDX-License-Identifier: LGPL-2.1-or-later
"""cgm ns pin and unpin, and new --pin: in a mount namespace of the test's, with a /run of its own."""
import os
import pathlib
import shutil
import tempfile
import unittest

import suite
from shell import Shell

USER = 64001


class Pins(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cgmt-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.folder.chmod(0o755)
        self.cgm = str(self.folder / "cgm")
        shutil.copy(suite.program("cgm"), self.cgm)
        self.stage = Shell(self.cgm, "ns", "new", "--mount", "--")
        self.addCleanup(self.stage.close)
        self.told("mount -t tmpfs -o mode=755 none /run")
        on_stage = (self.cgm, "ns", "enter", str(self.stage.pid), "--mount", "--")
        self.box = Shell(*on_stage, self.cgm, "ns", "new", "--uts", "--ipc", "--hostname=box", "--")
        self.addCleanup(self.box.close)
        self.box.run("true")
        self.pid = self.box.pid

    def told(self, line: str, status: int = 0) -> str:
        """What a command on the stage says; its exit status has to be that."""
        said, _, code = self.stage.run(f"{line}; echo \"status $?\"").rstrip("\n").rpartition("status ")
        self.assertEqual(int(code), status, (line, said))
        return said

    def ns(self, arguments: str, status: int = 0, user: bool = False, **environment: str) -> str:
        before = "".join(f"{name}={value} " for name, value in environment.items())
        if user:
            before += f"setpriv --reuid={USER} --regid={USER} --clear-groups "
        return self.told(f"{before}{self.cgm} ns {arguments}", status)

    def test_a_pin_outlives_all_processes_and_is_entered_by_its_name(self):
        self.ns(f"pin {self.pid} box")
        self.box.close()
        self.assertEqual(self.ns("enter box -- hostname"), "box\n")
        self.assertIn("/run/cgmanager/ns/box/uts", self.ns("list --kind uts --persistent -o kept,mounts"))
        self.ns("unpin box")
        self.assertEqual(self.told("ls /run/cgmanager/ns"), "")
        self.assertNotIn("nsfs", self.told("cat /proc/self/mountinfo"))
        self.assertIn("there is no pin 'box'", self.ns("enter box -- true", status=125))

    def test_it_keeps_what_is_not_ones_own_or_the_kinds_named(self):
        self.ns(f"pin {self.pid} both")
        self.assertEqual(self.told("ls /run/cgmanager/ns/both").split(), ["ipc", "uts"])
        self.ns(f"pin --kind uts,net {self.pid} one")
        self.assertEqual(self.told("ls /run/cgmanager/ns/one").split(), ["uts"])
        self.assertIn("no namespace that is not your own", self.ns("pin $$ none", status=1))

    def test_a_mount_namespace_is_not_kept_in_a_newer_one(self):
        self.assertIn("only in an older one", self.ns(f"pin {os.getpid()} older", status=1))
        self.assertEqual(self.told("ls /run/cgmanager/ns"), "")

    def test_of_a_pin_one_kind_can_be_entered(self):
        self.ns(f"pin {self.pid} box")
        self.ns("enter box --uts -- true")
        self.assertEqual(self.ns("enter box --ipc -- hostname"), os.uname().nodename + "\n")
        self.assertIn("--net", self.ns("enter box --net -- true", status=2))

    def test_new_pins_what_it_makes(self):
        self.ns("new --uts --hostname made --time --pin made -- true")
        self.assertEqual(self.told("ls /run/cgmanager/ns/made").split(), ["time", "uts"])
        self.assertEqual(self.ns("enter made -- hostname"), "made\n")

    def test_where_the_pin_fails_the_program_does_not_run(self):
        self.ns(f"pin {self.pid} box")
        said = self.ns("new --uts --pin box -- echo ran", status=125)
        self.assertIn("there is a pin 'box'", said)
        self.assertNotIn("ran", said)

    def test_a_pin_that_exists_is_left_as_it_is(self):
        self.ns(f"pin {self.pid} box")
        self.assertIn("there is a pin 'box' in /run/cgmanager/ns", self.ns(f"pin --kind ipc {self.pid} box", status=1))
        self.assertEqual(self.told("ls /run/cgmanager/ns/box").split(), ["ipc", "uts"])

    def test_a_name_is_one_component(self):
        for name in ("''", ".", "..", "../x", "a/b", ".hidden", "'a b'", "$(printf 'x%.0s' $(seq 65))"):
            self.assertIn("is no name of a pin", self.ns(f"pin {self.pid} {name}", status=1), name)
        self.ns(f"pin {self.pid} $(printf 'x%.0s' $(seq 64))")

    def test_what_is_not_there_cannot_be_let_go(self):
        self.assertIn("there is no pin 'box'", self.ns("unpin box", status=1))
        self.assertIn("there is no pin 'box'", self.ns("enter box -- true", status=125))
        self.assertEqual(self.told("ls /run"), "", "who looks makes nothing")

    def test_no_link_is_followed(self):
        self.told("mkdir /tmp/cgmt-elsewhere; ln -s /tmp/cgmt-elsewhere /run/cgmanager")
        self.assertIn("/run/cgmanager", self.ns(f"pin {self.pid} box", status=1))
        self.assertEqual(self.told("ls /tmp/cgmt-elsewhere; rmdir /tmp/cgmt-elsewhere; rm /run/cgmanager"), "")
        self.told("mkdir -p /run/cgmanager/ns; ln -s /tmp /run/cgmanager/ns/box")
        self.assertIn("there is a pin 'box'", self.ns(f"pin {self.pid} box", status=1))
        self.assertIn("there is no pin 'box'", self.ns("unpin box", status=1))

    def test_a_directory_that_others_may_write_is_not_used(self):
        for change in ("chmod g+w", "chmod o+w", f"chown {USER}"):
            self.told(f"mkdir -p /run/cgmanager/ns; {change} /run/cgmanager")
            self.assertIn("is not ours alone to write", self.ns(f"pin {self.pid} box", status=1), change)
            self.told("rm -r /run/cgmanager")

    def test_on_a_read_only_run_the_error_names_the_place(self):
        self.told("mount -o remount,ro /run")
        said = self.ns(f"pin {self.pid} box", status=1)
        self.assertIn("/run/cgmanager", said)
        self.assertIn("Read-only file system", said)

    def test_on_a_full_run_nothing_is_left(self):
        self.told("mkdir -p /run/cgmanager/ns; mount -o remount,nr_inodes=5 /run")  # room for the directory and one file
        self.assertIn("No space left", self.ns(f"pin {self.pid} box", status=1))
        self.assertEqual(self.told("ls /run/cgmanager/ns"), "")
        self.assertNotIn("nsfs", self.told("cat /proc/self/mountinfo"))

    def test_a_plain_user_is_told_what_it_takes(self):
        self.told(f"mkdir /run/user; mkdir -m 700 /run/user/{USER}; chown {USER}:{USER} /run/user/{USER}")
        sleeper = f"setpriv --reuid={USER} --regid={USER} --clear-groups {self.cgm} ns new -r --uts -- sleep 60"
        self.told(f"{sleeper} & P=$!; until grep -q sleep /proc/$P/task/$P/children 2>/dev/null || "
                  f"pgrep -P $P -x sleep >/dev/null; do :; done; C=$(pgrep -P $P)")
        runtime = f"/run/user/{USER}"
        self.assertIn("CAP_SYS_ADMIN", self.ns("pin $C box", status=1, user=True, XDG_RUNTIME_DIR=runtime))
        self.assertEqual(self.told(f"ls {runtime}/cgmanager/ns"), "")
        self.assertIn("XDG_RUNTIME_DIR", self.ns("pin $C box", status=1, user=True, XDG_RUNTIME_DIR=""))
        self.told("kill $P; wait $P", status=143)

    def test_a_plain_user_can_in_namespaces_of_the_users_own(self):
        runtime = self.folder / "runtime"
        runtime.mkdir(mode=0o700)
        os.chown(runtime, USER, USER)
        script = (f"{self.cgm} ns new --uts --hostname mine --pin mine -- true && {self.cgm} ns enter mine -- hostname && "
                  f"{self.cgm} ns unpin mine && ls {runtime}/cgmanager/ns")
        self.assertEqual(self.ns(f"new -c --keep-caps --mount -- sh -c '{script}'", user=True, XDG_RUNTIME_DIR=str(runtime)),
                         "mine\n")
