#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Packages, configure, build, and the rings of tests: scripts/test.sh [--preset NAME] [--long] [RING...] (all rings).
# CGM_WERROR=ON makes warnings errors, CGM_REQUIRE_LAB=1 makes a lab that cannot run a failure.
set -euo pipefail
cd "$(dirname "$0")/.."

preset=dev
rings=()
options=()
while (($#)); do
  case "$1" in
    --preset) preset=$2 && shift ;;
    --long) options+=(--long) ;;
    *) rings+=("$1") ;;
  esac
  shift
done
((${#rings[@]})) || rings=(unit host lab peers)

groups=(build test bench)
for ring in "${rings[@]}"; do
  case "$ring" in lab*) groups+=(lab) ;; esac
done
scripts/deps.sh "${groups[@]}"
scripts/build.sh "$preset" -D CGM_TESTS=ON -D CGM_WERROR="${CGM_WERROR:-OFF}"
exec python3 -B tests/rings.py "${options[@]}" "build/$preset" "${rings[@]}"
