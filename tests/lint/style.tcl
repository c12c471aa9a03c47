# The rules of the house that no other tool checks: line length, blanks, ISO
# comments, banned calls, left-over notes, the comment at a file's head, file
# sizes, and the one-way arrows between the rooms.
#
#   tclsh tests/lint/style.tcl ?FILE...?
#
# Without files: all of them. Prints `file:line: what`; exits 1 if it did.
package require Tcl 8.6

set nFound 0

proc complain {file line what} {
  puts "$file:$line: $what"
  incr ::nFound
}

# ---- what may be included where --------------------------------------------

# room -> the rooms whose headers it may include, besides its own
set arrows {
  base {}
  receipt {base}
  client {base}
  sqlite {base client receipt}
  emulator {base}
}
# room -> system headers that it may not include
set banned_headers {
  base {sqlite3*.h curl/* event2/* openssl/*}
  receipt {sqlite3*.h curl/* event2/*}
  client {sqlite3*.h event2/*}
  sqlite {curl/* event2/*}
  emulator {curl/*}
}

# A quoted include is a path from ext/ (or include/). What ends in Int.h is
# private to its folder.
proc check_include {file n room quoted name} {
  global arrows banned_headers
  if {!$quoted} {
    foreach pattern [dict get $banned_headers $room] {
      if {[string match $pattern $name]} {
        complain $file $n "ext/$room must not include <$name>"
      }
    }
    return
  }
  if {$name in {ledger.h version.h}} return
  if {![regexp {^([a-z]+)/[^.]} $name -> other]
      || ![dict exists $arrows $other]} {
    complain $file $n "include \"$name\": a path from ext/ is wanted"
  } elseif {$other ne $room && $other ni [dict get $arrows $room]} {
    complain $file $n "ext/$room must not include from ext/$other"
  } elseif {[string match *Int.h $name]
            && "ext/[file dirname $name]" ne [file dirname $file]
            && ![string match "ext/[file dirname $name]/*" $file]} {
    complain $file $n "$name is private to ext/[file dirname $name]"
  }
}

# ---- C ---------------------------------------------------------------------

# What must not be called, and what to call instead.
set banned_calls {
  strcpy memcpy strcat memcpy sprintf snprintf vsprintf vsnprintf gets fgets
  atoi strtol atol strtol atoll strtoll strtok strtok_r system posix_spawn
}
# Likewise in the rooms, since what they answer depends on the host's locale.
set banned_locale {
  strcasecmp ledgerStricmp strncasecmp ledgerStrnicmp strcasestr ledgerStrnicmp
  tolower ledgerLower toupper ledgerLower strcoll strcmp isspace strspn
  isalnum ledgerIsAlnum isalpha ledgerIsAlnum isdigit ledgerIsDigit
  isxdigit ledgerIsHexDigit isprint ledgerIsAlnum strtod ledgerNumberParse
  strerror ledgerSystemError strerror_r ledgerSystemError
  cJSON_Parse ledgerJsonTree cJSON_PrintUnformatted ledgerJsonPrint
}

# The text with comments and strings blanked out, its lines kept. Comments are
# told apart from strings and character constants from left to right.
proc code_only text {
  # All greedy: Tcl does not mix that with non-greedy in one expression.
  set re {/\*(?:[^*]|\*+[^*/])*\*+/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'}
  set out ""
  set at 0
  foreach range [regexp -all -inline -indices -- $re $text] {
    lassign $range first last
    append out [string range $text $at $first-1]
    set token [string range $text $first $last]
    if {[string match //* $token]} {
      append out "@LINE_COMMENT@"
    } else {
      append out [regsub -all {[^\n]} $token { }]
    }
    set at [expr {$last + 1}]
  }
  return $out[string range $text $at end]
}

