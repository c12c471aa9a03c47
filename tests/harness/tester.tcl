# The words that a test file is written in; tests/README.md shows them at work.
#
# A test file sources this, starts its ledgers with ledger_start (emulator.tcl),
# states its cases and ends with finish_test. Each case leaves a line `ok NAME`,
# `fail NAME` or `skip NAME` in the results file that the runner counts. Run
# by itself (`tclsh tests/read/tags.test`) a file goes through the runner all the same.
package require Tcl 8.6
package require sqlite3

if {![info exists env(LEDGER_TEST_DIR)]} {
  exit [catch {
    exec [info nameofexecutable] \
      [file join [file dirname [file normalize [info script]]] run.tcl] -v \
      {*}$argv [file normalize $argv0] >@stdout 2>@stderr <@stdin
  }]
}

set harness [file dirname [file normalize [info script]]]
set root [file normalize $harness/../..]
set testdir $env(LEDGER_TEST_DIR)
set testprefix $env(LEDGER_TEST_NAME)
set timescale $env(LEDGER_TEST_SCALE)
array set nResult {ok 0 fail 0 skip 0}
fconfigure stdout -buffering line -encoding utf-8

# Only this process was meant by the sanitizer's preload; with_module gives it
# to children that load the module.
unset -nocomplain env(LD_PRELOAD)

# In a run with -locale this process is a host that has called setlocale().
if {$env(LEDGER_TEST_LOCALE) ne ""} { load $env(LEDGER_TEST_LOCALE) Locale }

# A connection of the harness's own, without the module, for reading JSON.
sqlite3 harness_db :memory:
set SQLITE_VERSION [harness_db onecolumn {SELECT sqlite_version()}]

# ---- results ---------------------------------------------------------------

set harness_results [open $testdir/results a]
fconfigure $harness_results -buffering line -encoding utf-8

# A line in the results: its kind, its name and, where it was skipped, why.
proc harness_result {kind name {text ""}} {
  incr ::nResult($kind)
  set line "$kind [string map {{ } _} $name]"
  if {$kind eq "skip"} { append line " [string trimleft $text {: }]" }
  puts $::harness_results $line
  if {$kind ne "ok" || $::env(LEDGER_TEST_VERBOSE)} {
    puts "[string map {ok "ok    " fail FAILED skip SKIPPED} $kind] $name$text"
  }
  if {$kind eq "fail" && $::env(LEDGER_TEST_FIRST)} finish_test
}

proc harness_name name {
  if {$::testprefix eq "" || [string match $::testprefix-* $name]} {
    return $name
  }
  return $::testprefix-$name
}

# Whether got is what was expected. /regex/ expects a match, ~/regex/ none.
proc harness_matches {expected got} {
  if {[regexp {^(~?)/(.*)/$} $expected -> not re]} {
    return [expr {[regexp -- $re $got] == ($not eq "")}]
  }
  return [expr {$expected eq $got}]
}

# One case: counts it, and shows what differs.
proc harness_check {name expected got {matches ""}} {
  if {$matches eq ""} { set matches [harness_matches $expected $got] }
  if {$matches} {
    harness_result ok [harness_name $name]
  } else {
    harness_result fail [harness_name $name] \
      "\n  expected: [harness_show $expected]\n  got:      [harness_show $got]"
  }
}

proc harness_show text {
  if {[string length $text] > 4000} {
    set text "[string range $text 0 3999]... ([string length $text] characters)"
  }
  return [string map {\n "\n            "} $text]
}

# Any list, written in one way, so that the layout of the expectation is free.
proc harness_list text {
  if {[regexp {^\s*(~?/.*/)\s*$} $text -> re]} { return $re }
  if {[catch { list {*}$text } list]} { return $text }
  return $list
}

# Takes ?-option value? pairs off the caller's args, into the caller's array.
proc harness_options {arrayName allowed} {
  upvar 1 args args $arrayName o
  while {[llength $args] && [dict exists $allowed [lindex $args 0]]} {
    set key [lindex $args 0]
    if {[dict get $allowed $key] eq "flag"} {
      set o($key) 1
      set args [lrange $args 1 end]
    } else {
      set o($key) [lindex $args 1]
      set args [lrange $args 2 end]
    }
  }
}

# ---- cases -----------------------------------------------------------------

# The script's result is the expected text; an error fails the case.
proc do_test {name script expected} {
  if {[catch { uplevel 1 $script } got]} {
    harness_check $name $expected "error: $got" 0
  } else {
    harness_check $name $expected $got
  }
}

# do_execsql_test ?-db HANDLE? NAME SQL ?EXPECTED?: the rows, flat, as a list.
proc do_execsql_test args {
  array set o {-db db}
  harness_options o {-db value}
  lassign $args name sql expected
  if {[catch { uplevel 1 [list $o(-db) eval $sql] } got]} {
    harness_check $name [harness_list $expected] "error: $got" 0
  } else {
    harness_check $name [harness_list $expected] [list {*}$got]
  }
}

