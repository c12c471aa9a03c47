# Words for tests of rows on their way: what a ledger has of them, as another
# connection sees it, and the outbox. Sourced after tester.tcl.

# The connection `witness`: nothing on the ledger is its own.
proc witness_start {} {
  ledger_db witness
  witness eval [ledger_attach_sql]
}

# Asked without any fault, of the witness where there is one.
proc witnessed sql {
  no_fault
  uplevel 1 [list [expr {[info commands witness] eq "" ? "db" : "witness"}] eval $sql]
}

# What the ledger holds of a sub-ledger, in its order; how often it holds such
# contents, and the entries that were appended to settle what was open.
proc held sub_ledger {
  witnessed {SELECT contents FROM ledger_entries('main')
              WHERE sub_ledger = $sub_ledger ORDER BY seqno}
}
proc holds contents {
  witnessed {SELECT count(*) FROM ledger_entries('main') WHERE contents = $contents}
}
proc barriers {} {
  witnessed {SELECT count(*) FROM ledger_entries('main') WHERE sub_ledger = 'ledger_reconcile'}
}

# The ledger signs nothing until so many seconds are over.
proc hold_for seconds {
  hold true
  spawn sh -c "sleep $seconds; exec curl -sS --cacert $::ledger(ca_file) -X POST\
    -H 'Content-Type: application/json' --data-binary '{\"hold\":false}'\
    $::ledger(identity_url)/control/signatures" </dev/null >/dev/null 2>@1
}

# The contents PREFIX1 to PREFIXn.
proc rows {prefix n} { return [lmap i [integers 1 $n] { set i $prefix$i }] }

# ---- the outbox ------------------------------------------------------------

# Writes rows down, in one transaction.
proc queue {sub_ledger args} {
  db transaction {
    foreach contents $args {
      db eval {INSERT INTO ledger_outbox(contents, sub_ledger, ledger)
               VALUES($contents, $sub_ledger, 'main')}
    }
  }
}
proc flush_outbox {{options "{}"}} { db onecolumn {SELECT ledger_flush($options)} }

# The states of a sub-ledger's rows, and how many rows have no entry of their own.
proc states sub_ledger {
  db eval {SELECT state FROM ledger_outbox WHERE sub_ledger = $sub_ledger ORDER BY id}
}
proc strays {} {
  db eval {SELECT count(*) FROM ledger_outbox AS o LEFT JOIN ledger_entries AS e
            ON e.ledger = lower(o.ledger) AND e.sub_ledger = o.sub_ledger
           AND e.transaction_id = o.transaction_id
           WHERE o.state <> 'committed' OR e.contents IS NOT o.contents}
}
