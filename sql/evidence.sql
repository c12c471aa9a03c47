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
-- The claims hold the secret keys that bind contents to receipts: who has the
-- file can show the entries to others, and can read them.

.bail on
.headers off
.mode list

-- What an earlier run left in this session.
DROP TRIGGER IF EXISTS temp.evidence_id_again;
DROP TRIGGER IF EXISTS temp.evidence_stepped;
DROP VIEW IF EXISTS temp.evidence_all; DROP VIEW IF EXISTS temp.evidence_still;
DROP VIEW IF EXISTS temp.evidence_job; DROP VIEW IF EXISTS temp.evidence_entry;
DROP VIEW IF EXISTS temp.evidence_missing;
DROP VIEW IF EXISTS temp.evidence_receipt;
DROP VIEW IF EXISTS temp.evidence_found;
DROP TABLE IF EXISTS temp.evidence_needs;
DROP TABLE IF EXISTS temp.evidence_ping; DROP TABLE IF EXISTS temp.evidence_key;
DROP TABLE IF EXISTS temp.evidence_now; DROP TABLE IF EXISTS temp.evidence_had;
DROP TABLE IF EXISTS temp.evidence_gone; DROP TABLE IF EXISTS temp.evidence_cut;
DROP TABLE IF EXISTS temp.evidence_todo;
DROP TABLE IF EXISTS temp.evidence_step;
DROP TABLE IF EXISTS temp.evidence_batch;
DROP TABLE IF EXISTS temp.evidence_asked;
DROP TABLE IF EXISTS temp.evidence_part;
DROP TABLE IF EXISTS temp.evidence_outcome;
CREATE TEMP TABLE evidence_needs(n_module INTEGER
  CONSTRAINT [load the module first: .load ./build/ledger] CHECK(n_module > 0));
INSERT INTO temp.evidence_needs
SELECT count(*) FROM pragma_function_list WHERE name = 'ledger_version';
-- A local table with the name of one of the ledger's would be read in its place.
INSERT INTO temp.evidence_needs SELECT ledger_check();
-- A database that can't be written is named here; the next statement ends it.
.once '|while read -r n f; do case "$n$f" in main:*r/o) echo "the database is read-only: give a file that can be written";; main:/*) f="${f% r/w}"; test -w "${f%/*}/" || echo "the folder of the database cannot be written, and SQLite needs that: give a file in another";; esac; done >&2'
.databases

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

-- Which ledger is it? A ledger that isn't attached, or doesn't answer, ends it.
CREATE TEMP TABLE evidence_ping(ledger TEXT, answer TEXT);
INSERT INTO evidence_ping
SELECT coalesce(:ledger, 'main'), ledger_ping(coalesce(:ledger, 'main'));
CREATE TEMP TABLE evidence_key(key_sha256 TEXT
  CONSTRAINT [no service key to verify against: attach with option service_certificate]
  CHECK(key_sha256 IS NOT NULL));
INSERT INTO evidence_key
SELECT i.key_sha256
  FROM temp.evidence_ping AS p JOIN ledger_identity AS i ON i.ledger = p.ledger;
INSERT INTO evidence_run(time_utc, url, ledger_id, api_version, module_version,
                         key_sha256, anchor_source, identity_answer)
SELECT strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), p.answer ->> '$.url', i.ledger_id,
       p.answer ->> '$.api_version', ledger_version(), i.key_sha256, i.source,
       json_object('ledger_id', i.ledger_id, 'certificate', i.certificate,
                   'key_sha256', i.key_sha256, 'not_before', i.not_before,
                   'not_after', i.not_after, 'source', i.source,
                   'identity_url', i.identity_url)
  FROM temp.evidence_ping AS p JOIN ledger_identity AS i ON i.ledger = p.ledger;
CREATE TEMP TABLE evidence_now AS
SELECT r.*, p.ledger FROM evidence_run AS r, temp.evidence_ping AS p
 ORDER BY r.run DESC LIMIT 1;

SELECT 'SERVICE KEY CHANGED ' || last.key_sha256 || ' -> ' || n.key_sha256
  FROM temp.evidence_now AS n
  JOIN evidence_run AS last ON last.run = n.run - 1
 WHERE last.key_sha256 <> n.key_sha256;

-- ---- what was written before, and is no longer there ------------------------

-- A recovery from an older state loses entries, and a ledger made anew has none
-- of them; both give seqnos, even ids, to others. Nothing else undoes what is
-- committed, so that the newest entry tells for all. Where it was written under
-- another key than is in force now, it is compared: its contents, and the node.
-- An entry that isn't shown, or a receipt that isn't valid, tells neither way.
CREATE TEMP TABLE evidence_had(
  n INTEGER PRIMARY KEY, transaction_id TEXT, sub_ledger TEXT, contents TEXT,
  node_id TEXT, is_other_key INTEGER);
