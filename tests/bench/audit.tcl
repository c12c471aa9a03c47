# What an audit of 10,000 entries costs, and where the time goes: `make bench`.
#
# The whole audit is set against what it is made of: reading the entries,
# fetching the receipts, and verifying receipts that are stored already, which
# needs neither the ledger nor the network. CPU is that of this process alone.
source [file join [file dirname [info script]] .. harness tester.tcl]

# Seconds of CPU that this process has used.
proc cpu {} {
  set f [open /proc/self/stat]
  set fields [read $f]
  close $f
  set fields [lrange [string range $fields [string last ) $fields]+2 end] 0 end]
  expr {([lindex $fields 11] + [lindex $fields 12]) / double([exec getconf CLK_TCK])}
}
proc measure {what sql} {
  set c0 [cpu]
  set us [lindex [time { set ::answer [db eval $sql] }] 0]
  set wall [expr {$us / 1e6}]
  set cpu [expr {[cpu] - $c0}]
  puts [format "%-44s %7.2f s   %5.2f s CPU   %7.0f a second" $what $wall $cpu \
    [expr {10000 / $wall}]]
  return [list $wall $cpu]
}
set all {sub_ledger = 'subledger:0'}
foreach {name options} {
  here {loading 0}
  "5 ms away" {loading 0 latency 5}
} {
  ledger_start [concat {entries 10000} $options]
  db eval "SELECT count(*) FROM ledger_entries WHERE $all"
  db eval {CREATE TEMP TABLE e AS SELECT * FROM ledger_entries WHERE sub_ledger = 'subledger:0'}
  puts "10,000 entries, $name"
  lassign [measure "  ledger_audit" "SELECT sum(verified) FROM ledger_audit WHERE $all"] wall
  do_test "$name-1" { set answer } 10000
  measure "  the entries alone" "SELECT count(*), sum(length(contents)) FROM ledger_entries WHERE $all"
  measure "  the receipts alone" {CREATE TEMP TABLE r AS SELECT * FROM ledger_receipts
    WHERE transaction_id IN (SELECT transaction_id FROM e)}
  db eval {CREATE INDEX temp.r_id ON r(transaction_id)}
  lassign [measure "  verification of stored receipts alone" {
    SELECT sum(ledger_receipt_is_valid(r.receipt, r.service_certificate,
      json_object('application_claims', r.application_claims,
        'transaction_id', e.transaction_id,
        'entry', json_object('sub_ledger', e.sub_ledger, 'contents', e.contents))))
    FROM e CROSS JOIN r ON r.transaction_id = e.transaction_id}] verify
  do_test "$name-2" { set answer } 10000
  puts [format "  verification is %.0f %% of the audit: the rest waits for, and reads, the ledger" \
    [expr {100 * $verify / $wall}]]
  ledger_stop
  db close
}
finish_test
