# What audit/lost_recovered.test and audit/lost_remade.test share: a ledger whose older state can be
# put back, and the scripts run on it.
set data $testdir/main/ledger.db

proc script {name file args} {
  set ::env(LEDGER_URL) $::ledger(url)
  set ::env(LEDGER_OPTIONS) [ledger_options]
  set text [exit_and_text sqlite3 -batch -init /dev/null -cmd ".load $::env(LEDGER_MODULE)" \
    {*}[concat {*}[lmap a $args { list -cmd $a }]] $::testdir/$file < $::root/sql/$name.sql]
  return [split $text \n]
}
proc counts lines {
  set found {}
  foreach line $lines {
    if {[regexp {^(verified|recorded|unbound|invalid|other key|no receipt|lost) +(\d+)  } $line -> what n] && $n} {
      lappend found $what $n
    }
  }
  return $found
}
proc matching {lines pattern} { lsearch -inline -all $lines $pattern }
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