CREATE TEMP VIEW evidence_all AS
SELECT NULL, e.transaction_id, e.sub_ledger, e.contents,
       (SELECT r.report ->> '$.node_id' FROM receipt AS r
         WHERE r.transaction_id = e.transaction_id AND r.report ->> '$.valid'),
       n.key_sha256 <> (SELECT key_sha256 FROM evidence_now)
  FROM entry AS e JOIN evidence_run AS n ON n.run = e.run
 WHERE e.transaction_id NOT IN (SELECT transaction_id FROM lost);
CREATE TEMP VIEW evidence_still AS
SELECT h.n, CASE (SELECT t.state FROM ledger_transactions AS t
                  WHERE t.ledger = w.ledger AND t.transaction_id = h.transaction_id)
            WHEN 'Committed' THEN iif(h.is_other_key,
              coalesce(h.contents = (SELECT e.contents FROM ledger_entries AS e
                                      WHERE e.ledger = w.ledger
                                        AND e.sub_ledger = h.sub_ledger
                                        AND e.transaction_id = h.transaction_id)
                AND iif(h.node_id IS NOT NULL,
                  (SELECT iif(a.receipt_valid, a.node_id = h.node_id, NULL)
                     FROM ledger_audit AS a
                    WHERE a.ledger = w.ledger
                      AND a.sub_ledger = h.sub_ledger
                      AND a.transaction_id = h.transaction_id), 1), 'unproven'), 1)
            WHEN 'Invalid' THEN 0 END AS still -- NULL: not known to the ledger
  FROM evidence_had AS h, evidence_now AS w;
INSERT INTO evidence_had SELECT * FROM temp.evidence_all
 ORDER BY ledger_txid_seqno(transaction_id) DESC LIMIT 1;
CREATE TEMP TABLE evidence_gone AS
SELECT n FROM temp.evidence_still WHERE still IS NOT 1;
DELETE FROM temp.evidence_had;
INSERT INTO evidence_had SELECT * FROM temp.evidence_all
 WHERE EXISTS(SELECT 1 FROM temp.evidence_gone)
 ORDER BY ledger_txid_seqno(transaction_id);
-- By halves: the first lo of them are there, the one numbered hi isn't.
CREATE TEMP TABLE evidence_cut(
  n INTEGER, is_known INTEGER
  CONSTRAINT [the ledger does not know (yet) what was written before: run it again]
  CHECK(is_known),
  is_proven INTEGER
  CONSTRAINT [the ledger does not prove (yet) what was written before (a receipt is late or invalid): run it again]
  CHECK(is_proven));
INSERT INTO evidence_cut
WITH RECURSIVE half(lo, hi, n_other) AS (
  SELECT 0, count(*), 0 FROM temp.evidence_had
  UNION ALL
  SELECT iif(s.still IS 1, s.n, lo), iif(s.still IS 1, hi, s.n),
         -- seen to be another's; NULL for good, where one couldn't be compared
         n_other + iif(s.still IS 'unproven', NULL, s.still IS 0)
    FROM half CROSS JOIN temp.evidence_still AS s ON s.n = (lo + hi) / 2
   WHERE hi - lo > 1
), last(still) AS MATERIALIZED ( -- asked once: the answer may change
  SELECT still FROM temp.evidence_still WHERE n = (SELECT hi FROM half WHERE hi - lo = 1)
)
SELECT hi, -- a ledger made anew may have less than before; a node that lags, too
       -- ... so that one must have been seen to be another's
       iif(last.still IS NULL,
           lo = 0 AND coalesce(n_other, 0) > 0
           AND (SELECT is_other_key FROM temp.evidence_had WHERE n = hi), 1),
       last.still IS NULL OR last.still IS 0
  FROM half CROSS JOIN last WHERE hi - lo = 1;
INSERT INTO lost
SELECT h.transaction_id, w.run
  FROM temp.evidence_cut AS c
  JOIN temp.evidence_had AS h ON h.n >= c.n, temp.evidence_now AS w;
SELECT printf('ENTRIES LOST: the ledger no longer has %d entries that were written here, %s to %s (missed first in run %d, %s): they are kept, and named in the table lost',
              count(*), min(l.transaction_id COLLATE ledger_txid),
              max(l.transaction_id COLLATE ledger_txid), l.run, n.time_utc)
  FROM lost AS l JOIN evidence_run AS n ON n.run = l.run
 GROUP BY l.run;
CREATE TEMP TRIGGER evidence_id_again BEFORE INSERT ON entry
WHEN EXISTS(SELECT 1 FROM lost WHERE transaction_id = NEW.transaction_id)
BEGIN
  SELECT RAISE(ABORT, 'the ledger has given the id of a lost entry to another: keep this file, and go on in a new one');
