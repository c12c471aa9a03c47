# A word for tests of files that somebody else wrote. Sourced after tester.tcl.

# What db2 has attached so far, without attaching anything by asking.
proc attached {} {
  set url $::env(LEDGER_URL)
  unset ::env(LEDGER_URL)
  set names [db2 eval { SELECT name FROM ledger_attached }]
  set ::env(LEDGER_URL) $url
  return $names
}
