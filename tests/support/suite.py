#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs one file of Python tests: `suite.py FILE [Class | Class.test]...`

Each skipped test is a line `skip: NAME: reason`. Exit status 0 passed, 1 failed, 77 where every test was skipped. A test
that hangs is ended by a deadline of its file, so that it still cleans up what it made. CGM_BUILD_DIR names the build tree
whose programs are tested; build/dev if it is not set.
"""
import argparse
import importlib.util
import os
import pathlib
import signal
import sys
import time
import types
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("CGM_BUILD_DIR", SOURCE / "build/dev"))
SECONDS = 570  # of a whole file; ctest's own limit is above it
ALL_SKIPPED = 77


def program(name: str) -> str:
    """The path of a program that was built; tests/… for a test tool."""
    return str(BUILD / name if "/" in name else BUILD / "bin" / name)


def is_sanitized() -> bool:
    cache = BUILD / "CMakeCache.txt"
    return cache.exists() and "\nCGM_SANITIZE:BOOL=ON\n" in cache.read_text()


def eventually(condition, seconds: float = 60):
    """Polls `condition` until it is true or `seconds` have passed (generous: emulated machines are slow); returns it."""
    deadline = time.monotonic() + seconds
    pause = 0.001
    while True:
        found = condition()
        if found or time.monotonic() > deadline:
            return found
        time.sleep(pause)
        pause = min(pause * 2, 0.05)


def _load(file: pathlib.Path) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module  # functions of it are pickled by name
    spec.loader.exec_module(module)
    return module


def _late(*_):
    raise TimeoutError(f"the tests of this file took longer than {SECONDS} s")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    signal.signal(signal.SIGALRM, _late)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # cleaned up after, as after ^C
    signal.alarm(SECONDS)
    module = _load(options.file.resolve())
    loader = unittest.defaultTestLoader
    tests = loader.loadTestsFromNames(options.names, module) if options.names else loader.loadTestsFromModule(module)
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(tests)
    for test, reason in result.skipped:
        print(f"skip: {test.id()}: {reason}")
    if not result.wasSuccessful():
        return 1
    return ALL_SKIPPED if result.skipped and len(result.skipped) >= result.testsRun else 0


if __name__ == "__main__":
    # Tests import this file as `suite`: one module, not two.
    sys.modules["suite"] = sys.modules["__main__"]
    sys.exit(main())
