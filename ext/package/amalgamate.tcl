# The module as one file, FOLDER/ledger.c, beside its header FOLDER/ledger.h:
#
#   tclsh ext/package/amalgamate.tcl FOLDER ?COMMIT?    (make amalgamation)
#
# The rooms follow each other as ext/README.md draws them, from the lowest to
# the highest, so that what is called stands before what calls it. System
# headers come first, each once; a header of ours is folded in where it is first
# included (a list without an include guard each time). What two files call by
# one name, each for itself, gets the file's name behind it; a macro of a .c file
# ends with that file. What this can't do is an error of the compiler, never
# another meaning.
package require Tcl 8.6

if {[llength $argv] ni {1 2}} {
  puts stderr "usage: tclsh ext/package/amalgamate.tcl FOLDER ?COMMIT?"
  exit 2
}
set folder [file normalize [lindex $argv 0]]
set commit [expr {[llength $argv] == 2 ? [lindex $argv 1] : "unknown"}]
cd [file join [file dirname [info script]] .. ..]

proc contents path {
  set f [open $path]
  fconfigure $f -encoding utf-8
  set text [read $f]
  close $f
  return $text
}

proc write {path text} {
  file mkdir [file dirname $path]
  set f [open $path w]
  fconfigure $f -encoding utf-8
  puts -nonewline $f $text
  close $f
}

# ---- the files, in order -----------------------------------------------------

