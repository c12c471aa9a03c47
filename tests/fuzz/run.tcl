# Runs fuzz targets, one after the other, each so many seconds from its seeds:
#
#   tclsh tests/fuzz/run.tcl SECONDS TARGET...       (make fuzz)
#
# A target's flags stand in the head of its source. What it has learnt is kept in
# build/fuzz/TARGET.corpus, what it found is build/fuzz/crash-* or the like, and
# `cd build/fuzz && ./TARGET crash-...` shows it again. A line for each; the last
# one counts them.
package require Tcl 8.6
set here [file dirname [file normalize [info script]]]
set build [file join [file dirname [file dirname $here]] build fuzz]
source [file join $here corpus.tcl]

proc content {file} {
  set f [open $file]
  try { return [read $f] } finally { close $f }
}

set passed 0
set failed 0
set targets [lassign $argv seconds]
set env(ASAN_OPTIONS) malloc_context_size=8
cd $build
corpus_make $build
foreach target $targets {
  set flags {}
  regexp -line {libFuzzer: (.*)$} [content $here/$target.c] -> flags
  if {[file exists $here/$target.dict]} { lappend flags -dict=$target.dict }
  set flags [string map [list -dict= -dict=$here/] $flags]
  file mkdir $target.corpus
  set folders $target.corpus
  foreach folder [list $target.seeds $here/seeds/$target] {
    if {[file isdirectory $folder]} { lappend folders $folder }
  }
  set log $build/$target.log
  set bad [catch {
    exec ./$target -max_total_time=$seconds -timeout=20 -rss_limit_mb=1024 \
      -artifact_prefix=$target- -print_final_stats=1 {*}$flags {*}$folders \
      >& $log
  }]
  set text [content $log]
  set runs 0
  regexp {number_of_executed_units: (\d+)} $text -> runs
  set cov ""
  regexp {.*cov: (\d+)} $text -> cov
  puts [format "%-10s %6s s %10s runs %6s edges  %s" $target $seconds $runs $cov \
    [expr {$bad ? "FAILED: $target.log" : "ok"}]]
  if {$bad} {
    foreach line [split $text \n] {
      if {[regexp {^fuzz: |^wire: |ERROR|runtime error|SUMMARY|Test unit} $line]} {
        puts "  $line"
      }
    }
  }
  incr [expr {$bad ? "failed" : "passed"}]
}
puts "$passed passed, $failed failed"
exit [expr {$failed > 0}]
