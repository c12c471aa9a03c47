# Which lines of the module the tests have run, per room: gcov read.
#
#   make coverage ?TESTS='outbox read/tags'?
#   tclsh tests/coverage/coverage.tcl FOLDER     of the objects, *.gcno and *.gcda
#
# Prints a line for each room: lines run, lines, per cent, and the floor where it
# has one. Exits 1 where a room lies below its floor, and so it does after a
# part of the tests: the floors are those of all. The lines that were never run
# are named in build/coverage/uncovered.txt, `FILE:LINE: text`. A process that
# is killed leaves no trace of what it ran.
package require Tcl 8.6

# Per cent of the lines that are run at least; `all` is the module.
set floors {base 92 receipt 92 client 92 sqlite/read 92 sqlite/write 92 all 92}

# The room that a floor is for: client with its folders, but sqlite/read.
proc room_of file {
  set folder [string range [file dirname $file] 4 end]
  if {[string match sqlite* $folder]} { return $folder }
  return [lindex [split $folder /] 0]
}

# The count of each line: (FILE:LINE) -> how often, the most of what the objects
# that include it say.
array set count {}
array set text {}
proc read_counts said {
  set file ""
  foreach line [split $said \n] {
    if {![regexp {^ *([0-9]+\*?|-|#####|=====): *(\d+):(.*)$} $line -> n at rest]} continue
    if {$at == 0} {
      regexp {^Source:(.*)$} $rest -> file
      continue
    }
    if {$n eq "-" || ![string match ext/* $file]} continue
    set n [expr {[string is digit [string index $n 0]] ? [string trimright $n *] : 0}]
    set key [list $file $at]
    if {![info exists ::count($key)] || $n > $::count($key)} { set ::count($key) $n }
    set ::text($key) [string trim $rest]
  }
}

proc objects folder {
  set found [glob -nocomplain -directory $folder *.gcno]
  foreach inner [glob -nocomplain -directory $folder -type d *] {
    lappend found {*}[objects $inner]
  }
  return $found
}

foreach object [lsort [objects [lindex $argv 0]]] {
  # On stderr it says which have no counts: nobody has loaded them.
  read_counts [exec gcov -t $object 2>/dev/null]
}
if {![array size count]} {
  puts "no counts below [lindex $argv 0]"
  exit 1
}

array set run {}
array set lines {}
set uncovered [open build/coverage/uncovered.txt w]
foreach key [lsort -dictionary [array names count]] {
  lassign $key file at
  foreach room [list [room_of $file] all] {
    incr lines($room)
    incr run($room) [expr {$count($key) > 0}]
  }
  if {!$count($key)} { puts $uncovered "$file:$at: $text($key)" }
}
close $uncovered

set below {}
foreach room [list {*}[lsort [lsearch -all -inline -not [array names lines] all]] all] {
  set percent [expr {100.0 * $run($room) / $lines($room)}]
  set line [format {%-16s %6d of %6d lines  %5.1f %%} $room $run($room) $lines($room) $percent]
  if {[dict exists $floors $room]} {
    append line "  (floor [dict get $floors $room])"
    if {$percent < [dict get $floors $room]} { lappend below $room }
  }
  puts $line
}
if {[llength $below]} { puts "below the floor: [join $below {, }]" }
exit [expr {[llength $below] > 0}]
