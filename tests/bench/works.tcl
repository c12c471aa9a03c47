# The works, in the order in which they are done. An entry is a dictionary:
#
#   title     what is done
#   by        contender and its argument: the SQL of the module, the flags of the
#             floor, the verb of a client
#   expect    the last line of every contender's output: SQL on the reference, or text
#   places    distances (ms) and pages, flat: all six where there are none
#   rows      how many; may differ by place: `MS KIND` pattern and value, flat
#   slow      how many the official clients do, which go one after another
#   in_turn   the module goes one after another, too: fewer in a quick run
#   entries   of the ledger, by place; rows where there are none
#   subs      its sub-ledgers, 1
#   million   BENCH=full: 1,000,000 at 0 ms
#   fresh     a new, empty ledger
#   options   of ledger_attach(), a flat list; %DIR is a folder of the run's. With
#             `application` the credential is an application's, not a token
#   before    SQL that runs once before, unmeasured
#   ledger_options   of the emulator
#
# %ROWS stands for the rows, %ROOT for the top folder. Pages are `page`: pages of
# 1,000, all loaded; or `span`: --page-span 100 --loading 6, nothing loaded.

set near_and_far {0 page 20 page 100 page}
set scan_rows {"0 page" 50000 "20 page" 20000 "100 *" 1000 "0 span" 10000 "20 span" 5000}
set slow_rows {"0 page" 1000 "20 page" 250 "100 page" 50 "0 span" 100 "20 span" 50 "100 span" 10}
set join_rows {"100 page" 200 "* page" 1000 "0 span" 200 "20 span" 50 "100 span" 20}
set entries {"0 *" 50000 "20 *" 5000 "100 *" 1000}

set in_it {sub_ledger = 'subledger:0'}
set counted {SELECT count(*) || '|' || sum(length(contents)) FROM reference.entry}
set looked_up {SELECT count(*) || '|' || sum(length(contents)) FROM reference.%TABLE
  JOIN reference.entry ON transaction_id = id WHERE id.n <= %ROWS}
set ten {SELECT group_concat(transaction_id, ' ') FROM
  (SELECT transaction_id FROM %FROM ORDER BY %ORDER DESC LIMIT 10)}
set rows_to_append {WITH RECURSIVE c(i) AS
  (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < %ROWS - 1)
  INSERT INTO %TABLE(contents, sub_ledger) SELECT 'row ' || i, 'b' FROM c}
set appended "[string map {%TABLE ledger_entries} $rows_to_append];
  SELECT count(DISTINCT transaction_id) FROM ledger_appends WHERE state = 'committed'"
set scanned "SELECT count(*), sum(length(contents)) FROM ledger_entries WHERE $in_it"
set everything "SELECT transaction_id, sub_ledger, contents, tags FROM ledger_entries WHERE $in_it"
set checked "SELECT count(*), sum(ledger_receipt_is_valid(receipt, service_certificate,
    json_object('application_claims', application_claims,
                'transaction_id', transaction_id)))
  FROM ledger_receipts WHERE transaction_id IN (SELECT id FROM reference.id WHERE n <= %ROWS)"
set audited "SELECT count(*), sum(verified) FROM ledger_audit WHERE $in_it"
set history {cache %DIR/history.db}

set works [dict create]
proc work {name args} { dict set ::works $name $args }

# ---- to begin with ---------------------------------------------------------------

work start title "load, attach, nothing asked" places {0 page 100 page} rows 0 \
  expect "" by {module "SELECT 'sqlite-ledger ' || ledger_version() || ' ' || ledger_debug('commit')"
    connected "SELECT 1" local "SELECT 1"
    python start js start}
work trip title "a round trip, microseconds" places $near_and_far rows 20 \
  entries 1000 expect "" by {floor {-r 20}}
work first title "the first row, with an application's credential" \
  places $near_and_far rows 1 entries $entries options {application 1} \
  expect {SELECT contents FROM reference.entry WHERE n = 1} by [list \
    module "SELECT contents FROM ledger_entries WHERE $in_it LIMIT 1" \
    python first js first]

# ---- scans -----------------------------------------------------------------------

work scan title "full scan, counted" rows $scan_rows million 1 expect $counted \
  by [list module $scanned floor {} floor8 {} js scan]
