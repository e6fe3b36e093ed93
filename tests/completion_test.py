# SPDX-License-Identifier: LGPL-2.1-or-later
"""completions/cgm.bash and completions/_cgm, asked as the shells ask them. Help is the real cgm's; the cgroups are those of
a stand-in, so that the test says what there is."""
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import suite

SOURCE = pathlib.Path(__file__).resolve().parents[1]
CHILDREN = {"": ["alice", "bob", "system.slice"], "alice": ["job", "other job", "$(touch planted)", "`touch planted`"],
            "alice/job": ["deep"], "elsewhere": ["there"]}

STAND_IN = """#!/bin/sh
root=
[ "$1" = --socket ] && {{ shift 2; root=elsewhere/; }}
case "$1" in
  listcontrollers) printf 'cpu,cpuacct\\nmemory\\nname=systemd\\n' ;;
  listchildren) [ "$2" = memory ] && cat "{folder}/children/$root$3/list" ;;
  listkeys) [ "$2:$3" = memory:alice ] && printf 'memory.max 0 0 100644\\nmemory.low 0 0 100644\\n' ;;
  *) exec "{cgm}" "$@" ;;
esac
"""

BASH = """
PATH=$1:$PATH; cd "$1"; source "$2"; shift 2
compopt() { :; }
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _cgm
for one in "${COMPREPLY[@]}"; do printf '%s\\n' "$one"; done
"""

# What zsh gives a completion function, with compadd telling instead of adding.
ZSH = """
PATH=$1:$PATH; cd $1; script=$2; shift 2
compadd() {
  while [[ $1 == -* ]]; do [[ $1 == -S ]] && shift; [[ $1 == -- ]] && { shift; break }; shift; done
  local one
  for one; do [[ $one == $PREFIX* ]] && print -r -- $one; done
}
_describe() { local entry; for entry in ${(P)2}; do [[ $entry == $PREFIX* ]] && print -r -- ${entry%%:*}; done }
_normal() { print -r -- program "$words[@]" $CURRENT }
_files() { print -r -- files }
words=("$@") CURRENT=$# PREFIX=${@[-1]}
source $script
"""


