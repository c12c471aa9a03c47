# Who calls whom in the house, told by the objects: what each defines and what
# it needs (nm), so that a call through a declaration of one's own shows, too.
#
#   tclsh tests/lint/rooms.tcl OBJECTS ?-print?
#
# OBJECTS is the folder of ext/'s objects (build/obj/release/ext). What is
# allowed stands in ext/README.md, in two blocks of lines with four blanks:
#
#   ROOM > ROOM > ...           calls go to the right only
#   circle: FILE FILE ...: WHY  files that call each other, and may
#
# What a file defines for others begins, behind the program's own prefix, with
# the name of its room, of the file, or of a type that the room's headers declare
# (base and emulator/util, the vocabulary of all, may choose).
#
# Prints an arrow that runs back, a circle that is not named, one that is named
# and gone, a room that no line names and a name that doesn't tell where it is
# from; exits 1 if it did. With -print the table of calls between the rooms comes
# first.
package require Tcl 8.6

set most 3 ;# circles that may be named

# ---- what is allowed --------------------------------------------------------

# Fills ::orders (lists of rooms) and ::named (sorted files -> why).
proc read_rules {file} {
  set ::orders {}
  set ::named {}
  set f [open $file]
  foreach line [split [read $f] \n] {
    if {[regexp {^    ([a-z/]+ > .*)$} $line -> order]} {
      lappend ::orders [lmap room [split $order >] {string trim $room}]
    } elseif {[regexp {^    circle: ([^:]+): (.+)$} $line -> files why]} {
      dict set ::named [lsort [split $files]] $why
    }
  }
  close $f
}

# "" where `from` may call `to`; else what is wrong.
proc arrow_fault {from to} {
  set known 0
  foreach order $::orders {
    set i [lsearch -exact $order $from]
    set j [lsearch -exact $order $to]
    if {$i >= 0} { set known 1 }
    if {$i >= 0 && $j > $i} { return "" }
  }
  if {!$known} { return "no order in ext/README.md names $from" }
  return "$from calls $to: an arrow that runs back"
}

# ---- what is there ----------------------------------------------------------

