-- Writes a ledger's evidence into plain tables that open without the module:
-- entries, receipts, claims, the service certificate that they were verified
-- against and why it was trusted, the report, who governs the ledger, and what
-- its nodes say they run. Run again, it adds what is new.
--
--     sqlite3 -cmd '.load ./build/ledger' evidence.db < sql/evidence.sql
--
-- The ledger is that of LEDGER_URL and LEDGER_OPTIONS, or one attached before:
--     -cmd "SELECT ledger_attach('my-ledger')"
-- Only one sub-ledger, and another ledger than the one attached as main:
--     -cmd ".parameter set :sub_ledger \"'payments'\""
--     -cmd ".parameter set :ledger \"'pay'\""
--
-- One file holds one ledger. sql/verify-evidence.sql checks it, offline. After
-- a recovery of the ledger, which gives it another key (the first line of the
-- output says so), receipts are fetched again: those kept stay valid under the
-- former key, those fetched again lead to the new one by an endorsement.
--
-- What the ledger has lost since (a recovery from an older state, a ledger made
-- anew under the name) stays as it is, for it proves the loss, and is named in
-- the table lost.
--
-- The exit status is 1 where an entry is invalid or without a receipt or was lost
-- by the ledger, or not all was visited; where :sub_ledger has no entry; and where
-- a statement failed. Else it is 0.
--
-- The claims hold the secret keys that bind contents to receipts: whoever has
-- the file can read the entries, and show them to others.

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
              WHERE name COLLATE NOCASE IN ('evidence_run', 'service_certificate',
                'entry', 'receipt', 'lost', 'member', 'constitution', 'enclave_quote',
                'about', 'evidence')),
  'a temporary table hides one of the evidence''s: do it in another session');
SELECT 1 WHERE NOT ledger_require(
  EXISTS(SELECT 1 FROM main.sqlite_schema WHERE name = 'evidence_run')
  OR NOT EXISTS(SELECT 1 FROM main.sqlite_schema
                 WHERE name COLLATE NOCASE IN ('service_certificate', 'entry',
                   'receipt', 'lost', 'member', 'constitution', 'enclave_quote',
                   'about', 'evidence')),
  'this file has tables that are not evidence: give another file');
CREATE TABLE IF NOT EXISTS evidence_run(
  run INTEGER PRIMARY KEY,
  time_utc TEXT NOT NULL,
  url TEXT NOT NULL,
  ledger_id TEXT NOT NULL,
  api_version TEXT,
  module_version TEXT NOT NULL,
  key_sha256 TEXT NOT NULL,         -- of the service key trusted in this run ...
  anchor_source TEXT NOT NULL,      -- ... and why: pinned, identity_service
  identity_answer TEXT NOT NULL     -- what ledger_identity told, as JSON
);
CREATE TRIGGER IF NOT EXISTS evidence_one_ledger BEFORE INSERT ON evidence_run
WHEN EXISTS(SELECT 1 FROM evidence_run WHERE ledger_id <> NEW.ledger_id)
BEGIN
  SELECT RAISE(ABORT, 'this file holds the evidence of another ledger');
