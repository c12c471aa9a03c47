# Words for tests of option `cache`. Sourced after tester.tcl.

proc in ids { return '[join $ids ',']' }

# Attaches anew, with the cache on unless the options say otherwise.
proc attach {{options {}} {handle db} {name ""}} {
  catch { $handle eval "SELECT ledger_detach('[expr {$name eq "" ? "main" : $name}]')" }
  $handle eval [ledger_attach_sql -name $name [dict merge {cache memory} $options]]
  ledger_requests_clear
}
# The requests that the ledger saw meanwhile, and the result before them.
proc asked {script {name ""}} {
  ledger_requests_clear -name $name
  set got [uplevel 1 $script]
  return [list $got [llength [ledger_requests -name $name]]]
}
proc option {name value} { db eval {SELECT ledger_option($name, $value)} }
# Attaches anew, with the cache in the file of variable `file`; and that empty.
proc open_file {{options {}}} { attach [dict merge [list cache $::file] $options] }
proc fresh_file {{options {}}} {
  catch { db eval {SELECT ledger_detach()} }
  file delete {*}[glob -nocomplain $::file*]
  open_file $options
}
