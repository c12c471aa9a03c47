-- Audits a ledger: fetches and verifies the receipt of every entry, keeps what
-- was found in local tables, and goes on where the last run stopped.
--
--     sqlite3 -cmd '.load ./build/ledger' audit.db < sql/audit.sql
--
-- The ledger is that of LEDGER_URL and LEDGER_OPTIONS, or one attached before:
--     -cmd "SELECT ledger_attach('my-ledger')"
-- Only one sub-ledger, and another ledger than the one attached as main:
--     -cmd ".parameter set :sub_ledger \"'payments'\""
--     -cmd ".parameter set :ledger \"'pay'\""
--
-- Tables: audit (a row per entry), audit_run (a row per run), audit_lost (what
-- was audited and is no longer in the ledger). What is found is committed 1,000
-- entries at a time, so that nothing is lost when a run ends early. The file
-- opens without the module. If the key of the service is not that of the run
-- before, the first line of the output says so.
--
-- The exit status is 1 where an entry is invalid or without a receipt, was lost
-- by the ledger (until its row in audit_lost is deleted), or not all was visited;
-- where :sub_ledger has no entry; and where a statement failed. Else it is 0.

.bail on

-- ---- the opening: the same lines in audit.sql and evidence.sql ---------------

-- Ends here without the module, and where a local table hides one of the ledger's.
SELECT 1 WHERE NOT ledger_check(/* load the module first: .load ./build/ledger */);
-- A database that can't be written is named here; the first write then ends it.
.once '|while read -r n f; do case "$n$f" in main:*r/o) echo "the database is read-only: give a file that can be written";; main:/*) f="${f% r/w}"; test -w "${f%/*}/" || echo "the folder of the database cannot be written, and SQLite needs that: give a file in another";; esac; done >&2'
.databases
-- What an earlier run left in this session.
DROP VIEW IF EXISTS temp.run_was; DROP VIEW IF EXISTS temp.run_still;
DROP VIEW IF EXISTS temp.run_border; DROP VIEW IF EXISTS temp.run_job;
DROP VIEW IF EXISTS temp.run_next; DROP VIEW IF EXISTS temp.run_receipt;
DROP VIEW IF EXISTS temp.run_found; DROP TABLE IF EXISTS temp.run_now;
DROP TABLE IF EXISTS temp.run_had; DROP TABLE IF EXISTS temp.run_probe;
DROP TABLE IF EXISTS temp.run_lost; DROP TABLE IF EXISTS temp.run_todo;
DROP TABLE IF EXISTS temp.run_missing; DROP TABLE IF EXISTS temp.run_outcome;
DROP TRIGGER IF EXISTS temp.run_id_again;

-- Which ledger is it? One that isn't attached, or doesn't answer, ends the run.
CREATE TEMP TABLE run_now(
  run INTEGER, time_utc TEXT, url TEXT, ledger_id TEXT, api_version TEXT,
  module_version TEXT, key_sha256 TEXT, anchor_source TEXT, ledger TEXT, sub_ledger TEXT);
INSERT INTO temp.run_now
WITH ping(answer) AS MATERIALIZED (
  SELECT ledger_ping(coalesce(:ledger, 'main')))
SELECT NULL, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), p.answer ->> '$.url',
       i.ledger_id, p.answer ->> '$.api_version', ledger_version(), i.key_sha256,
       i.source, i.ledger, :sub_ledger
  FROM ping AS p CROSS JOIN ledger_identity AS i ON i.ledger = p.answer ->> '$.ledger';
SELECT 1 WHERE NOT ledger_require((SELECT key_sha256 IS NOT NULL FROM temp.run_now),
  'no service key to verify against: attach with option service_certificate');

-- ---- its tables --------------------------------------------------------------

-- Somebody else may have made tables of these names.
SELECT 1 WHERE NOT ledger_require(
  NOT EXISTS(SELECT 1 FROM temp.sqlite_schema
              WHERE name COLLATE NOCASE IN ('audit', 'audit_run', 'audit_lost')),
  'a temporary table hides one of audit, audit_run, audit_lost: do it in another session');
SELECT 1 WHERE NOT ledger_require(
  (SELECT coalesce(max(name = 'ledger_id'), 1) FROM pragma_table_info('audit', 'main')),
  'this file has a table named audit that is another''s: give another file');
