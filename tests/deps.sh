#!/bin/sh
# Installs what building and testing needs, where it is missing.
#
#   tests/deps.sh [--check] [--lint] [--valgrind] [--fuzz] [--html] [--test]
#     [--hosts] [--packages] [--aarch64]
#
# --check installs nothing: where something to build with is missing it says so,
# and what to do. Each need is probed by use, not by package name, so that a compiler or a
# library from elsewhere counts. Silent when all is there. Otherwise says what
# it is about to install and asks apt-get for it, as root or through sudo;
# where neither can be had it names what is missing and exits 1.
set -u

check=0
want_lint=0
want_valgrind=0
want_fuzz=0
want_html=0
want_test=0
want_hosts=0
want_packages=0
want_aarch64=0
for arg; do
  case $arg in
    --check) check=1 ;;
    --lint) want_lint=1 ;;
    --valgrind) want_valgrind=1 ;;
    --fuzz) want_fuzz=1 ;;
    --html) want_html=1 ;;
    --test) want_test=1 ;;
    --hosts) want_hosts=1 ;;
    --packages) want_packages=1 ;;
    --aarch64) want_aarch64=1 ;;
    *) echo "deps: unknown argument: $arg" >&2; exit 2 ;;
  esac
done

has() { command -v "$1" >/dev/null 2>&1; }
module() { pkg-config --exists "$1" >/dev/null 2>&1; }
compiles() { echo '#include <stdio.h>' | cc -E - >/dev/null 2>&1; }
curl_openssl() {
  module libcurl || return 1
  has curl-config || return 0
  curl-config --ssl-backends | grep -qi openssl
}
fuzzer() { # clang's runtime is a package of its own
  at=$(mktemp) || return
  echo 'int LLVMFuzzerTestOneInput(const char *a, unsigned long n);
    int LLVMFuzzerTestOneInput(const char *a, unsigned long n) {
      return a == 0 && n; }' |
    clang -fsanitize=fuzzer,address,undefined -x c - -o "$at" >/dev/null 2>&1
  found=$?
  rm -f "$at"
  return $found
}
tcl_sqlite() {
  echo 'exit [catch {package require Tcl 8.6; package require sqlite3}]' |
    tclsh >/dev/null 2>&1
}
python_sqlite() {
  python=/usr/bin/python3
  [ -x $python ] || python=python3
  $python -c 'import sqlite3' >/dev/null 2>&1
}
certificates() {
  [ -e /etc/ssl/certs/ca-certificates.crt ] || [ -e /etc/ssl/cert.pem ] ||
    [ -d /etc/pki/tls/certs ]
}

