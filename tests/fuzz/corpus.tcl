# Seeds of fuzz targets that are made of other files of tests/:
#
#   corpus_make DIRECTORY      DIRECTORY/TARGET.seeds/...
package require sqlite3
set corpus_vectors [file join [file dirname [file dirname \
  [file normalize [info script]]]] vectors]

proc corpus_put {file bytes} {
  file mkdir [file dirname $file]
  set f [open $file wb]
  puts -nonewline $f $bytes
  close $f
}

proc corpus_get {file} {
  set f [open $file rb]
  try { return [read $f] } finally { close $f }
}

# Receipts with their anchor and claims, from tests/vectors; and the same as what
# a ledger answers.
proc corpus_receipts {vectors into} {
  sqlite3 corpus :memory:
  foreach file [glob $vectors/*.json] {
    set text [encoding convertfrom utf-8 [corpus_get $file]]
    corpus eval {
      SELECT $text->'$.answer' AS answer, $text->>'$.service_certificate' AS service,
        coalesce($text->'$.answer.applicationClaims', '') AS claims
    } {}
    set name [file tail $file]
    set answer [encoding convertto utf-8 $answer]
    set bytes $answer\0$service
    if {$claims ne ""} { append bytes \0[encoding convertto utf-8 $claims] }
    corpus_put $into/receipt.seeds/$name $bytes
    corpus_put $into/jsonread.seeds/$name $answer
    corpus_put $into/entry.seeds/$name \3$answer
    corpus_put $into/pem.seeds/$name \0$service
  }
  corpus close
}

# A certificate with its key as PEM, DER and PKCS#12, with a password and without.
proc corpus_certificates {into} {
  set at $into/pem.seeds
  if {[file exists $at/pkcs12]} return
  file mkdir $at
  set run {exec openssl}
  {*}$run req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 \
    -subj /CN=fuzz -keyout $at/key -out $at/certificate 2>@1
  set both [corpus_get $at/key][corpus_get $at/certificate]
  corpus_put $at/both $both
  foreach {name password} {pkcs12 secret pkcs12_open ""} {
    {*}$run pkcs12 -export -in $at/both -out $at/$name -passout pass:$password 2>@1
    corpus_put $at/$name $password\0[corpus_get $at/$name]
  }
  {*}$run pkcs8 -topk8 -in $at/key -out $at/locked -passout pass:secret 2>@1
  corpus_put $at/locked secret\0[corpus_get $at/locked][corpus_get $at/certificate]
  {*}$run x509 -in $at/certificate -outform DER -out $at/der 2>@1
  foreach name {key certificate both der} {
    corpus_put $at/$name \0[corpus_get $at/$name]
  }
}

# Quotes of the right lengths: SGX with a claim, with Open Enclave's header, SNP;
# and the answer that has one.
proc corpus_quotes {into} {
  set sgx [binary format sssx42 3 2 0][string repeat \1 384]
  append sgx [binary format i 8][string repeat \2 8]
  append sgx [binary format wwww 1 1 15 32] "sgx_report_data\0" [string repeat \3 32]
  set snp [binary format iiw 2 1 [expr {1 << 17}]][string repeat \1 0x24]
  append snp [binary format i 1] [string repeat \2 [expr {0x4A0 - 0x38}]]
  corpus_put $into/quote.seeds/sgx $sgx
  corpus_put $into/quote.seeds/enclave [binary format iiw 1 2 [string length $sgx]]$sgx
  corpus_put $into/quote.seeds/snp $snp
  foreach {name bytes} [list sgx $sgx snp $snp] {
    set node [string repeat 03 32]
    corpus_put $into/quotes.seeds/$name "{\"currentNodeId\":\"$node\",\"enclaveQuotes\":\
{\"$node\":{\"nodeId\":\"$node\",\"quoteVersion\":\"$name\",\"raw\":\"[binary encode hex $bytes]\"}}}"
  }
}

proc corpus_make {into} {
  corpus_receipts $::corpus_vectors $into
  corpus_certificates $into
  corpus_quotes $into
}
