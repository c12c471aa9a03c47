# A forward proxy on loopback that knows CONNECT only. A program of its own: the
# SQL under test blocks its process. Every name leads to 127.0.0.1.
#
#   tclsh proxyserver.tcl FOLDER
#
# FOLDER/port is written when it listens. FOLDER/connects gets a Tcl list per
# CONNECT: TARGET PROXY-AUTHORIZATION. FOLDER/answers, a Tcl list, says what the
# next CONNECTs get, the last element also those behind:
#
#   pass      the tunnel
#   N         the status N
#   close     the connection is closed without an answer
#   empty     200, and the connection is closed
#   hang      nothing
#
# The process that starts it ends it.

set dir [lindex $argv 0]

proc slurp file {
  if {![file exists $file]} { return "" }
  set f [open $file]
  set text [read $f]
  close $f
  return $text
}

proc accept {channel host port} {
  fconfigure $channel -translation binary -blocking 0 -buffering none
  set ::text($channel) ""
  fileevent $channel readable [list receive $channel]
}

proc receive channel {
  append ::text($channel) [read $channel]
  if {[string first \r\n\r\n $::text($channel)] < 0} {
    if {[eof $channel]} { close $channel }
    return
  }
  fileevent $channel readable {}
  set target ""
  set auth ""
  regexp {^CONNECT (\S+) } $::text($channel) -> target
  regexp -nocase {\r\nProxy-Authorization: *([^\r]*)} $::text($channel) -> auth
  unset ::text($channel)
  set n [llength [split [slurp $::dir/connects] \n]]
  set f [open $::dir/connects a]
  puts $f [list $target $auth]
  close $f
  set answers [slurp $::dir/answers]
  if {$n < 1} { set n 1 }
  set answer [lindex $answers [expr {min($n, [llength $answers]) - 1}]]
  switch -glob $answer {
    pass {
      regexp {:(\d+)$} $target -> port
      set ledger [socket 127.0.0.1 $port]
      fconfigure $ledger -translation binary -blocking 0 -buffering none
      puts -nonewline $channel "HTTP/1.1 200 Connection established\r\n\
X-MS-CCF-Transaction-Id: 9.999\r\n\r\n"
      foreach {from to} [list $channel $ledger $ledger $channel] {
        fcopy $from $to -command [list done $from $to]
      }
      return
    }
    [1-9]* {
      puts -nonewline $channel "HTTP/1.1 $answer Said\r\nContent-Length: 9\r\n\
Proxy-Authenticate: Basic realm=\"x\"\r\nConnection: close\r\n\r\nProxy say"
    }
    empty { puts -nonewline $channel "HTTP/1.1 200 Connection established\r\n\r\n" }
    hang { return }
  }
  close $channel
}

proc done {from to args} {
  catch { close $from }
  catch { close $to }
}

set server [socket -server accept -myaddr 127.0.0.1 0]
set f [open $dir/port.new w]
puts $f [lindex [fconfigure $server -sockname] 2]
close $f
file rename -force $dir/port.new $dir/port
vwait forever
