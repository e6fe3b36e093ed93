#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The lab from the command line: see README.md beside this file."""
import argparse
import os
import pathlib
import sys
import tempfile

import kernel
import machine

SOURCE = machine.TOOLS.parent.parent


def shell(options: argparse.Namespace) -> int:
    """An interactive shell in the guest, or one command there with its output and exit status."""
    with tempfile.TemporaryDirectory(prefix="cgm-lab-") as folder:
        guest = machine.Guest(options.mode, SOURCE, options.build, pathlib.Path(folder) / "guest")
        ended = machine.run(guest, kernel.obtain(), options.command or "",
                            sys.stdout if options.command else None, options.seconds)
        if ended.status is None:
            why = f"no end after {options.seconds} s" if ended.late else "the guest ended before the command did"
            console = guest.console.read_text(errors="replace") if guest.console.exists() else ""
            print(f"lab: {why}; its console:\n" + "\n".join(console.splitlines()[-40:]), file=sys.stderr)
    return 1 if ended.status is None else ended.status


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=SOURCE / "build/dev", help="the build tree to show")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("shell", help=shell.__doc__)
    verb.add_argument("mode", choices=machine.MODES)
    verb.add_argument("command", nargs="?")
    verb.add_argument("--seconds", type=float, default=float(os.environ.get("SECONDS_MAX", 86400)))
    verb.set_defaults(run=shell)
    options = parser.parse_args()
    options.build = options.build.resolve()
    try:
        return options.run(options)
    except kernel.Unavailable as missing:
        print(f"lab: {missing}", file=sys.stderr)
        return 77


if __name__ == "__main__":
    sys.exit(main())
