# SPDX-License-Identifier: LGPL-2.1-or-later
"""Holds the pages against the code. S0.12: every source file bears the licence, LGPL-2.1-or-later."""
import functools
import os
import pathlib
import re
import shutil
import subprocess
import unittest

import suite

SOURCE = pathlib.Path(__file__).resolve().parents[1]
PAGES = [page for folder in (".", "docs", "tests/lab", "tests/fuzz") for page in sorted((SOURCE / folder).glob("*.md"))]
# How many statements each document of docs/sources.md has.
STATEMENTS = {0: 12, 1: 12, 2: 10, 3: 11, 4: 6}
ENGLISH = {**os.environ, "LC_ALL": "C.UTF-8", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
CODE = {".cpp", ".hpp", ".c", ".py", ".sh", ".cmake", ".bash"}


def source_files() -> list[pathlib.Path]:
    found = subprocess.run(["git", "ls-files", "-z"], cwd=SOURCE, capture_output=True, text=True).stdout
    names = [name for name in found.split("\0") if name]
    files = [SOURCE / name for name in names] or [path for path in SOURCE.rglob("*") if "build" not in path.parts]
    return [file for file in files if file.is_file() and
            (file.suffix in CODE or file.name in ("CMakeLists.txt", "Makefile", "_cgm"))]


@functools.cache
def help_of(program: str, *arguments: str) -> str:
    return subprocess.run([suite.program(program), *arguments, "--help"], capture_output=True, text=True, check=True).stdout


@functools.cache
def commands() -> tuple[str, ...]:
    return tuple(re.findall(r"(?m)^  ([a-z]+) ", help_of("cgm")))


def usage_of(*command: str) -> str:
    return re.search(r"(?m)^usage: (.*)$", help_of("cgm", *command))[1]


@functools.cache
def families() -> dict[str, tuple[str, ...]]:
    """The commands that only lead to others, with those: `ns`."""
    return {one: tuple(re.findall(rf"(?m)^  {one} ([a-z][a-z-]*) ", help_of("cgm", one)))
            for one in commands() if usage_of(one) == f"cgm {one} COMMAND [ARGUMENTS]"}


def options_in(text: str) -> set[str]:
    """The long options of a help text."""
    return set(re.findall(r"(?m)^  (?:-\w,\s*)?(--[a-z][a-z-]*)", text))


def code_in(page: pathlib.Path) -> list[str]:
    """What stands in a page as code: indented lines and what is between backticks."""
    text = page.read_text()
    return [line.strip() for line in re.findall(r"(?m)^ {4}(\S.*)$", text)] + re.findall(r"`([^`\n]+)`", text)


def options_of_command(*command: str) -> set[str]:
    return options_in(help_of("cgm")) | options_in(help_of("cgm", *command)) | {"--help", "--version"}


class Pages(unittest.TestCase):
    def test_links_lead_somewhere(self):
        for page in PAGES:
            for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
                self.assertTrue((page.parent / target).exists(), f"{page}: {target}")

    def test_commands_and_their_options_exist(self):
        seen = 0
        for page in PAGES:
            for code in code_in(page):
                code = re.sub(r"\s#\s.*", "", code)
                for call in re.split(r"&&|\|\||[|;]", code):
                    words = call.split()
                    if "cgm" not in words[:2]:
                        continue  # `cgm` alone, or behind a prompt
                    words = words[words.index("cgm") + 1:]
                    named = [word for word in words if re.fullmatch(r"[a-z]+", word)]
                    if not named or re.search(r"COMMAND", call):
                        continue
                    self.assertIn(named[0], commands(), f"{page}: {code}")
                    command = named[:1]
                    if members := families().get(named[0]):
                        command += words[words.index(named[0]) + 1:][:1]
                        self.assertIn(command[-1], (named[0], "--help", *members), f"{page}: {code}")
                    mine = words[:words.index("--")] if "--" in words else words
                    for option in (word.split("=")[0] for word in mine if word.startswith("--")):
                        self.assertIn(option, options_of_command(*command), f"{page}: {code}")
                    seen += 1
        self.assertGreater(seen, 20)

    def test_files_that_are_named_exist(self):
        """`manager/access.cpp: may, judge` with its functions, `bus/codec`, `src/api`, `tests/…`."""
        folders = "|".join(path.name for path in (SOURCE / "src").iterdir() if path.is_dir())
        seen = 0
        for page in PAGES:
            for code in code_in(page):
                if named := re.fullmatch(rf"((?:{folders})/\w+(?:\.[ch]pp)?)(?:: ([\w, ]+))?", code):
                    file = SOURCE / "src" / named[1]
                    found = file.exists() or any(file.with_suffix(suffix).exists() for suffix in (".cpp", ".hpp"))
                    self.assertTrue(found, f"{page}: {code}")
                    for function in filter(None, (named[2] or "").split(", ")):
                        self.assertRegex(file.read_text(), rf"\b{function}\(", f"{page}: {code}")
                    seen += 1
                elif re.fullmatch(r"(?:src|tests|scripts|tools|docs|completions)/[\w./-]+", code):
                    self.assertTrue((SOURCE / code).exists(), f"{page}: {code}")
        self.assertGreater(seen, 60)

    def test_architecture_has_every_layer(self):
        text = (SOURCE / "docs/architecture.md").read_text()
        for layer in re.findall(r"cgm_(?:layer|program)\((\w+)", (SOURCE / "src/CMakeLists.txt").read_text()):
            self.assertIn(f"`src/{layer}`", text)

    def test_kernel_features_has_what_the_doctor_looks_at(self):
        marked = "\n".join(line for line in (SOURCE / "docs/kernel-features.md").read_text().splitlines() if "†" in line)
        features = re.findall(r'feature\("([^"]+)"', (SOURCE / "src/cgm/doctor.cpp").read_text())
        self.assertGreater(len(features), 3)
        for feature in features:
            self.assertIn(feature.split(" ")[0], marked)

    def test_every_source_file_bears_the_licence(self):
        files = source_files()
        self.assertGreater(len(files), 100)
        for file in files:
            self.assertIn("SPDX-License-Identifier: LGPL-2.1-or-later", "".join(file.read_text().splitlines(True)[:3]), file)
        self.assertIn("GNU LESSER GENERAL PUBLIC LICENSE", (SOURCE / "LICENSE").read_text())


class Sources(unittest.TestCase):
    """docs/sources.md: statement by statement, the test that shows it."""

    @classmethod
    def setUpClass(cls):
        text = (SOURCE / "docs/sources.md").read_text()
        cls.rows = {row[0]: row[2] for row in re.findall(r"(?m)^\| (S\d\.\d+) \| (.+?) \| (.*?) \|$", text)}

    def test_no_statement_is_missing_or_without_an_answer(self):
        self.assertEqual(list(self.rows), [f"S{n}.{i}" for n, count in STATEMENTS.items() for i in range(1, count + 1)])
        for statement, answer in self.rows.items():
            self.assertRegex(answer, r"tests/|namespaces$|nested callers$|engine$", statement)

    def test_every_test_exists_and_names_its_statement(self):
        seen = 0
        for statement, answer in self.rows.items():
            for file, name in re.findall(r"`(tests/[\w/]+\.(?:py|cpp))::([\w.]+)`", answer):
                text = (SOURCE / file).read_text()
                if file.endswith(".py"):
                    self.assertRegex(text, rf"def {name}\(", file)
                else:
                    group, _, test = name.partition(".")
                    self.assertRegex(text, rf"TEST(?:_F|_P)?\({group}, {test}\)", file)
                self.assertRegex(text, rf"{re.escape(statement)}\b", f"{file} does not name it")
                seen += 1
        self.assertGreater(seen, 9)
        self.assertEqual(answer_count(self.rows), seen, "a test that is not written `file::name`")


def answer_count(rows: dict[str, str]) -> int:
    return sum(answer.count("tests/") for answer in rows.values())


class UtilLinux(unittest.TestCase):
    """docs/namespaces.md against the real unshare, nsenter and lsns; the `cgm` commands in it are Pages' to check."""

    @classmethod
    def setUpClass(cls):
        parts = re.split(r"(?m)^##+ (.*)\n", (SOURCE / "docs/namespaces.md").read_text())
        cls.tables = {heading: re.findall(r"(?m)^\| (.+?) \| (.+?) \| (?:.*? )?\|$", body)[1:]
                      for heading, body in zip(parts[1::2], parts[2::2])}

    def help_of(self, program: str) -> str:
        if not shutil.which(program):
            self.skipTest(f"{program} is not installed")
        return subprocess.run([program, "--help"], capture_output=True, text=True, check=True, env=ENGLISH).stdout

    def test_every_option_has_a_row(self):
        for program in ("unshare", "nsenter", "lsns"):
            options = re.findall(r"(?m)^ +(?:(-\w)[,.] )? *(--[a-z][a-z-]*)", self.help_of(program))
            self.assertGreater(len(options), 10, program)
            documented = {option: set(re.findall(r"`(-\w)`", row)) for row, _ in self.tables[program]
                          for option in re.findall(r"`(--[a-z-]+)`", row)}
            for short, option in options:
                self.assertIn(option, documented, program)
                self.assertEqual({short} - {""}, documented[option], f"{program} {option}")

    def test_every_row_says_where_it_is_or_that_it_is_nowhere(self):
        for program in ("unshare", "nsenter", "lsns"):
            for row, here in self.tables[program]:
                self.assertRegex(here, r"^(`cgm (ns [a-z-]+( .*)?|--version)`|always so|none|not yet)$", f"{program}: {row}")

    def test_every_column_has_a_row(self):
        rows = {there.strip("`"): here for there, here in self.tables["Columns"]}
        columns = re.findall(r"(?m)^ +([A-Z]+)  ", self.help_of("lsns").split("columns:")[1])
        self.assertGreater(len(columns), 10)
        self.assertLessEqual(set(columns), set(rows))
        ours = re.search(r"COLUMNS are (.*)\.", help_of("cgm", "ns", "list"))[1].split(", ")
        for column in rows.values():
            self.assertIn(column.strip("`"), (*ours, "not yet"))


class Manual(unittest.TestCase):
    def page(self, name: str) -> str:
        return (SOURCE / "docs/man" / name).read_text().replace("\\-", "-").replace("\\fP", "").replace("\\fR", "")

    def tags(self, text: str) -> set[str]:
        """The long options that have a paragraph of their own."""
        tagged = re.findall(r"(?m)^\.T[PQ]\n(.*)", text)
        return {option for line in tagged for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", line)}

    def sections(self, text: str) -> dict[str, str]:
        """Text by heading; one without text of its own shares that of the next."""
        parts = re.split(r"(?m)^\.S[HS] (.*)\n", text)
        found, waiting = {}, []
        for heading, body in zip(parts[1::2], parts[2::2]):
            waiting.append(heading.strip('"'))
            if body.strip():
                found |= {one: body for one in waiting}
                waiting = []
        return found

    def test_cgm_1_has_every_command_that_is_not_classic_with_its_options(self):
        sections = self.sections(self.page("cgm.1"))
        common, limits = self.tags(sections["OPTIONS"]), self.tags(sections["LIMIT OPTIONS"])
        self.assertEqual(common, options_in(help_of("cgm")) | {"--help", "--version"})
        people = [command for command in commands() if "Options:" in help_of("cgm", command) and command not in families()]
        self.assertGreater(len(people), 8)
        for command in people:
            text = help_of("cgm", command)
            usage = usage_of(command)
            self.assertIn(usage, sections, "the heading is the usage that help shows")
            documented = self.tags(sections[usage]) | (limits if "LIMIT OPTIONS" in sections[usage] else set())
            if "NAMESPACE OPTIONS" in sections[usage]:  # of cgm-ns(1); what is one word for all has another name here
                documented |= self.tags(self.sections(self.page("cgm-ns.1"))["NAMESPACE OPTIONS"]) - {"--all"}
            self.assertEqual(documented, options_in(text) - common, command)
        for family in families():
            self.assertIn(f"cgm-{family} (1)", sections[usage_of(family)])
        self.assertEqual(len([heading for heading in sections if heading.startswith("cgm ")]), len(people) + len(families()))

    def test_the_page_of_a_family_has_every_command_with_its_options(self):
        """cgm-ns.1. What several commands take may stand in NAMESPACE OPTIONS, once."""
        self.assertIn("ns", families())
        for family, members in families().items():
            sections = self.sections(self.page(f"cgm-{family}.1"))
            self.assertGreater(len(members), 4)
            options = {member: options_in(help_of("cgm", family, member)) for member in members}
            common, shared = self.tags(sections["OPTIONS"]), self.tags(sections.get("NAMESPACE OPTIONS", ""))
            self.assertEqual(common, set.intersection(*options.values()), "what all take")
            for member in members:
                usage = usage_of(family, member)
                self.assertIn(usage, sections, "the heading is the usage that help shows")
                documented = self.tags(sections[usage]) | (shared if "NAMESPACE OPTIONS" in sections[usage] else set())
                self.assertEqual(documented, options[member] - common, member)
                for column in re.findall(r"[A-Z]+", "".join(re.findall(r"COLUMNS are (.*)\.", help_of("cgm", family, member)))):
                    self.assertRegex(sections[usage], rf"(?m)^\.TP.*\n.*\b{column}\b", member)
            self.assertEqual(len([heading for heading in sections if heading.startswith("cgm ")]), len(members))

    def test_cgm_1_has_every_classic_command(self):
        body = self.sections(self.page("cgm.1"))["CLASSIC COMMANDS"]
        documented = [re.sub(r"^\.B[IR]? |[\" ]", "", line) for line in re.findall(r"(?m)^\.TP\n(.*)", body)]
        usages = [usage_of(command).removeprefix("cgm ").replace(" ", "") for command in commands()
                  if "Options:" not in help_of("cgm", command) and command not in families()]
        self.assertEqual(documented, usages)

    def test_cgmanager_8_has_every_option(self):
        documented = self.tags(self.sections(self.page("cgmanager.8"))["OPTIONS"])
        self.assertEqual(documented, options_in(help_of("cgmanager")))

    def test_no_page_speaks_of_an_option_that_there_is_not(self):
        known = options_in(help_of("cgmanager")).union(*(options_of_command(command) for command in commands()))
        known |= {option for family, members in families().items() for one in members
                  for option in options_of_command(family, one)}
        for file in (SOURCE / "docs/man").iterdir():
            for option in set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", self.page(file.name))):
                self.assertIn(option, known, file)

    def test_cgmanager_conf_5_and_the_example_have_every_key(self):
        keys = subprocess.run([suite.program("tests/tools/config_keys")], capture_output=True, text=True, check=True).stdout
        text, example = self.page("cgmanager.conf.5"), (SOURCE / "docs/cgmanager.conf.example").read_text()
        names = []
        for line in keys.splitlines():
            section, name, default, kind, least, most = line.split("\t")
            names.append(name)
            entry = re.search(rf"(?ms)^\.BR {name} \" \((\w+), (.*?)\)\"\n(.*?)^(?:\.TP|\.S[SH])", text)
            self.assertIsNotNone(entry, name)
            self.assertEqual((entry[1], entry[2].replace(r"\(dq", '"')), (kind, default), name)
            if kind == "integer":
                self.assertIn(f"{least} to {most}", entry[3].replace("\n", " "), name)
            self.assertIn(f"\n#{name} = {default}\n", example)
            if section:
                self.assertIn(f"\n[{section}]\n", example.split(f"#{name} = ")[0], name)
                self.assertIn(f"\n.SS Section [{section}]\n", text.split(entry[0])[0], name)
        self.assertEqual(re.findall(r"(?m)^#(\w+) = ", example), names)
        self.assertEqual(re.findall(r"(?m)^\.BR (\w+) \" \(", text), names)

    def test_the_example_is_a_good_configuration(self):
        """Also with every key as it stands there."""
        example = (SOURCE / "docs/cgmanager.conf.example").read_text()
        for text in (example, re.sub(r"(?m)^#(\w+ = )", r"\1", example)):
            done = subprocess.run([suite.program("cgmanager"), "--check-config", "--config", "/dev/stdin"], input=text,
                                  capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_pages_render_without_a_warning(self):
        if not shutil.which("groff"):
            self.skipTest("groff is not installed")
        for file in (SOURCE / "docs/man").iterdir():
            done = subprocess.run(["groff", "-man", "-ww", "-Tutf8", "-z", str(file)], capture_output=True, text=True)
            self.assertEqual(done.stderr, "", file)
