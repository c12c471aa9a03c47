-- A first tour, run by `make demo` on a local ledger that starts empty.
--
-- To run it on a ledger of yours: attach that one first, and mind that entries
-- can't be removed.
--     sqlite3 -cmd ".load ./build/ledger" -cmd "SELECT ledger_attach('NAME')" \
--       < sql/demo.sql

.bail on
-- Ends here without the module, and where a local table hides one of the ledger's.
SELECT 1 WHERE NOT ledger_check(/* load the module first: .load ./build/ledger */);
-- A database that can't be written is named here; the first write then ends it.
.once '|while read -r n f; do case "$n$f" in main:*r/o) echo "the database is read-only: give a file that can be written";; main:/*) f="${f% r/w}"; test -w "${f%/*}/" || echo "the folder of the database cannot be written, and SQLite needs that: give a file in another";; esac; done >&2'
.databases

.mode column
.width 46 14 16
.headers on

SELECT 'sqlite-ledger ' || ledger_version() AS 'SQL over a confidential ledger';

.print
.print -- Which ledger is this? Its key comes from the identity service, and
.print -- every answer is trusted by that key alone.
.mode line
SELECT ledger_id, key_sha256, not_after, source FROM ledger_identity;

.mode column
.width 14 10 36
.print
.print -- INSERT appends. The statement returns once the ledger has committed.
INSERT INTO ledger_entries(contents, sub_ledger, tags) VALUES
  ('Alice pays Bob 10',   'payments', 'paid'),
  ('Bob pays Carol 4',    'payments', 'paid'),
  ('Carol is asked for 2','payments', 'due');
INSERT INTO ledger_entries(contents, sub_ledger) VALUES
  ('Alice signed in', 'audit');
SELECT transaction_id, sub_ledger, contents FROM ledger_entries;

.print
.print -- The ledger numbers every transaction, its own signatures too: ids have gaps.
SELECT count(*) AS entries, min(transaction_id) AS first,
       max(transaction_id) AS last
  FROM ledger_entries;

.print
.print -- WHERE becomes a request for just that part. The plan says which:
EXPLAIN QUERY PLAN
SELECT contents FROM ledger_entries
 WHERE sub_ledger = 'payments' AND transaction_id > '2.2'
 ORDER BY transaction_id DESC LIMIT 2;
SELECT transaction_id, sub_ledger, contents FROM ledger_entries
 WHERE sub_ledger = 'payments' AND transaction_id > '2.2'
 ORDER BY transaction_id DESC LIMIT 2;

.print
.print -- Entries can be tagged, and found by tag.
SELECT transaction_id, tags, contents FROM ledger_entries
 WHERE sub_ledger = 'payments' AND tags MATCH 'due';

.print
.print -- A ledger joins with local tables.
DROP TABLE IF EXISTS temp.person;
CREATE TEMP TABLE person(name TEXT PRIMARY KEY, city TEXT);
INSERT INTO person VALUES('Alice','Turin'),('Bob','Oslo'),('Carol','Quito');
SELECT p.name, p.city, e.contents
  FROM person AS p
  JOIN ledger_entries AS e ON e.contents LIKE p.name || ' pays %'
 WHERE e.sub_ledger = 'payments'
 ORDER BY p.name;

.print
.print -- A transaction is sent at COMMIT, so ROLLBACK sends nothing.
BEGIN;
INSERT INTO ledger_entries(contents, sub_ledger) VALUES('a mistake', 'payments');
SELECT state, sub_ledger, 'a mistake' AS contents FROM ledger_appends
 WHERE state = 'queued';
ROLLBACK;
SELECT count(*) AS 'still there' FROM ledger_entries
 WHERE sub_ledger = 'payments';

.print
.print -- Each entry has a receipt, signed by a node of the ledger. ledger_audit
.print -- fetches and verifies them: bound means, it shows these very contents.
SELECT sub_ledger, content, sum(verified) AS verified, count(*) AS entries
  FROM ledger_audit GROUP BY 1, 2;

.print
.print -- What is recorded stays: UPDATE and DELETE answer
.print "--     ledger: entries are append-only"
.print -- Next: ext/doc/tutorial.md, or `make shell` for a ledger of your own to play with.
