#!/usr/bin/env bash
# The official JavaScript client against the emulator, and every operation of
# the API's OpenAPI files. Run by `make conformance`, from the top folder.
#
# Packages come from npm by the lock file, into build/conformance; scripts are
# copied there, since node looks for packages above the script. Without node or
# npm, or where they can't be had, it says so: skipped.
set -u

here=tests/conformance
there=build/conformance
skip() { echo "conformance: skipped, $1"; echo "0 passed, 0 failed, 1 skipped"; exit 0; }

command -v node >/dev/null || skip "there is no node here"
command -v npm >/dev/null || skip "there is no npm here"
mkdir -p "$there"
cp "$here"/*.mjs "$here"/package.json "$there"/
if ! cmp -s "$here/package-lock.json" "$there/installed.json"; then
  cp "$here/package-lock.json" "$there"/
  npm ci --prefix "$there" --ignore-scripts --no-audit --no-fund \
    >"$there/npm.log" 2>&1 || {
    tail -n 5 "$there/npm.log"
    skip "npm can't fetch the packages"
  }
  cp "$here/package-lock.json" "$there/installed.json"
fi

export LEDGER_CONFORMANCE=$there

# run SCRIPT FLAG...: beside an emulator with these flags
passed=0 failed=0 skipped=0
run() {
  local script=$1 log=$there/${1%.mjs}.log
  shift
  # The CA must be known before node starts, and the emulator before that.
  # shellcheck disable=SC2016
  tests/with-emulator.sh "$@" --request-log "$there/${script%.mjs}.requests" -- \
    bash -c 'NODE_EXTRA_CA_CERTS=$(node -p "JSON.parse(
      process.env.LEDGER_EMULATOR_JSON).ca_file") exec timeout 300 node "$1"' \
    _ "$there/$script" 2>&1 | tee "$log"
  local last
  last=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
  [ -n "$last" ] || last="0 passed, 1 failed"
  passed=$((passed + $(sed -n 's/^\([0-9]*\) passed.*/\1/p' <<<"$last")))
  failed=$((failed + $(sed -n 's/.* \([0-9]*\) failed.*/\1/p' <<<"$last")))
  case $last in
    *skipped) skipped=$((skipped + $(sed -n 's/.* \([0-9]*\) skipped/\1/p' <<<"$last"))) ;;
  esac
}

rm -f "$there"/*.requests
run client.mjs --control --fill 5000,2 --page 400
run openapi.mjs --loading 1

[ "$skipped" = 0 ] && echo "$passed passed, $failed failed" ||
  echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
