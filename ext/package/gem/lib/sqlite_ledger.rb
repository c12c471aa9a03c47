# The SQLite module for Azure Confidential Ledger.
#
#   db = SQLite3::Database.new("local.db")
#   db.enable_load_extension(true)
#   SqliteLedger.load(db)
#   db.enable_load_extension(false)
module SqliteLedger
  # The module's path.
  def self.loadable_path
    File.expand_path("ledger.so", __dir__)
  end

  # The path of a script in SQL: script("audit") is that of audit.sql.
  def self.script(name)
    File.expand_path("../sql/#{name}.sql", __dir__)
  end

  # Loads the module into a database that may load extensions.
  def self.load(db)
    db.load_extension(loadable_path)
  end
end
