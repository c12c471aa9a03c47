-- Declares the ledger's tables in the database file, for tools that look into
-- sqlite_schema before they use a table, and make one where there is none: a
-- real table ledger_entries would hide the ledger's, and its rows stay local.
--
--     sqlite3 -cmd '.load ./build/ledger' local.db < sql/tables.sql
--
-- or `.read sql/tables.sql`; once per file. Anybody may have declared a table that
-- stands in a file. So each connection that uses these tables has to say that they
-- are its own, and to attach a ledger (they don't do that by themselves, even if
-- LEDGER_URL is set):
--
--     SELECT ledger_attach('my-ledger', '{"file_tables":"allow"}');
--
-- or, with the ledger of LEDGER_URL, SELECT ledger_option('file_tables',
-- 'allow'), ledger_ping(). In this session both are done. What needs a key
-- (ledger_transactions, ledger_receipts, ledger_roles) still needs it. To take
-- them away: DROP TABLE.

.bail on
-- Ends here without the module, and where a local table hides one of the ledger's.
SELECT 1 WHERE NOT ledger_check(/* load the module first: .load ./build/ledger */);
SELECT 1 WHERE ledger_option('file_tables', 'allow') <> 'allow';

BEGIN;
CREATE VIRTUAL TABLE IF NOT EXISTS main.ledger_entries USING ledger_entries;
CREATE VIRTUAL TABLE IF NOT EXISTS main.ledger_sub_ledgers USING ledger_sub_ledgers;
CREATE VIRTUAL TABLE IF NOT EXISTS main.ledger_tags USING ledger_tags;
CREATE VIRTUAL TABLE IF NOT EXISTS main.ledger_transactions USING ledger_transactions;
CREATE VIRTUAL TABLE IF NOT EXISTS main.ledger_receipts USING ledger_receipts;
CREATE VIRTUAL TABLE IF NOT EXISTS main.ledger_audit USING ledger_audit;
CREATE VIRTUAL TABLE IF NOT EXISTS main.ledger_users USING ledger_users;
CREATE VIRTUAL TABLE IF NOT EXISTS main.ledger_roles USING ledger_roles;
CREATE VIRTUAL TABLE IF NOT EXISTS main.ledger_functions USING ledger_functions;
CREATE VIRTUAL TABLE IF NOT EXISTS main.ledger_endpoints USING ledger_endpoints;
CREATE VIRTUAL TABLE IF NOT EXISTS main.ledger_modules USING ledger_modules;
CREATE VIRTUAL TABLE IF NOT EXISTS main.ledger_members USING ledger_members;
CREATE VIRTUAL TABLE IF NOT EXISTS main.ledger_constitution USING ledger_constitution;
CREATE VIRTUAL TABLE IF NOT EXISTS main.ledger_enclave_quotes USING ledger_enclave_quotes;
CREATE VIRTUAL TABLE IF NOT EXISTS main.ledger_identity USING ledger_identity;
CREATE VIRTUAL TABLE IF NOT EXISTS main.ledger_attached USING ledger_attached;
CREATE VIRTUAL TABLE IF NOT EXISTS main.ledger_appends USING ledger_appends;
CREATE VIRTUAL TABLE IF NOT EXISTS main.ledger_http USING ledger_http;
CREATE VIRTUAL TABLE IF NOT EXISTS main.ledger_progress USING ledger_progress;
CREATE VIRTUAL TABLE IF NOT EXISTS main.ledger_cache USING ledger_cache;
CREATE VIRTUAL TABLE IF NOT EXISTS main.ledger_columns USING ledger_columns;
CREATE VIRTUAL TABLE IF NOT EXISTS main.ledger_help USING ledger_help;
COMMIT;
