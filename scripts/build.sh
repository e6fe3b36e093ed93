#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Configures and builds one preset: scripts/build.sh PRESET [CMAKE-OPTION...] [-- TARGET...]. Quiet while all is well.
set -euo pipefail
cd "$(dirname "$0")/.."

preset=$1
shift
options=()
while (($#)) && [[ $1 != -- ]]; do
  options+=("$1")
  shift
done
(($# == 0)) || shift

log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! cmake --preset "$preset" "${options[@]}" >"$log" 2>&1; then
  cat "$log" >&2
  exit 1
fi
begun=$SECONDS
quiet=()
[[ -t 1 ]] || quiet=(-- --quiet)
echo "building build/$preset"
cmake --build --preset "$preset" ${1:+--target "$@"} "${quiet[@]}"
echo "built build/$preset in $((SECONDS - begun)) s"
