# Words that run the programs of tests/unit which load the module. Sourced after
# tester.tcl.

# interrupt WHEN SETUP SQL ?FILE AFTER?
#
# Runs SQL behind SETUP and interrupts it after WHEN milliseconds, or as progress-MS
# and denied-MS say (unit/interrupt.c). {RC IN_TIME CLOSE}: its result code, whether it
# ended within 1500 ms, and that of sqlite3_close(). ::said is all that was said.
proc interrupt {when setup sql args} {
  regexp {^(.*?)(\d+)$} $when -> how ms
  set out [exec {*}[with_module] $::root/build/unit/interrupt $::env(LEDGER_MODULE) \
    $how[expr {$ms * $::timescale}] $setup $sql {*}$args 2>$::testdir/said]
  set ::said "$out [harness_read $::testdir/said]"
  lassign [lrange $out end-2 end] rc ::interrupt_ms close
  return [list $rc [expr {$::interrupt_ms >= 0 && $::interrupt_ms < 1500 * $::timescale}] $close]
}

# Runs SQL while memory runs out (unit/oom.c): the lines that don't say `ok`, and those
# of fewer than LEAST allocations that failed. Under a sanitizer a leak is an error, too.
proc out_of_memory {least args} {
  set got {}
  set leaks [expr {[with_module] eq "" ? "" : "env ASAN_OPTIONS=detect_leaks=1:exitcode=99"}]
  foreach line [split [exec {*}[with_module] {*}$leaks $::root/build/unit/oom {*}$args \
      2>$::testdir/oom.err] \n] {
    if {![regexp {^(\d+) ok$} $line -> n] || $n < $least} { lappend got $line }
  }
  return $got
}

# The sanitizers can't do without memory themselves, nor without system calls: with them
# the file ends here.
proc requires_plain_process {} {
  if {$::env(LEDGER_TEST_PRELOAD) eq ""} return
  skip_test all "not for the sanitizers: what fails here they need"
  finish_test
}
