# Kept connections to an emulator, for tests of what one of them meets: each is a
# process `openssl s_client`, so that a test sees the answers and the end as they
# are on the wire. Sourced behind tester.tcl, with a ledger told in ::ledger.
#
#   set f [connect]; ask $f GET /app/collections?...; ended $f; hang_up $f

set connections 0
proc connect {{host demo.localhost} {ca service_certificate}} {
  global ledger testdir connections
  regexp {:(\d+)$} $ledger(url) -> port
  set err $testdir/connection[incr connections].err
  set f [open |[concat [harness_tied] [list openssl s_client -quiet -verify_quiet \
    -connect 127.0.0.1:$port -servername $host -CAfile $ledger($ca) 2>$err]] r+]
  harness_pid [lindex [pid $f] end]
  fconfigure $f -translation binary -buffering full -blocking 0
  set ::host($f) $host:$port
  set ::err($f) $err
  set ::in($f) ""
  return $f
}

proc write {f method path {contents ""}} {
  set body [expr {$method eq "GET" ? "" : [json_object [list contents $contents]]}]
  puts -nonewline $f "$method $path HTTP/1.1\r\nHost: $::host($f)\r\n"
  puts -nonewline $f "Authorization: Bearer $::ledger(token)\r\n"
  if {$body ne ""} {
    puts -nonewline $f "Content-Type: application/json\r\nContent-Length: [string length $body]\r\n"
  }
  puts -nonewline $f "\r\n$body"
  fconfigure $f -blocking 1
  catch { flush $f } ;# the answer may come, and the connection end, before
  fconfigure $f -blocking 0
}

# The next answer: {STATUS CODE-OR-ID TYPE}; {} where the connection ended.
proc answer f {
  upvar #0 in($f) in
  set end [expr {[clock milliseconds] + 20000}]
  while {![regexp {^HTTP/1.1 (\d+)[^\n]*\n(.*?)\r\n\r\n(.*)$} $in -> status headers rest]
         || ![regexp -nocase {content-length: (\d+)} $headers -> n]
         || [string length $rest] < $n} {
    append in [read $f]
    if {[eof $f]} { return {} }
    if {[clock milliseconds] > $end} { error "no answer: $in" }
    after 2
  }
  set in [string range $rest $n end]
  set ::headers $headers
  set body [string range $rest 0 $n-1]
  set code ""
  regexp {"code":"([^"]*)"} $body -> code
  regexp -nocase {x-ms-ccf-transaction-id: (\S+)} $headers -> code
  if {[regexp -nocase {content-type: text/plain} $headers]} { set code text }
  set ::body $body
  return [list $status $code]
}

proc ask {f args} {
  write $f {*}$args
  return [answer $f]
}
# The same, its status alone; the body is in ::body, the headers in ::headers.
proc status args { return [lindex [ask {*}$args] 0] }

# How the connection ended: `raw` without a word of TLS, `notify` with it.
proc ended f {
  set end [expr {[clock milliseconds] + 20000}]
  while {[read $f] ne "" || ![eof $f]} {
    if {[clock milliseconds] > $end} { return open }
    after 2
  }
  fconfigure $f -blocking 1
  catch { close $f }
  return [expr {[regexp {unexpected eof} [harness_read $::err($f)]] ? "raw" : "notify"}]
}
proc hang_up f {
  catch { exec sh -c "kill [lindex [pid $f] end]" }
  catch { close $f }
  return
}