# The programs that a file is linked into: rooms of two programs may define the
# same name.
proc program {file} {
  switch -glob $file {
    base/* { return {module emulator} }
    emulator/* { return emulator }
    default { return module }
  }
}

# Fills ::needs (file -> names) and ::definer (program,name -> file).
proc read_objects {folder} {
  set objects [lsort [concat [glob -nocomplain -directory $folder */*.o] \
    [glob -nocomplain -directory $folder */*/*.o]]]
  if {$objects eq ""} { error "$folder holds no objects: run make first" }
  foreach object $objects {
    set file [string range $object [string length $folder]+1 end-2].c
    # An object whose source has moved away is of an earlier build.
    if {![file exists ext/$file]} continue
    set needs {}
    foreach line [split [exec nm $object] \n] {
      lassign [lrange $line end-1 end] type name
      if {$type eq "U"} {
        lappend needs $name
      } elseif {[string match {[TDBRVW]} $type]} {
        dict lappend ::defines $file $name
        foreach program [program $file] { set ::definer($program,$name) $file }
      }
    }
    dict set ::needs $file $needs
  }
}

# Fills ::calls: from-file -> to-file -> names.
proc find_calls {} {
  set ::calls {}
  dict for {file needs} $::needs {
    dict set ::calls $file {}
    foreach name $needs {
      foreach program [program $file] {
        if {[info exists ::definer($program,$name)]
            && $::definer($program,$name) ne $file} {
          dict set ::calls $file $::definer($program,$name) $name 1
        }
      }
    }
  }
}

# ---- names ------------------------------------------------------------------

# The types that the headers of a room declare, in lower case, without prefix.
proc room_types {room} {
  set types {}
  foreach header [glob -nocomplain ext/$room/*.h] {
    set f [open $header]
    foreach {- name} [regexp -all -inline \
        {\mstruct (?:Ledger|Emu)?(\w+)(?: \{|;| )} [read $f]] {
      lappend types [string tolower $name]
    }
    close $f
  }
  return $types
}

# Does the name tell where it is from? In singular or plural, and by the first
# word of a file's name alone.
proc name_tells {file name} {
  if {[regexp {^(main|sqlite3_\w+|a[A-Z][a-z]+Function\w*|ledgerTable\w+)$} $name]} {
    return 1
  }
  if {![regexp {^(?:ledger|emu|[an]p?Ledger|[anz]Emu)(.+)$} $name -> rest]} {
    return 0
  }
  set rest [string tolower $rest]
  set stem [file rootname [file tail $file]]
  if {$stem eq "ledger" && [string match ledger* $name]} { return 1 }
  set words [list {*}[split [file dirname $file] /] [string map {_ ""} $stem] \
    [lindex [split $stem _] 0]]
  foreach word [concat $words [room_types [file dirname $file]]] {
    set word [string trimright $word s]
    if {[string first $word $rest] == 0} { return 1 }
    if {[string first [regsub {ie$} $word y] $rest] == 0} { return 1 }
  }
  return 0
}

# ---- circles: Tarjan, "Depth-First Search and Linear Graph Algorithms" ------

# The strongly connected parts, of two members or more, of node -> successors.
proc circles {graph} {
  set ::mark {}
  set ::low {}
  set ::stack {}
  set ::found {}
  foreach node [dict keys $graph] {
    if {![dict exists $::mark $node]} { visit $graph $node }
  }
  return $::found
}

proc visit {graph node} {
  dict set ::mark $node [dict size $::mark]
  dict set ::low $node [dict get $::mark $node]
  lappend ::stack $node
  foreach next [dict get $graph $node] {
    if {![dict exists $::mark $next]} {
      visit $graph $next
      set reached [dict get $::low $next]
    } elseif {$next in $::stack} {
      set reached [dict get $::mark $next]
    } else {
      continue
    }
    dict set ::low $node [expr {min([dict get $::low $node], $reached)}]
  }
  if {[dict get $::low $node] == [dict get $::mark $node]} {
    set i [lsearch -exact $::stack $node]
    set part [lrange $::stack $i end]
    set ::stack [lreplace $::stack $i end]
    if {[llength $part] > 1} { lappend ::found [lsort $part] }
  }
}

# ---- the report -------------------------------------------------------------

proc room {file} { file dirname $file }

proc complain {what} {
  puts "rooms: $what"
  incr ::nFound
}

# A line for each pair of rooms: how many calls, and of how many names.
proc print_table {arrows} {
  puts [format {%-22s %-22s %5s %5s} room calls files names]
  foreach {from to} [concat {*}[lsort [dict keys $arrows]]] {
    set files [dict get $arrows [list $from $to]]
    set names {}
    foreach {file other called} $files {
      foreach name $called { dict set names $name 1 }
    }
    puts [format {%-22s %-22s %5d %5d} $from $to \
      [expr {[llength $files] / 3}] [dict size $names]]
  }
}

set nFound 0
set defines {}
lassign $argv folder print
read_rules ext/README.md
read_objects $folder
find_calls

set arrows {}
dict for {file others} $calls {
  dict for {other names} $others {
    if {[room $file] ne [room $other]} {
      dict lappend arrows [list [room $file] [room $other]] \
        $file $other [dict keys $names]
    }
  }
}
if {$print eq "-print"} { print_table $arrows }

dict for {arrow files} $arrows {
  set fault [arrow_fault {*}$arrow]
  if {$fault eq ""} continue
  foreach {file other called} $files {
    complain "$fault ($file -> $other: [join [lrange $called 0 3]])"
  }
}

dict for {file names} $defines {
  if {[room $file] in {base emulator/util}} continue
  foreach name $names {
    if {![name_tells $file $name]} {
      complain "$file defines $name: a name that doesn't tell where it is from"
    }
  }
}

set graph [dict map {file others} $calls {dict keys $others}]
set found [circles $graph]
foreach circle $found {
  if {[dict exists $named $circle]} continue
  complain "[llength $circle] files call each other in a circle: $circle"
  foreach file $circle {
    dict for {other called} [dict get $calls $file] {
      if {$other in $circle} {
        puts "rooms:   $file -> $other: [join [lrange [dict keys $called] 0 3]]"
      }
    }
  }
}
dict for {circle why} $named {
  if {$circle ni $found} { complain "ext/README.md names a circle that is gone: $circle" }
}
if {[dict size $named] > $most} {
  complain "ext/README.md names [dict size $named] circles, $most at most"
}
exit [expr {$nFound > 0}]
