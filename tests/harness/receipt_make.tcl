# Services, nodes and receipts made with the openssl command, well or badly, for
# tests of the verifier. Sourced by receipt tests, after receipt_check.tcl.
source $harness/pki.tcl

# A key: P-256, P-384, P-521, secp256k1, rsa, ed25519, or explicit (P-256 with
# its parameters spelled out).
proc make_key {name kind} {
  set how [dict get {
    P-256 {EC -pkeyopt ec_paramgen_curve:P-256}
    P-384 {EC -pkeyopt ec_paramgen_curve:P-384}
    P-521 {EC -pkeyopt ec_paramgen_curve:P-521}
    secp256k1 {EC -pkeyopt ec_paramgen_curve:secp256k1}
    explicit {EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit}
    rsa {RSA -pkeyopt rsa_keygen_bits:2048}
    ed25519 {ED25519}
  } $kind]
  exec openssl genpkey -algorithm {*}$how -out $::testdir/$name.key 2>@1
}

# make_cert NAME ?option value ...?: NAME.pem over NAME.key.
#   subject CN, ca NAME-OF-ISSUER (itself), is_ca TRUE|FALSE, digest sha256, dates {-days 90}
#   out NAME: another file name; more LINES: other extensions
# The issuer's name in it is that of the issuer's certificate.
proc make_cert {name args} {
  set o [dict merge [list subject $name ca $name is_ca FALSE digest sha256 dates {-days 90} more "" out $name] $args]
  dict with o {
    put $::testdir/ext.cnf "basicConstraints=critical,CA:$is_ca\n$more"
    set key $::testdir/$name.key
    exec openssl req -new -key $key -subj /CN=$subject -out $::testdir/req.pem 2>@1
    set sign [expr {$ca eq $name ? [list -signkey $key]
      : [list -CA $::testdir/$ca.pem -CAkey $::testdir/$ca.key]}]
    exec openssl x509 -req -in $::testdir/req.pem {*}$sign -$digest {*}$dates \
      -set_serial 1 -extfile $::testdir/ext.cnf -out $::testdir/$out.pem 2>@1
  }
}
proc pem_file name { harness_read $::testdir/$name.pem }

# A receipt of transaction 2.15 signed by a node, as JSON. Options:
#   node NAME (of its key and, unless cert NAME, its certificate)
#   endorsements {NAME ...}, claims HEX64, prehash sha256|sha384, leaf parts|two
#   node_id HEX64 ("": none)
proc make_receipt args {
  set o [dict merge [list node node cert "" endorsements {} claims [string repeat 0 64] \
    prehash "" leaf parts] $args]
  dict with o {
    if {$cert eq ""} { set cert $node }
    set evidence ce:2.15:[sha nonce]
    set wsd [sha "what was written"]
    set parts [unhex $wsd][unhex [sha $evidence]]
    if {$leaf eq "parts"} { append parts [unhex $claims] }
    set l [sha left]
    set r [sha right]
    set root [unhex [sha [unhex [sha [unhex $l][unhex [sha $parts]]]][unhex $r]]]
    if {$prehash ne ""} {
      put $::testdir/root $root
      exec openssl dgst -$prehash -binary -out $::testdir/hashed_root $::testdir/root
      file rename -force $::testdir/hashed_root $::testdir/root
    } else {
      put $::testdir/root $root
    }
    if {[catch {
      exec openssl pkeyutl -sign -inkey $::testdir/$node.key -in $::testdir/root \
        -out $::testdir/signed 2>@1
    }]} { put $::testdir/signed [unhex 3006020101020101] }
    set f [open $::testdir/signed rb]
    set signature [binary encode base64 [read $f]]
    close $f
    set list {}
    foreach e $endorsements { lappend list [json_text [pem_file $e]] }
    return "{\"cert\":[json_text [pem_file $cert]],\"leafComponents\":{\"claimsDigest\":\"$claims\",\
      \"commitEvidence\":\"$evidence\",\"writeSetDigest\":\"$wsd\"},\"proof\":\[{\"left\":\"$l\"},\
      {\"right\":\"$r\"}\],\"serviceEndorsements\":\[[join $list ,]\],\"signature\":\"$signature\"}"
  }
}
proc json_text text { harness_db onecolumn { SELECT json_quote($text || '') } }
