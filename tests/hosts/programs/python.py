import sqlite3

db = sqlite3.connect(":memory:")
db.enable_load_extension(True)
db.load_extension("./build/ledger")
print(sqlite3.sqlite_version)

with db:  # sent when the block ends
    db.execute(
        "INSERT INTO ledger_entries(contents, sub_ledger) VALUES(?, ?)",
        ("hello", "python"),
    )
for (contents,) in db.execute(
    "SELECT contents FROM ledger_entries WHERE sub_ledger = 'python'"
):
    print(contents)
for (content,) in db.execute(
    "SELECT content FROM ledger_audit WHERE sub_ledger = 'python' AND verified"
):
    print(content)
try:
    db.execute("DELETE FROM ledger_entries")
except sqlite3.Error as error:
    print(error)
