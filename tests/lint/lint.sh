#!/bin/sh
# All of `make lint`: the style script, the rooms' arrows and names (of what is
# built), clang-format, clang-tidy and cppcheck, each to its end, so that one run
# shows everything. The arguments are the compiler flags that clang-tidy needs.
#
# What the three tools find, and how clang-format breaks lines, differs from
# release to release: clang-tidy and cppcheck are held to those of Debian 12 and
# 13, clang-format to Debian 12's. With another release a step is skipped, and
# says so; our own two scripts run everywhere.
set -u

headers=$(ls include/*.h ext/*/*.h ext/*/*/*.h tests/*/*.h 2>/dev/null)
sources=$(ls ext/*/*.c ext/*/*/*.c tests/*/*.c 2>/dev/null)
bad=

step() { # step NAME COMMAND...
  name=$1
  shift
  if "$@"; then
    echo "lint: $name: ok"
  else
    echo "lint: $name: FAILED"
    bad="$bad $name"
  fi
}

step_of() { # step_of "VERSION ..." NAME COMMAND...: only with these of NAME
  wanted=$1
  shift
  found=$("$1" --version | sed -n 's/^[^0-9]*\([0-9][0-9.]*\).*/\1/p' | head -n 1)
  for release in $wanted; do
    case $found. in
      "$release".*) step "$@"; return ;;
    esac
  done
  echo "lint: $1: skipped: written for $wanted, this is ${found:-none}"
}

# What was found, without the analyser's path to it: clang-tidy FILE tells.
tidy() {
  # shellcheck disable=SC2086 # a list of files
  printf '%s\n' $sources |
    xargs -P 2 -I {} clang-tidy --quiet {} -- "$@" \
      >build/lint-tidy.out 2>build/lint-tidy.err && return
  awk '/: note: /{show=0} /: (error|warning): /{show=1} show' \
    build/lint-tidy.out
  grep ': error: ' build/lint-tidy.err
  return 1
}

check() {
  # shellcheck disable=SC2086
  cppcheck --quiet -j 2 --std=c11 --inline-suppr --error-exitcode=1 \
    --enable=warning,performance,portability \
    --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches \
    --template='{file}:{line}: {severity}: {message} [{id}]' \
    -Iext -Iinclude -D__GNUC__ -DSIZE_MAX=18446744073709551615UL $sources
}

mkdir -p build
step style "${TCLSH:-tclsh}" tests/lint/style.tcl
step rooms "${TCLSH:-tclsh}" tests/lint/rooms.tcl build/obj/release/ext
# shellcheck disable=SC2086
step_of 14 clang-format clang-format --dry-run -Werror $headers $sources
step_of '14 19' clang-tidy tidy "$@"
step_of '2.10 2.17' cppcheck check

[ -z "$bad" ]
