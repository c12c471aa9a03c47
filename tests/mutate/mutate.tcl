# Do the tests notice when a rule that keeps users safe is broken?
#
#   make mutate                  every mutant
#   make mutate MUTATE=10        ten of them, others each day
#   tclsh tests/mutate/mutate.tcl ?N | PATTERN ...?
#
# A mutant is a line of C that is wrong: the other files of this folder list
# them, by the rule that each breaks, each with the test file that was seen to
# notice. One after another is put into a copy of the tree (build/mutate), built
# and run against that. Of a new one those are named that should notice, until
# the run tells which does. PATTERN, as of string match, selects by `FILE:LINE`.
#
# A line for each, as soon as it is known, with the seconds it took:
#
#   noticed    by which case
#   SURVIVED   all these test files passed: a test is missing. Or else it changes
#              nothing that anybody could see, and then it doesn't belong here:
#              the lists say of some why.
#   HUNG       a test file ran out of time, and the list doesn't say `hangs`: that
#              an endless loop is what the mutant means
#   stale      its text isn't there any more, or twice, or doesn't compile: the
#              list is to be mended
#
# The last line is `N noticed, M survived, H hung, K stale`; with any of the latter
# three the exit code is 1.
#
# build/mutate.state keeps what is known. A run of all that was stopped goes on
# where it was: it shows again, but doesn't run, what stands there of the same
# code and the same tests. Once it has come to the end, the next begins afresh.
#
# A test file that fails without a mutant would notice anything: one that has
# noticed something is run without, before it is believed.
package require Tcl 8.6

set here [file dirname [file normalize [info script]]]
set root [file normalize $here/../..]
set work $root/build/mutate
set make [expr {[info exists env(MAKE)] ? $env(MAKE) : "make"}]
foreach name {MAKEFLAGS MFLAGS MAKELEVEL} { unset -nocomplain env($name) }
# A mutant may leave a variable unused.
set env(USE_WERROR) 0

proc content {path {text ""}} {
  set f [open $path [expr {$text eq "" ? "rb" : "wb"}]]
  if {$text eq ""} { set text [read $f] } else { puts -nonewline $f $text }
  close $f
  return $text
}

# ---- the lists -------------------------------------------------------------

# rule TEXT: what the mutants that follow break.
proc rule text { set ::rule $text }

# mutant FILE {TEST ...} TEXT WRONG ?hangs?: in FILE, TEXT becomes WRONG; one of
# the test files should notice. They are asked in this order. One that `hangs` is given
# 40 s for it.
proc mutant {file tests text wrong {hangs ""}} {
  set from [string first $text [content $::root/$file]]
  set line [expr {[regexp -all \n [string range [content $::root/$file] 0 $from]] + 1}]
  if {$from < 0} { set line 0 }
  lappend ::mutants [dict create at $file:$line file $file tests $tests \
    text $text wrong $wrong rule $::rule \
    hangs [expr {$hangs eq "hangs"}] key [key $file $tests $text $wrong {*}$hangs]]
}

# What an outcome depends on, as a number.
proc key {file tests args} {
  foreach path [list $file {*}[lmap t $tests { string cat tests/$t.test }]] {
    lappend args [content $::root/$path]
  }
  return [format %08x [zlib crc32 [encoding convertto utf-8 $args]]]
}

# Those that the arguments choose, as they stand in the lists.
proc chosen {mutants patterns} {
  if {[string is digit -strict [lindex $patterns 0]]} {
    expr {srand([clock format [clock seconds] -format %Y%m%d])}
    set left [lindex $patterns 0]
    set at [llength $mutants]
    return [lmap m $mutants {
      if {rand() * $at >= $left} { incr at -1; continue }
      incr at -1
      incr left -1
      set m
    }]
  }
  if {$patterns eq ""} { return $mutants }
  return [lmap m $mutants {
    if {![llength [lmap p $patterns {
      if {![string match $p [dict get $m at]]} continue
      set p
    }]]} continue
    set m
  }]
}

# ---- the copy ---------------------------------------------------------------

proc copy_tree {} {
  global root work
  file delete -force $work
  file mkdir $work/build/obj
  foreach path [glob -directory $root *] {
    if {[file tail $path] ne "build"} { exec cp -a $path $work }
  }
  # What is built already needn't be built again.
  foreach name {ledger.so ledger-emulator version.h unit locale obj/release} {
    if {[file exists $root/build/$name]} {
      exec cp -a $root/build/$name $work/build/[file dirname $name]
    }
  }
  cd $work
}