# do_catchsql_test ?-db HANDLE? NAME SQL {RC MESSAGE}: RC is 0, 1 or the name
# of the primary result code that is expected, such as AUTH. With RC 0 the
# second element is the list of rows. A lone /regex/ is matched with
# `NAME MESSAGE`.
proc do_catchsql_test args {
  array set o {-db db}
  harness_options o {-db value}
  lassign $args name sql expected
  lassign [uplevel 1 [list catchsql $sql $o(-db)]] got text
  if {[regexp {^~?/.*/$} $expected]} {
    if {$got == 1} { set got [errorcode $o(-db)] }
    harness_check $name $expected [list $got $text]
    return
  }
  lassign $expected rc message
  if {$rc eq "0"} { set message [harness_list $message] }
  if {$rc ni {0 1} && $got == 1} { set got [errorcode $o(-db)] }
  harness_check $name $expected [list $got $text] \
    [expr {$rc eq $got && [harness_matches $message $text]}]
}

# do_eqp_test ?-db HANDLE? NAME SQL TEXT: the plan's details contain the text.
proc do_eqp_test args {
  array set o {-db db}
  harness_options o {-db value}
  lassign $args name sql expected
  if {[catch { uplevel 1 [list query_plan $sql $o(-db)] } plan]} {
    set plan "error: $plan"
  }
  set expected [string trim $expected]
  set re [regexp {^~?/.*/$} $expected]
  harness_check $name $expected $plan [expr {
    $re ? [harness_matches $expected $plan] : [string first $expected $plan] >= 0
  }]
}

# do_requests_test ?-sorted? ?-name LEDGER? NAME ?SQL? REQUESTS
#
# The requests below /app that the ledger answered are these, one per line, in
# this order (-sorted: in any): with SQL those that the SQL made, else those
# since the last do_requests_test or ledger_requests_clear. api-version is left
# out; so is a Loading or Pending answer that was asked for again.
proc do_requests_test args {
  array set o {-sorted 0 -name "" -db db}
  harness_options o {-sorted flag -name value -db value}
  set name [lindex $args 0]
  if {[llength $args] == 3} {
    ledger_requests_clear -name $o(-name)
    if {[catch { uplevel 1 [list $o(-db) eval [lindex $args 1]] } got]} {
      harness_check $name [lindex $args 2] "error: $got" 0
      return
    }
  }
  set expected {}
  foreach line [split [lindex $args end] \n] {
    set line [string trim $line]
    if {$line ne ""} { lappend expected $line }
  }
  set got [ledger_requests -name $o(-name)]
  ledger_requests_clear -name $o(-name)
  if {$o(-sorted)} {
    set expected [lsort $expected]
    set got [lsort $got]
  }
  harness_check $name [join $expected \n] [join $got \n]
}

proc skip_test {name why} {
  harness_result skip [harness_name $name] ": $why"
}

# Whether the SQLite that runs is at least this version.
proc sqlite_at_least version {
  return [expr {[package vcompare $::SQLITE_VERSION $version] >= 0}]
}

# Ends the file here, as skipped, on an SQLite older than this.
proc requires version {
  if {![sqlite_at_least $version]} {
    skip_test requires "needs SQLite $version, this is $::SQLITE_VERSION"
    finish_test
  }
}

# Ends ledgers, writers and connections, and the process.
proc finish_test {} {
  writer_stop_all
  ledger_stop_all
  foreach handle [array names ::harness_handle] { catch { $handle close } }
  puts $::harness_results "done"
  close $::harness_results
  harness_db close
  exit [expr {$::nResult(fail) > 0}]
}

# ---- SQL -------------------------------------------------------------------

proc execsql {sql {handle db}} { uplevel 1 [list $handle eval $sql] }

# {0 ROWS} or {1 MESSAGE}.
proc catchsql {sql {handle db}} {
  set rc [catch { uplevel 1 [list $handle eval $sql] } result]
  return [list $rc $result]
}

# The name of the last error's primary code: ERROR, BUSY, AUTH, ...
proc errorcode {{handle db}} {
  set names {0 OK 1 ERROR 2 INTERNAL 3 PERM 4 ABORT 5 BUSY 6 LOCKED 7 NOMEM
    8 READONLY 9 INTERRUPT 10 IOERR 11 CORRUPT 12 NOTFOUND 13 FULL 14 CANTOPEN
    15 PROTOCOL 16 EMPTY 17 SCHEMA 18 TOOBIG 19 CONSTRAINT 20 MISMATCH
    21 MISUSE 22 NOLFS 23 AUTH 24 FORMAT 25 RANGE 26 NOTADB}
  return [dict get $names [expr {[$handle errorcode] & 255}]]
}

# The details of EXPLAIN QUERY PLAN, one per line.
proc query_plan {sql {handle db}} {
  set details {}
  set rows [uplevel 1 [list $handle eval "EXPLAIN QUERY PLAN $sql"]]
  foreach {id parent unused detail} $rows { lappend details $detail }
  return [join $details \n]
}

# Opens a connection with the module loaded; attaches nothing.
proc ledger_db {{handle db} {file :memory:}} {
  sqlite3 $handle $file
  set ::harness_handle($handle) 1
  $handle enable_load_extension 1
  set module $::env(LEDGER_MODULE)
  $handle eval { SELECT load_extension($module) }
  return $handle
}

