#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Installs the Debian packages that the named groups need: scripts/deps.sh build test lab (bench lint fuzz).
# Says what it installs and asks nothing; where nothing is missing it does not touch apt. It becomes root by `sudo -n`
# alone: where that is refused it prints the one line to run and fails.
set -eu

packages_of() {
  case "$1" in
    build) echo "g++ cmake ninja-build pkg-config python3 $SDBUS_DEV libfmt-dev libtomlplusplus-dev" \
      "nlohmann-json3-dev libcli11-dev" ;;
    test) echo "libgtest-dev libgmock-dev dbus-bin libglib2.0-bin uidmap util-linux groff-base $SYSTEMD" ;;
    bench) echo "libbenchmark-dev libdbus-1-dev" ;;
    lab) echo "qemu-system-x86 busybox-static kmod $SYSTEMD" ;;
    lint) echo "clang-format-19 clang-tidy-19" ;;
    fuzz) echo "clang-19 libclang-rt-19-dev" ;;
    *)
      echo "deps.sh: no group '$1' (build, test, bench, lab, lint, fuzz)" >&2
      exit 2
      ;;
  esac
}

installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

if ! command -v dpkg-query >/dev/null; then
  echo "deps.sh: not a Debian system; CMake will say what is missing" >&2
  exit 0
fi
# A host without systemd has elogind, and the two exclude each other.
SDBUS_DEV=libsystemd-dev
SYSTEMD=systemd
if installed libelogind0; then
  SDBUS_DEV=libelogind-dev
  SYSTEMD=
fi

missing=
for group in "${@:-build}"; do
  for package in $(packages_of "$group"); do
    installed "$package" || missing="$missing $package"
  done
done
[ -n "$missing" ] || exit 0

install="apt-get install --yes --no-install-recommends$missing"
if [ "$(id -u)" = 0 ]; then
  as_root=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  as_root="sudo -n"
else
  echo "deps.sh: these packages are missing, and only root can install them. Run:" >&2
  echo "  su -c 'apt-get update && $install'" >&2
  exit 1
fi
echo "installing Debian packages:$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for command in "apt-get update" "$install"; do
  # shellcheck disable=SC2086  # words of a command line
  if ! $as_root env DEBIAN_FRONTEND=noninteractive $command >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    echo "deps.sh: '$command' failed" >&2
    exit 1
  fi
done
