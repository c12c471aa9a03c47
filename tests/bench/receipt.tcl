# Receipts a second, verified offline: `make bench`. Nothing is asserted.
#
# CPU seconds of this process, so that the figures are those of one core on a
# busy machine too; the best of five runs.
source [file join [file dirname [info script]] .. harness tester.tcl]
source $harness/receipt_many.tcl
ledger_db db

proc cpu_seconds {} {
  set f [open /proc/self/stat]
  set fields [split [regsub {^.*\) } [read $f] {}]]
  close $f
  return [expr {([lindex $fields 11] + [lindex $fields 12]) / 100.0}]
}
proc rate {what sql} {
  set best 1e9
  foreach i {1 2 3 4 5} {
    set start [cpu_seconds]
    lassign [db eval $sql] n valid
    set best [expr {min($best, max(0.01, [cpu_seconds] - $start))}]
  }
  if {$n != $valid} { error "$what: $valid of $n are valid" }
  puts [format "%-52s %6d receipts %9.0f a second" $what $n [expr {$n / $best}]]
}

foreach {curve few many} {P-256 few256 many256 P-384 few384 many384} {
  # A fill signs every 100 entries: 100 roots for 10,000 receipts.
  ledger_start -name $few [list entries 10000 curve $curve loading 0]
  receipts_fetch $few
  ledger_stop -name $few
  # And one signature behind each entry.
  ledger_start -name $many [list curve $curve loading 0 signature_interval 1]
  db eval "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 2000)
    SELECT count(ledger_append('entry ' || i, NULL, json_object('ledger', '$many'))) FROM c"
  receipts_fetch $many
  ledger_stop -name $many

  set roots [db onecolumn {SELECT count(DISTINCT receipt->>'$.signature') FROM kept WHERE ledger = $few}]
  rate "$curve, $roots roots" "SELECT count(*), sum(ledger_receipt_is_valid(receipt, service))
    FROM kept WHERE ledger = '$few'"
  rate "$curve, $roots roots, whole report" "SELECT count(*),
    sum(ledger_verify_receipt(receipt, service) LIKE '_\"valid\":true%')
    FROM kept WHERE ledger = '$few'"
  rate "$curve, $roots roots, claims and entry" "SELECT count(*),
    sum(ledger_receipt_is_valid(receipt, service, json_object('application_claims', claims,
      'entry', json_object('sub_ledger', sub_ledger, 'contents', contents))))
    FROM kept WHERE ledger = '$few'"
  rate "$curve, $roots roots, memo off" "SELECT count(*),
    sum(ledger_receipt_is_valid(receipt, service, json_object('memo', json('false'))))
    FROM (SELECT * FROM kept WHERE ledger = '$few' LIMIT 1000)"
  set roots [db onecolumn {SELECT count(DISTINCT receipt->>'$.signature') FROM kept WHERE ledger = $many}]
  rate "$curve, $roots roots" "SELECT count(*), sum(ledger_receipt_is_valid(receipt, service))
    FROM kept WHERE ledger = '$many'"
}

do_test 1 { expr 1 } 1
finish_test
