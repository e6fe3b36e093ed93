#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# One test of a guest, told to the ctest outside: report.sh RESULT-FILE (written by results.py) [REASON-FILE, there where
# the boot was skipped]. Exit 0 passed, 77 skipped, else failed.
if [ -e "$2" ]; then
  echo "skip: $(cat "$2")"
  exit 77
fi
{ read -r state && cat; } <"$1" || {
  echo "the guest's ctest has no result of this test"
  exit 1
}
case "$state" in
  passed) exit 0 ;;
  skipped | disabled) exit 77 ;;
esac
exit 1