# The text of a script in sql/.
proc sql_script name { harness_read $::root/sql/$name.sql }

# A value as a SQL literal.
proc quote value { return "'[string map {' ''} $value]'" }

# The integers from..to.
proc integers {from to} {
  set list {}
  for {set i $from} {$i <= $to} {incr i} { lappend list $i }
  return $list
}

# The id of a user, made of a number.
proc user n { return [format %08d-2222-3333-4444-555555555555 $n] }

# A member of a JSON text; "" where there is none.
proc json_get {json path} {
  return [harness_db onecolumn { SELECT json_extract($json, $path) }]
}

# The environment's variable, or the value where there is none.
proc environment {name value} {
  return [expr {[info exists ::env($name)] ? $::env($name) : $value}]
}

# A flat list of names and values as a JSON object: integers, true, false and
# null are themselves, all else is text.
proc json_object args {
  set parts {}
  if {[llength $args] == 1} { set args [lindex $args 0] }
  foreach {name value} $args {
    if {![regexp {^(-?(0|[1-9][0-9]*)|true|false|null)$} $value]} {
      set value [harness_db onecolumn { SELECT json_quote($value||'') }]
    }
    lappend parts \
      [harness_db onecolumn { SELECT json_quote($name||'') }]:$value
  }
  return "{[join $parts ,]}"
}

# Writes a file of these bytes; answers its name.
proc put {file bytes} {
  set f [open $file wb]
  puts -nonewline $f $bytes
  close $f
  return $file
}
proc bytes file {
  set f [open $file rb]
  set bytes [read $f]
  close $f
  return $bytes
}
proc base64url bytes {
  string map {+ - / _ = ""} [binary encode base64 $bytes]
}

# ---- processes and time ----------------------------------------------------

# Evaluates the expression every 20 ms until it is true, at most ms milliseconds (times
# the slowness of sanitizers). Whether it became true.
proc wait_until {expression {ms 5000}} {
  set end [expr {[clock milliseconds] + $ms * $::timescale}]
  while {![uplevel 1 [list expr $expression]]} {
    if {[clock milliseconds] > $end} { return 0 }
    after 20 { set harness_tick 1 }
    vwait harness_tick
  }
  return 1
}

# Runs a program that loads the module (sqlite3, python3, tclsh): exec, with
# what a sanitizer needs. Error output is part of the result.
proc exec_with_module args {
  return [exec {*}[with_module] {*}$args 2>@1]
}

# Runs SQL in a process of its own, on a ledger (as `main`): what it gives, or the
# message it fails with, and the process's peak memory in KiB.
proc peak_memory {name sql} {
  set script "
    package require sqlite3
    sqlite3 db :memory:
    db enable_load_extension 1
    db eval {SELECT load_extension('$::env(LEDGER_MODULE)')}
    db eval [list [ledger_attach_sql -name $name -as main]]
    catch { db eval [list $sql] } got
    set f \[open /proc/self/status]
    regexp {VmHWM:\\s+(\\d+)} \[read \$f] -> kib
    puts -nonewline \[list \$got \$kib]
  "
  return [exec_with_module [info nameofexecutable] << $script]
}

# The same for a program that may fail: its text, and in ::exit its own exit
# status, or the name of the signal that ended it.
proc exit_and_text args {
  set ::exit 0
  if {[catch { exec_with_module {*}$args } text options]} {
    lassign [dict get $options -errorcode] kind - ::exit
    if {$kind ni {CHILDSTATUS CHILDKILLED}} { error $text }
    regsub {\n?child (process exited abnormally|killed: .*)$} $text {} text
  }
  return $text
}

# The words to put in front of such a program.
proc with_module {} {
  set preload $::env(LEDGER_TEST_PRELOAD)
  if {$preload eq ""} { return {} }
  return [list env LD_PRELOAD=$preload ASAN_OPTIONS=detect_leaks=0]
}

# The words of a sqlite3 shell that loads the module; ARGS: file, SQL, flags.
proc shell args {
  list sqlite3 -batch -init /dev/null -cmd ".load $::env(LEDGER_MODULE)" {*}$args
}

# run_script NAME FILE ?-wrap WORDS? ?COMMAND...?: the lines of sql/NAME.sql on the
# file, a database in $testdir or :memory:, by the shell, behind these commands of
# it. -wrap: words in front. ::exit is its exit status.
proc run_script args {
  array set o {-wrap ""}
  set args [lassign $args name file]
  harness_options o {-wrap value}
  set flags [concat {*}[lmap command $args { list -cmd $command }]]
  if {$name eq "verify-evidence"} { lappend flags -readonly }
  if {$file ne ":memory:"} { set file [file join $::testdir $file] }
  split [exit_and_text {*}$o(-wrap) {*}[shell {*}$flags $file] < $::root/sql/$name.sql] \n
}

# Debian's python3 where there is one, for it has sqlite3 with extensions.
proc python {} {
  expr {[file executable /usr/bin/python3] ? "/usr/bin/python3" : "python3"}
}

source $harness/emulator.tcl
source $harness/requests.tcl
