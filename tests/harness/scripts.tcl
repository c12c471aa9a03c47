# Words for tests of the scripts in sql/, run by the sqlite3 shell. Sourced after
# tester.tcl.

# A script's lines on a file, with the ledger in the environment. ARGS: run_script's.
proc script args {
  ledger_in_environment
  run_script {*}$args
}
proc ledger_in_environment {} {
  set ::env(LEDGER_URL) $::ledger(url)
  set ::env(LEDGER_OPTIONS) [ledger_options]
  catch { ledger_requests_clear } ;# it may be stopped
}

# What a session on a file prints that types these lines; `.read NAME` reads
# sql/NAME.sql. ::exit is its exit status. FLAGS: of the shell.
proc session {file text args} {
  ledger_in_environment
  put $::testdir/typed [encoding convertto utf-8 \
    [regsub -all -line {^\.read ([a-z_-]+)$} $text ".read $::root/sql/\\1.sql"]]
  if {$file ne ":memory:"} { set file [file join $::testdir $file] }
  return [exit_and_text {*}[shell {*}$args $file] < $::testdir/typed]
}

# What `.read NAME` changes of the shell's settings and its temporary tables, which
# should be nothing. BEFORE: what is typed first. (At a prompt, for there a script
# that fails doesn't end the session.)
proc changed_by {name file {before ""}} {
  set show {}
  foreach when {before after} {
    file delete $::testdir/settings.$when $::testdir/temp.$when
    dict set show $when ".once $::testdir/settings.$when\n.show\n.once $::testdir/temp.$when
SELECT type, name, sql FROM temp.sqlite_schema ORDER BY name;\n"
  }
  session $file "$before\n.mode box\n.headers off\n.nullvalue none
.separator ^\n[dict get $show before].read $name\n[dict get $show after]" -interactive
  set changed {}
  foreach what {settings temp} {
    lassign [lmap when {before after} {
      regsub -all -line {^ *(width|output):.*} [bytes $::testdir/$what.$when] ""
    }] was is
    if {$was ne $is} { lappend changed $what $was $is }
  }
  return $changed
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
