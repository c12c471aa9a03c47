# Runs test files, each in a tclsh of its own, and closes with one line:
# `N passed, N failed`, and `, N skipped` where some were.
#
#   tclsh tests/harness/run.tcl ?-j N? ?-v? ?-first? ?-asan? ?-valgrind?
#         ?-timeout SECONDS? ?-dir DIR? ?-locale NAME? ?-list? ?PATTERN...?
#
# A test file is named by its path below tests/, without `.test`: outbox/kill.
# PATTERN is a folder (outbox), a name (outbox/kill*), the last part of names or
# of folders (kill*), or the path of a file. Without one, all run; with -valgrind
# those that hold a line `# valgrind: yes`. With -first a file ends at its first
# case that fails. With -list they are only named. With -locale, each test file is a host
# that has called setlocale(): de_DE.UTF-8 or tr_TR.UTF-8 (`make units` makes
# them). A file works below DIR/NAME (build/test/outbox/kill), which goes when it
# passes and stays to be looked at when it fails. What a file started, it lists in
# DIR/NAME/pids: should it die, the runner ends that.
#
# A file that dies, runs out of time, ends without finish_test, trips a
# sanitizer or starts an emulator that does counts as a failed test. So does a
# run without any test. What was skipped is told before the closing line, with
# the reason. The programs that test files run (tests/unit) are made first.
package require Tcl 8.6

set root [file normalize [file join [file dirname [info script]] .. ..]]
cd $root

# ---- command line ----------------------------------------------------------

array set opt {jobs 1 verbose 0 first 0 asan 0 valgrind 0 list 0 timeout 180
               dir build/test locale ""}
set patterns {}
for {set i 0} {$i < [llength $argv]} {incr i} {
  set arg [lindex $argv $i]
  switch -glob -- $arg {
    {-j[1-9]*} { set opt(jobs) [string range $arg 2 end] }
    -j       { set opt(jobs) [lindex $argv [incr i]] }
    -v       { set opt(verbose) 1 }
    -first   { set opt(first) 1 }
    -asan    { set opt(asan) 1 }
    -valgrind { set opt(valgrind) 1 }
    -list    { set opt(list) 1 }
    -timeout { set opt(timeout) [lindex $argv [incr i]] }
    -dir     { set opt(dir) [lindex $argv [incr i]] }
    -locale  { set opt(locale) [lindex $argv [incr i]] }
    -*       { puts stderr "run.tcl: unknown option: $arg"; exit 2 }
    default  { lappend patterns $arg }
  }
}

# Everything is this many times slower, and may take this many times longer.
set scale [expr {$opt(valgrind) ? 10 : $opt(asan) ? 3 : 1}]

proc read_file path {
  set f [open $path]
  fconfigure $f -encoding utf-8
  set text [read $f]
  close $f
  return $text
}

# outbox/kill for tests/outbox/kill.test; of a file elsewhere the last part.
proc name_of file {
  set tests $::root/tests/
  set name [file rootname [file normalize $file]]
  if {[string match $tests* $name]} {
    return [string range $name [string length $tests] end]
  }
  return [file tail $name]
}

