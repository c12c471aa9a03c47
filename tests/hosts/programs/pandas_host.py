import sqlite3

import pandas

db = sqlite3.connect(":memory:")
db.enable_load_extension(True)
db.load_extension("./build/ledger")
print(sqlite3.sqlite_version)

rows = pandas.DataFrame({"contents": ["hello"], "sub_ledger": ["pandas"]})
with db:  # sent when the block ends; to_sql() would make a local table
    db.executemany(
        "INSERT INTO ledger_entries(contents, sub_ledger) VALUES(?, ?)",
        rows.itertuples(index=False),
    )
entries = pandas.read_sql(
    "SELECT contents FROM ledger_entries WHERE sub_ledger = ?",
    db,
    params=["pandas"],
)
print(entries.contents[0])
audit = pandas.read_sql(
    "SELECT * FROM ledger_audit WHERE sub_ledger = 'pandas' AND verified", db
)
print(audit.content[0])
try:
    pandas.read_sql("DELETE FROM ledger_entries", db)
except pandas.errors.DatabaseError as error:
    print(error)
