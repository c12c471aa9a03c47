#!/usr/bin/env bash
# How many rows a second several processes append to one ledger, against one process
# alone: the table of ext/doc/growing.md. Each is a sqlite3 shell with the module.
#
#   tests/with-emulator.sh --latency 20 -- tests/bench/writers.sh
#
# strict: ROWS (200) rows in one COMMIT, in order; any: ten times as many, in any
# order; outbox: ROWS rows that each writer has queued in a file of its own, flushed.
# WRITERS="1 2 4 8" and MODES="strict any outbox" select. Of several runs (RUNS, 3)
# the median counts. All rows have to be there, once, and, but for `any`, each
# writer's in its order; else it fails.
#
# The writers and the local ledger share this machine, and so does whatever else
# runs: believe the ratios of one run, not the rows.
set -u
rows=${ROWS:-200}
dir=$(mktemp -d build/writers.XXXXXX) || exit 1
trap 'rm -rf "$dir"' EXIT

sql() { sqlite3 -batch -bail -init /dev/null -cmd '.load ./build/ledger' "$@"; }

# The rows of writer $1, $2 of them, for sub-ledger $3: contents are writer:number.
numbers() {
  echo "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c WHERE i < $2)
    SELECT $1 || ':' || i, '$3' FROM c"
}

# One writer's part: MODE WRITER ROWS SUB_LEDGER.
work() {
  if [ "$1" = outbox ]; then
    sql "$dir/$2.db" 'SELECT ledger_flush()'
  else
    sql :memory: "SELECT ledger_ping(); SELECT ledger_option('append_order', '$1');
      INSERT INTO ledger_entries(contents, sub_ledger) $(numbers "$2" "$3" "$4")"
  fi > "$dir/$2.out"
}

# Seconds that WRITERS take together: MODE WRITERS ROWS SUB_LEDGER.
run() {
  local w pids=() from to
  for w in $(seq "$2"); do
    [ "$1" = outbox ] || continue
    rm -f "$dir/$w.db"
    sql "$dir/$w.db" '.read sql/outbox.sql' "INSERT INTO
      ledger_outbox(contents, sub_ledger) $(numbers "$w" "$3" "$4")" > /dev/null
  done
  from=$(date +%s%N)
  for w in $(seq "$2"); do work "$1" "$w" "$3" "$4" & pids+=($!); done
  for w in "${pids[@]}"; do wait "$w" || return 1; done
  to=$(date +%s%N)
  check "$@" || return 1
  echo $(((to - from) / 1000000))
}

# Are all there, once, and in order? MODE WRITERS ROWS SUB_LEDGER.
check() {
  local all=$(($2 * $3)) order=1
  [ "$1" = any ] || order="sum(i <> before + 1) IS 0"
  [ "$(sql :memory: "SELECT count(*) = $all AND count(DISTINCT contents) = $all
      AND $order FROM (SELECT contents, i, lag(i, 1, 0) OVER (PARTITION BY w ORDER
      BY seqno) AS before FROM (SELECT contents, seqno, contents + 0 AS w,
      substr(contents, instr(contents, ':') + 1) + 0 AS i FROM ledger_entries
      WHERE sub_ledger = '$4'))")" = 1 ] && return
  echo "writers: $4: rows are missing, doubled, or out of order" >&2
  return 1
}

echo "mode     writers   rows/s   times"
for mode in ${MODES:-strict any outbox}; do
  n=$rows
  [ "$mode" = any ] && n=$((rows * 10))
  alone=
  for writers in ${WRITERS:-1 2 4 8}; do
    times=
    for i in $(seq "${RUNS:-3}"); do
      ms=$(run "$mode" "$writers" "$n" "$mode-$writers-$i") || exit 1
      times="$times $ms"
    done
    ms=$(printf '%s\n' $times | sort -n | sed -n "$(((${RUNS:-3} + 1) / 2))p")
    rate=$((writers * n * 1000 / (ms + 1)))
    alone=${alone:-$rate}
    awk -v m="$mode" -v w="$writers" -v r="$rate" -v a="$alone" \
      'BEGIN { printf "%-8s %7d %8d %7.1f\n", m, w, r, r / a }'
  done
done
