#!/usr/bin/env bash
# Runs a command with a local ledger of its own, and ends the ledger after it.
#
#   tests/with-emulator.sh [EMULATOR FLAGS...] -- COMMAND [ARGUMENTS...]
#
# The command finds in its environment: LEDGER_URL and LEDGER_OPTIONS (what the
# module attaches as `main` by itself) and LEDGER_EMULATOR_JSON, all that the
# emulator tells of itself. Data lives in a fresh folder below build/ that goes
# with the emulator, also when the command fails or Ctrl-C ends it.
set -u

flags=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do flags+=("$1"); shift; done
[ $# -gt 1 ] || { echo "with-emulator: no command after --" >&2; exit 2; }
shift

emulator=${LEDGER_EMULATOR:-build/ledger-emulator}
mkdir -p build
dir=$PWD/$(mktemp -d build/demo.XXXXXX) || exit 1
pid=
child=

finish() {
  trap '' INT TERM HUP
  if [ -n "$child" ]; then kill "$child" 2>/dev/null; wait "$child"; fi
  if [ -n "$pid" ]; then
    kill "$pid" 2>/dev/null
    for _ in {1..50}; do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
  fi
  rm -rf "$dir"
} 2>/dev/null
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# In a session of its own: a terminal's Ctrl-C is meant for the command.
own=
command -v setsid >/dev/null && own=setsid
$own "$emulator" --data "$dir/ledger.db" --listen 127.0.0.1:0 \
  --ready-file "$dir/ready.json" ${flags[@]+"${flags[@]}"} \
  </dev/null >"$dir/stdout" 2>"$dir/stderr" &
pid=$!

for _ in {1..200}; do
  [ -s "$dir/ready.json" ] && break
  kill -0 "$pid" 2>/dev/null || break
  sleep 0.1
done
if ! [ -s "$dir/ready.json" ]; then
  echo "with-emulator: $emulator did not start:" >&2
  cat "$dir/stderr" >&2
  exit 1
fi

LEDGER_EMULATOR_JSON=$(cat "$dir/ready.json")
ready() { # ready SQL: a question about the ready line, the table r(j)
  sqlite3 -batch -init /dev/null :memory: \
    "WITH r(j) AS (SELECT readfile('$dir/ready.json')) SELECT $1 FROM r"
}
LEDGER_URL=$(ready "j->>'url'")
LEDGER_OPTIONS=$(ready "json_object('ca_file', j->>'ca_file',
  'identity_url', j->>'identity_url', 'token', j->>'token')")
export LEDGER_EMULATOR_JSON LEDGER_URL LEDGER_OPTIONS

if [ -t 0 ]; then
  trap : INT # the command decides what it means
  "$@"
else
  # In the background, so that a signal to this script is obeyed at once.
  "$@" <&0 &
  child=$!
  wait "$child"
fi
status=$?
child=
exit "$status"
