# System calls of the emulator that fail (syscall.c).

# Every emulator that is started from now on listens to `failing`. 0 where a
# library can't be loaded before it (under a sanitizer).
proc failing_start {} {
  set ::failing_file $::testdir/failing
  put $::failing_file [binary format i7 {0 0 0 0 0 0 0}]
  set ::env(SYSCALL_FILE) $::failing_file
  set ::env(LD_PRELOAD) $::root/build/unit/syscall.so
  if {[catch { exec $::env(LEDGER_EMULATOR) --version }]} {
    unset ::env(LD_PRELOAD)
    return 0
  }
  return 1
}

# failing CALLS WHERE HOW ?SKIP? ?TIMES?: of the calls (open read write sync
# truncate accept wait unlink room) on such things (data socket other) SKIP go well,
# and then TIMES (-1: all) fail: HOW is the name of an error, or SHORT.
# failing: nothing fails any more.
proc failing {args} {
  array set bit {open 1 read 2 write 4 sync 8 truncate 16 accept 32 wait 64 unlink 128 room 256
    data 1 socket 2 other 4}
  array set code {EINTR 4 EIO 5 EAGAIN 11 EMFILE 24 ENOSPC 28 ECONNRESET 104 EDQUOT 122 SHORT -1}
  failing_put 0 [binary format i 0]
  if {[llength $args] == 0} return
  lassign [concat $args [lrange {- - - 0 -1} [llength $args] end]] calls where how skip times
  set mCall 0
  foreach call $calls { incr mCall $bit($call) }
  set mOn 0
  foreach on $where { incr mOn $bit($on) }
  failing_put 4 [binary format i6 [list $mOn $code($how) $skip $times 0 0]]
  failing_put 0 [binary format i $mCall]
}
proc failing_put {at bytes} {
  set f [open $::failing_file r+b]
  seek $f $at
  puts -nonewline $f $bytes
  close $f
}

# How many such calls there were since, and how many of them have failed.
proc failing_count {} {
  binary scan [bytes $::failing_file] @20ii seen struck
  return [list $seen $struck]
}
proc failing_struck {} { return [lindex [failing_count] 1] }