END;
CREATE TABLE IF NOT EXISTS service_certificate(
  id INTEGER PRIMARY KEY,
  certificate TEXT NOT NULL UNIQUE, -- PEM
  key_sha256 TEXT NOT NULL,
  anchor_source TEXT NOT NULL,
  run INTEGER NOT NULL REFERENCES evidence_run
);
CREATE TABLE IF NOT EXISTS entry(
  transaction_id TEXT PRIMARY KEY,
  view INTEGER NOT NULL,
  seqno INTEGER NOT NULL,
  sub_ledger TEXT NOT NULL,
  contents TEXT NOT NULL,
  tags TEXT,                        -- no receipt shows them
  run INTEGER NOT NULL REFERENCES evidence_run
);
CREATE INDEX IF NOT EXISTS entry_order ON entry(sub_ledger, seqno);
CREATE TABLE IF NOT EXISTS receipt(
  transaction_id TEXT NOT NULL REFERENCES entry,
  key_sha256 TEXT NOT NULL,         -- the service key it was verified against
  receipt TEXT NOT NULL,
  application_claims TEXT,
  service_certificate INTEGER NOT NULL REFERENCES service_certificate,
  report TEXT NOT NULL,             -- of ledger_verify_receipt()
  run INTEGER NOT NULL REFERENCES evidence_run,
  PRIMARY KEY(transaction_id, key_sha256)
);
CREATE TABLE IF NOT EXISTS lost(
  transaction_id TEXT PRIMARY KEY REFERENCES entry,
  run INTEGER NOT NULL REFERENCES evidence_run -- which missed it
);
-- Who governs the ledger, by which rules, on which nodes, as told in each run:
-- what receipts can't show. Nothing of it is signed by the service.
CREATE TABLE IF NOT EXISTS member(
  run INTEGER NOT NULL REFERENCES evidence_run,
  member_id TEXT NOT NULL,
  certificate TEXT,
  PRIMARY KEY(run, member_id)
);
CREATE TABLE IF NOT EXISTS constitution(
  run INTEGER PRIMARY KEY REFERENCES evidence_run,
  digest TEXT NOT NULL,             -- sha256 of the script, checked
  script TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS enclave_quote(
  run INTEGER NOT NULL REFERENCES evidence_run,
  node_id TEXT NOT NULL,
  is_current INTEGER,
  measurement TEXT,                 -- of the code, as the raw quote says
  debug INTEGER,
  binds_node INTEGER,               -- 1: the quote names this node's key
  quote_version TEXT,
  raw_quote BLOB,                   -- its own signature is not checked
  PRIMARY KEY(run, node_id)
);
-- For whoever opens the file.
CREATE TABLE IF NOT EXISTS about(n INTEGER PRIMARY KEY, text TEXT NOT NULL);
INSERT OR IGNORE INTO about VALUES
 (1, 'Evidence of entries in an Azure Confidential Ledger, written by sqlite-ledger. The view "evidence" has a row for each entry and receipt.'),
 (2, 'A receipt is valid if the hash of the entry leads to a root that a node signed, and the service key stands behind the node. sql/verify-evidence.sql checks that; so can openssl: the root is signed as it is, without another hash.'),
 (3, 'Compare key_sha256 with the service key that you have from elsewhere. Nothing in this file proves whose key it is.'),
 (4, 'content "bound": the receipt shows these very contents. "recorded": it shows that contents were recorded. "unbound": it proves that the transaction exists, not what it says.'),
 (5, 'No receipt shows who appended an entry (a node signs, not a user), nor when, nor that none is missing, nor its tags, nor that the enclave is genuine.'),
 (6, 'The table "lost" names entries that the ledger no longer had in a later run. Their receipts, valid under the key of then, show that it had them.');
-- All that belongs to an entry, in one row.
CREATE VIEW IF NOT EXISTS evidence AS
SELECT e.transaction_id, e.sub_ledger, e.contents, e.tags, r.receipt,
       r.application_claims, c.certificate AS service_certificate, r.key_sha256,
       c.anchor_source, r.report, n.time_utc, n.url, n.ledger_id
  FROM entry AS e
  LEFT JOIN receipt AS r ON r.transaction_id = e.transaction_id
  LEFT JOIN service_certificate AS c ON c.id = r.service_certificate
  LEFT JOIN evidence_run AS n ON n.run = r.run;

INSERT INTO evidence_run
SELECT n.run, n.time_utc, n.url, n.ledger_id, n.api_version, n.module_version,
       n.key_sha256, n.anchor_source,
       json_object('ledger_id', i.ledger_id, 'certificate', i.certificate,
                   'key_sha256', i.key_sha256, 'not_before', i.not_before,
                   'not_after', i.not_after, 'source', i.source,
                   'identity_url', i.identity_url)
  FROM temp.run_now AS n JOIN ledger_identity AS i ON i.ledger = n.ledger;
UPDATE temp.run_now SET run = last_insert_rowid();
SELECT 'SERVICE KEY CHANGED ' || last.key_sha256 || ' -> ' || n.key_sha256
  FROM temp.run_now AS n
  JOIN evidence_run AS last ON last.run = (SELECT max(run) FROM evidence_run
        WHERE run < n.run AND ledger_id = n.ledger_id)
 WHERE last.key_sha256 <> n.key_sha256;

-- What was written in earlier runs.
CREATE TEMP VIEW run_was AS
SELECT e.transaction_id, e.seqno, e.sub_ledger, e.contents,
       (SELECT r.report ->> '$.node_id' FROM receipt AS r
         WHERE r.transaction_id = e.transaction_id
           AND r.report ->> '$.valid') AS node_id,
       n.key_sha256 <> (SELECT key_sha256 FROM run_now) AS is_other_key
  FROM entry AS e JOIN evidence_run AS n ON n.run = e.run
 WHERE e.transaction_id NOT IN (SELECT transaction_id FROM lost);

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

INSERT INTO lost
SELECT l.transaction_id, n.run FROM temp.run_lost AS l, temp.run_now AS n;
SELECT printf('ENTRIES LOST: the ledger no longer has %d entries that were written here, %s to %s (first missed in run %d, %s): they are kept, and named in the table lost',
              count(*), min(l.transaction_id COLLATE ledger_txid),
              max(l.transaction_id COLLATE ledger_txid), l.run, n.time_utc)
  FROM lost AS l JOIN evidence_run AS n ON n.run = l.run
 GROUP BY l.run;
CREATE TEMP TRIGGER run_id_again BEFORE INSERT ON entry
WHEN EXISTS(SELECT 1 FROM lost WHERE transaction_id = NEW.transaction_id)
BEGIN
  SELECT RAISE(ABORT, 'the ledger has given the id of a lost entry to another: keep this file, and go on in a new one');
END;

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
SELECT t.sub_ledger, (SELECT transaction_id FROM entry
                       WHERE sub_ledger = t.sub_ledger
                         AND transaction_id NOT IN (SELECT transaction_id FROM lost)
                       ORDER BY seqno DESC LIMIT 1) AS after
  FROM run_todo AS t ORDER BY t.n LIMIT 1;

-- The next 1,000 entries of the first sub-ledger on the list, which is off it once
-- they are fewer. A step that finds nothing to do makes no request.
CREATE TEMP VIEW run_next AS
SELECT transaction_id, view, seqno, sub_ledger, contents, tags,
       (SELECT run FROM run_now)
  FROM ledger_entries
 WHERE ledger = (SELECT ledger FROM run_now)
   AND sub_ledger = (SELECT sub_ledger FROM run_job)
   AND transaction_id > coalesce((SELECT after FROM run_job), '0.1')
 ORDER BY transaction_id
 LIMIT 1000 * (SELECT count(*) FROM run_job);
.read '|yes "INSERT INTO entry SELECT * FROM temp.run_next; DELETE FROM temp.run_todo WHERE changes() < 1000 AND n = (SELECT min(n) FROM temp.run_todo);" 2>/dev/null | head -n 2000'

-- ---- receipts ---------------------------------------------------------------

INSERT OR IGNORE INTO service_certificate(certificate, key_sha256,
                                          anchor_source, run)
SELECT r.identity_answer ->> '$.certificate', r.key_sha256, r.anchor_source, r.run
  FROM evidence_run AS r JOIN temp.run_now USING(run);

-- The entries that have no good receipt under the key of now (none, an invalid one,
-- or one whose claims were not shown), fetched 500 at a time.
CREATE TEMP TABLE run_missing(n INTEGER PRIMARY KEY, transaction_id TEXT);
INSERT INTO temp.run_missing(transaction_id)
SELECT e.transaction_id
  FROM temp.run_now AS w
  JOIN entry AS e ON e.sub_ledger = coalesce(w.sub_ledger, e.sub_ledger)
 WHERE e.transaction_id NOT IN (SELECT transaction_id FROM lost)
   AND NOT EXISTS(SELECT 1 FROM receipt AS r
                   WHERE r.transaction_id = e.transaction_id
                     AND r.key_sha256 = w.key_sha256
                     AND r.report ->> '$.valid'
                     AND r.report ->> '$.content' <> 'recorded')
 ORDER BY e.seqno;
CREATE TEMP VIEW run_receipt AS
SELECT r.transaction_id, (SELECT key_sha256 FROM run_now), r.receipt,
       r.application_claims,
       (SELECT id FROM service_certificate
         WHERE certificate = r.service_certificate),
       ledger_verify_receipt(r.receipt, r.service_certificate,
         json_object('application_claims', r.application_claims,
                     'transaction_id', r.transaction_id,
                     'entry', json_object('sub_ledger', e.sub_ledger,
                                          'contents', e.contents))),
       (SELECT run FROM run_now)
  FROM ledger_receipts AS r
 CROSS JOIN entry AS e ON e.transaction_id = r.transaction_id
 WHERE r.ledger = (SELECT ledger FROM run_now)
   AND r.transaction_id IN (SELECT transaction_id FROM run_missing
                             ORDER BY n LIMIT 500);
.read '|yes "INSERT OR REPLACE INTO receipt SELECT * FROM temp.run_receipt; DELETE FROM temp.run_missing WHERE n < (SELECT min(n) + 500 FROM temp.run_missing);" 2>/dev/null | head -n 4000'
SELECT 'not finished: run it again, it goes on where it stopped'
 WHERE EXISTS(SELECT 1 FROM temp.run_todo)
    OR EXISTS(SELECT 1 FROM temp.run_missing);

-- ---- who governs it, and where it runs ---------------------------------------

INSERT INTO member
SELECT n.run, m.member_id, m.certificate
  FROM temp.run_now AS n JOIN ledger_members AS m ON m.ledger = n.ledger;
INSERT INTO constitution
SELECT n.run, c.digest, c.script
  FROM temp.run_now AS n JOIN ledger_constitution AS c ON c.ledger = n.ledger;
INSERT INTO enclave_quote
SELECT n.run, q.node_id, q.is_current, q.measurement, q.debug, q.binds_node,
       q.quote_version, q.raw_quote
  FROM temp.run_now AS n
  JOIN ledger_enclave_quotes AS q ON q.ledger = n.ledger;

-- ---- what was written -------------------------------------------------------

CREATE TEMP VIEW run_found AS
SELECT e.transaction_id, e.seqno, e.sub_ledger, e.run,
       r.report ->> '$.code' AS code, r.report ->> '$.reason' AS reason,
       CASE WHEN e.transaction_id IN (SELECT transaction_id FROM lost) THEN 'lost'
            WHEN r.report IS NULL THEN 'no receipt'
            WHEN NOT (r.report ->> '$.valid') THEN 'invalid'
            WHEN (r.report ->> '$.content') = 'bound' THEN 'verified'
            ELSE r.report ->> '$.content' END AS finding
  FROM entry AS e
  LEFT JOIN receipt AS r
    ON r.transaction_id = e.transaction_id
   AND r.key_sha256 = (SELECT key_sha256 FROM run_now);
SELECT printf('ledger %s: evidence of %d entries, %d of them new (run %d, %s, key %s, %s)',
              n.ledger_id, count(f.run), count(*) FILTER (WHERE f.run = n.run),
              n.run, n.time_utc, n.key_sha256, n.anchor_source)
  FROM temp.run_now AS n LEFT JOIN temp.run_found AS f;

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
     + (SELECT count(*) FROM lost) AS n;
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
