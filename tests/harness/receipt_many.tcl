# Receipts by the thousand: ledgers that live through two elections and a
# recovery, their entries and receipts kept in a local table. Sourced by the
# receipt tests.

# Keeps a ledger of N entries in the table
#
#   kept(ledger, transaction_id, sub_ledger, contents, receipt, claims, service)
#
# Most entries are there at its start, a tenth of them after each election and
# after the recovery. What was in c0 before the recovery is fetched before it,
# all else after it, with an endorsement of the former service where need be.
proc receipts_keep {name n options} {
  set part [expr {$n / 10}]
  ledger_start -name $name [list entries [expr {$n - 3 * $part}] sub_ledgers 2 loading 0 \
    {*}$options]
  foreach event {election election} {
    ledger_control -name $name POST /control/$event {{}}
    receipts_attach $name ;# connections of the view before are about to be closed
    receipts_append $name $part
  }
  receipts_fetch $name "WHERE sub_ledger = 'c0'"
  recover $name
  receipts_attach $name ;# the ledger has another key now
  receipts_append $name $part
  receipts_fetch $name
}

# Attaches a ledger anew.
proc receipts_attach name {
  db eval "SELECT ledger_detach('$name')"
  db eval [ledger_attach_sql -name $name]
}

# Appends n entries, half of them with characters that JSON and C treat apart.
proc receipts_append {name n} {
  db eval "SELECT ledger_option('append_order', 'any', '$name')"
  db eval "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < $n)
    INSERT INTO ledger_entries(contents, sub_ledger, ledger)
    SELECT 'late ' || i || iif(i % 2, '', ' \"\\' || char(0, 233, 8232, 128274)),
           'sub ' || (i % 2), '$name' FROM c"
}

# Fetches the receipts of the entries that have none yet.
proc receipts_fetch {name {where ""}} {
  db eval "
    CREATE TABLE IF NOT EXISTS kept(ledger TEXT, transaction_id TEXT COLLATE ledger_txid,
      sub_ledger TEXT, contents TEXT, receipt TEXT, claims TEXT, service TEXT,
      PRIMARY KEY(ledger, transaction_id));
    CREATE TEMP TABLE entry AS
      SELECT transaction_id, sub_ledger, contents FROM ledger_entries('$name') $where;
    DELETE FROM temp.entry WHERE EXISTS(SELECT 1 FROM kept AS k
      WHERE k.ledger = '$name' AND k.transaction_id = entry.transaction_id);
    INSERT INTO kept
      SELECT '$name', e.transaction_id, e.sub_ledger, e.contents, r.receipt,
             r.application_claims, r.service_certificate
        FROM temp.entry AS e JOIN ledger_receipts('$name') AS r
          ON r.transaction_id = e.transaction_id;
    DROP TABLE temp.entry"
}