# The C files of the module, those of the lowest room first.
proc sources {} {
  if {![regexp -line {^ +(sqlite > .* > base)$} [contents ext/README.md] -> line]} {
    error "ext/README.md draws no arrows from sqlite to base"
  }
  set sources {}
  foreach room [lreverse [split [string map {" > " \n} $line] \n]] {
    lappend sources {*}[lsort [glob -nocomplain ext/$room/*.c]]
  }
  set all [glob {ext/{base,receipt,client,sqlite}/*.c} {ext/{client,sqlite}/*/*.c}]
  if {[lsort $sources] ne [lsort $all]} {
    error "ext/README.md's arrows leave out a room of the module"
  }
  return $sources
}

# ---- names that a file has for itself ----------------------------------------

# The names that a .c file gives at its top level to what only it can see: static
# functions and variables, types, tags, enumerators.
proc own_names text {
  # Without comments, strings and directives, what is left can be parsed.
  regsub -all {/\*(?:[^*]|\*+[^*/])*\*+/} $text { } text
  regsub -all {"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'} $text {0} text
  regsub -all -line {^[ \t]*#(?:[^\n\\]|\\\n|\\.)*} $text {} text
  set names {}
  # From the innermost out, @ takes the place of what is in braces, and % of
  # what is in parentheses.
  while {[regexp -indices {\{[^{}]*\}} $text range]} {
    lassign $range first last
    if {[regexp {\yenum(\s+\w+)?\s*$} [string range $text $first-60 $first-1]]} {
      regsub -all {=[^,]*} [string range $text $first+1 $last-1] {} list
      lappend names {*}[regexp -all -inline {\w+} $list]
    }
    set text [string replace $text $first $last @]
  }
  foreach {- name} [regexp -all -inline {\ytypedef\y[^;]*?\(\*\s*(\w+)\)\s*\(} $text] {
    lappend names $name
  }
  while {[regsub -all {\([^()]*\)} $text % text]} {}
  regsub -all {%\s*@} $text {%;} text ;# a function ends with its body
  foreach statement [split $text ";"] {
    foreach {- name} [regexp -all -inline {\y(?:struct|union|enum)\s+(\w+)\s*@} $statement] {
      lappend names $name
    }
    regsub -all {=[^,]*} $statement {=} statement ;# a value
    if {[regexp {\ystatic\y} $statement]} {
      regsub -all {__attribute__\s*%} $statement {} statement
      foreach {- name} [regexp -all -inline {(\w+)\s*(?=[%=,\[]|$)} $statement] {
        lappend names $name
      }
    } elseif {[regexp {\ytypedef\y.*?(\w+)\s*$} $statement -> name]} {
      lappend names $name
    }
  }
  return [lsort -unique $names]
}

# The text with words renamed (old -> new), but for members of a struct and what
# stands in comments and strings.
proc renamed {text names} {
  if {[dict size $names] == 0} { return $text }
  set token {/\*(?:[^*]|\*+[^*/])*\*+/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|[A-Za-z_]\w*}
  set out ""
  set at 0
  foreach range [regexp -all -inline -indices -- $token $text] {
    lassign $range first last
    set word [string range $text $first $last]
    if {[dict exists $names $word]
        && ![regexp {(->|\.)$} [string range $text $first-2 $first-1]]} {
      append out [string range $text $at $first-1] [dict get $names $word]
      set at [expr {$last + 1}]
    }
  }
  return $out[string range $text $at end]
}

# ---- folding -----------------------------------------------------------------

set system {} ;# system headers -> 1, in the order met
set once {}   ;# headers of ours that were folded in -> 1

# The text of a file, under its name, with its includes folded in.
proc folded {path text} {
  set rule [string repeat - [expr {max(1, 66 - [string length $path])}]]
  set out "\n/* ---- $path $rule */\n\n"
  foreach line [split [string trimright $text] \n] {
    if {![regexp {^\s*#\s*include\s*([<"])([^">]+)} $line -> kind name]} {
      append out $line \n
    } elseif {$kind eq "<"} {
      dict set ::system $name 1
    } elseif {$name ne "ledger.h" && ![dict exists $::once $name]} {
      set header [contents ext/$name]
      if {[regexp -line {^#ifndef \w+_H$} $header]} { dict set ::once $name 1 }
      append out [folded ext/$name $header]
    }
  }
  return $out
}

set sources [sources]
foreach file $sources {
  foreach name [own_names [contents $file]] { dict lappend owners $name $file }
}
set body ""
foreach file $sources {
  set names {}
  dict for {name files} $owners {
    if {[llength $files] > 1 && $file in $files} {
      set slug [string map {/ _} [file rootname [string range $file 4 end]]]
      dict set names $name ${name}_$slug
    }
  }
  # What make writes into version.h is told at the head.
  incr nVersion [regsub {/\*[^/]*\*/\n#if __has_include\("version\.h"\)\n([^\n]*\n)*?#endif\n} \
    [renamed [contents $file] $names] {} text]
  append body [folded $file $text]
  set macros [regexp -all -inline -line {^#\s*define\s+(\w+)} $text]
  foreach name [lsort -unique [dict values $macros]] { append body "#undef $name\n" }
}
if {$nVersion != 1} { error "one file is to include version.h, where there is one" }

set header [contents include/ledger.h]
set version [join [dict values \
  [regexp -all -inline -line {^#define LEDGER_VERSION_\w+ +(\d+)$} $header]] .]
set license {}
foreach line [split [string trimright [contents LICENSE]] \n] {
  lappend license [string trimright "** $line"]
}
set head "/*
** sqlite-ledger $version (commit $commit): all of the module in one file.
** Made by ext/package/amalgamate.tcl; change the sources, not this file.
**
** As a loadable module, in one command:
**
**     cc -O2 -shared -fPIC -pthread -Wl,-z,nodelete -o ledger.so ledger.c
**        -lcurl -lssl -lcrypto -lcjson
**
** Linked into a program, which calls what ledger.h shows:
**
**     cc -O2 -DSQLITE_CORE -pthread program.c ledger.c
**        -lsqlite3 -lcurl -lssl -lcrypto -lcjson
**
[join $license \n]
*/
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

"
foreach name [lsort [dict keys $system]] { append head "#include <$name>\n" }
append head "\n#include \"ledger.h\"\n
#define LEDGER_COMMIT \"$commit\"
#define LEDGER_BUILD_FLAGS \"amalgamation\"

/* What files share stays within; ledger.h's two functions are shown. */
#pragma GCC visibility push(hidden)
"
write $folder/ledger.c "$head$body\n#pragma GCC visibility pop\n"
write $folder/ledger.h $header
