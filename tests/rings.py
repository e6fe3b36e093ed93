#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the rings of tests one after the other and says at the end what passed, failed and was skipped, and why.

A ring is a ctest label (CMakeLists.txt beside this file). Short while all is well; the whole output of what failed.
"""
import argparse
import collections
import os
import pathlib
import re
import subprocess
import sys
import textwrap
import time
from typing import NamedTuple

sys.path.insert(0, str(pathlib.Path(__file__).with_name("lab")))
import results  # noqa: E402

# Rings that may be empty, and what a ring that takes long says when it begins.
MAY_BE_EMPTY = {"peers"}
WORDS = {"lab": "boots virtual machines: some minutes"}
NAMES_SHOWN = 6


class Ring(NamedTuple):
    name: str
    found: list[results.Result]
    seconds: float
    closing: str  # ctest's last word
    broken: str  # why there are no results to trust; empty where there are


def as_root() -> list[str] | None:
    """What makes a command root's; None where nothing does."""
    if os.geteuid() == 0:
        return []
    probe = subprocess.run(["sudo", "-n", "true"], capture_output=True) if _has("sudo") else None
    return ["sudo", "-n", "--preserve-env"] if probe and probe.returncode == 0 else None


def _has(program: str) -> bool:
    return any(os.access(os.path.join(folder, program), os.X_OK) for folder in os.get_exec_path())


def _selection(ring: str, long: bool) -> list[str]:
    return ["-L", f"^{ring}$"] + ([] if long else ["-LE", "^long$"])


def run_ring(build: pathlib.Path, ring: str, long: bool) -> Ring:
    folder = build / "rings"
    folder.mkdir(exist_ok=True)
    junit = folder / f"{ring}.xml"
    junit.unlink(missing_ok=True)
    prefix = as_root() if ring == "host" else []
    if prefix is None:
        return Ring(ring, [], 0, "", "needs root, and `sudo -n` does not give it")
    print(f"{ring}" + (f" ({WORDS[ring]})" if ring in WORDS else ""), flush=True)
    begun = time.monotonic()
    with open(folder / f"{ring}.log", "w+") as log:
        # --test-output-size-passed: a skip counts as passed there, and its reason must not be cut off.
        ended = subprocess.run([*prefix, "ctest", "--test-dir", str(build), *_selection(ring, long),
                                "-j", str(os.cpu_count() or 1), "--output-junit", str(junit),
                                "--test-output-size-passed", "100000", "--test-output-size-failed", "1000000"],
                               stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        log.seek(0)
        text = log.read()
    if prefix:
        subprocess.run([*prefix, "chown", "-R", f"{os.getuid()}:{os.getgid()}", str(build / "Testing"), str(folder)])
    closing = re.search(r"\d+% tests passed, .*", re.sub(r"\x1b\[[0-9;]*m", "", text))
    found = results.parse_junit(junit.read_text()) if junit.exists() else []
    broken = ""
    if not found and ring not in MAY_BE_EMPTY:
        broken = f"ctest ran no test (exit {ended.returncode}):\n{text[-2000:]}"
    elif ended.returncode != 0 and not results.count(found, "failed"):
        broken = f"ctest exited with {ended.returncode}:\n{text[-2000:]}"
    return Ring(ring, found, time.monotonic() - begun, closing.group(0) if closing else "no tests", broken)


def show_failures(ring: Ring) -> None:
    if ring.broken:
        print(f"{ring.name}: {ring.broken}")
    waiting = collections.Counter()
    for result in ring.found:
        if result.state != "failed":
            continue
        dependency = re.match(r"Failed test dependencies: (.*)", result.output)
        if dependency:
            waiting[dependency.group(1)] += 1
        else:
            print(f"\n--- {result.name} failed after {result.seconds:.1f} s:\n{result.output.rstrip()}\n---")
    for dependency, number in waiting.items():
        print(f"{number} tests did not run because {dependency} failed")


def show_summary(rings: list[Ring]) -> None:
    print(f"\n{'ring':<12} {'passed':>6} {'failed':>6} {'skipped':>7} {'seconds':>7}")
    for ring in rings:
        numbers = " ".join(f"{results.count(ring.found, state):>{width}}"
                           for state, width in (("passed", 6), ("failed", 6), ("skipped", 7)))
        print(f"{ring.name:<12} {numbers} {ring.seconds:>7.0f}  {ring.closing}{' BROKEN' if ring.broken else ''}")
    for ring in rings:
        reasons = collections.defaultdict(list)
        for result in ring.found:
            for name, reason in results.skips(result):
                reasons[reason].append(name.removeprefix(f"{ring.name}."))
        for reason, names in sorted(reasons.items()):
            more = len(names) - NAMES_SHOWN
            shown = ", ".join(names[:NAMES_SHOWN]) + (f", and {more} more" if more > 0 else "")
            print(textwrap.fill(f"skipped in {ring.name}, {reason}: {shown}", 120, subsequent_indent="    ",
                                break_long_words=False, break_on_hyphens=False))


def only_long(build: pathlib.Path) -> str:
    """What `make test` leaves to `make test-long`."""
    text = subprocess.run(["ctest", "--test-dir", str(build), "--show-only", "-L", "^long$"], capture_output=True,
                          text=True).stdout
    names = re.findall(r"^ *Test +#\d+: (\S+)", text, re.MULTILINE)
    more = len(names) - NAMES_SHOWN
    labelled = ", ".join(names[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
    return (f"{labelled}, " if names else "") + "unit and host under sanitizers, a minute of each fuzz target"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="also what takes long")
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("rings", nargs="+")
    options = parser.parse_args()
    build = options.build.resolve()
    rings = []
    for name in options.rings:
        rings.append(run_ring(build, name, options.long))
        show_failures(rings[-1])
    show_summary(rings)
    if not options.long:
        print(f"only `make test-long` runs: {only_long(build)}")
    bad = any(ring.broken or results.count(ring.found, "failed") for ring in rings)
    boots = [result for ring in rings for result in ring.found if re.fullmatch(r"lab\..*\.boot", result.name)]
    if os.environ.get("CGM_REQUIRE_LAB") == "1" and any(boot.state == "skipped" for boot in boots):
        print("the lab was skipped, which CGM_REQUIRE_LAB=1 does not allow")
        bad = True
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
