#!/bin/sh
# The README's commands on a machine that has nothing yet.
#
#   tests/fresh.sh SUITE          (make test-fresh SUITE=bookworm, or trixie)
#
# Makes a minimal Debian of that suite by debootstrap, from the mirror that this
# machine's apt uses; clones the checkout (what is committed) into it; runs
# `make` as a plain user before anything is installed, then as root what README
# begins with, `make demo` and `make test`, then build, demo and a test file as
# that user.
# Says what was installed, how long each command took, and closes with the
# tests' closing line. Needs root, since it makes mounts; they are in a
# namespace of its own, so that none outlives it.
#
# It works below build/fresh, which goes at the end unless KEEP=1. TMPDIR, where
# set, is used instead. build/fresh-cache keeps what debootstrap downloaded.
set -u

suite=${1:-}
case $suite in
  '' | *[!a-z]*) echo "test-fresh: which suite? SUITE=bookworm" >&2; exit 2 ;;
esac
cd "$(dirname "$0")/.." || exit 1
source=$(pwd)
stop() { echo "test-fresh: $1" >&2; exit 1; }
[ "$(id -u)" = 0 ] || stop "needs root: it makes mounts and a chroot"
. tests/machine.sh

mkdir -p build
work=$(mktemp -d "${TMPDIR:-$source/build}/fresh.XXXXXX") || exit 1
machine=$work/$suite
finish() {
  rc=$?
  trap - EXIT INT TERM HUP
  machine_end
  if [ "${KEEP:-0}" = 1 ]; then
    echo "test-fresh: kept: $machine"
  else
    rm -rf --one-file-system "$work"
  fi
  exit $rc
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# timed USER COMMAND: shows it, and how long it took; its output is in $log too.
log=$work/log
times=
timed() {
  echo "test-fresh: $1: $2"
  start=$(date +%s)
  # No pipeline: this shell itself waits, so that a signal ends it at once.
  [ -p "$work/out" ] || mkfifo "$work/out"
  tee "$log" <"$work/out" &
  tee=$!
  machine_run "$machine" "$1" "$2" >"$work/out" 2>&1
  rc=$?
  wait "$tee"
  seconds=$(($(date +%s) - start))
  times="$times
test-fresh:   $1: $2: $((seconds / 60)) min $((seconds % 60)) s, exit $rc"
  return "$rc"
}
packages() { chroot "$machine" dpkg-query -W -f '${Package} ${Version}\n'; }

echo "test-fresh: $suite, by debootstrap"
machine_make "$suite" "$machine" git,make || stop "$machine_why"
packages >"$work/before"

# A stranger's clone: nothing but what is committed.
[ -z "$(git status --porcelain)" ] ||
  echo "test-fresh: what is not committed is left out"
chroot "$machine" useradd -m -s /bin/sh stranger
for folder in srv home/stranger; do
  git clone -q --no-hardlinks "$source" "$machine/$folder/sqlite-ledger" ||
    stop "can't clone the checkout"
done
chroot "$machine" chown -R stranger: /home/stranger

failed=0
# Without a compiler and libraries: it says what to do.
timed stranger 'cd sqlite-ledger && make' && failed=1
grep -q 'make deps' "$log" ||
  { echo "test-fresh: FAILED: make doesn't name make deps"; failed=1; }
timed root 'cd /srv/sqlite-ledger && make demo' || failed=1
timed root 'cd /srv/sqlite-ledger && make test' || failed=1
line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
# All is there now: no root is needed any more. A case of emulator_start is for
# users without its rights.
timed stranger 'cd sqlite-ledger && make && make demo' || failed=1
timed stranger 'cd sqlite-ledger && make test TESTS=emulator/start' || failed=1

packages >"$work/after"
new=$(comm -13 "$work/before" "$work/after")
echo "test-fresh: $suite: installed by make demo and make test:" \
  "$(echo "$new" | grep -c .) packages, among them"
for name in gcc libc6-dev libsqlite3-dev libcurl4-openssl-dev libssl-dev \
  libcjson-dev libevent-dev sqlite3 tcl libsqlite3-tcl curl openssl python3 \
  nodejs faketime strace locales; do
  echo "$new" | sed -n "s/^$name /test-fresh:   &/p"
done
echo "test-fresh: $suite: how long it took, on $(nproc) cores:$times"
[ $failed = 0 ] || echo "test-fresh: $suite: FAILED"
echo "${line:-0 passed, 1 failed}"
exit $failed
