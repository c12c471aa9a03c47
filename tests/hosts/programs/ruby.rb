require "sqlite3"

db = SQLite3::Database.new(":memory:")
db.enable_load_extension(true)
db.load_extension("./build/ledger.so")
puts db.get_first_value("SELECT sqlite_version()")

db.transaction do # sent when the block ends
  db.execute("INSERT INTO ledger_entries(contents, sub_ledger) VALUES(?, ?)",
             ["hello", "ruby"])
end
db.execute("SELECT contents FROM ledger_entries WHERE sub_ledger = 'ruby'") do |row|
  puts row[0]
end
puts db.get_first_value(
  "SELECT content FROM ledger_audit WHERE sub_ledger = 'ruby' AND verified")
begin
  db.execute("DELETE FROM ledger_entries")
rescue SQLite3::Exception => error
  puts error.message
end
