# Receipts without the module: what a test needs to ask for one, to rebuild its
# leaf and root with `openssl dgst`, and to check signature, certificates and
# claims with the openssl command. Sourced after tester.tcl.

proc pem_of file { return [harness_read $file] }

# SHA-256 of bytes and HMAC-SHA256 of them, as hex.
proc sha bytes {
  return [lindex [exec openssl dgst -sha256 -r [put $::testdir/hashed $bytes]] 0]
}
proc hmac {key_hex bytes} {
  return [lindex [exec openssl dgst -sha256 -mac HMAC -macopt hexkey:$key_hex \
    -r [put $::testdir/hashed $bytes]] 0]
}
proc unhex hex { return [binary decode hex $hex] }

# ---- asking ----------------------------------------------------------------

# Appends an entry whose contents are JSON text; its id, once committed.
proc append_entry {name json collection} {
  set url [binary encode hex [encoding convertto utf-8 $collection]]
  regsub -all {..} $url {%&} url
  set answer [ledger_rest -name $name POST \
    /app/transactions?api-version=2026-02-23&collectionId=$url "{\"contents\":\"$json\"}"]
  if {![regexp -line {^x-ms-ccf-transaction-id: (\S+)} [lindex $answer 2] -> id]} {
    error "not appended: $answer"
  }
  settle $name
  return $id
}

# The answer with the receipt, once it is Ready.
proc receipt {name id query} {
  for {set i 0} {$i < 10} {incr i} {
    lassign [ledger_rest -name $name GET /app/transactions/$id/receipt?$query] status body
    if {$status != 200} { error "receipt of $id: $status $body" }
    if {[json_get $body $.state] eq "Ready"} { return $body }
  }
  error "receipt of $id: still $body"
}

proc members {json {path $}} {
  return [harness_db eval { SELECT key FROM json_each($json, $path) ORDER BY key }]
}
proc to_camel json {
  return [string map {leaf_components leafComponents claims_digest claimsDigest
    commit_evidence commitEvidence write_set_digest writeSetDigest node_id nodeId
    service_endorsements serviceEndorsements} $json]
}

# ---- checking --------------------------------------------------------------

# The leaf of a receipt, and the root that a proof leads to from it: hex.
proc leaf_of answer {
  set parts [json_get $answer $.receipt.leafComponents]
  return [sha [unhex [json_get $parts $.writeSetDigest]][unhex \
    [sha [json_get $parts $.commitEvidence]]][unhex [json_get $parts $.claimsDigest]]]
}
proc fold {hash proof} {
  harness_db eval {
    SELECT json_extract(value,'$.left') AS l, json_extract(value,'$.right') AS r
    FROM json_each($proof)
  } {
    set hash [sha [expr {$l ne "" ? [unhex $l$hash] : [unhex $hash$r]}]]
  }
  return $hash
}

# "good", or what is not: evidence, signature, node, endorsement, chain. Service
# is the PEM of the service certificate, id what was asked for.
proc check_receipt {answer service id} {
  set receipt [json_get $answer $.receipt]
  if {![regexp "^ce:[string map {. \\.} $id]:\[0-9a-f\]{64}\$" \
        [json_get $receipt $.leafComponents.commitEvidence]]} {
    return evidence
  }
  # The signature is over the 32 bytes of the root, not hashed once more.
  set node [put $::testdir/node.pem [json_get $receipt $.cert]]
  put $::testdir/root [unhex [fold [leaf_of $answer] [json_get $receipt $.proof]]]
  put $::testdir/signature [binary decode base64 [json_get $receipt $.signature]]
  exec openssl x509 -in $node -noout -pubkey > $::testdir/key.pem
  if {[catch {
    exec openssl pkeyutl -verify -pubin -inkey $::testdir/key.pem \
      -in $::testdir/root -sigfile $::testdir/signature 2>@1
  }]} { return signature }
  exec openssl pkey -pubin -in $::testdir/key.pem -outform DER -out $::testdir/key.der
  if {[lindex [exec openssl dgst -sha256 -r $::testdir/key.der] 0]
      ne [json_get $receipt $.nodeId]} { return node }
  # Node -> endorsements, of which there is at most one -> service.
  set untrusted {}
  set endorsements [json_get $receipt $.serviceEndorsements]
  if {$endorsements ne "" && $endorsements ne "\[\]"} {
    if {[json_get $endorsements {$[1]}] ne ""} { return endorsement }
    set untrusted [list -untrusted [put $::testdir/endorsement.pem [json_get $endorsements {$[0]}]]]
  }
  if {[catch {
    exec openssl verify -no_check_time -no-CApath -no-CAstore -CAfile [put $::testdir/service.pem $service] \
      {*}$untrusted $node 2>@1
  }]} { return chain }
  return good
}

# "none" when there is no claim and the digest is zero, "hidden" when there is
# none and the digest isn't; {bound COLLECTION CONTENTS}, both as bytes, when the
# digest is that of the one claim; else "wrong".
proc check_claims answer {
  set digest [json_get $answer $.receipt.leafComponents.claimsDigest]
  set claims [json_get $answer $.applicationClaims]
  if {$claims eq ""} {
    return [expr {$digest eq [string repeat 0 64] ? "none" : "hidden"}]
  }
  # As hex: a NUL ends a text in SQLite's JSON, so the text is unescaped here.
  set entry [json_get $claims {$[0].ledgerEntry}]
  set collection [claim_text $answer collectionId]
  set contents [claim_text $answer contents]
  set protocol [json_get $entry $.protocol]
  set key [binary encode hex [binary decode base64 [json_get $entry $.secretKey]]]
  if {[string length $key] != 64 || [json_get $claims {$[1]}] ne ""
      || [json_get $claims {$[0].kind}] ne "LedgerEntry"} { return wrong }
  set inner [sha [unhex [hmac $key $collection][hmac $key $contents]]]
  set all [sha [binary format i 1][unhex [sha $protocol[unhex $inner]]]]
  if {$all ne $digest} { return wrong }
  return [list bound $collection $contents]
}

# A text of the claim as UTF-8 bytes: python reads the JSON, for its NULs and
# its characters beyond the BMP.
proc claim_text {answer member} {
  set f [open $::testdir/answer.json w]
  fconfigure $f -encoding utf-8
  puts $f $answer
  close $f
  return [binary decode hex [exec [python] -c {
import json, sys
answer = json.load(open(sys.argv[1], encoding="utf-8"))
print(answer["applicationClaims"][0]["ledgerEntry"][sys.argv[2]].encode("utf-8").hex())
} $::testdir/answer.json $member]]
}