CREATE TABLE IF NOT EXISTS audit_run(
  run INTEGER PRIMARY KEY,
  time_utc TEXT NOT NULL,           -- when it began
  url TEXT NOT NULL,
  ledger_id TEXT NOT NULL,
  api_version TEXT,
  module_version TEXT NOT NULL,
  key_sha256 TEXT NOT NULL,         -- the service key that was trusted ...
  anchor_source TEXT NOT NULL       -- ... and why
);
CREATE TABLE IF NOT EXISTS audit(
  ledger_id TEXT NOT NULL,
  transaction_id TEXT NOT NULL,
  seqno INTEGER NOT NULL,
  sub_ledger TEXT NOT NULL,
  receipt_valid INTEGER,            -- NULL: there is none
  content TEXT,                     -- bound, recorded, unbound
  verified INTEGER NOT NULL,        -- valid and bound
  code TEXT NOT NULL,
  reason TEXT,
  node_id TEXT,
  run INTEGER NOT NULL REFERENCES audit_run,
  PRIMARY KEY(ledger_id, transaction_id)
);
CREATE INDEX IF NOT EXISTS audit_order ON audit(ledger_id, sub_ledger, seqno);
-- What was audited, and missed by the run lost_run.
CREATE TABLE IF NOT EXISTS audit_lost AS
SELECT *, run AS lost_run FROM audit WHERE false;

INSERT INTO audit_run
SELECT run, time_utc, url, ledger_id, api_version, module_version, key_sha256,
       anchor_source
  FROM temp.run_now;
UPDATE temp.run_now SET run = last_insert_rowid();
SELECT 'SERVICE KEY CHANGED ' || last.key_sha256 || ' -> ' || n.key_sha256
  FROM temp.run_now AS n
  JOIN audit_run AS last ON last.run = (SELECT max(run) FROM audit_run
        WHERE run < n.run AND ledger_id = n.ledger_id)
 WHERE last.key_sha256 <> n.key_sha256;

-- What was found in earlier runs.
CREATE TEMP VIEW run_was AS
SELECT a.transaction_id, a.seqno, a.sub_ledger, NULL AS contents,
       iif(a.receipt_valid, a.node_id, NULL) AS node_id,
       r.key_sha256 <> (SELECT key_sha256 FROM run_now) AS is_other_key
  FROM audit AS a JOIN audit_run AS r ON r.run = a.run
 WHERE a.ledger_id = (SELECT ledger_id FROM run_now);

-- ---- loss: the same lines in audit.sql and evidence.sql ----------------------

-- A recovery from an older state loses the newest entries, and a ledger made anew
-- under the name has none of them; either may give their ids to others. Nothing
-- else undoes what is committed. So entries are lost only if the newest is, and the
-- first one lost is found by halves. An entry of an earlier run is
--   there     if it is committed, and still the same one if the key has changed
--             since: with the same contents, where those are kept, and signed by
--             the same node;
--   gone      if its id is invalid now, or another entry's;
--   unproven  if the ledger shows no entry or no valid receipt to compare with;
--   unknown   if the ledger does not know the id: the node that answers may lag.
CREATE TEMP VIEW run_still AS
SELECT h.n, CASE (SELECT t.state FROM ledger_transactions AS t
                   WHERE t.ledger = r.ledger AND t.transaction_id = w.transaction_id)
  WHEN 'Invalid' THEN 'gone'
  WHEN 'Committed' THEN CASE iif(w.is_other_key,
      iif(w.contents IS NULL, 1, w.contents =
        (SELECT e.contents FROM ledger_entries AS e
          WHERE e.ledger = r.ledger AND e.sub_ledger = w.sub_ledger
            AND e.transaction_id = w.transaction_id))
      AND iif(w.node_id IS NULL, 1, w.node_id =
        (SELECT iif(a.receipt_valid, a.node_id, NULL) FROM ledger_audit AS a
          WHERE a.ledger = r.ledger AND a.sub_ledger = w.sub_ledger
            AND a.transaction_id = w.transaction_id)), 1)
    WHEN 1 THEN 'there' WHEN 0 THEN 'gone' ELSE 'unproven' END
  ELSE 'unknown' END AS state
  FROM run_now AS r, run_had AS h
  JOIN run_was AS w ON w.transaction_id = h.transaction_id;

-- The entries of earlier runs, numbered in their order; those asked about; between
-- which two of them the loss begins: lo is there, hi is not.
CREATE TEMP TABLE run_had(n INTEGER PRIMARY KEY, transaction_id TEXT);
INSERT INTO temp.run_had(transaction_id)
SELECT transaction_id FROM temp.run_was ORDER BY seqno;
CREATE TEMP TABLE run_probe(n INTEGER PRIMARY KEY, state TEXT);
CREATE TEMP VIEW run_border AS
SELECT coalesce(max(n) FILTER (WHERE state = 'there'), 0) AS lo,
       min(n) FILTER (WHERE state <> 'there') AS hi
  FROM run_probe;
