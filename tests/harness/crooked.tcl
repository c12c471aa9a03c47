# Words for tests of answers that no ledger gives: a TLS server that says what it
# is told (tests/unit/crooked.c), attached as `main`. Sourced after tester.tcl.

# Starts the server and sets ::crooked(url), (ca_file), (token). ARGS: crooked.c's
# behind the certificate. What ran before goes on.
proc crooked_start args {
  global crooked testdir
  set dir $testdir/crooked
  file mkdir $dir
  file delete $dir/port
  if {![file exists $dir/server.pem]} {
    exec openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
      -days 2 -subj /CN=crooked -addext subjectAltName=IP:127.0.0.1 \
      -keyout $dir/key.pem -out $dir/ca.pem 2>/dev/null
    exec cat $dir/ca.pem $dir/key.pem > $dir/server.pem
  }
  set program $::root/build/unit/crooked
  set crooked(pid) [spawn $program $dir $dir/server.pem {*}$args \
    </dev/null >/dev/null 2>>$dir/server.err]
  if {![wait_until {[file exists $dir/port]} 10000]} {
    error "no crooked server: [harness_read $dir/server.err]"
  }
  set crooked(port) [string trim [harness_read $dir/port]]
  set crooked(url) https://127.0.0.1:$crooked(port)
  set crooked(ca_file) $dir/ca.pem
  set crooked(token) secret-token-of-the-test
}

# crooked_answers PATTERN WORDS ANSWER ...: what is answered from now on, in
# place of what was set before. Forgets the requests so far. In ANSWER a line's
# end is CR LF: the text is normalised, but not behind the first empty line. Where
# there is none, the answer ends within its headers.
proc crooked_answers args {
  set dir $::testdir/crooked
  file delete {*}[glob -nocomplain $dir/answer.*] $dir/requests
  set n 0
  foreach {pattern words answer} $args {
    set whole [regsub {\r?\n\r?\n} $answer \0 answer]
    lassign [split $answer \0] head body
    set head [string map {\n \r\n} [string map {\r\n \n} $head]]
    set f [open $dir/answer.[format %03d [incr n]] w]
    fconfigure $f -translation binary -encoding utf-8
    puts -nonewline $f "$pattern\n$words\n$head[expr {$whole ? "\r\n\r\n" : ""}]$body"
    close $f
  }
}

# An answer with a JSON body: status, headers (a list of lines), body.
proc crooked_json {status headers body} {
  return [join [list "HTTP/1.1 $status Said" "Content-Type: application/json" \
    "Content-Length: [string length $body]" {*}$headers "" $body] \r\n]
}

# The requests since the last crooked_answers.
proc crooked_requests {} {
  return [split [string trim [harness_read $::testdir/crooked/requests]] \n]
}

# Attaches `main` to the server anew, with more options. An append is not looked
# for where its answer is lost (reconcile off), unless they say so.
proc crooked_attach {{options {}}} {
  catch { db eval {SELECT ledger_detach()} }
  db eval [crooked_attach_sql $options]
}
proc crooked_attach_sql {{options {}}} {
  set all [dict merge [list token $::crooked(token) reconcile off \
    service_certificate $::crooked(ca_file) ledger_id crooked \
    identity_url https://127.0.0.1:9 retry_budget_ms 1000] $options]
  set pairs {}
  dict for {key value} $all {
    if {$value ne ""} { lappend pairs [quote $key] [quote $value] }
  }
  return "SELECT ledger_attach([quote $::crooked(url)],\
    json_object([join $pairs ,]))"
}