# Builds; returns what is wrong, or "".
proc build args {
  if {[catch { exec {*}$::make -s {*}$args 2>@1 } said]} {
    if {[regexp -line {error: .*} $said error]} { return $error }
    if {[lindex $::errorCode 0] eq "CHILDSTATUS"} { return [string trim $said] }
  }
  return ""
}

# Runs a test file; returns the first case that fails, or "", or "hung".
proc failing {test {timeout 120}} {
  if {![catch {
    exec [info nameofexecutable] tests/harness/run.tcl -j 1 -first -timeout $timeout \
      $test 2>@1
  } said]} { return "" }
  if {[regexp {FAILED [^\s:]+: took more than} $said]} { return hung }
  if {[regexp {FAILED ([^\s:]+)} $said -> case]} { return $case }
  return [lindex [split $said \n] end]
}

# Whether a test file passes without a mutant.
proc sound test {
  if {![info exists ::sound($test)]} {
    set why [build build/ledger.so]
    if {$why eq ""} { set why [failing $test] }
    set ::sound($test) $why
  }
  return [expr {$::sound($test) eq ""}]
}

# The outcome of one mutant: a word and a remark.
proc outcome m {
  dict with m {
    set good [content $file]
    set first [string first $text $good]
    if {$first < 0} { return {stale {its text is not there}} }
    if {$first != [string last $text $good]} {
      return {stale {its text is there twice}}
    }
    set object build/obj/release/[file rootname $file].o
    exec cp -a $object $object.good
    set last [expr {$first + [string length $text] - 1}]
    content $file [string replace $good $first $last $wrong]
    set said [build build/ledger.so]
    set case ""
    if {$said eq ""} {
      foreach test $tests {
        set case [failing $test [expr {$hangs ? 40 : 120}]]
        if {$case ne ""} break
      }
    }
    # Newer than all that was linked with the wrong one.
    content $file $good
    exec touch -r $::root/$file $file
    file rename -force $object.good $object
    exec touch $object
  }
  if {$said ne ""} { return [list stale $said] }
  if {$case eq ""} { return [list SURVIVED [join $tests]] }
  if {![sound $test]} {
    return [list stale "$test fails without a mutant: $::sound($test)"]
  }
  if {$case ne "hung"} { return [list noticed "by $case"] }
  return [list [expr {$hangs ? "noticed" : "HUNG"}] "by $test, which hangs"]
}

# ---- all of them ------------------------------------------------------------

set mutants {}
foreach list [lsort [glob $here/*.tcl]] {
  if {[file tail $list] ne "mutate.tcl"} { source $list }
}
set state $root/build/mutate.state
array set known {}
if {$argv eq "" && [file exists $state]} {
  foreach line [split [content $state] \n] { set known([lindex $line 0]) $line }
}
set mutants [chosen $mutants $argv]
fconfigure stdout -buffering line
copy_tree
set said [build all units]
if {$said ne ""} {
  puts "without a mutant: $said"
  exit 1
}
array set n {noticed 0 SURVIVED 0 HUNG 0 stale 0}
set rule ""
foreach m $mutants {
  if {[dict get $m rule] ne $rule} { puts "[set rule [dict get $m rule]]:" }
  set key [dict get $m key]
  if {![info exists known($key)]} {
    set from [clock seconds]
    lassign [outcome $m] word remark
    set known($key) [list $key $word $remark [expr {[clock seconds] - $from}]]
    set f [open $state a]
    puts $f $known($key)
    close $f
  }
  lassign $known($key) key word remark seconds
  incr n($word)
  puts [format {  %-8s %3d s  %-40s %s} $word $seconds [dict get $m at] $remark]
  if {$word ne "noticed"} {
    puts "    [string map {\n "\n    "} "- [dict get $m text]\n+ [dict get $m wrong]"]"
  }
}
if {$argv eq ""} { file delete $state }
puts "$n(noticed) noticed, $n(SURVIVED) survived, $n(HUNG) hung, $n(stale) stale"
exit [expr {$n(SURVIVED) + $n(HUNG) + $n(stale) > 0}]
