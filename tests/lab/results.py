# SPDX-License-Identifier: LGPL-2.1-or-later
"""What ctest found out, read from its JUnit file: one Result a test, and how it is handed to the ctest outside.

Used by the lab (a guest's results become tests of their own) and by the summary that `make test` prints.
"""
import pathlib
import re
import xml.etree.ElementTree as ElementTree
from typing import NamedTuple


class Result(NamedTuple):
    name: str
    state: str  # passed, failed, skipped, or disabled
    seconds: float
    output: str


def parse_junit(text: str) -> list[Result]:
    """Raises ValueError where `text` is no JUnit document of ctest."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ValueError(f"no JUnit document: {error}") from error
    return [_result(case) for case in root.iter("testcase")]


def _result(case: ElementTree.Element) -> Result:
    output = case.findtext("system-out") or ""
    skipped = case.find("skipped")
    state = {"run": "passed", "disabled": "disabled"}.get(case.get("status", ""), "failed")
    if skipped is not None and case.get("status") == "notrun":
        # ctest says "notrun" for a test that skipped itself, and for one that it could not start.
        message = skipped.get("message", "")
        state = "skipped" if message.startswith("SKIP_") else "failed"
        output = output or message
    failure = case.find("failure")
    if failure is not None and failure.get("message"):
        output = f"{output.rstrip()}\n{failure.get('message')}\n"
    return Result(case.get("name", ""), state, float(case.get("time") or 0), output)


def skips(result: Result) -> list[tuple[str, str]]:
    """(name, reason) of what was skipped: the test, or TEST/Class.test for those inside it that suite.py names."""
    inside = re.findall(r"^skip: \w+\.(\w[\w.]*): (.+?)\s*$", result.output, re.MULTILINE)
    if inside:
        return [(f"{result.name}/{name}", reason) for name, reason in inside]
    return [(result.name, skip_reason(result.output))] if result.state == "skipped" else []


def skip_reason(output: str) -> str:
    """Why a test skipped itself: what GTEST_SKIP() streamed, or the line after `skip:` of any other test."""
    for pattern in (r"^\S+:\d+: Skipped\n+(.+?)\s*$", r"^skip: (.+?)\s*$"):
        found = re.search(pattern, output, re.MULTILINE)
        if found:
            return found.group(1)
    return "no reason given"


def file_name(test: str) -> str:
    """The name of a test's result file; entries.cmake.in makes the same one. GoogleTest's parameters, behind a space, are no
    part of it."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", test.split(" ")[0])


def write(folder: pathlib.Path, results: list[Result]) -> None:
    """One file a test: its state on the first line, then its output. report.sh reads it."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for result in results:
        (folder / file_name(result.name)).write_text(f"{result.state}\n{result.output}")


def count(results: list[Result], state: str) -> int:
    return sum(result.state == state for result in results)
