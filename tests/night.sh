#!/usr/bin/env bash
# The long form of every test, one after another: `make night`. A step that fails
# doesn't end the night; the table at the end has a line for each, and its exit code
# is 1 if one of them failed.
#
#   tests/night.sh              all
#   tests/night.sh kill soak    these
#
# What a step says is build/night/STEP.log. How long each is stands below; from the
# environment: FUZZ_SECONDS (60 a target), KILL_ROUNDS (500), SOAK_SECONDS (1800),
# JOBS (2). .ci/run has the short form of each.
set -u
cd "$(dirname "$0")/.." || exit 1
unset MAKEFLAGS MFLAGS MAKELEVEL
fuzz=${FUZZ_SECONDS:-60} kills=${KILL_ROUNDS:-500} soak=${SOAK_SECONDS:-1800}
jobs=${JOBS:-2}

# run STEP COMMAND...: what the table says of it is put into `table`.
table=() failed=0 wanted=" $* "
run() {
  local step=$1 log=build/night/$1.log from=$SECONDS said result
  shift
  [ "$wanted" = "  " ] || [[ $wanted == *" $step "* ]] || return
  wanted=${wanted/ $step / }
  echo "== $step: $*"
  mkdir -p build/night
  "$@" 2>&1 | tee "$log"
  if [ "${PIPESTATUS[0]}" = 0 ]; then result=ok; else result=FAILED failed=1; fi
  said=$(grep -v '^make' "$log" | tail -n 1)
  table+=("$(printf '%-10s %-6s %6d s  %s' "$step" "$result" \
    $((SECONDS - from)) "${said:0:100}")")
}
# Test files with a time limit of so many seconds each.
long() {
  local limit=$1
  shift
  ${TCLSH:-tclsh} tests/harness/run.tcl -timeout "$limit" "$@"
}

run tests make test "JOBS=$jobs"
run fuzz make fuzz "FUZZ_SECONDS=$fuzz"
export KILL_ROUNDS=$kills OUTBOX_KILLS=$kills KILLS=$kills
run kill long 36000 survive/kill outbox/kill outbox/kill_elections \
  cache/history_shared
unset KILL_ROUNDS OUTBOX_KILLS KILLS
export SOAK_SECONDS=$soak
run soak long $((soak + 1800)) survive/soak
unset SOAK_SECONDS
export DAMAGE_PLACES=500 SYSCALL_ROUNDS=10 APPENDS=10000
run damage long 36000 emulator/damage emulator/syscalls append/exactly_once
unset DAMAGE_PLACES SYSCALL_ROUNDS APPENDS
export SLEEP_SECONDS=60
run sleep long 7200 hosts/sleep
unset SLEEP_SECONDS
export CALL_STEP=1
run calls long 36000 hosts/syscalls
unset CALL_STEP
export OOM_STEP=1
run memory long 36000 hosts/oom hosts/oom_process outbox/out_of_memory \
  cache/out_of_memory credential/out_of_memory
unset OOM_STEP
run asan make test-asan "JOBS=$jobs"
run tsan make test-tsan "JOBS=$jobs"
run valgrind make test-valgrind "JOBS=$jobs"
run mutate make mutate
run coverage make coverage

read -r -a unknown <<<"$wanted"
if [ ${#unknown[@]} -gt 0 ]; then
  echo "night.sh: no such step: ${unknown[*]}"
  failed=1
fi
if [ ${#table[@]} -gt 0 ]; then
  echo "== the night of $(date +%Y-%m-%d)"
  printf '%s\n' "${table[@]}" | tee build/night/table
fi
exit $failed
