package require sqlite3

sqlite3 db :memory:
db enable_load_extension 1
db eval {SELECT load_extension('./build/ledger')}
puts [db version]

set contents hello
db transaction { ;# sent when it ends
  db eval {INSERT INTO ledger_entries(contents, sub_ledger)
           VALUES($contents, 'tcl')}
}
db eval {SELECT contents FROM ledger_entries WHERE sub_ledger = 'tcl'} {
  puts $contents
}
puts [db onecolumn {SELECT content FROM ledger_audit
                     WHERE sub_ledger = 'tcl' AND verified}]
if {[catch {db eval {DELETE FROM ledger_entries}} error]} { puts $error }
