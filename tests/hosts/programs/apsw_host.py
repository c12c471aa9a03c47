import apsw

db = apsw.Connection(":memory:")
db.enableloadextension(True)
db.loadextension("./build/ledger")
print(apsw.sqlitelibversion())

with db:  # sent when the block ends
    db.execute(
        "INSERT INTO ledger_entries(contents, sub_ledger) VALUES(?, ?)",
        ("hello", "apsw"),
    )
for (contents,) in db.execute(
    "SELECT contents FROM ledger_entries WHERE sub_ledger = 'apsw'"
):
    print(contents)
for (content,) in db.execute(
    "SELECT content FROM ledger_audit WHERE sub_ledger = 'apsw' AND verified"
):
    print(content)
try:
    db.execute("DELETE FROM ledger_entries")
except apsw.Error as error:
    print(error)