# probe lists, in packages and names, all that is missing.
need() { # need "DEBIAN PACKAGES" "NAME ELSEWHERE" COMMAND...
  debian=$1
  name=$2
  shift 2
  "$@" && return
  packages="$packages $debian"
  names="$names${names:+, }$name"
}
probe() {
  packages=
  names=
  optional=
  need "gcc libc6-dev" "a C11 compiler named cc" compiles
  need make "GNU make" has make
  need pkg-config pkg-config has pkg-config
  need libsqlite3-dev "SQLite 3.38 or newer (headers and library)" \
    pkg-config --exists 'sqlite3 >= 3.38' 2>/dev/null
  need libcurl4-openssl-dev "libcurl built on OpenSSL" curl_openssl
  need libssl-dev "OpenSSL 3" pkg-config --exists 'openssl >= 3' 2>/dev/null
  need libcjson-dev cJSON module libcjson
  need libevent-dev "libevent with OpenSSL" module libevent_openssl
  [ $check = 0 ] || return 0
  need sqlite3 "the sqlite3 shell" has sqlite3
  need tcl "Tcl 8.6 (tclsh)" has tclsh
  need libsqlite3-tcl "Tcl's package sqlite3" tcl_sqlite
  need curl "the curl command" has curl
  need openssl "the openssl command" has openssl
  need python3 "Python 3 with its sqlite3 module" python_sqlite
  need ca-certificates "CA certificates" certificates
  if [ $want_lint = 1 ]; then
    for tool in clang-format clang-tidy cppcheck; do
      need $tool $tool has $tool
    done
  fi
  if [ $want_valgrind = 1 ]; then need valgrind valgrind has valgrind; fi
  if [ $want_fuzz = 1 ]; then
    need "clang libclang-rt-dev" "clang with libFuzzer" fuzzer
  fi
  if [ $want_html = 1 ]; then need cmark-gfm cmark-gfm has cmark-gfm; fi
  # Without these a few tests are skipped: no reason to stop.
  if [ $want_test = 1 ]; then
    need nodejs "node (it runs user-defined functions)" has node
    has faketime || optional="$optional faketime"
    has strace || optional="$optional strace"
    has cmark-gfm || optional="$optional cmark-gfm"
    has mandoc || optional="$optional mandoc"
    { has localedef && [ -e /usr/share/i18n/locales/tr_TR ]; } ||
      optional="$optional locales"
  fi
  # What make test-hosts tries, make test-packages needs, and skips otherwise.
  if [ $want_hosts = 1 ]; then
    wish "php-cli php-sqlite3" php -r 'new SQLite3(":memory:");'
    wish python3-apsw /usr/bin/python3 -c 'import apsw'
    wish python3-pandas /usr/bin/python3 -c 'import pandas'
    wish sqlite-utils has sqlite-utils
    wish libdbd-sqlite3-perl perl -MDBD::SQLite -e 1
    wish "ruby ruby-sqlite3" ruby -e 'require "sqlite3"'
    wish "sqlitebrowser xvfb xauth" has sqlitebrowser
    wish npm has npm
  fi
  if [ $want_packages = 1 ]; then
    wish python3-venv /usr/bin/python3 -m ensurepip --version
    wish "ruby ruby-sqlite3" ruby -e 'require "sqlite3"'
    wish npm has npm
    wish "build-essential debhelper" dpkg-query -W build-essential debhelper
    wish lintian has lintian
    wish debootstrap has debootstrap
  fi
  if [ $want_aarch64 = 1 ]; then
    wish "gcc-aarch64-linux-gnu libc6-dev-arm64-cross" \
      has aarch64-linux-gnu-gcc
    wish qemu-user-static has qemu-aarch64-static
    wish debootstrap has debootstrap
  fi
}
wish() { # wish "DEBIAN PACKAGES" COMMAND...
  debian=$1
  shift
  "$@" >/dev/null 2>&1 || optional="$optional $debian"
}

# What hosts.sh and packages.sh try of Node.js's, with node itself. No package's
# own script is run.
node_packages() {
  { [ $want_hosts = 1 ] || [ $want_packages = 1 ]; } && has npm || return 0
  mkdir -p build/hosts
  cmp -s tests/hosts/package.json build/hosts/package.json && return 0
  echo "deps: installing by npm, into build/hosts"
  cp tests/hosts/package.json build/hosts/
  npm install --prefix build/hosts --ignore-scripts --no-audit --no-fund \
    >build/hosts/npm.log 2>&1 || {
    tail -n 3 build/hosts/npm.log >&2
    rm build/hosts/package.json
  }
}

stop() {
  echo "deps: missing: $names" >&2
  has apt-get && echo "deps: on Debian or Ubuntu: apt-get install$packages" >&2
  [ $# = 0 ] || echo "deps: $1" >&2
  exit 1
}

probe
[ -n "$packages$optional" ] || { node_packages; exit 0; }

if [ $check = 1 ]; then
  echo "missing: $names" >&2
  if has apt-get; then
    echo "make deps installs it, as root or through sudo:" \
      "apt-get install$packages" >&2
  else
    echo "make deps names all that is needed: install it with your system's" \
      "package manager" >&2
  fi
  exit 1
fi

apt() { $root env DEBIAN_FRONTEND=noninteractive apt-get -qq "$@"; }
install() {
  apt update || return
  # shellcheck disable=SC2086 # a list of packages
  apt install -y --no-install-recommends $packages $optional >/dev/null
}
root=
[ "$(id -u)" = 0 ] || root=sudo

if [ -z "$packages" ]; then
  echo "deps: missing, and not needed but for a few tests:$optional"
  if has apt-get && { [ -z "$root" ] || sudo -n true 2>/dev/null; }; then
    echo "deps: installing by apt-get:$optional"
    install && echo "deps: done"
  fi
  node_packages
  exit 0
fi

has apt-get || stop "install these with your system's package manager"
if [ -n "$root" ] && ! { has sudo && { sudo -n true 2>/dev/null || [ -t 0 ]; }; }
then
  stop "this user can't install packages: neither root nor sudo"
fi

echo "deps: missing: $names"
echo "deps: installing by apt-get:$packages$optional"
install || stop "apt-get failed"

probe
[ -z "$packages" ] || stop "still missing after the installation"
echo "deps: done"
node_packages
