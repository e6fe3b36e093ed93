#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Removes what a manifest of CMake lists, and the folders named cgmanager that this leaves empty:
# scripts/uninstall.sh MANIFEST [DESTDIR]
set -eu
manifest=$1
destdir=${2:-}
if [ ! -e "$manifest" ]; then
  echo "uninstall: nothing was installed from this tree ('$manifest' is not there)" >&2
  exit 1
fi
# CMake writes no newline after the last name.
while IFS= read -r file || [ -n "$file" ]; do
  rm -f -- "$destdir$file"
  folder=$(dirname "$destdir$file")
  while case "$folder" in */cgmanager | */cgmanager/*) true ;; *) false ;; esac; do
    rmdir -- "$folder" 2>/dev/null || break
    folder=$(dirname "$folder")
  done
done <"$manifest"
rm -f -- "$manifest"
