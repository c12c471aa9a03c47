# The messages of the module, as its sources have them: sourced by messages.test.

# The arguments of the call whose "(" stands before place i.
proc messages_arguments {text i} {
  set found {}
  set from $i
  set depth 0
  while 1 {
    set c [string index $text $i]
    switch -- $c {
      "" { error "a call without end" }
      \" {
        while {[set c [string index $text [incr i]]] ne "\""} {
          if {$c eq "\\"} { incr i }
        }
      }
      ' { incr i [expr {[string index $text $i+1] eq "\\" ? 3 : 2}] }
      ( { incr depth }
      , - ) {
        if {$depth == 0} {
          lappend found [string range $text $from $i-1]
          set from [expr {$i + 1}]
          if {$c eq ")"} { return $found }
        } elseif {$c eq ")"} {
          incr depth -1
        }
      }
    }
    incr i
  }
}

# The literals of an argument: those side by side are one, also with a macro's name
# between them; those that a condition chooses from are several.
proc messages_literals argument {
  set found {}
  set end -1
  foreach range [regexp -all -inline -indices {"(?:[^"\\]|\\.)*"} $argument] {
    lassign $range from to
    set text [string map {{\"} \" {\\} \\} [string range $argument $from+1 $to-1]]
    set between [string trim [string range $argument $end+1 $from-1]]
    if {$end >= 0 && [regexp {^[A-Z_]*$} $between]} {
      lset found end [lindex $found end][expr {$between eq "" ? "" : "%s"}]$text
    } else {
      lappend found $text
    }
    set end $to
  }
  return $found
}

# FORMAT PLACE ...: what the calls that make a message are given as its format, and
# what is put behind one: of a text that is made anyhow, what begins as one of these.
proc messages_all root {
  set at {ledgerErrorSet 2 ledgerErrorWrap 2 ledgerErrorMessage 0
          ledgerReceiptFail 2 ledgerGuardBad 2 ledgerCredentialMissing 2 ledgerBufPrintf 1 sqlite3_mprintf 0}
  set behind {^(; |, but |accepted, |a change of view |a gateway has )}
  set found {}
  foreach room {base client receipt sqlite} {
    set folders [list $root/ext/$room {*}[glob -nocomplain -type d $root/ext/$room/*]]
    foreach file [lsort [concat {*}[lmap d $folders { glob -nocomplain $d/*.c }]]] {
      set text [harness_read $file]
      regsub -all {/\*.*?\*/} $text {} text
      foreach range [regexp -all -inline -indices "(?:[join [dict keys $at] |])\\(" $text] {
        lassign $range from to
        set call [string range $text $from $to-1]
        set i [dict get $at $call]
        set argument [lindex [messages_arguments $text [expr {$to + 1}]] $i]
        # A format that is made with sqlite3_mprintf() is its first argument.
        if {[regexp -indices {^\s*sqlite3_mprintf\(} $argument inner]} {
          set argument [lindex [messages_arguments $argument \
            [expr {[lindex $inner 1] + 1}]] 0]
        }
        foreach literal [messages_literals $argument] {
          if {![regexp {[a-z]{3}|[A-Z_]{6}} $literal]} continue ;# "%s: %s"
          if {$call in {ledgerBufPrintf sqlite3_mprintf}
              && ![regexp $behind $literal]} continue
          lappend found $literal [file tail $file]
        }
      }
    }
  }
  return $found
}

# A format as a page shows it.
proc messages_shown format {
  regsub -all {%%} $format \001 format
  regsub -all {%[-+ #0]*[0-9*]*(\.[0-9*]+)?(ll|l|z)?[a-zA-Z]} $format ... format
  return [string map {\001 %} $format]
}