INSERT INTO temp.run_probe
SELECT n, state FROM temp.run_still WHERE n = (SELECT max(n) FROM temp.run_had);
.read '|yes "INSERT INTO temp.run_probe SELECT n, state FROM temp.run_still WHERE n = (SELECT (lo + hi) / 2 FROM temp.run_border WHERE hi - lo > 1);" 2>/dev/null | head -n 50'

-- All from the first on that is not there; whether it is gone must be certain.
CREATE TEMP TABLE run_lost(transaction_id TEXT PRIMARY KEY, state TEXT);
INSERT INTO temp.run_lost
SELECT h.transaction_id, p.state
  FROM temp.run_border AS b
  JOIN temp.run_probe AS p ON p.n = b.hi
  JOIN temp.run_had AS h ON h.n >= b.hi;
SELECT 1 WHERE NOT ledger_require(
  NOT EXISTS(SELECT 1 FROM temp.run_lost WHERE state = 'unknown'),
  'the ledger does not know (yet) what was found before: run it again');
SELECT 1 WHERE NOT ledger_require(
  NOT EXISTS(SELECT 1 FROM temp.run_lost WHERE state = 'unproven'),
  'the ledger does not prove (yet) what was found before (a receipt is late or invalid): run it again');

-- ---- what to do about it ------------------------------------------------------

SAVEPOINT audit_lost;
INSERT INTO audit_lost
SELECT a.*, n.run
  FROM temp.run_now AS n JOIN audit AS a ON a.ledger_id = n.ledger_id
 WHERE a.transaction_id IN (SELECT transaction_id FROM temp.run_lost);
DELETE FROM audit
 WHERE ledger_id = (SELECT ledger_id FROM temp.run_now)
   AND transaction_id IN (SELECT transaction_id FROM temp.run_lost);
RELEASE audit_lost;
SELECT printf('ENTRIES LOST: the ledger no longer has %d entries that were audited, %s to %s (first missed in run %d, %s): see the table audit_lost',
              count(*), min(l.transaction_id COLLATE ledger_txid),
              max(l.transaction_id COLLATE ledger_txid), l.lost_run, r.time_utc)
  FROM audit_lost AS l JOIN audit_run AS r ON r.run = l.lost_run
 WHERE l.ledger_id = (SELECT ledger_id FROM temp.run_now)
 GROUP BY l.lost_run;

-- ---- sub-ledgers: the same lines in audit.sql and evidence.sql ---------------

-- The sub-ledgers to visit, those first of which nothing was found yet.
CREATE TEMP TABLE run_todo(n INTEGER PRIMARY KEY, sub_ledger TEXT UNIQUE);
INSERT INTO temp.run_todo(sub_ledger)
SELECT s.sub_ledger
  FROM (SELECT coalesce(sub_ledger, 'subledger:0') AS sub_ledger FROM temp.run_now
        UNION
        SELECT l.sub_ledger
          FROM temp.run_now AS n CROSS JOIN ledger_sub_ledgers AS l ON l.ledger = n.ledger
         WHERE n.sub_ledger IS NULL) AS s
 ORDER BY s.sub_ledger IN (SELECT sub_ledger FROM temp.run_was), s.sub_ledger;

-- ---- entries ----------------------------------------------------------------

-- The first sub-ledger on the list, and the newest entry of it that is here.
CREATE TEMP VIEW run_job AS
SELECT t.sub_ledger, (SELECT transaction_id FROM audit
                       WHERE ledger_id = (SELECT ledger_id FROM run_now)
                         AND sub_ledger = t.sub_ledger
                       ORDER BY seqno DESC LIMIT 1) AS after
  FROM run_todo AS t ORDER BY t.n LIMIT 1;

-- The next 1,000 entries of the first sub-ledger on the list, which is off it once
-- they are fewer. A step that finds nothing to do makes no request.
CREATE TEMP VIEW run_next AS
SELECT (SELECT ledger_id FROM run_now), transaction_id,
       ledger_txid_seqno(transaction_id), sub_ledger, receipt_valid, content,
       verified, code, reason, node_id, (SELECT run FROM run_now)
  FROM ledger_audit
 WHERE ledger = (SELECT ledger FROM run_now)
   AND sub_ledger = (SELECT sub_ledger FROM run_job)
   AND transaction_id > coalesce((SELECT after FROM run_job), '0.1')
 ORDER BY transaction_id
 LIMIT 1000 * (SELECT count(*) FROM run_job);
.read '|yes "INSERT INTO audit SELECT * FROM temp.run_next; DELETE FROM temp.run_todo WHERE changes() < 1000 AND n = (SELECT min(n) FROM temp.run_todo);" 2>/dev/null | head -n 2000'
SELECT 'not finished: run it again, it goes on where it stopped'
 WHERE EXISTS(SELECT 1 FROM temp.run_todo);