class Completion:
    """What both shells complete; `complete` is the business of the classes below."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="cgmt-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        for parent, names in CHILDREN.items():
            (cls.folder / "children" / parent).mkdir(parents=True, exist_ok=True)
            (cls.folder / "children" / parent / "list").write_text("".join(f"{name}\n" for name in names))
        stand_in = cls.folder / "cgm"
        stand_in.write_text(STAND_IN.format(cgm=pathlib.Path(suite.program("cgm")).resolve(), folder=cls.folder))
        stand_in.chmod(0o755)

    def complete(self, *words: str) -> list[str]:
        raise NotImplementedError

    def shell(self, name: str) -> str:
        path = shutil.which(name)
        if not path:
            self.skipTest(f"{name} is not installed")
        return path

    def run_shell(self, *command: str) -> list[str]:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
                              env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/"})
        self.assertEqual(done.stderr, "")
        return done.stdout.splitlines()

    def test_commands_are_completed(self):
        self.assertEqual(self.complete("cgm", "ru"), ["run"])
        self.assertEqual(self.complete("cgm", "gettasks"), ["gettasks", "gettasksrecursive"])
        self.assertEqual(self.complete("cgm", "--direct", "tre"), ["tree"])
        self.assertEqual(self.complete("cgm", "--socket", "/nowhere", "tre"), ["tree"])
        self.assertIn("doctor", self.complete("cgm", ""))

    def test_options_are_completed(self):
        self.assertEqual(self.complete("cgm", "run", "--mem"), ["--memory", "--memory-high", "--memory-low", "--memory-min"])
        self.assertEqual(self.complete("cgm", "freeze", "--t"), ["--timeout"])
        self.assertEqual(self.complete("cgm", "--di"), ["--direct"])
        self.assertNotIn("--memory", self.complete("cgm", "stat", "--"))

    def test_commands_of_namespaces_are_completed(self):
        self.assertEqual(self.complete("cgm", "ns", "en"), ["enter"])
        self.assertEqual(self.complete("cgm", "--json", "ns", "li"), ["list"])
        self.assertLessEqual({"list", "show", "same", "new", "enter"}, set(self.complete("cgm", "ns", "")))
        self.assertEqual(self.complete("cgm", "ns", "list", ""), [])

    def test_options_of_namespaces_are_completed(self):
        self.assertEqual(self.complete("cgm", "ns", "list", "--t"), ["--tree"])
        self.assertEqual(self.complete("cgm", "ns", "new", "-C", "-R", "/", "--map-u"), ["--map-user", "--map-users"])
        self.assertEqual(self.complete("cgm", "ns", "enter", "1", "--wd-"), ["--wd-inside"])
        self.assertNotIn("--tree", self.complete("cgm", "ns", "same", "--"))
        self.assertEqual(self.complete("cgm", "ns", "new", "--setgroups", ""), ["allow", "deny"])
        self.assertEqual(self.complete("cgm", "ns", "new", "--propagation", "s"), ["slave", "shared"])
        self.assertEqual(self.complete("cgm", "ns", "list", "--pid", ""), [])

    def test_controllers_are_completed(self):
        self.assertEqual(self.complete("cgm", "create", ""), ["all", "cpu", "cpuacct", "memory", "name=systemd"])
        self.assertEqual(self.complete("cgm", "getvalue", "cpu"), ["cpu", "cpuacct"])

    def test_cgroups_are_completed(self):
        for before in (("stat",), ("gettasks", "memory"), ("run", "--in"), ("run", "-m", "1G", "--name")):
            self.assertEqual(self.complete("cgm", *before, "al"), ["alice"], before)
        self.assertEqual(self.complete("cgm", "tree", "alice/j"), ["alice/job"])
        self.assertEqual(self.complete("cgm", "tree", "alice/job/"), ["alice/job/deep"])
        self.assertEqual(self.complete("cgm", "getpidcgroup", "memory", ""), [])

    def test_the_daemon_that_was_named_is_asked(self):
        self.assertEqual(self.complete("cgm", "--socket", "/a/sock", "stat", "th"), ["there"])

    def test_files_of_a_cgroup_are_completed(self):
        self.assertEqual(self.complete("cgm", "setvalue", "memory", "alice", "memory.m"), ["memory.max"])
        self.assertEqual(self.complete("cgm", "remove", "memory", "alice", ""), [])

    def test_what_takes_nothing_completes_nothing(self):
        self.assertEqual(self.complete("cgm", "doctor", ""), [])
        self.assertEqual(self.complete("cgm", "run", "--pids", ""), [])

    def test_a_name_that_somebody_chose_is_not_executed(self):
        self.assertEqual(len(self.complete("cgm", "stat", "alice/")), 4)
        self.complete("cgm", "stat", "alice/$")
        self.assertFalse((self.folder / "planted").exists())


class Bash(Completion, unittest.TestCase):
    def complete(self, *words: str) -> list[str]:
        return self.run_shell(self.shell("bash"), "-c", BASH, "bash", str(self.folder), str(SOURCE / "completions/cgm.bash"), *words)

    def test_a_name_is_quoted(self):
        self.assertEqual(self.complete("cgm", "stat", "alice/o"), ["alice/other\\ job"])
        self.assertEqual(self.complete("cgm", "stat", "alice/other\\ j"), ["alice/other\\ job"])

    def test_an_equals_sign_is_a_word_of_its_own_to_readline(self):
        self.assertEqual(self.complete("cgm", "run", "--in", "=", "al"), ["alice"])

    def test_the_program_is_completed_as_a_command(self):
        self.assertIn("env", self.complete("cgm", "run", "-m", "1G", "--", "en"))
        self.assertIn("env", self.complete("cgm", "run", "en"))
        self.assertEqual(self.complete("cgm", "run", "--", "ls", "ch"), ["children"])
        for before in (("new",), ("new", "--net", "--"), ("new", "-S", "0"), ("enter", "1"), ("enter", "--net", "1", "--"),
                       ("enter", "--net", "=", "/a", "1", "-u")):
            self.assertIn("env", self.complete("cgm", "ns", *before, "en"), before)
        self.assertEqual(self.complete("cgm", "ns", "enter", "1", "ls", "--ne"), [])

    def test_where_to_go_is_completed_as_a_file(self):
        for before in (("show",), ("enter",), ("enter", "--net"), ("enter", "1", "--net", "="), ("new", "--root")):
            self.assertEqual(self.complete("cgm", "ns", *before, "ch"), ["children"], before)
        self.assertEqual(self.complete("cgm", "ns", "new", "--root", "cg"), [], "no directory")
        self.assertEqual(self.complete("cgm", "ns", "show", "children", ""), [])


class Zsh(Completion, unittest.TestCase):
    def complete(self, *words: str) -> list[str]:
        return self.run_shell(self.shell("zsh"), "-f", "-c", ZSH, "zsh", str(self.folder), str(SOURCE / "completions/_cgm"), *words)

    def test_the_program_is_completed_as_a_command(self):
        self.assertEqual(self.complete("cgm", "run", "-m", "1G", "--", "en"), ["program en 1"])
        self.assertEqual(self.complete("cgm", "run", "en"), ["program en 1"])
        self.assertEqual(self.complete("cgm", "run", "--", "ls", "-l", "ch"), ["program ls -l ch 3"])
        for before in (("new",), ("new", "--net", "--"), ("new", "-S", "0"), ("enter", "1"), ("enter", "--net", "1", "--"),
                       ("enter", "--net=/a", "1", "-u")):
            self.assertEqual(self.complete("cgm", "ns", *before, "en"), ["program en 1"], before)
        self.assertEqual(self.complete("cgm", "ns", "enter", "1", "ls", "--ne"), ["program ls --ne 2"])

    def test_where_to_go_is_completed_as_a_file(self):
        for before in (("show",), ("enter",), ("enter", "--net"), ("new", "--root")):
            self.assertEqual(self.complete("cgm", "ns", *before, "ch"), ["files"], before)
        self.assertEqual(self.complete("cgm", "ns", "show", "children", ""), [])
