#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The reading of ctest's JUnit files, on one that ctest 3.25 wrote (shortened)."""
import pathlib
import subprocess
import tempfile
import unittest

import results

JUNIT = """<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="(empty)" tests="5" failures="1" disabled="1" skipped="2" hostname="" time="0">
 <testcase name="host.Leaf.holds" classname="host.Leaf.holds" time="0.25" status="run">
  <system-out>[       OK ] Leaf.holds</system-out></testcase>
 <testcase name="host.Limits.memory/0" classname="host.Limits.memory/0" time="1.5" status="fail">
  <failure message=""/><system-out>limits_test.cpp:7: Failure</system-out></testcase>
 <testcase name="host.Slow" classname="host.Slow" time="120" status="fail">
  <failure message="Timeout"/><system-out>begun</system-out></testcase>
 <testcase name="host.Skips" classname="host.Skips" time="0.1" status="notrun">
  <skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/>
  <system-out>[ RUN      ] Skips
/a/b_test.cpp:24: Skipped
no v2 tree with controllers

[  SKIPPED ] Skips (0 ms)</system-out></testcase>
 <testcase name="lab.v2.x" classname="lab.v2.x" time="0" status="notrun">
  <skipped message="Fixture dependency failed"/>
  <system-out>Failed test dependencies: lab.v2.boot</system-out></testcase>
 <testcase name="off" classname="off" time="0" status="disabled"><disabled message=""/></testcase>
</testsuite>"""


class Junit(unittest.TestCase):
    def setUp(self):
        self.results = {result.name: result for result in results.parse_junit(JUNIT)}

    def test_tells_a_skip_from_a_test_that_could_not_start(self):
        self.assertEqual([result.state for result in self.results.values()],
                         ["passed", "failed", "failed", "skipped", "failed", "disabled"])

    def test_keeps_why_a_test_was_ended(self):
        self.assertEqual(self.results["host.Slow"].output, "begun\nTimeout\n")

    def test_names_the_reason_of_a_skip(self):
        self.assertEqual(results.skip_reason(self.results["host.Skips"].output), "no v2 tree with controllers")
        self.assertEqual(results.skip_reason("skip: no qemu\n"), "no qemu")
        self.assertEqual(results.skip_reason("[  SKIPPED ] x"), "no reason given")

    def test_names_the_tests_that_a_file_skipped(self):
        suite = results.Result("host.cgm.run", "passed", 1, "skip: run_test.Run.on_v2: no v2 tree: none\nRan 3 tests\n")
        self.assertEqual(results.skips(suite), [("host.cgm.run/Run.on_v2", "no v2 tree: none")])
        self.assertEqual(results.skips(self.results["host.Skips"]), [("host.Skips", "no v2 tree with controllers")])
        self.assertEqual(results.skips(self.results["host.Slow"]), [])

    def test_refuses_half_a_document(self):
        with self.assertRaises(ValueError):
            results.parse_junit(JUNIT[:200])


class Report(unittest.TestCase):
    """results.write() and report.sh together: what the ctest outside sees."""

    def report(self, test: str, skipped: str = "absent") -> tuple[int, str]:
        with tempfile.TemporaryDirectory() as folder:
            results.write(pathlib.Path(folder), results.parse_junit(JUNIT))
            script = pathlib.Path(__file__).with_name("report.sh")
            done = subprocess.run(["sh", script, f"{folder}/{results.file_name(test)}", skipped], capture_output=True,
                                  text=True)
        return done.returncode, done.stdout

    def test_a_parameter_is_no_part_of_the_name(self):
        self.assertEqual(results.file_name("host.On/Kill.ends/v1  # GetParam() = 4-byte object <00-00>"), "host.On_Kill.ends_v1")

    def test_passes_and_fails_as_in_the_guest(self):
        self.assertEqual(self.report("host.Leaf.holds"), (0, "[       OK ] Leaf.holds"))
        self.assertEqual(self.report("host.Limits.memory/0"), (1, "limits_test.cpp:7: Failure"))

    def test_skips_with_the_reason(self):
        status, output = self.report("host.Skips")
        self.assertEqual(status, 77)
        self.assertEqual(results.skip_reason(output), "no v2 tree with controllers")

    def test_skips_where_the_boot_was_skipped(self):
        with tempfile.NamedTemporaryFile("w") as reason:
            reason.write("no qemu\n")
            reason.flush()
            self.assertEqual(self.report("host.Leaf.holds", reason.name), (77, "skip: no qemu\n"))

    def test_fails_where_the_guest_has_no_result(self):
        self.assertEqual(self.report("host.Unknown")[0], 1)


if __name__ == "__main__":
    unittest.main()
