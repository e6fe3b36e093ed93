#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The lab from the command line: see README.md beside this file."""
import argparse
import pathlib
import shlex
import sys
import tempfile

import kernel
import machine
import results

SOURCE = machine.TOOLS.parent.parent


def shell(options: argparse.Namespace) -> int:
    """An interactive shell in the guest, or one command there with its output and exit status."""
    with tempfile.TemporaryDirectory(prefix="cgm-lab-") as folder:
        guest = machine.Guest(options.mode, SOURCE, options.build, pathlib.Path(folder) / "guest")
        ended = machine.run(guest, kernel.obtain(), options.command or "",
                            sys.stdout if options.command else None, options.seconds)
        if ended.status is None:
            print(f"lab: {_why(ended, options)}{_tail(guest.console)}", file=sys.stderr)
    return 1 if ended.status is None else ended.status


def boot(options: argparse.Namespace) -> int:
    """Runs ctest in the guest and leaves one result file a test in BUILD/lab/MODE/results; fails where there is none."""
    folder = options.build / "lab" / options.mode
    skipped = folder / "skipped"
    folder.mkdir(parents=True, exist_ok=True)
    skipped.unlink(missing_ok=True)
    results.write(folder / "results", [])
    guest = machine.Guest(options.mode.partition("-")[0], SOURCE, options.build, folder / "guest")
    others = "^long$" if options.label == "namespaces" else "^(long|namespaces)$"
    ctest = ["ctest", "--test-dir", str(options.build), "-L", f"^{options.label}$", "-LE", others, "-j2",
             "--no-tests=error", "--test-output-size-passed", "100000", "--output-junit", "/run/lab/out/junit.xml"]
    try:
        booted = kernel.obtain()
        with open(folder / "output.log", "w") as output:
            ended = machine.run(guest, booted, shlex.join(ctest), output, options.seconds)
    except kernel.Unavailable as missing:
        skipped.write_text(f"{missing}\n")
        print(f"skip: {missing}")
        return 77
    junit = guest.out / "junit.xml"
    if ended.status is None or not junit.exists():
        why = _why(ended, options) if ended.status is None else f"ctest ended with {ended.status} and no results"
        print(f"lab: {options.mode}: {why}{_tail(folder / 'output.log')}{_tail(guest.console)}")
        return 1
    found = results.parse_junit(junit.read_text())
    results.write(folder / "results", found)
    counts = ", ".join(f"{results.count(found, state)} {state}" for state in ("passed", "failed", "skipped"))
    print(f"Linux {booted.release}, cgroup {options.mode}: {counts}")
    return 0


def _why(ended: machine.Ended, options: argparse.Namespace) -> str:
    return f"no end after {options.seconds:.0f} s" if ended.late else "the guest ended before its command did"


def _tail(file: pathlib.Path) -> str:
    text = file.read_text(errors="replace") if file.exists() else ""
    return f"\n--- the end of {file.name}:\n" + "\n".join(text.splitlines()[-40:])


def _boot_name(text: str) -> str:
    if text.partition("-")[0] not in machine.MODES:
        raise argparse.ArgumentTypeError(f"there is no mode '{text}'")
    return text


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=SOURCE / "build/dev", help="the build tree to show")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("shell", help=shell.__doc__)
    verb.add_argument("mode", choices=machine.MODES)
    verb.add_argument("command", nargs="?")
    verb.add_argument("--seconds", type=float, default=86400, help="the guest is killed then")
    verb.set_defaults(run=shell)
    verb = verbs.add_parser("boot", help=boot.__doc__)
    verb.add_argument("mode", type=_boot_name, help=f"one of {', '.join(machine.MODES)}; a name may follow behind a dash")
    verb.add_argument("--label", default="host", help="of the tests to run in the guest")
    verb.add_argument("--seconds", type=float, default=900)
    verb.set_defaults(run=boot)
    options = parser.parse_args()
    options.build = options.build.resolve()
    try:
        return options.run(options)
    except kernel.Unavailable as missing:
        print(f"lab: {missing}", file=sys.stderr)
        return 77


if __name__ == "__main__":
    sys.exit(main())
