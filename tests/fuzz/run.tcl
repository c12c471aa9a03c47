# Runs fuzz targets, each so many seconds from its seeds, N at a time:
#
#   tclsh tests/fuzz/run.tcl ?-j N? SECONDS TARGET...       (make fuzz)
#
# A target's flags stand in the head of its source. What it has learnt is kept in
# build/fuzz/TARGET.corpus and what it says in build/fuzz/TARGET.log. A line for
# each; the last one counts them.
#
# The seed of libFuzzer's random numbers is the date's, and is told. With FUZZ_SEED
# in the environment it is that one, and nothing learnt is used: what a commit is
# held against tries the same inputs each time, as far as the time allows, and
# fails of the commit alone.
#
# An input that fails is build/fuzz/TARGET-crash-... or the like, and it is printed
# in base64, since that machine may be thrown away:
#
#   base64 -d > input        and then    build/fuzz/TARGET input
package require Tcl 8.6
set here [file dirname [file normalize [info script]]]
set root [file dirname [file dirname $here]]
set build [file join $root build fuzz]
source [file join $here corpus.tcl]

set jobs 1
if {[lindex $argv 0] eq "-j"} { set argv [lassign $argv - jobs] }
set waiting [lassign $argv seconds]
set kept [expr {![info exists env(FUZZ_SEED)]}]
set seed [expr {$kept ? [clock format [clock seconds] -format %Y%m%d] : $env(FUZZ_SEED)}]

proc text_of file {
  set f [open $file]
  try { return [read $f] } finally { close $f }
}

# The command line of a target, without the program.
proc arguments target {
  global here kept seconds seed
  set flags {}
  regexp -line {libFuzzer: (.*)$} [text_of $here/$target.c] -> flags
  if {[file exists $here/$target.dict]} { lappend flags -dict=$target.dict }
  set flags [string map [list -dict= -dict=$here/] $flags]
  set learnt $target.[expr {$kept ? "corpus" : "learnt"}]
  if {!$kept} { file delete -force $learnt }
  file mkdir $learnt
  set folders {}
  foreach folder [list $target.seeds $here/seeds/$target] {
    if {[file isdirectory $folder]} { lappend folders $folder }
  }
  if {$folders eq "" || ![regexp -- {-dict=} $flags]} {
    error "$target has no seeds, or no dictionary"
  }
  return [list -max_total_time=$seconds -seed=$seed -timeout=20 -rss_limit_mb=1024 \
    -artifact_prefix=$target- -print_final_stats=1 {*}$flags $learnt {*}$folders]
}

proc start target {
  set f [open |[list ./$target {*}[arguments $target] </dev/null 2>@1]]
  fconfigure $f -blocking 0 -translation binary
  fileevent $f readable [list collect $f $target]
  set ::said($target) ""
  incr ::running
}

proc collect {f target} {
  append ::said($target) [read $f]
  if {![eof $f]} return
  fconfigure $f -blocking 1
  finished $target [catch { close $f }] $::said($target)
  incr ::running -1
  set ::wake 1
}

proc finished {target bad text} {
  corpus_put $target.log $text
  set runs 0
  regexp {number_of_executed_units: (\d+)} $text -> runs
  set cov ""
  regexp {.*cov: (\d+)} $text -> cov
  puts [format "%-10s %6s s %10s runs %6s edges  %s" $target $::seconds $runs $cov \
    [expr {$bad ? "FAILED: $target.log" : "ok"}]]
  incr ::[expr {$bad ? "failed" : "passed"}]
  if {!$bad} return
  foreach line [split $text \n] {
    if {[regexp {^fuzz: |^wire: |ERROR|runtime error|SUMMARY|Test unit} $line]} {
      puts "  $line"
    }
  }
  if {[regexp {Test unit written to (\S+)} $text -> input]} {
    set bytes [corpus_get $input]
    puts "  $target, [string length $bytes] bytes in base64:"
    puts [binary encode base64 -maxlen 76 $bytes]
  }
}

set passed 0
set failed 0
set running 0
set env(ASAN_OPTIONS) malloc_context_size=8
fconfigure stdout -buffering line
cd $build
corpus_make $build
puts "seed $seed"
while {$running || [llength $waiting]} {
  while {$running < $jobs && [llength $waiting]} {
    set waiting [lassign $waiting target]
    start $target
  }
  vwait wake
}
puts "$passed passed, $failed failed"
exit [expr {$failed > 0}]
