# The measure: every contender does the same work, in the same run, against the same
# local ledger. `make bench`; README.md beside this file tells how to read it.
#
#   BENCH='WORD...' make bench
#
# A word is `full` (1,000,000 entries), `quick` (each once, near by), or narrows the
# run to what it names: a work (scan), a distance (20), pages (page, span), a
# contender (module, floor). What a work, a ratio, a contender is: works.tcl,
# targets.tcl, contenders.tcl.
package require Tcl 8.6

set bench [file dirname [file normalize [info script]]]
cd [file normalize $bench/../..]

# What tests/harness/run.tcl gives a test file, whose words are spoken here too.
foreach name [array names env] {
  if {[string match -nocase AZURE_* $name] || [string match LEDGER_* $name]
      || [string match -nocase *_proxy $name]} {
    unset env($name)
  }
}
array set env [list LC_ALL C.UTF-8 LEDGER_MODULE ./build/ledger \
  LEDGER_EMULATOR ./build/ledger-emulator LEDGER_TEST_NAME bench \
  LEDGER_TEST_DIR [pwd]/build/bench/run LEDGER_TEST_SCALE 1 \
  LEDGER_TEST_VERBOSE 0 LEDGER_TEST_PRELOAD "" LEDGER_TEST_LOCALE ""]
file delete -force $env(LEDGER_TEST_DIR)
file mkdir $env(LEDGER_TEST_DIR)

source $bench/../harness/tester.tcl
foreach file {world contenders works targets report} { source $bench/$file.tcl }

# ---- what is wanted ----------------------------------------------------------

set full 0
set quick 0
array set only {work {} ms {} kind {} contender {}}
foreach word [split [string map {, " "} $argv]] {
  if {$word eq ""} continue
  if {$word in {full quick}} {
    set $word 1
  } elseif {[dict exists $works $word]} {
    lappend only(work) $word
  } elseif {$word in {0 20 100}} {
    lappend only(ms) $word
  } elseif {$word in {page span}} {
    lappend only(kind) $word
  } elseif {[info procs contender_$word] ne ""} {
    lappend only(contender) $word
  } else {
    puts stderr "bench: what is `$word'? full, quick, a distance (0, 20, 100),\
      page, span,\n  a work: [dict keys $works]\n  a contender:\
      [lmap p [lsort [info procs contender_*]] { string range $p 10 end }]"
    exit 2
  }
}

# Whether the run includes a value of a dimension: all do where none is named.
proc wanted {dimension value} {
  expr {$::only($dimension) eq "" || $value in $::only($dimension)}
}

# ---- the run -------------------------------------------------------------------

# The whole takes 40 minutes at most, but for `full`: behind so many each line runs
# once, and behind so many more it is left out, and says so.
set minutes_once 25
set minutes_last 38
set began [clock seconds]
proc minutes_over n { expr {!$::full && [clock seconds] - $::began >= 60 * $n} }

# How often: 5 times, 3 where one takes over 5 s, once where one takes over 30 s, or
# 10 s by pages that are loading: those wait, and one run is like another.
proc runs_of {seconds kind} {
  if {$::quick || [minutes_over $::minutes_once]} { return 1 }
  expr {$seconds > ($kind eq "span" ? 10 : 30) ? 1 : $seconds > 5 ? 3 : 5}
}

# Runs one line of the table, and keeps and shows it.
proc bench_line {work ms kind contender} {
  set line [dict create work $work ms $ms kind $kind contender $contender]
  if {[catch {
    if {[minutes_over $::minutes_last]} {
      skip "$::minutes_last minutes are over: name it as a word"
    }
    set wanted [runs_of 0 $kind]
    for {set i 0} {$i < $wanted} {incr i} {
      set run [world_run $work $contender]
      lappend runs $run
      if {$i == 0} { set wanted [runs_of [dict get $run wall] $kind] }
    }
    set line [dict merge $line [line_of $runs]]
  } message options]} {
    if {[dict get $options -errorcode] eq "BENCH SKIP"} {
      dict set line skipped $message
    } else {
      dict set line error $message
    }
  }
  lappend ::lines $line
  report_line $line
}

# What ratios need of every run.
set always {start trip}

set lines {}
report_begin
dict for {work spec} $works {
  if {![wanted work $work] && $work ni $always} continue
  foreach {ms kind} [places_of $work] {
    if {!([wanted ms $ms] && [wanted kind $kind]) && $work ni $always} continue
    set contenders [lmap c [dict keys [dict get $spec by]] {
      if {![wanted contender $c] || ($quick && "$c $kind" eq "curl span")} continue
      set c
    }]
    if {$contenders eq ""} continue
    if {[catch { world_open $work $ms $kind } message]} {
      lappend lines [dict create work $work ms $ms kind $kind contender - \
        error $message]
      report_line [lindex $lines end]
    } else {
      foreach contender $contenders { bench_line $work $ms $kind $contender }
    }
    world_close
  }
}
report_end [expr {[clock seconds] - $began}]
ledger_stop_all
file delete -force $testdir
exit [expr {[lsearch -glob $lines {* error *}] >= 0}]
