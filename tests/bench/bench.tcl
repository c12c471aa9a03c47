# Ratios, measured in one run on the local ledger: `make bench`.
#
# Nothing is asserted here. What is compared is the same work done in two ways,
# so that the figures mean something on any machine.
source [file join [file dirname [info script]] .. harness tester.tcl]

proc ms script { lindex [split [expr {[lindex [time {uplevel 1 $script}] 0] / 1000.0}] .] 0 }
proc report {what a msA b msB} {
  puts [format "%-34s %-26s %7d ms   %-22s %7d ms   %5.2f" $what $a $msA $b $msB \
    [expr {double($msA) / max($msB, 1)}]]
}

# ---- lookups, 20 ms away ---------------------------------------------------------

ledger_start {latency 20 sub_ledger c0 entries 100 page 1000}
set ids [db eval {SELECT transaction_id FROM ledger_entries WHERE sub_ledger='c0'}]
set in '[join $ids ',']'
db eval "SELECT count(*) FROM ledger_entries WHERE sub_ledger='c0' AND transaction_id IN ($in)"
set one [ms {
  foreach id $ids { db eval {SELECT contents FROM ledger_entries
                              WHERE sub_ledger='c0' AND transaction_id=$id} }
}]
set many [ms { db eval "SELECT contents FROM ledger_entries WHERE sub_ledger='c0'
                         AND transaction_id IN ($in)" }]
report "100 entries by id, 20 ms away" "IN (...)" $many "one by one" $one

# The same 100 lookups again, as they are and from the cache.
set again "SELECT contents FROM ledger_entries WHERE sub_ledger='c0'
           AND transaction_id IN ($in)"
set off [ms { db eval $again }]
db eval {SELECT ledger_option('cache', 'on')}
db eval $again
set on [ms { for {set i 0} {$i < 10} {incr i} { db eval $again } }]
report "the same 100 lookups again, ten times" "cache on" $on "cache off" [expr {$off * 10}]
db eval {SELECT ledger_option('cache', 'off')}

# ---- appends, 20 ms away -----------------------------------------------------------

db eval {CREATE TABLE hundred(x TEXT);
  WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 100)
  INSERT INTO hundred SELECT 'row ' || i FROM c}
set batch {INSERT INTO ledger_entries(contents, sub_ledger) SELECT x, 'b' FROM hundred}
set strict [ms { db eval $batch }]
db eval {SELECT ledger_option('append_order', 'any')}
set any [ms { db eval $batch }]
report "100 appends, 20 ms away" "append_order any" $any "strict" $strict
db eval {SELECT ledger_option('append_order', 'strict')}
set single [ms { db eval {SELECT x FROM hundred LIMIT 20} row {
  db eval {INSERT INTO ledger_entries(contents, sub_ledger) VALUES($row(x), 'b')} } }]
set one [ms { db eval {INSERT INTO ledger_entries(contents, sub_ledger)
                       SELECT x, 'b' FROM hundred LIMIT 20} }]
report "20 appends, 20 ms away" "one transaction" $one "20 transactions" $single

# ---- sub-ledgers, 20 ms away ---------------------------------------------------------

ledger_start -name many {entries 4000 sub_ledgers 40 latency 20 loading 0}
set all {SELECT count(*) FROM ledger_entries WHERE ledger = 'many'}
db eval $all
set four [ms { db eval $all }]
db eval {SELECT ledger_option('range_concurrency', 1, 'many')}
set lone [ms { db eval $all }]
report "40 sub-ledgers, 20 ms away" "range_concurrency 4" $four "1" $lone
ledger_stop -name many

# ---- a large ledger, here --------------------------------------------------------------

db eval {SELECT ledger_detach(); SELECT ledger_detach('many')}
ledger_start -name big {entries 300000 loading 0}
set scan {SELECT count(*), sum(length(contents)) FROM ledger_entries
           WHERE sub_ledger = 'subledger:0'}
db eval $scan
set remote [ms { db eval $scan }]
db eval {CREATE TABLE copy AS SELECT transaction_id, sub_ledger, contents FROM ledger_entries}
set local [ms { db eval {SELECT count(*), sum(length(contents)) FROM copy} }]
report "300,000 entries, counted" "the ledger" $remote "a local copy" $local
set low [expr {150000}]
set ranged [ms { db eval "$scan AND seqno BETWEEN $low AND $low + 3000" }]
report "3,000 of them" "by range" $ranged "the whole scan" $remote
set newest [ms { db eval {SELECT contents FROM ledger_entries
  WHERE sub_ledger = 'subledger:0' ORDER BY transaction_id DESC LIMIT 10} }]
report "the 10 newest of them" "ORDER BY ... DESC LIMIT" $newest "the whole scan" $remote
puts [format "%d rows a second from the ledger" [expr {300000 * 1000 / max($remote, 1)}]]

do_test 1 { expr 1 } 1
finish_test