END;

-- ---- entries ----------------------------------------------------------------

CREATE TEMP TABLE evidence_todo(
  n INTEGER PRIMARY KEY, sub_ledger TEXT UNIQUE, after TEXT);
INSERT INTO evidence_todo(sub_ledger, after)
SELECT s.sub_ledger,
       coalesce((SELECT transaction_id FROM entry
                  WHERE sub_ledger = s.sub_ledger
                    AND transaction_id NOT IN (SELECT transaction_id FROM lost)
                  ORDER BY seqno DESC LIMIT 1),
                '0.1')
  FROM (SELECT :sub_ledger AS sub_ledger WHERE :sub_ledger IS NOT NULL
        UNION
        SELECT 'subledger:0' WHERE :sub_ledger IS NULL
        UNION
        SELECT sub_ledger FROM ledger_sub_ledgers
         WHERE :sub_ledger IS NULL
           AND ledger = (SELECT ledger FROM temp.evidence_now)) AS s
 ORDER BY EXISTS(SELECT 1 FROM entry WHERE sub_ledger = s.sub_ledger), 1;
CREATE TEMP VIEW evidence_job AS SELECT * FROM evidence_todo ORDER BY n LIMIT 1;

-- The next 1,000 entries of the first sub-ledger on the list.
CREATE TEMP VIEW evidence_entry AS
SELECT transaction_id, view, seqno, sub_ledger, contents, tags,
       (SELECT run FROM evidence_now)
  FROM ledger_entries
 WHERE ledger = (SELECT ledger FROM evidence_now)
   AND sub_ledger = (SELECT sub_ledger FROM evidence_job)
   AND transaction_id > (SELECT after FROM evidence_job)
 ORDER BY transaction_id
 LIMIT 1000 * (SELECT count(*) FROM evidence_job);
CREATE TEMP TABLE evidence_step(n INTEGER);
CREATE TEMP TRIGGER evidence_stepped AFTER INSERT ON evidence_step BEGIN
  UPDATE evidence_todo
     SET after = (SELECT e.transaction_id FROM entry AS e
                   WHERE e.sub_ledger = evidence_todo.sub_ledger
                     AND e.transaction_id NOT IN (SELECT transaction_id FROM lost)
                   ORDER BY e.seqno DESC LIMIT 1)
   WHERE NEW.n = 1000 AND n = (SELECT n FROM evidence_job);
  DELETE FROM evidence_todo
   WHERE NEW.n < 1000 AND n = (SELECT n FROM evidence_job);
END;
.read '|yes "INSERT INTO entry SELECT * FROM temp.evidence_entry; INSERT INTO evidence_step SELECT changes();" | head -n 2000'

-- ---- receipts ---------------------------------------------------------------

-- The entries that have no good receipt under the key of now (none, an invalid
-- one, or one whose claims were not shown), 500 at a time; behind
-- the last one nothing is looked for any more.
CREATE TEMP TABLE evidence_batch(transaction_id TEXT, seqno INTEGER);
CREATE TEMP TABLE evidence_asked(seqno INTEGER PRIMARY KEY);
CREATE TEMP VIEW evidence_missing AS
SELECT e.transaction_id, e.seqno FROM entry AS e
 WHERE e.seqno > (SELECT coalesce(max(seqno), 0) FROM evidence_asked)
   AND NOT EXISTS(SELECT 1 FROM receipt AS r
                   WHERE r.transaction_id = e.transaction_id
                     AND r.key_sha256 = (SELECT key_sha256 FROM evidence_now)
                     AND r.report ->> '$.valid'
                     AND r.report ->> '$.content' <> 'recorded')
   AND e.transaction_id NOT IN (SELECT transaction_id FROM lost)
   AND (e.sub_ledger = (SELECT sub_ledger FROM evidence_part)
        OR (SELECT sub_ledger FROM evidence_part) IS NULL)
 ORDER BY e.seqno LIMIT 500;
CREATE TEMP TABLE evidence_part AS SELECT :sub_ledger AS sub_ledger;
CREATE INDEX IF NOT EXISTS entry_seqno ON entry(seqno);

INSERT OR IGNORE INTO service_certificate(certificate, key_sha256,
                                          anchor_source, run)
SELECT identity_answer ->> '$.certificate', key_sha256, anchor_source, run
  FROM temp.evidence_now;
