#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Holds the pages against the code: tests that docs/sources.md names, links between pages, options and keys in the man
pages, licence lines. `docs_test.py BUILD-FOLDER`; needs the programs that were built there."""
import pathlib
import re
import subprocess
import sys
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[1]
BUILD = pathlib.Path()  # set at the end of the file


def tracked(*patterns: str) -> list[pathlib.Path]:
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=SOURCE, capture_output=True, text=True).stdout.split()
    return [SOURCE / name for name in listed] or [path for p in patterns for path in SOURCE.rglob(p)]


def help_of(program: str, *arguments: str) -> str:
    return subprocess.run([BUILD / "bin" / program, *arguments, "--help"], capture_output=True, text=True, check=True).stdout


def options_in_help(text: str) -> set[str]:
    """Long options, and short ones that have no long form."""
    return set(re.findall(r"^\s+(?:-\w,\s*)?(--[a-z][a-z-]*)", text, re.M))


def commands() -> list[str]:
    names = re.findall(r"^  ([a-z]+) ", help_of("cgm"), re.M)
    return [name for name in names if name not in ("x",)]


def page(name: str) -> str:
    """A man page as it is read, without overstrikes and line breaks inside words."""
    source = SOURCE / "docs/man" / name
    return source.read_text().replace("\\-", "-")


class Pages(unittest.TestCase):
    def test_every_test_that_sources_md_names_exists(self):
        named = re.findall(r"`(tests/[\w/.]+)(?:::(\w+))?`", (SOURCE / "docs/sources.md").read_text())
        self.assertGreater(len(named), 8)
        for file, test in named:
            self.assertTrue((SOURCE / file).exists(), file)
            if test:
                self.assertRegex((SOURCE / file).read_text(), rf"def {test}\(", file)

    def test_no_statement_of_sources_md_is_without_an_answer(self):
        for line in (SOURCE / "docs/sources.md").read_text().splitlines():
            if re.match(r"\| S\d", line):
                self.assertNotEqual(line.split("|")[3].strip(), "", line)

    def test_links_between_pages_lead_somewhere(self):
        for file in [*SOURCE.glob("*.md"), *(SOURCE / "docs").glob("*.md"), *(SOURCE / "tests").rglob("*.md")]:
            for target in re.findall(r"\]\(([^)#:]+)\)", file.read_text()):
                self.assertTrue((file.parent / target).exists(), f"{file}: {target}")

    def test_every_source_file_bears_the_licence(self):
        for file in tracked("*.cpp", "*.hpp", "*.c", "*.py", "*.sh", "CMakeLists.txt", "*.cmake", "Makefile"):
            self.assertIn("SPDX-License-Identifier: LGPL-2.1-or-later", "".join(file.read_text().splitlines(True)[:3]), file)
        self.assertIn("GNU LESSER GENERAL PUBLIC LICENSE", (SOURCE / "LICENSE").read_text())


class ManPages(unittest.TestCase):
    def test_cgm_1_has_every_command_and_option(self):
        text = page("cgm.1")
        for command in commands():
            self.assertRegex(text, rf"(?m)^\.(TP|B|SS|BR|IP).*\b{command}\b|^\.B[RI]? \"?{command}\b", command)
            known = options_in_help(help_of("cgm", command))
            for option in known:
                self.assertIn(option, text, f"cgm {command}")
        every = set().union(*(options_in_help(help_of("cgm", command)) for command in commands()), options_in_help(help_of("cgm")))
        for option in set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text)):
            self.assertIn(option, every | {"--help", "--version"}, "an option that there is not")

    def test_cgmanager_8_has_every_option(self):
        text, known = page("cgmanager.8"), options_in_help(help_of("cgmanager"))
        for option in known:
            self.assertIn(option, text)
        for option in set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text)):
            self.assertIn(option, known, "an option that there is not")

    def test_cgmanager_conf_5_and_the_example_have_every_key(self):
        keys = subprocess.run([BUILD / "tests/tools/config_keys"], capture_output=True, text=True, check=True).stdout
        text, example = page("cgmanager.conf.5"), (SOURCE / "docs/cgmanager.conf.example").read_text()
        names = set()
        for line in keys.splitlines():
            section, name, default = line.split("\t")
            names.add(name)
            self.assertRegex(text, rf"(?m)^\.B[RI]? {name}\b", name)
            self.assertIn(f"\n#{name} = {default}\n", example)
            if section:
                self.assertIn(f"[{section}]", example)
        self.assertEqual(set(re.findall(r"(?m)^#(\w+) = ", example)), names)

    def test_they_render_without_a_warning(self):
        for file in (SOURCE / "docs/man").iterdir():
            done = subprocess.run(["groff", "-man", "-ww", "-Tutf8", "-z", str(file)], capture_output=True, text=True)
            self.assertEqual(done.stderr, "", file)


class Completion(unittest.TestCase):
    def complete(self, *words: str) -> list[str]:
        script = ('PATH=$1:$PATH; source "$2"; shift 2; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _cgm; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "-c", script, "bash", BUILD / "bin", SOURCE / "completions/cgm.bash", *words],
                              capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "CGM_SOCKET": ""})
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_commands_and_options_are_completed(self):
        self.assertEqual(self.complete("cgm", "ru"), ["run"])
        self.assertIn("gettasksrecursive", self.complete("cgm", "gettasks"))
        self.assertEqual(set(self.complete("cgm", "run", "--memory-")), {"--memory-high", "--memory-low", "--memory-min"})
        self.assertIn("--direct", self.complete("cgm", "--"))
        self.assertEqual(self.complete("cgm", "--direct", "tre"), ["tree"])

    def test_controllers_are_completed(self):
        self.assertIn("all", self.complete("cgm", "create", ""))


if __name__ == "__main__":
    BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=1)
