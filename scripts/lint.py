#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks the layout of every C++ file (clang-format) and runs the curated clang-tidy over a built tree's programs.

lint.py format [--fix]: exit 77 where clang-format 19 is not installed. lint.py tidy BUILD: a file whose text, headers,
command and .clang-tidy are those of an earlier clean run is not read again.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parent.parent
# What is read by clang-tidy. Tests are not: they would take longer than all of it, and are short and straight.
TIDIED = tuple(f"{SOURCE}/{folder}/" for folder in ("src", "tools"))


def cpp_files() -> list[str]:
    return sorted(str(path) for folder in ("src", "tests", "bench", "tools", "include") for path in (SOURCE / folder).rglob("*")
                  if path.suffix in (".cpp", ".hpp", ".c", ".h"))


def check_format(fix: bool) -> int:
    if not shutil.which("clang-format-19"):
        print("skip: clang-format-19 is not installed (scripts/deps.sh lint)")
        return 77
    how = ["-i"] if fix else ["--dry-run", "-Werror"]
    return subprocess.run(["clang-format-19", "--style=file", *how, *cpp_files()]).returncode


def headers_of(build: pathlib.Path) -> dict[str, list[str]]:
    """What ninja knows of each object file: the headers that it was compiled with, those of the project alone."""
    text = subprocess.run(["ninja", "-C", str(build), "-t", "deps"], capture_output=True, text=True, check=True).stdout
    found = {}
    for block in text.split("\n\n"):
        lines = block.strip().splitlines()
        if lines:
            paths = [os.path.normpath(build / line.strip()) for line in lines[1:]]
            found[lines[0].split(":")[0]] = [path for path in paths if path.startswith(f"{SOURCE}/")]
    return found


def object_of(unit: dict) -> str:
    return re.search(r" -o (\S+)", unit["command"]).group(1)


def fingerprint(unit: dict, headers: list[str], base: bytes) -> str:
    digest = hashlib.sha256(base + unit["command"].encode())
    for path in sorted({unit["file"], *headers}):
        digest.update(path.encode() + pathlib.Path(path).read_bytes())
    return digest.hexdigest()


def tidy(build: pathlib.Path, unit: dict, clean: pathlib.Path) -> str:
    """What is wrong with one file; empty where nothing is."""
    done = subprocess.run(["clang-tidy-19", "--quiet", "-p", str(build), unit["file"]], capture_output=True, text=True)
    if done.returncode == 0:
        clean.touch()
        return ""
    return done.stdout or done.stderr


def check_tidy(build: pathlib.Path) -> int:
    known = build / "lint"
    known.mkdir(exist_ok=True)
    version = subprocess.run(["clang-tidy-19", "--version"], capture_output=True, check=True).stdout
    base = version + (SOURCE / ".clang-tidy").read_bytes()
    headers = headers_of(build)
    work = []
    wanted = set()
    for unit in json.loads((build / "compile_commands.json").read_text()):
        if not unit["file"].startswith(TIDIED):
            continue
        clean = known / fingerprint(unit, headers.get(object_of(unit), []), base)
        wanted.add(clean.name)
        if not clean.exists():
            work.append((unit, clean))
    for old in known.iterdir():
        if old.name not in wanted:
            old.unlink()
    print(f"clang-tidy: {len(work)} of {len(wanted)} files have changed", flush=True)
    bad = 0
    shown = set()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(lambda item: tidy(build, *item), work):
            bad += bool(found)
            for finding in re.split(r"(?m)^(?=/\S+:\d+:\d+: (?:error|warning))", found):
                if finding.strip() and finding not in shown:  # one in a header is found by everybody who includes it
                    shown.add(finding)
                    print(finding.rstrip(), flush=True)
    print(f"clang-tidy: {bad} files with findings" if bad else "clang-tidy: clean")
    return 1 if bad else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("format").add_argument("--fix", action="store_true")
    verbs.add_parser("tidy").add_argument("build", type=pathlib.Path)
    options = parser.parse_args()
    return check_format(options.fix) if options.verb == "format" else check_tidy(options.build.resolve())


if __name__ == "__main__":
    sys.exit(main())
