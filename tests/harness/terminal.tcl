# Words for programs that run on a terminal: script (of util-linux) gives them one.
# Sourced after tester.tcl.

# Whether there is one to be had; else the test file's case is skipped.
proc terminal_is {case} {
  if {![catch { exec script -qec true /dev/null </dev/null }]} { return 1 }
  skip_test $case "no terminal to be had: script"
  return 0
}

# Runs the command, as env takes it and sh reads it, on a terminal of so many columns.
# What it shows is ::shown, all of it. Whatever SHELL says, it is sh, and no shell
# stays behind the command: Ctrl-C would end that, too, and its status be the answer.
proc terminal_open {command {columns 80}} {
  set ::terminal [open |[list env SHELL=/bin/sh script -qec \
    "stty cols $columns rows 24; exec env $command" /dev/null] r+]
  fconfigure $::terminal -blocking 0 -buffering none -translation binary
  set ::shown ""
}

proc terminal_read {} {
  append ::shown [encoding convertfrom utf-8 [read $::terminal]]
  return [eof $::terminal]
}

# Waits until it has shown what fits the regular expression: 1, or 0 after 20 s, or
# when it ends before.
proc terminal_shows pattern {
  wait_until "\[terminal_read] || \[regexp -- [list $pattern] \$::shown]" 20000
  return [regexp -- $pattern $::shown]
}

proc terminal_type text {
  puts -nonewline $::terminal [encoding convertto utf-8 $text]
}

# Waits for its end: its exit status, or `runs`.
proc terminal_end {} {
  if {![wait_until {[terminal_read]} 20000]} {
    exec sh -c "kill -KILL [pid $::terminal]"
    catch { close $::terminal }
    return runs
  }
  fconfigure $::terminal -blocking 1
  if {![catch { close $::terminal } text options]} { return 0 }
  return [lindex [dict get $options -errorcode] 2]
}
