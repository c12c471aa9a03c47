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
# sql/NAME.sql. ::exit is its exit status.
proc session {file text} {
  ledger_in_environment
  put $::testdir/typed [encoding convertto utf-8 \
    [regsub -all -line {^\.read ([a-z_-]+)$} $text ".read $::root/sql/\\1.sql"]]
  if {$file ne ":memory:"} { set file [file join $::testdir $file] }
  return [exit_and_text {*}[shell $file] < $::testdir/typed]
}

# What `.read NAME` changes of the shell's settings and its temporary tables, which
# should be nothing. BEFORE: what is typed first.
proc changed_by {name file {before ""}} {
  set show ".once $::testdir/shown\n.show\n.print <settings>\n.shell cat $::testdir/shown
.print <temp>\nSELECT type, name, sql FROM temp.sqlite_schema ORDER BY name;\n.print <end>"
  set text [session $file "$before\n.mode box\n.headers off\n.nullvalue none
.separator ^\n$show\n.read $name\n$show\n"]
  set found [regexp -all -inline {<settings>\n(.*?)\n<temp>\n(.*?)<end>} $text]
  lassign [regsub -all -line {^ *width:.*} $found ""] - settings temp - settings_after temp_after
  set changed {}
  if {$settings eq "" || $settings ne $settings_after} {
    lappend changed settings $settings $settings_after
  }
  if {$temp ne $temp_after} { lappend changed temp $temp $temp_after }
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
