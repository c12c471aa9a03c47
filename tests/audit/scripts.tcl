# Words for tests of sql/audit.sql, evidence.sql and verify-evidence.sql. Sourced
# after tester.tcl.

# A script's lines on a file, with the ledger in the environment. ARGS: run_script's.
proc script args {
  set ::env(LEDGER_URL) $::ledger(url)
  set ::env(LEDGER_OPTIONS) [ledger_options]
  catch { ledger_requests_clear } ;# it may be stopped
  run_script {*}$args
}

# What is counted there: {verified 3 unbound 1}, in their order, without the zeros.
proc counts lines {
  set found {}
  foreach line $lines {
    if {[regexp {^(verified|recorded|unbound|invalid|other key|no receipt|lost) +(\d+)  } \
          $line -> what n] && $n} {
      lappend found $what $n
    }
  }
  return $found
}
proc matching {lines pattern} { lsearch -inline -all $lines $pattern }
