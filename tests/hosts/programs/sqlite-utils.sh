sql() {
  sqlite-utils query local.db "$1" --load-extension=./build/ledger \
    --csv --no-headers
}
sql "SELECT sqlite_version()"
sql "INSERT INTO ledger_entries(contents, sub_ledger)
     VALUES('hello', 'utils')" >/dev/null
sql "SELECT contents FROM ledger_entries WHERE sub_ledger = 'utils'"
sql "SELECT content FROM ledger_audit WHERE sub_ledger = 'utils' AND verified"
sql "DELETE FROM ledger_entries"
