# Keys and certificates made with the openssl command, and TLS servers that have
# them. Sourced after tester.tcl. A certificate NAME stands in $c as NAME.crt and
# NAME.key; what servers send stands in $www.

set c $testdir/c
set www $testdir/www
file mkdir $c $www

proc openssl args { exec openssl {*}$args 2>$::testdir/openssl.out }

# What makes `openssl x509` write a certificate that has expired. OpenSSL 3.4 and
# later refuse -1 days, and have what says it outright.
proc expired {} {
  catch { exec openssl x509 -help 2>@1 } help
  if {![string match *-not_after* $help]} { return {-days -1} }
  return {-not_before 20240101000000Z -not_after 20240201000000Z}
}

# self_signed ?-key KEY? NAME ?SUBJECT? ?HOST?: a certificate that has signed itself.
# KEY is a curve or, for one, rsa:2048.
proc self_signed args {
  array set o {-key P-256}
  harness_options o {-key value}
  lassign $args name subject host
  if {$subject eq ""} { set subject $name }
  set key [expr {[string match rsa:* $o(-key)] ? $o(-key)
    : [list ec -pkeyopt ec_paramgen_curve:$o(-key)]}]
  set for [expr {$host eq "" ? "" : [list -addext subjectAltName=DNS:$host]}]
  openssl req -x509 -newkey {*}$key -nodes -days 9 -subj /CN=$subject {*}$for \
    -keyout $::c/$name.key -out $::c/$name.crt
}

# One for these hosts that CA has signed. ARGS: its dates, else 9 days.
proc certified {name ca hosts args} {
  if {$args eq ""} { set args {-days 9} }
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=$name \
    -keyout $::c/$name.key -out $::c/$name.csr
  put $::c/ext subjectAltName=[join [lmap host $hosts { set host DNS:$host }] ,]
  openssl x509 -req -in $::c/$name.csr -CA $::c/$ca.crt -CAkey $::c/$ca.key \
    -CAcreateserial -extfile $::c/ext -out $::c/$name.crt {*}$args
}

# The digest of a certificate's key, as option service_key takes it.
proc key_sha256 file {
  return sha256:[lindex [exec openssl x509 -in $file -noout -pubkey \
    | openssl pkey -pubin -outform DER | sha256sum] 0]
}

# `openssl s_server` with the certificate NAME, on a port of its own, which is
# answered; what it says stands in $testdir/NAME.out. ARGS: its flags; with -HTTP
# it sends what serve has written. It lives as long as this process.
proc tls_server {name args} {
  set out $::testdir/$name.out
  set here [pwd]
  cd $::www
  set pipe [open |[concat [harness_tied] openssl s_server -accept 0 -4 \
    -cert $::c/$name.crt -key $::c/$name.key $args [list >$out 2>@1]] w]
  cd $here
  harness_pid [pid $pipe]
  if {![wait_until {[regexp {ACCEPT [^\n]*:(\d+)} [harness_read $out] -> port]} 10000]} {
    error "no server: [harness_read $out]"
  }
  return $port
}

# What `tls_server NAME -HTTP` answers to a GET of this path and query, from now on.
proc serve {path status headers {body ""}} {
  file mkdir [file dirname $::www/$path]
  put $::www/$path [join [list "HTTP/1.1 $status" {*}$headers \
    "Content-Length: [string length $body]" "Connection: close" "" $body] \r\n]
}
