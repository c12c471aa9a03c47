# Words for tests of a ledger that has lost something: its older state can be put
# back, and the scripts are run on it. Sourced after tester.tcl.
source $harness/scripts.tcl
set data $testdir/main/ledger.db

proc plain {file sql} {
  sqlite3 plain_db $::testdir/$file
  set rows [plain_db eval $sql]
  plain_db close
  return $rows
}
proc restart {{options {}}} {
  ledger_restart $options
  db eval "SELECT ledger_detach(); [ledger_attach_sql]"
}
proc append_entry {text {sub_ledger subledger:0}} {
  db eval { INSERT INTO ledger_entries(contents, sub_ledger) VALUES($text, $sub_ledger) }
  db onecolumn { SELECT ledger_last_transaction_id() }
}
proc keep {} {
  ledger_stop
  file delete -force $::testdir/kept
  file mkdir $::testdir/kept
  foreach f [glob $::data*] { file copy $f $::testdir/kept }
}
proc put_back {} {
  foreach f [glob $::data*] { file delete -force $f }
  foreach f [glob $::testdir/kept/*] { file copy $f [file dirname $::data] }
}
proc start {{options {}}} {
  ledger_start -noattach [list ledger_id first loading 0 data $::data {*}$options]
  db eval "SELECT ledger_detach(); [ledger_attach_sql]"
}
