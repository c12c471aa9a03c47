#!/bin/sh
# The module on aarch64, from any other machine: cross-built, and run by qemu.
#
#   tests/hosts/aarch64.sh                                  (make test-aarch64)
#
# Unpacks Debian's arm64 packages that a build and a session need (nothing of
# them is installed), builds the sources of `make dist` with them, then runs the
# unit programs, the receipt vectors, and a session: an emulator, and the sqlite3
# shell with the module, which runs the demo. All of it is aarch64's, but for the
# shell scripts that start it. Works in build/aarch64;
# tests/deps.sh --aarch64 installs what it needs, and without that it is skipped.
set -u
cd "$(dirname "$0")/../.." || exit 1
work=$(pwd)/build/aarch64
root=$work/root
. tests/machine.sh

for need in aarch64-linux-gnu-gcc qemu-aarch64-static debootstrap; do
  command -v $need >/dev/null || {
    echo "aarch64: skipped: this machine lacks $need (tests/deps.sh --aarch64)"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
  }
done
passed=0 failed=0
step() { # step NAME COMMAND...
  name=$1
  shift
  if "$@" >"$work/step.log" 2>&1; then
    echo "aarch64: $name: passed"
    passed=$((passed + 1))
  else
    echo "aarch64: $name: FAILED"
    tail -n 15 "$work/step.log" | sed 's/^/    /'
    failed=$((failed + 1))
  fi
}
stop() { echo "aarch64: $1"; echo "$passed passed, 1 failed"; exit 1; }

# ---- its libraries ---------------------------------------------------------------

suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
if [ ! -e "$root/done" ]; then
  rm -rf "$root"
  mkdir -p "$root/usr/bin" "$root/usr/sbin" "$root/usr/lib" build/fresh-cache
  for folder in bin sbin lib; do ln -s usr/$folder "$root/$folder"; done
  machine_mirror || stop "$machine_why"
  debootstrap --download-only --arch=arm64 --variant=minbase --include=\
libc6-dev,libcjson-dev,libcurl4-openssl-dev,libevent-dev,libsqlite3-dev,\
libssl-dev,libsqlite3-tcl,sqlite3,tcl8.6 "$suite" "$work/packages" "$mirror" >"$work/root.log" 2>&1 ||
    { tail -n 5 "$work/root.log"; stop "debootstrap failed"; }
  for deb in "$work"/packages/var/cache/apt/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" |
      tar -C "$root" -x --keep-directory-symlink || stop "can't unpack $deb"
  done
  # A link to /lib/... is to lead there, not to this machine's.
  find "$root/usr/lib" -lname '/*' | while read -r link; do
    ln -snf "$root$(readlink "$link")" "$link"
  done
  rm -rf "$work/packages"
  touch "$root/done"
fi

# ---- built -----------------------------------------------------------------------

version=$(sed -n 's/^.define LEDGER_VERSION_[A-Z]* *//p' include/ledger.h |
  paste -sd.)
make dist >"$work/dist.log" 2>&1 || stop "make dist failed"
tar -C "$work" -xzf "build/package/sqlite-ledger-$version.tar.gz" || exit 1
cd "$work/sqlite-ledger-$version" || exit 1
units="base json jsonread lru failure url"
export PKG_CONFIG_SYSROOT_DIR="$root" PKG_CONFIG_PATH=
export PKG_CONFIG_LIBDIR="$root/usr/lib/aarch64-linux-gnu/pkgconfig:$root/usr/share/pkgconfig"
# shellcheck disable=SC2086 # a list of programs
step build make -j "${JOBS:-2}" CPU=aarch64 \
  CC="aarch64-linux-gnu-gcc --sysroot=$root" \
  build/ledger.so build/ledger-emulator \
  $(for unit in $units; do echo build/unit/$unit; done)
[ $failed = 0 ] || { echo "$passed passed, $failed failed"; exit 1; }
step "is aarch64" sh -c "od -An -j18 -N2 -tu2 build/ledger.so | grep -qw 183"

# ---- run -------------------------------------------------------------------------

# A program of that machine, started by one of this.
mkdir -p "$work/bin"
program() { # program NAME PATH
  printf '#!/bin/sh\nexec qemu-aarch64-static -L %s %s "$@"\n' "$root" "$2" \
    >"$work/bin/$1"
  chmod +x "$work/bin/$1"
}
program sqlite3 "$root/usr/bin/sqlite3"
program ledger-emulator "$(pwd)/build/ledger-emulator"
export LEDGER_EMULATOR="$work/bin/ledger-emulator"
unit() { qemu-aarch64-static -L "$root" build/unit/$1 && ! grep '^FAILED' "$work/step.log"; }
for unit in $units; do step "unit/$unit" unit $unit; done

program tclsh "$root/usr/bin/tclsh8.6"
# The test file itself, without the runner, which would start tclsh by its name.
vectors() {
  mkdir -p "$work/vectors"
  rm -f "$work/vectors/results"
  LEDGER_MODULE=./build/ledger LEDGER_TEST_DIR=$work/vectors \
    LEDGER_TEST_NAME=receipt/vectors LEDGER_TEST_SCALE=1 LEDGER_TEST_LOCALE='' \
    LEDGER_TEST_PRELOAD='' LEDGER_TEST_VERBOSE=0 LEDGER_TEST_FIRST=0 \
    "$work/bin/tclsh" tests/receipt/vectors.test || return
  echo "$(grep -c '^ok' "$work/vectors/results") cases"
  ! grep '^fail' "$work/vectors/results" && grep -q '^ok' "$work/vectors/results"
}
step "receipt/vectors" vectors
session() {
  PATH=$work/bin:$PATH tests/with-emulator.sh -- sh -c '
    shell="sqlite3 -batch -bail -init /dev/null"
    $shell -cmd ".load ./build/ledger" :memory: <sql/demo.sql &&
    $shell -cmd ".load ./build/ledger" :memory: \
      "SELECT count(*), min(verified) FROM ledger_audit"' &&
    [ "$(tail -n 1 "$work/step.log")" = "4|1" ]
}
step session session
echo "$passed passed, $failed failed"
[ $failed = 0 ]
