#!/usr/bin/env bash
# The official JavaScript and Python clients against the emulator, and every
# operation of the API's OpenAPI files. Run by `make conformance`, from the top
# folder.
#
# npm's packages come by the lock file, into build/conformance; scripts are
# copied there, since node looks for packages above the script. The Python
# client is Debian's package python3-azure, used where it is installed; for one
# from elsewhere, such as another suite's package unpacked, set PYTHON (the
# interpreter) or PYTHONPATH. Each runs without the other; what can't run is
# counted as skipped, and why.
set -u

here=tests/conformance
there=build/conformance
python=${PYTHON:-/usr/bin/python3}
passed=0 failed=0 skipped=0
skip() { echo "conformance: skipped, $1"; skipped=$((skipped + 1)); }

mkdir -p "$there"
rm -f "$there"/*.requests

# The packages from npm; says what is missing.
packages() {
  command -v node >/dev/null || { skip "there is no node here"; return 1; }
  command -v npm >/dev/null || { skip "there is no npm here"; return 1; }
  cp "$here"/*.mjs "$here"/package.json "$there"/
  cmp -s "$here/package-lock.json" "$there/installed.json" && return
  cp "$here/package-lock.json" "$there"/
  npm ci --prefix "$there" --ignore-scripts --no-audit --no-fund \
    >"$there/npm.log" 2>&1 || {
    tail -n 5 "$there/npm.log"
    skip "npm can't fetch the packages"
    return 1
  }
  cp "$here/package-lock.json" "$there/installed.json"
}

# The bench wants nothing else.
if [ "${1-}" = --packages ]; then packages; exit; fi

export LEDGER_CONFORMANCE=$there

# run NAME COMMAND... -- FLAG...: beside an emulator with these flags
run() {
  local name=$1 log=$there/$1.log last
  local command=()
  shift
  while [ "$1" != -- ]; do command+=("$1"); shift; done
  shift
  tests/with-emulator.sh "$@" --request-log "$there/$name.requests" -- \
    "${command[@]}" 2>&1 | tee "$log"
  last=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
  [ -n "$last" ] || last="0 passed, 1 failed"
  passed=$((passed + $(sed -n 's/^\([0-9]*\) passed.*/\1/p' <<<"$last")))
  failed=$((failed + $(sed -n 's/.* \([0-9]*\) failed.*/\1/p' <<<"$last")))
  case $last in
    *skipped) skipped=$((skipped + $(sed -n 's/.* \([0-9]*\) skipped/\1/p' <<<"$last"))) ;;
  esac
}

# node SCRIPT; the CA must be known before it starts, and the emulator before that.
# shellcheck disable=SC2016
with_node=(bash -c 'NODE_EXTRA_CA_CERTS=$(node -p "JSON.parse(
  process.env.LEDGER_EMULATOR_JSON).ca_file") exec timeout 300 node "$1"' _)

if packages; then
  run client "${with_node[@]}" "$there/client.mjs" -- --control --fill 5000,2 --page 400
  run openapi "${with_node[@]}" "$there/openapi.mjs" -- --loading 1
fi
if $python -c 'import azure.confidentialledger, azure.identity' 2>/dev/null; then
  run python timeout 300 $python "$here/client.py" -- --control --fill 5000,2 --page 400
else
  skip "the official Python client is not here (apt-get install python3-azure)"
fi

[ "$skipped" = 0 ] && echo "$passed passed, $failed failed" ||
  echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
