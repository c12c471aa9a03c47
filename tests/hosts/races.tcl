# Threads under ThreadSanitizer, a test file of `make test-tsan` alone, which builds the
# module and unit/crowd for it. races.supp names what isn't told, with reasons.
source [file join [file dirname [info script]] .. harness tester.tcl]
set crowd $root/build/tsan/unit/crowd
set module $root/build/tsan/ledger.so
ledger_start -noattach {entries 300 sub_ledgers 3 signature_interval 20}
set env(TSAN_OPTIONS) "suppressions=$root/tests/hosts/races.supp exitcode=66"
set work {
  INSERT INTO ledger_entries(contents, sub_ledger) VALUES(me(), 'race');
  SELECT count(*) FROM ledger_entries WHERE sub_ledger = 'subledger:1';
  SELECT ledger_verify(transaction_id) FROM ledger_entries
   WHERE sub_ledger = 'subledger:2' LIMIT 1;
  SELECT ledger_append(me() || ' by function', 'race');
  SELECT count(*) FROM ledger_users; SELECT count(*) FROM ledger_http;
}
foreach {tn how n options} [list \
  own own 8 {} \
  shared shared 8 {} \
  own.cache own 8 [list cache $testdir/own.db] \
  shared.cache shared 8 [list cache $testdir/shared.db] \
  fork fork 4 {} \
  loads loads 30 {} \
] {
  do_test 1.$tn {
    set said [exit_and_text $crowd $how $n [ledger_attach_sql $options] $work $module]
    list $exit [regexp {ThreadSanitizer} $said] [lindex $said end]
  } {0 0 ok}
  if {[regexp ThreadSanitizer $said]} { puts [harness_show $said] }
}
finish_test