# Whether a pattern means the test file of that name.
proc means {pattern name} {
  if {[string match */* $pattern]} { return [string match $pattern $name] }
  lassign [split $name /] folder file
  if {[file isdirectory tests/$pattern]} { return [expr {$folder eq $pattern}] }
  return [expr {[string match $pattern $folder] || [string match $pattern $file]}]
}

proc test_files {} {
  global patterns opt
  set all [lsort [glob -nocomplain tests/*/*.test]]
  if {$patterns eq ""} {
    if {!$opt(valgrind)} { return $all }
    return [lmap f $all {
      if {![regexp -line {^# valgrind: yes$} [read_file $f]]} continue
      set f
    }]
  }
  set files {}
  foreach pattern $patterns {
    set n [llength $files]
    if {[file isfile $pattern]} { lappend files $pattern }
    lappend files {*}[lmap f $all {
      if {![means $pattern [name_of $f]]} continue
      set f
    }]
    if {[llength $files] == $n} {
      puts stderr "run.tcl: no test file matches $pattern"
      exit 2
    }
  }
  return [lsort -unique $files]
}

if {$opt(list)} {
  foreach file [test_files] { puts [name_of $file] }
  exit
}

# Makes the programs of tests/unit and the locales, as `make test` has done already.
proc make_units {} {
  global opt env
  foreach name {MAKEFLAGS MFLAGS MAKELEVEL} { unset -nocomplain env($name) }
  if {[catch {
    exec make -s [expr {$opt(asan) ? "units-asan" : "units"}] 2>@1
  } said]} {
    puts stderr "run.tcl: make units: $said"
  }
}

# ---- the world a test file sees --------------------------------------------

# Nothing of the user's own set-up reaches a test.
foreach name [array names env] {
  if {[string match -nocase AZURE_* $name] || [string match LEDGER_* $name]
      || [string match -nocase *_proxy $name]
      || $name in {IDENTITY_ENDPOINT IDENTITY_HEADER MSI_ENDPOINT MSI_SECRET
                   CURL_CA_BUNDLE SSL_CERT_FILE SSL_CERT_DIR}} {
    if {$name ni {LEDGER_MODULE LEDGER_EMULATOR}} { unset env($name) }
  }
}
# Tcl reads source files, and talks to programs, in the locale's encoding.
set env(LC_ALL) C.UTF-8
set out [expr {$opt(asan) ? "build/asan" : "build"}]
if {![info exists env(LEDGER_MODULE)]} { set env(LEDGER_MODULE) ./$out/ledger }
if {![info exists env(LEDGER_EMULATOR)]} {
  set env(LEDGER_EMULATOR) ./$out/ledger-emulator
}
set env(LEDGER_TEST_SCALE) $scale
set env(LEDGER_TEST_VERBOSE) $opt(verbose)
set env(LEDGER_TEST_FIRST) $opt(first)
set env(LEDGER_TEST_PRELOAD) ""
set env(LEDGER_TEST_LOCALE) ""
if {$opt(locale) ne ""} {
  make_units
  if {![file isdirectory build/locale/$opt(locale)]} {
    puts "skipped: no locale $opt(locale): localedef or its sources are missing"
    puts "0 passed, 0 failed, 1 skipped"
    exit
  }
  set env(LC_ALL) $opt(locale)
  set env(LOCPATH) $root/build/locale
  set env(LEDGER_TEST_LOCALE) $root/build/unit/locale.so
}

# What a test file is run by.
set command {}
if {![catch {exec setpriv --pdeathsig KILL true}]} {
  lappend command setpriv --pdeathsig KILL
}
if {$opt(asan)} {
  set env(LEDGER_TEST_PRELOAD) [exec cc -print-file-name=libasan.so]
  # Leaks are looked for in the emulator and in tclsh; what libraries keep for
  # the life of a process is still reachable and so no leak.
  set env(ASAN_OPTIONS) detect_leaks=1:exitcode=99
  set env(UBSAN_OPTIONS) print_stacktrace=1
  lappend command env LD_PRELOAD=$env(LEDGER_TEST_PRELOAD)
}
if {$opt(valgrind)} {
  lappend command valgrind -q --error-exitcode=99 --leak-check=full \
    --show-leak-kinds=definite --errors-for-leak-kinds=definite
}
lappend command [info nameofexecutable]

# ---- one file --------------------------------------------------------------

# Ends the processes that the file under dir started and that still run.
proc end_processes dir {
  if {![file exists $dir/pids]} return
  foreach signal {TERM KILL} {
    set alive 0
    foreach pid [read_file $dir/pids] {
      if {[catch {read_file /proc/$pid/cmdline} line]
          || [string first $dir $line] < 0} continue
      catch { exec sh -c "kill -$signal $pid" }
      set alive 1
    }
    if {!$alive} return
    after 500
  }
}

proc start file {
  global opt env run running command
  set name [name_of $file]
  set dir [file normalize $opt(dir)/$name]
  file delete -force $dir
  file mkdir $dir/home
  set env(LEDGER_TEST_DIR) $dir
  set env(LEDGER_TEST_NAME) $name
  set env(HOME) $dir/home
  set f [open |[concat $command [list $file] </dev/null 2>@1]]
  fconfigure $f -blocking 0 -encoding utf-8
  set run($f,name) $name
  set run($f,dir) $dir
  set run($f,text) ""
  set run($f,why) ""
  set run($f,t0) [clock milliseconds]
  set run($f,timer) [after [expr {$opt(timeout) * $::scale * 1000}] \
    [list out_of_time $f]]
  fileevent $f readable [list collect $f]
  incr running
}

proc out_of_time f {
  global run opt
  set run($f,why) "took more than [expr {$opt(timeout) * $::scale}] s"
  foreach pid [pid $f] { catch { exec sh -c "kill -KILL $pid" } }
  end_processes $run($f,dir)
}

proc collect f {
  global run
  append run($f,text) [read $f]
  if {[eof $f]} { finished $f }
}


proc finished f {
  global run running total opt skipped
  after cancel $run($f,timer)
  set why $run($f,why)
  fconfigure $f -blocking 1
  if {[catch { close $f } message options] && $why eq ""} {
    set code [dict get $options -errorcode]
    switch [lindex $code 0] {
      CHILDKILLED { set why "killed: [lindex $code 3]" }
      CHILDSTATUS {
        # 1 is what finish_test answers when tests failed.
        if {[lindex $code 2] != 1} { set why "exit code [lindex $code 2]" }
      }
      default { set why $message }
    }
  }
  set dir $run($f,dir)
  end_processes $dir
  array set n {ok 0 fail 0 skip 0 done 0}
  if {[file exists $dir/results]} {
    foreach line [split [string trim [read_file $dir/results]] \n] {
      set reason [lassign [split $line] kind case]
      incr n($kind)
      if {$kind eq "skip"} { lappend skipped([join $reason]) $case }
    }
  }
  if {!$n(done) && $why eq ""} { set why "ended without finish_test" }
  if {$n(ok) + $n(fail) + $n(skip) == 0 && $why eq ""} {
    set why "no test in it"
  }
  foreach err [lsort [glob -nocomplain $dir/*.err]] {
    set text [read_file $err]
    if {[regexp {runtime error:|ERROR: (Address|Leak)Sanitizer} $text]} {
      append run($f,text) $text
      if {$why eq ""} { set why "a sanitizer spoke in [file tail $err]" }
    }
  }
  if {$why ne ""} { incr n(fail) }
  set line [format {%-29s %4d passed} $run($f,name) $n(ok)]
  if {$n(fail)} { append line ", $n(fail) failed" }
  if {$n(skip)} { append line ", $n(skip) skipped" }
  puts [format {%-65s %6.1f s} $line \
    [expr {([clock milliseconds] - $run($f,t0)) / 1000.0}]]
  set text [string trimright $run($f,text)]
  if {$text ne "" && ($n(fail) || $opt(verbose))} {
    puts "  [string map {\n "\n  "} $text]"
  } else {
    # What a file has to tell in any case: its last line that starts with `=`.
    set told [lsearch -all -inline -regexp [split $text \n] {^= }]
    if {[llength $told]} { puts "  [lindex $told end]" }
  }
  if {$why ne ""} { puts "  FAILED $run($f,name): $why" }
  foreach k {ok fail skip} { incr total($k) $n($k) }
  if {!$n(fail)} {
    file delete -force $dir
    catch { file delete [file dirname $dir] } ;# its folder, once that is empty
  } else {
    puts "  see $opt(dir)/$run($f,name)"
  }
  flush stdout
  array unset run $f,*
  incr running -1
  set ::wake 1
}

# An error in an event (a closed pipe where nobody reads on, say) ends the run:
# waiting would go on for ever.
proc bgerror message {
  foreach key [array names ::run *,dir] { end_processes $::run($key) }
  catch { puts stderr "run.tcl: $message" }
  exit 2
}

# ---- all files -------------------------------------------------------------

array set total {ok 0 fail 0 skip 0}
set running 0
set waiting [test_files]
foreach file $waiting {
  if {[regexp {\yunit\y|crooked.tcl} [read_file $file]]} { make_units; break }
}
while {$running || [llength $waiting]} {
  while {$running < $opt(jobs) && [llength $waiting]} {
    set waiting [lassign $waiting file]
    start $file
  }
  vwait wake
}
catch { file delete $opt(dir) }
if {$total(ok) + $total(fail) == 0} {
  puts "no test ran"
  incr total(fail)
}
# What was skipped, and why: a count alone explains nothing.
foreach why [lsort [array names skipped]] {
  puts "skipped: $why: [join $skipped($why) {, }]"
}
set line "$total(ok) passed, $total(fail) failed"
if {$total(skip)} { append line ", $total(skip) skipped" }
puts $line
exit [expr {$total(fail) > 0}]
