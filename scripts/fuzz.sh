#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Builds the fuzz targets with libFuzzer and runs each for some seconds on what is in its corpus:
# scripts/fuzz.sh [SECONDS [TARGET...]] (60, all). A finding is left in build/fuzz/findings; put it into
# tests/fuzz/corpus/TARGET once it is mended.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
shift $(($# > 0))

scripts/build.sh fuzz -- fuzzers
findings=build/fuzz/findings
mkdir -p "$findings"
(($#)) || set -- $(cd build/fuzz/fuzzers && ls)
bad=0
for name; do
  grown=build/fuzz/grown/$name # what libFuzzer learns stays out of the source tree
  mkdir -p "$grown"
  log=$findings/$name.log
  if build/fuzz/fuzzers/"$name" -max_total_time="$seconds" -timeout=10 -max_len=8192 -print_final_stats=1 \
    -artifact_prefix="$findings/$name-" "$grown" "tests/fuzz/corpus/$name" >"$log" 2>&1; then
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    echo "$name: $runs runs in $seconds s, nothing found"
  else
    bad=1
    echo "$name: found something:"
    grep -vE '^#[0-9]+' "$log" | tail -60
  fi
done
exit "$bad"