work table title "into a local table" rows $scan_rows million 1 expect $counted \
  by [list module "CREATE TABLE copy AS SELECT transaction_id, sub_ledger, contents
      FROM ledger_entries WHERE $in_it;
    SELECT count(*), sum(length(contents)) FROM copy" python table curl {}]
work range title "seqnos 1,001 to 4,000" places {0 page 20 page 20 span} rows 3000 \
  entries $scan_rows expect {SELECT count(*) || '|' || sum(length(contents))
    FROM reference.entry WHERE CAST(substr(transaction_id, 3) AS INTEGER) BETWEEN 1001 AND 4000} \
  by [list module "$scanned AND seqno BETWEEN 1001 AND 4000"]
work again title "the scan again, history kept" places $near_and_far \
  rows $scan_rows million 1 options $history before $scanned expect $counted \
  by [list module $scanned connected $scanned \
    local {SELECT count(*), sum(length(contents)) FROM entry}]
work again_all title "SELECT * again, history kept" places {0 page} \
  rows $scan_rows million 1 options $history before $scanned expect {
    SELECT transaction_id || '|' || sub_ledger || '|' || contents || '|'
      FROM reference.entry ORDER BY n DESC LIMIT 1} \
  by [list module $everything connected $everything local {SELECT transaction_id, sub_ledger, contents, NULL
    FROM entry ORDER BY n}]
foreach subs {3 40} {
  work count$subs title "count(*) over $subs sub-ledgers" places {20 page} \
    rows 20000 subs $subs expect {SELECT count(*) FROM reference.entry} \
    by {module {SELECT count(*) FROM ledger_entries} floor {}}
}

# ---- the newest --------------------------------------------------------------------

foreach {name subs from reference} {
  newest 3 {ledger_entries WHERE sub_ledger = 'c1'} {reference.entry WHERE sub_ledger = 'c1'}
  newest3 3 ledger_entries reference.entry
  newest40 40 ledger_entries reference.entry
} {
  set sql [string map [list %FROM $from %ORDER transaction_id] $ten]
  work $name title "newest 10 of [expr {$name eq "newest" ? "one" : "all"}]\
      of $subs sub-ledgers" places {100 page} rows 10 entries 20000 subs $subs \
    expect [string map [list %FROM $reference %ORDER n] $ten] \
    by [list module $sql connected $sql]
}

# ---- lookups -------------------------------------------------------------------------

work in title "lookups by IN" rows {"100 span" 200 "*" 1000} slow $slow_rows \
  entries $entries expect [string map {%TABLE id} $looked_up] by [list \
    module "$scanned AND transaction_id IN (SELECT id FROM reference.id WHERE n <= %ROWS)" \
    python lookup js lookup]
foreach {name table title all} [list join id ascending $entries \
    random shuffled "in random order" 50000] {
  work $name title "lookups by join, $title" rows $join_rows in_turn 1 \
    entries $all \
    expect [string map [list %TABLE "$table AS id"] $looked_up] by [list module \
      "SELECT count(*), sum(length(contents)) FROM reference.$table AS id
       JOIN ledger_entries ON transaction_id = id WHERE $in_it AND id.n <= %ROWS"]
}

# ---- receipts ------------------------------------------------------------------------

work receipts title "receipts fetched" rows {"100 span" 200 "*" 1000} slow $slow_rows \
  entries $entries expect %ROWS by {module {
    SELECT count(receipt) FROM ledger_receipts
     WHERE transaction_id IN (SELECT id FROM reference.id WHERE n <= %ROWS)}
    python receipts js receipts}
work verified title "receipts fetched and verified" rows {"100 span" 200 "*" 1000} \
  slow $slow_rows entries $entries expect "" by [list module $checked python verified]
work verified_again title "the same again, history kept" places {0 page 20 page} \
  rows 1000 entries $entries options $history before $checked expect %ROWS|%ROWS \
  by [list module $checked]
work audit title "audit of a sub-ledger" places $near_and_far \
  rows {"0 *" 10000 "*" 1000} expect %ROWS|%ROWS by [list module $audited]
work audit_again title "the same again, history kept" places {0 page 20 page} \
  rows {"0 *" 10000 "*" 1000} options $history before $audited \
  expect %ROWS|%ROWS by [list module $audited]

# Receipts that are here already, of so many roots: neither ledger nor network. Its
# `module` reads what `before` has fetched into kept.
set keep {ATTACH '%DIR/kept.db' AS kept; DROP TABLE IF EXISTS kept.receipt;
  CREATE TABLE kept.receipt AS SELECT e.sub_ledger, e.contents, r.receipt,
      r.application_claims, r.service_certificate
    FROM ledger_entries AS e JOIN ledger_receipts AS r USING(transaction_id)}
set bare {ledger_receipt_is_valid(receipt, service_certificate)}
set bound {ledger_receipt_is_valid(receipt, service_certificate, json_object(
  'application_claims', application_claims,
  'entry', json_object('sub_ledger', sub_ledger, 'contents', contents)))}
set report {ledger_verify_receipt(receipt, service_certificate) LIKE '_"valid":true%'}
foreach {name title rows first emulator what} [list \
  stored256 "P-256, 100 roots" 10000 "" {} $bare \
  stored256_bound "P-256, claims and entry" 10000 "" {} $bound \
  stored256_report "P-256, whole report" 10000 "" {} $report \
  stored256_roots "P-256, a root each" 1000 append {signature_interval 1} $bare \
  stored384 "P-384, 100 roots" 10000 "" {curve P-384} $bare \
  stored384_roots "P-384, a root each" 1000 append {curve P-384 signature_interval 1} $bare
] {
  set fresh [expr {$first eq "append"}]
  set before $keep
  if {$fresh} {
    set before "WITH RECURSIVE c(i) AS
      (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < %ROWS)
      SELECT count(ledger_append('row ' || i)) FROM c; $keep"
  }
  work $name title "stored receipts verified, $title" places {0 page} rows $rows \
    fresh $fresh ledger_options $emulator before $before expect %ROWS|%ROWS \
    by [list module "ATTACH '%DIR/kept.db' AS kept;
      SELECT count(*), sum($what) FROM kept.receipt"]
}

# ---- appends -------------------------------------------------------------------------

work strict title "appends, one COMMIT, in order" places $near_and_far fresh 1 in_turn 1 \
  rows {"100 *" 200 "*" 1000} slow $slow_rows expect %ROWS \
  by [list module $appended python append js append]
work commits title "appends, a COMMIT each" places $near_and_far fresh 1 rows 20 \
  expect %ROWS by [list module "[string repeat {
    INSERT INTO ledger_entries(contents, sub_ledger) VALUES('one row', 'b');} 20]
    SELECT count(*) FROM ledger_appends WHERE state = 'committed'"]
work any title "appends, one COMMIT, any order" places $near_and_far fresh 1 \
  rows 1000 options {append_order any} expect %ROWS by [list module $appended]
work outbox title "appends by the outbox" places $near_and_far fresh 1 in_turn 1 \
  rows {"100 *" 200 "*" 1000} expect %ROWS by [list module ".read %ROOT/sql/outbox.sql
    [string map {%TABLE ledger_outbox} $rows_to_append];
    SELECT ledger_flush()"]