proc check_c {file text} {
  global banned_calls banned_locale
  set lines [split $text \n]
  if {[llength $lines] - 1 > 700} {
    complain $file 1 "[llength $lines] lines: one thing per file, 700 at most"
  }
  if {![regexp {^/\*\n\*\* \S} $text]} {
    complain $file 1 "no comment at the head that says what the file is for"
  }
  set room ""
  regexp {^(?:.*/)?ext/([a-z]+)/(?:[a-z]+/)?[^/]+$} $file -> room
  set n 0
  foreach line $lines {
    incr n
    if {[string length $line] > 80} {
      complain $file $n "[string length $line] columns, 80 at most"
    }
    if {$room ne "" && [dict exists $::arrows $room]
        && $file ne "ext/base/ascii.c"
        && [regexp {"[^"]*%[-+ #]*[0-9*]*(\.[0-9*]+)?[lL]?[aAeEfFgG](?![A-Za-z0-9])[^"]*"} $line]} {
      complain $file $n "a double by printf(): use ledgerBufNumber()"
    }
    if {$room ne "" && [dict exists $::arrows $room]
        && [regexp {^\s*#\s*include\s*(["<])([^">]+)[">]} $line -> open name]} {
      check_include $file $n $room [expr {$open eq "\""}] $name
    }
  }
  set n 0
  foreach line [split [code_only $text] \n] {
    incr n
    if {[string first @LINE_COMMENT@ $line] >= 0} {
      complain $file $n "a // comment"
    }
    set banned $banned_calls
    if {$room ne "" && $file ni {ext/base/ascii.c ext/base/json.c}} {
      lappend banned {*}$banned_locale
    }
    foreach {call instead} $banned {
      if {[regexp "(^|\[^A-Za-z0-9_.>])${call}\\s*\\(" $line]} {
        complain $file $n "$call\(): use $instead\()"
      }
    }
  }
}

# ---- any text --------------------------------------------------------------

proc check_text {file text} {
  set n 0
  foreach line [split $text \n] {
    incr n
    if {[file tail $file] ne "Makefile" && ![string match *.mk $file]
        && [string first \t $line] >= 0} {
      complain $file $n "a tab"
    }
    if {[regexp {[ \r]$} $line]} { complain $file $n "blanks at the end" }
    # Written in two halves, or this line would find itself.
    if {[regexp {\y(TO()DO|FIX()ME|XX()X|HA()CK)\y} $line]} {
      complain $file $n "a left-over note"
    }
  }
  if {$text ne "" && [string index $text end] ne "\n"} {
    complain $file $n "no newline at the end"
  }
  if {[string match *.test $file] && $n - 1 > 400} {
    complain $file 1 "[expr {$n - 1}] lines: one concern per file, 400 at most"
  }
}

# ---- words of the tests ------------------------------------------------------

# The procedures that a text defines: name -> text, without its layout.
proc procedures text {
  set found {}
  set lines [split $text \n]
  for {set i 0} {$i < [llength $lines]} {incr i} {
    set command [lindex $lines $i]
    if {![regexp {^proc (\S+)} $command -> name]} continue
    while {![info complete $command]} { append command \n[lindex $lines [incr i]] }
    dict set found $name [regsub -all {\s+} $command { }]
  }
  return $found
}

# A word has one definition: none of the harness's that a file has is defined
# there anew, and no two files define the same. files: name -> text.
proc check_words files {
  set always {tester.tcl emulator.tcl requests.tcl}
  set seen {}
  dict for {file text} $files { dict set words $file [procedures $text] }
  dict for {file own} $words {
    set sourced $always
    foreach {- name} [regexp -all -inline {source \$harness/(\S+)} [dict get $files $file]] {
      lappend sourced $name
    }
    dict for {name body} $own {
      foreach harness $sourced {
        set harness tests/harness/$harness
        if {$harness ne $file && [dict exists $words $harness $name]} {
          complain $file 1 "the procedure $name is $harness's"
        }
      }
      if {[dict exists $seen $body]} {
        complain $file 1 "the procedure $name stands in [dict get $seen $body], too"
      }
      dict set seen $body $file
    }
  }
}

set files $argv
if {$files eq ""} {
  set files [glob -nocomplain Makefile .ci/run .clang-tidy .clang-format \
    include/*.h {ext/*/*.[ch]} {ext/*/*/*.[ch]} ext/doc/*.* ext/doc/man/* ext/README.md sql/* \
    ext/package/*.* ext/package/Containerfile ext/package/*/*.* \
    ext/package/*/*/*.* tests/hosts/programs/* tests/hosts/package.json \
    tests/*.sh tests/*/*.sh tests/*/*.test tests/*/*.tcl {tests/*/*.[ch]} \
    tests/*/*.mjs tests/*/*.py]
}
foreach file [lsort $files] {
  set f [open $file]
  fconfigure $f -encoding utf-8
  set text [read $f]
  close $f
  check_text $file $text
  if {[string match {tests/*/*.t[ce]*} $file]} { dict set tests $file $text }
  if {[string match {*.[ch]} $file]} { check_c $file $text }
}
if {[info exists tests] && $argv eq ""} { check_words $tests }
exit [expr {$nFound > 0}]