CREATE TEMP VIEW evidence_receipt AS
SELECT r.transaction_id, (SELECT key_sha256 FROM evidence_now), r.receipt,
       r.application_claims,
       (SELECT id FROM service_certificate
         WHERE certificate = r.service_certificate),
       ledger_verify_receipt(r.receipt, r.service_certificate,
         json_object('application_claims', r.application_claims,
                     'transaction_id', r.transaction_id,
                     'entry', json_object('sub_ledger', e.sub_ledger,
                                          'contents', e.contents))),
       (SELECT run FROM evidence_now)
  FROM ledger_receipts AS r
 CROSS JOIN entry AS e ON e.transaction_id = r.transaction_id
 WHERE r.ledger = (SELECT ledger FROM evidence_now)
   AND r.transaction_id IN (SELECT transaction_id FROM evidence_batch);
.read '|yes "DELETE FROM evidence_batch; INSERT INTO evidence_batch SELECT * FROM temp.evidence_missing; INSERT OR REPLACE INTO receipt SELECT * FROM temp.evidence_receipt; INSERT OR IGNORE INTO evidence_asked SELECT coalesce(max(seqno), 1 << 60) FROM evidence_batch;" | head -n 4000'

SELECT 'not finished: run it again, it goes on where it stopped'
 WHERE EXISTS(SELECT 1 FROM temp.evidence_todo)
    OR EXISTS(SELECT 1 FROM temp.evidence_missing);

-- ---- who governs it, and where it runs ---------------------------------------

INSERT INTO member
SELECT n.run, m.member_id, m.certificate
  FROM temp.evidence_now AS n JOIN ledger_members AS m ON m.ledger = n.ledger;
INSERT INTO constitution
SELECT n.run, c.digest, c.script
  FROM temp.evidence_now AS n JOIN ledger_constitution AS c ON c.ledger = n.ledger;
INSERT INTO enclave_quote
SELECT n.run, q.node_id, q.is_current, q.measurement, q.debug, q.binds_node,
       q.quote_version, q.raw_quote
  FROM temp.evidence_now AS n
  JOIN ledger_enclave_quotes AS q ON q.ledger = n.ledger;

-- ---- what was written -------------------------------------------------------

CREATE TEMP VIEW evidence_found AS
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
   AND r.key_sha256 = (SELECT key_sha256 FROM evidence_now);
SELECT printf('ledger %s: evidence of %d entries, %d of them new (run %d, %s, key %s, %s)',
              n.ledger_id, count(f.run), count(*) FILTER (WHERE f.run = n.run),
              n.run, n.time_utc, n.key_sha256, n.anchor_source)
  FROM temp.evidence_now AS n LEFT JOIN temp.evidence_found AS f;
SELECT printf('%-11s%d  %s', k.finding, count(f.finding), k.meaning)
  FROM (SELECT 1 AS n, 'verified' AS finding,
               'the receipt is valid and shows these very contents' AS meaning
        UNION ALL SELECT 2, 'recorded',
               'valid; what it says of the contents is recorded, but not shown'
        UNION ALL SELECT 3, 'unbound',
               'valid; it proves that the transaction exists, not what it says'
        UNION ALL SELECT 4, 'invalid',
               'the receipt does not prove the entry: see below'
        UNION ALL SELECT 5, 'no receipt',
               'the ledger gave none: see below') AS k
  LEFT JOIN temp.evidence_found AS f ON f.finding = k.finding
 GROUP BY k.n ORDER BY k.n;
-- (A name with a line break in it must not pass for a line of this output.)
SELECT printf('%s: %s in %s: %s: %s', finding, transaction_id,
              iif(sub_ledger GLOB '*[' || char(1) || '-' || char(31) || ']*',
                  json_quote(sub_ledger), sub_ledger),
              coalesce(code, 'no_receipt'),
              coalesce(reason, 'the ledger has no receipt for this transaction'))
  FROM temp.evidence_found WHERE finding IN ('invalid', 'no receipt')
 ORDER BY seqno;
SELECT 'A receipt shows neither who appended an entry (a node signs, not a user), nor when,';
SELECT 'nor that none is missing, nor its tags, nor that the enclave is genuine.';
SELECT 'the ledger has no entry in sub-ledger ' || json_quote(:sub_ledger)
       || ': SELECT sub_ledger FROM ledger_sub_ledgers tells their names'
 WHERE :sub_ledger IS NOT NULL
   AND NOT EXISTS(SELECT 1 FROM entry WHERE sub_ledger = :sub_ledger);

-- The exit status is 1 where something is not as it should be.
CREATE TEMP TABLE evidence_outcome(n INTEGER
  CONSTRAINT [invalid, without a receipt, lost, not finished or not there: see above]
  CHECK(n = 0));
INSERT INTO evidence_outcome
SELECT (SELECT count(*) FROM temp.evidence_found WHERE finding IN ('invalid', 'no receipt'))
     + (SELECT count(*) FROM temp.evidence_todo)
     + (SELECT count(*) FROM lost)
     + (:sub_ledger IS NOT NULL AND NOT EXISTS(
          SELECT 1 FROM entry WHERE sub_ledger = :sub_ledger));