-- ---- what was found ---------------------------------------------------------

CREATE TEMP VIEW run_found AS
SELECT a.*, CASE WHEN receipt_valid IS NULL THEN 'no receipt'
                 WHEN NOT receipt_valid THEN 'invalid'
                 WHEN verified THEN 'verified' ELSE content END AS finding
  FROM audit AS a
 WHERE a.ledger_id = (SELECT ledger_id FROM run_now);

SELECT printf('ledger %s: %d entries audited, %d of them now (run %d, %s, key %s, %s)',
              n.ledger_id, count(f.run), count(*) FILTER (WHERE f.run = n.run),
              n.run, n.time_utc, n.key_sha256, n.anchor_source)
  FROM temp.run_now AS n LEFT JOIN temp.run_found AS f;
SELECT printf('%d of them were audited against another service key: %s',
              count(*), r.key_sha256)
  FROM temp.run_found AS f JOIN audit_run AS r USING(run)
 WHERE r.key_sha256 <> (SELECT key_sha256 FROM temp.run_now)
 GROUP BY r.key_sha256;

-- ---- the summary: the same lines in audit.sql and evidence.sql ---------------

WITH kind(n, finding, meaning) AS (VALUES
  (1, 'verified', 'the receipt is valid and shows these very contents'),
  (2, 'recorded', 'valid; what it says of the contents is recorded, but not shown'),
  (3, 'unbound', 'valid; it proves that the transaction exists, not what it says'),
  (4, 'invalid', 'the receipt does not prove the entry: see below'),
  (5, 'no receipt', 'the ledger gave none: see below'))
SELECT printf('%-11s%d  %s', k.finding, count(f.finding), k.meaning)
  FROM kind AS k LEFT JOIN temp.run_found AS f ON f.finding = k.finding
 GROUP BY k.n ORDER BY k.n;
-- (A name with a line break in it must not pass for a line of this output.)
SELECT printf('%s: %s in %s: %s: %s', finding, transaction_id,
              iif(sub_ledger GLOB '*[' || char(1) || '-' || char(31) || ']*',
                  json_quote(sub_ledger), sub_ledger),
              coalesce(code, 'no_receipt'),
              coalesce(reason, 'the ledger has no receipt for this transaction'))
  FROM temp.run_found WHERE finding IN ('invalid', 'no receipt')
 ORDER BY seqno;
SELECT 'A receipt shows neither who appended an entry (a node signs, not a user), nor when,';
SELECT 'nor that none is missing, nor its tags, nor that the enclave is genuine.';
SELECT 'the ledger has no entry in sub-ledger ' || json_quote(n.sub_ledger)
       || ': SELECT sub_ledger FROM ledger_sub_ledgers lists their names'
  FROM temp.run_now AS n
 WHERE n.sub_ledger IS NOT NULL
   AND n.sub_ledger NOT IN (SELECT sub_ledger FROM temp.run_found);

-- What this run made in temp goes; whether all is as it should be stays known, by
-- changes(). If it isn't, the exit status is 1.
CREATE TEMP TABLE run_outcome AS
SELECT (SELECT count(*) FROM temp.run_found WHERE finding IN ('invalid', 'no receipt'))
     + (SELECT count(*) FROM temp.run_todo)
     + (SELECT count(*) FROM temp.run_now
         WHERE sub_ledger IS NOT NULL
           AND sub_ledger NOT IN (SELECT sub_ledger FROM temp.run_found))
     + (SELECT count(*) FROM audit_lost
         WHERE ledger_id = (SELECT ledger_id FROM temp.run_now)) AS n;
DELETE FROM temp.run_outcome WHERE n > 0;
DROP VIEW IF EXISTS temp.run_was; DROP VIEW IF EXISTS temp.run_still;
DROP VIEW IF EXISTS temp.run_border; DROP VIEW IF EXISTS temp.run_job;
DROP VIEW IF EXISTS temp.run_next; DROP VIEW IF EXISTS temp.run_receipt;
DROP VIEW IF EXISTS temp.run_found; DROP TABLE IF EXISTS temp.run_now;
DROP TABLE IF EXISTS temp.run_had; DROP TABLE IF EXISTS temp.run_probe;
DROP TABLE IF EXISTS temp.run_lost; DROP TABLE IF EXISTS temp.run_todo;
DROP TABLE IF EXISTS temp.run_missing; DROP TABLE IF EXISTS temp.run_outcome;
DROP TRIGGER IF EXISTS temp.run_id_again;
SELECT 1 WHERE NOT ledger_require(changes() = 0,
  'invalid, without a receipt, lost, not finished or not there: see above');
