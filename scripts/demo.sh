#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The main job on real input: a plain user, with no rights on the kernel's files, makes a cgroup through the daemon, limits
# it, and sees the limit bite. Needs root (or sudo -n) for the administrator's part; leaves nothing behind.
# usage: scripts/demo.sh [BUILD-FOLDER]
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(realpath "${1:-build/release}")

if [[ $(id -u) != 0 ]]; then
  exec sudo -n "$0" "$build"
fi
# systemd hands out subtrees of the v2 tree by its own rules: ask it for one.
if [[ -d /run/systemd/system && -z ${CGM_DEMO_SCOPE:-} ]]; then
  exec env CGM_DEMO_SCOPE=1 systemd-run --quiet --scope -p Delegate=yes -- "$0" "$build"
fi

work=$(mktemp -d /tmp/cgm-demo.XXXXXX)
chmod 755 "$work"
cp "$build/bin/cgm" "$work/" # the user may not be able to look into the build folder
export CGM_SOCKET=$work/sock
direct() { "$work/cgm" --direct "$@"; }
daemon= made_user= began_at=()

# Where this shell sits, hierarchy by hierarchy, so that it can go back.
remember() {
  local controller
  for controller in $(direct listcontrollers | cut -d, -f1); do
    began_at+=("$controller $(direct getpidcgroupabs "$controller" $$)")
  done
}

leave_nothing() {
  local line status=$?
  trap - EXIT INT TERM HUP
  if [[ -n $daemon ]] && kill "$daemon" 2>/dev/null; then wait "$daemon" || true; fi
  for line in "${began_at[@]}"; do
    direct movepidabs "${line%% *}" "${line#* }" $$ 2>/dev/null || true
  done
  # A task leaves its cgroup a moment after it has ended.
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    direct remove all "cgm-demo-$$" >/dev/null 2>&1 && break || sleep 0.1
  done
  if [[ -n $made_user ]]; then userdel bork; fi
  rm -rf "$work"
  exit "$status"
}
trap leave_nothing EXIT
trap 'exit 130' INT TERM HUP

if [[ -t 1 && -z ${NO_COLOR:-} ]]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; else bold='' dim='' plain=''; fi
say() { echo "$dim# $*$plain"; }
# Shows a command as its user types it, and runs it.
as() {
  local user=$1 prompt='$' run=()
  shift
  if [[ $user == root ]]; then prompt='#'; else run=(setpriv --reuid "$uid" --regid "$gid" --clear-groups); fi
  local word shown=
  for word; do
    if [[ $word == *[\ \;\|]* ]]; then shown+=" '$word'"; else shown+=" $word"; fi
  done
  echo "$bold$user$prompt$shown$plain"
  PATH=$work:$PATH "${run[@]}" "$@" && status=0 || status=$?
}
expect() {
  if [[ $status != "$1" ]]; then
    echo "demo: exit status $status where $1 was expected" >&2
    exit 1
  fi
}

if ! id -u bork >/dev/null 2>&1; then
  useradd --no-create-home --shell /usr/sbin/nologin bork
  made_user=1
fi
uid=$(id -u bork) gid=$(id -g bork)

# A cgroup of the demo's own: nothing but its own processes is ever moved.
remember
direct create all "cgm-demo-$$" >/dev/null
direct movepid all "cgm-demo-$$" $$

mkfifo "$work/ready"
"$build/bin/cgmanager" --socket "$CGM_SOCKET" --quiet --ready-fd 3 3>"$work/ready" &
daemon=$!
read -r <"$work/ready" || { echo "demo: the daemon did not start" >&2; exit 1; }

# The file of the kernel that a command of ours stands for.
kernel_file() {
  local mount path
  mount=$(awk '$3 == "cgroup" && $4 ~ /(^|,)memory(,|$)/ { print $2; exit }' /proc/mounts)
  path=$(awk -F: '$2 == "memory" { print $3 }' /proc/self/cgroup)
  if [[ -z $mount ]]; then
    mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
    path=$(awk -F: '$1 == 0 { print $3 }' /proc/self/cgroup)
    path=${path%/.cgm_leaf}
  fi
  local name=$1/$2
  [[ -e $mount$path/$name ]] || name=$1/memory.max
  echo "  the kernel: $name = $(cat "$mount$path/$name")"
}
hog='head -c 40000000 /dev/zero | tail >/dev/null'
modest='head -c 2000000 /dev/zero | tail >/dev/null; echo fits'

echo "${bold}cgmanager $(cat VERSION)$plain"
say "The administrator makes a cgroup and gives it to bork, once."
as root cgm create memory mycoolgroup && expect 0
as root cgm chown memory mycoolgroup "$uid" "$gid" && expect 0
say "From here on bork is alone, with no rights on the kernel's files but those."
as bork cgm create memory mycoolgroup/small && expect 0
as bork cgm setvalue memory mycoolgroup/small memory.limit_in_bytes 10000000 && expect 0
kernel_file mycoolgroup/small memory.limit_in_bytes
say "10 000 000 bytes, in whole pages. The limits above are still the administrator's:"
as bork cgm setvalue memory mycoolgroup memory.limit_in_bytes 500000000 2>&1 && expect 1
say "A program that wants 40 MB is stopped at the limit; one that wants 2 MB is not."
as bork cgm run --in mycoolgroup/small -- sh -c "$hog" 2>&1 && expect 137
as bork cgm run --in mycoolgroup/small -- sh -c "$modest" && expect 0
say "The same in one line: cgroup, limit, program, and gone again."
as bork cgm run -m 10M --name mycoolgroup/job --stats -- sh -c "$hog" 2>&1 && expect 137
as bork cgm run -m 10M --name mycoolgroup/job --stats -- sh -c "$modest" 2>&1 && expect 0
say "What there is, and what it used:"
as bork cgm tree mycoolgroup && expect 0
as bork cgm stat mycoolgroup/small && expect 0
as bork cgm remove memory mycoolgroup/small && expect 0
say "Nothing of this is left when the demo ends."
