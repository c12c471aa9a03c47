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
.headers off
.mode list

-- What an earlier run left in this session.
DROP TRIGGER IF EXISTS temp.audit_stepped; DROP VIEW IF EXISTS temp.audit_all;
DROP VIEW IF EXISTS temp.audit_still; DROP VIEW IF EXISTS temp.audit_job;
DROP VIEW IF EXISTS temp.audit_next; DROP VIEW IF EXISTS temp.audit_found;
DROP TABLE IF EXISTS temp.audit_needs; DROP TABLE IF EXISTS temp.audit_ping;
DROP TABLE IF EXISTS temp.audit_key; DROP TABLE IF EXISTS temp.audit_now;
DROP TABLE IF EXISTS temp.audit_had; DROP TABLE IF EXISTS temp.audit_gone;
DROP TABLE IF EXISTS temp.audit_cut; DROP TABLE IF EXISTS temp.audit_todo;
DROP TABLE IF EXISTS temp.audit_step; DROP TABLE IF EXISTS temp.audit_outcome;
CREATE TEMP TABLE audit_needs(n_module INTEGER
  CONSTRAINT [load the module first: .load ./build/ledger] CHECK(n_module > 0));
INSERT INTO temp.audit_needs
SELECT count(*) FROM pragma_function_list WHERE name = 'ledger_version';
-- A local table with the name of one of the ledger's would be read in its place.
INSERT INTO temp.audit_needs SELECT ledger_check();
-- A database that can't be written is named here; the next statement ends it.
.once '|while read -r n f; do case "$n$f" in main:*r/o) echo "the database is read-only: give a file that can be written";; main:/*) f="${f% r/w}"; test -w "${f%/*}/" || echo "the folder of the database cannot be written, and SQLite needs that: give a file in another";; esac; done >&2'
.databases

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
CREATE TABLE IF NOT EXISTS audit_progress(
  ledger_id TEXT NOT NULL,
  sub_ledger TEXT NOT NULL,
  transaction_id TEXT NOT NULL,     -- audited up to here
  run INTEGER NOT NULL,
  PRIMARY KEY(ledger_id, sub_ledger)
);
CREATE TABLE IF NOT EXISTS audit_lost(
  ledger_id TEXT NOT NULL,
  transaction_id TEXT NOT NULL,
  seqno INTEGER NOT NULL,
  sub_ledger TEXT NOT NULL,
  receipt_valid INTEGER,            -- all this was found when it was audited ...
  content TEXT,
  verified INTEGER NOT NULL,
  code TEXT NOT NULL,
  reason TEXT,
  node_id TEXT,
  run INTEGER NOT NULL REFERENCES audit_run,
  lost_run INTEGER NOT NULL         -- ... and this run missed it
);

-- Which ledger is it? A ledger that isn't attached, or doesn't answer, ends it.
CREATE TEMP TABLE audit_ping(ledger TEXT, answer TEXT);
INSERT INTO audit_ping
SELECT coalesce(:ledger, 'main'), ledger_ping(coalesce(:ledger, 'main'));
CREATE TEMP TABLE audit_key(key_sha256 TEXT
  CONSTRAINT [no service key to verify against: attach with option service_certificate]
  CHECK(key_sha256 IS NOT NULL));
INSERT INTO audit_key
SELECT i.key_sha256
  FROM temp.audit_ping AS p JOIN ledger_identity AS i ON i.ledger = p.ledger;
INSERT INTO audit_run(time_utc, url, ledger_id, api_version, module_version,
                      key_sha256, anchor_source)
SELECT strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), p.answer ->> '$.url', i.ledger_id,
       p.answer ->> '$.api_version', ledger_version(), i.key_sha256, i.source
  FROM temp.audit_ping AS p JOIN ledger_identity AS i ON i.ledger = p.ledger;
CREATE TEMP TABLE audit_now AS
SELECT r.*, p.ledger FROM audit_run AS r, temp.audit_ping AS p
 ORDER BY r.run DESC LIMIT 1;

SELECT 'SERVICE KEY CHANGED ' || last.key_sha256 || ' -> ' || n.key_sha256
  FROM temp.audit_now AS n
  JOIN audit_run AS last ON last.run = (SELECT max(run) FROM audit_run
        WHERE run < n.run AND ledger_id = n.ledger_id)
 WHERE last.key_sha256 <> n.key_sha256;

-- ---- what was audited, and is no longer there -------------------------------

-- A recovery from an older state loses entries, and a ledger made anew has none
-- of them; both give seqnos, even ids, to others. Nothing else undoes what is
-- committed, so that the newest entry audited tells for all. Where another key
-- vouched for it than is in force now, its receipt must name the same node still:
-- one that is late, or isn't valid, tells neither way.
CREATE TEMP TABLE audit_had(
  n INTEGER PRIMARY KEY, transaction_id TEXT, seqno INTEGER, sub_ledger TEXT,
  node_id TEXT, is_other_key INTEGER);
CREATE TEMP VIEW audit_all AS
SELECT NULL, a.transaction_id, a.seqno, a.sub_ledger,
       iif(a.receipt_valid, a.node_id, NULL), r.key_sha256 <> w.key_sha256
  FROM audit_now AS w
  JOIN audit AS a ON a.ledger_id = w.ledger_id
  JOIN audit_run AS r ON r.run = a.run;
CREATE TEMP VIEW audit_still AS
SELECT h.n, CASE (SELECT t.state FROM ledger_transactions AS t
                  WHERE t.ledger = w.ledger AND t.transaction_id = h.transaction_id)
            WHEN 'Committed' THEN iif(h.is_other_key AND h.node_id IS NOT NULL,
              coalesce((SELECT iif(a.receipt_valid, a.node_id = h.node_id, NULL)
                          FROM ledger_audit AS a
                         WHERE a.ledger = w.ledger
                           AND a.sub_ledger = h.sub_ledger
                           AND a.transaction_id = h.transaction_id), 'unproven'), 1)
            WHEN 'Invalid' THEN 0 END AS still -- NULL: not known to the ledger
  FROM audit_had AS h, audit_now AS w;
INSERT INTO audit_had SELECT * FROM temp.audit_all ORDER BY seqno DESC LIMIT 1;
CREATE TEMP TABLE audit_gone AS
SELECT n FROM temp.audit_still WHERE still IS NOT 1;
DELETE FROM temp.audit_had;
INSERT INTO audit_had SELECT * FROM temp.audit_all
 WHERE EXISTS(SELECT 1 FROM temp.audit_gone)
 ORDER BY seqno;
-- By halves: the first lo of them are there, the one numbered hi isn't.
CREATE TEMP TABLE audit_cut(
  n INTEGER, seqno INTEGER, is_known INTEGER
  CONSTRAINT [the ledger does not know (yet) what was audited before: run it again]
  CHECK(is_known),
  is_proven INTEGER
  CONSTRAINT [the ledger does not prove (yet) what was audited before (a receipt is late or invalid): run it again]
  CHECK(is_proven));
INSERT INTO audit_cut
WITH RECURSIVE half(lo, hi, n_other) AS (
  SELECT 0, count(*), 0 FROM temp.audit_had
  UNION ALL
  SELECT iif(s.still IS 1, s.n, lo), iif(s.still IS 1, hi, s.n),
         -- seen to be another's; NULL for good, where one couldn't be compared
         n_other + iif(s.still IS 'unproven', NULL, s.still IS 0)
    FROM half CROSS JOIN temp.audit_still AS s ON s.n = (lo + hi) / 2
   WHERE hi - lo > 1
), last(still) AS MATERIALIZED ( -- asked once: the answer may change
  SELECT still FROM temp.audit_still WHERE n = (SELECT hi FROM half WHERE hi - lo = 1)
)
SELECT lo, (SELECT seqno FROM temp.audit_had WHERE n = hi),
       -- a ledger made anew may have less than before; a node that lags, too
       -- ... so that one must have been seen to be another's
       iif(last.still IS NULL,
           lo = 0 AND coalesce(n_other, 0) > 0
           AND (SELECT is_other_key FROM temp.audit_had WHERE n = hi), 1),
       last.still IS NULL OR last.still IS 0
  FROM half CROSS JOIN last WHERE hi - lo = 1;
SAVEPOINT audit_lost;
INSERT INTO audit_lost
SELECT a.*, w.run FROM temp.audit_cut AS c, temp.audit_now AS w
  JOIN audit AS a ON a.ledger_id = w.ledger_id AND a.seqno >= c.seqno;
DELETE FROM audit
 WHERE ledger_id = (SELECT ledger_id FROM temp.audit_now)
   AND seqno >= (SELECT seqno FROM temp.audit_cut);
DELETE FROM audit_progress
 WHERE ledger_id = (SELECT ledger_id FROM temp.audit_now)
   AND ledger_txid_seqno(transaction_id) >= (SELECT seqno FROM temp.audit_cut);
RELEASE audit_lost;
SELECT printf('ENTRIES LOST: the ledger no longer has %d entries that were audited, %s to %s (missed first in run %d, %s): they stand in audit_lost',
              count(*), min(l.transaction_id COLLATE ledger_txid),
              max(l.transaction_id COLLATE ledger_txid), l.lost_run, r.time_utc)
  FROM audit_lost AS l JOIN audit_run AS r ON r.run = l.lost_run
 WHERE l.ledger_id = (SELECT ledger_id FROM temp.audit_now)
 GROUP BY l.lost_run;

-- The sub-ledgers to visit, those first that were not visited for longest.
CREATE TEMP TABLE audit_todo(
  n INTEGER PRIMARY KEY, sub_ledger TEXT UNIQUE, after TEXT);
INSERT INTO audit_todo(sub_ledger, after)
SELECT s.sub_ledger, -- a run may have ended between rows and progress
       coalesce((SELECT transaction_id FROM audit
                  WHERE ledger_id = (SELECT ledger_id FROM temp.audit_now)
                    AND sub_ledger = s.sub_ledger
                  ORDER BY seqno DESC LIMIT 1), '0.1')
  FROM (SELECT :sub_ledger AS sub_ledger WHERE :sub_ledger IS NOT NULL
        UNION
        SELECT 'subledger:0' WHERE :sub_ledger IS NULL
        UNION
        SELECT sub_ledger FROM ledger_sub_ledgers
         WHERE :sub_ledger IS NULL
           AND ledger = (SELECT ledger FROM temp.audit_now)) AS s
  LEFT JOIN audit_progress AS p
    ON p.sub_ledger = s.sub_ledger
   AND p.ledger_id = (SELECT ledger_id FROM temp.audit_now)
 ORDER BY coalesce(p.run, 0), s.sub_ledger;

-- The next 1,000 entries of the first sub-ledger to visit.
CREATE TEMP VIEW audit_job AS SELECT * FROM audit_todo ORDER BY n LIMIT 1;
CREATE TEMP VIEW audit_next AS
SELECT (SELECT ledger_id FROM audit_now), transaction_id,
       ledger_txid_seqno(transaction_id), sub_ledger, receipt_valid, content,
       verified, code, reason, node_id, (SELECT run FROM audit_now)
  FROM ledger_audit
 WHERE ledger = (SELECT ledger FROM audit_now)
   AND sub_ledger = (SELECT sub_ledger FROM audit_job)
   AND transaction_id > (SELECT after FROM audit_job)
 ORDER BY transaction_id
 LIMIT 1000 * (SELECT count(*) FROM audit_job);

-- One step: these entries, how far that is, and, where it is the end of the
-- sub-ledger, on to the next. A step that finds nothing to do costs no request.
CREATE TEMP TABLE audit_step(n INTEGER);
CREATE TEMP TRIGGER audit_stepped AFTER INSERT ON audit_step BEGIN
  INSERT OR REPLACE INTO audit_progress
  SELECT n.ledger_id, j.sub_ledger, a.transaction_id, n.run
    FROM audit_now AS n, audit_job AS j
    JOIN (SELECT transaction_id FROM audit
           WHERE ledger_id = (SELECT ledger_id FROM audit_now)
             AND sub_ledger = (SELECT sub_ledger FROM audit_job)
           ORDER BY seqno DESC LIMIT 1) AS a;
  UPDATE audit_todo
     SET after = (SELECT transaction_id FROM audit_progress AS p, audit_now AS n
                   WHERE p.ledger_id = n.ledger_id
                     AND p.sub_ledger = audit_todo.sub_ledger)
   WHERE NEW.n = 1000 AND n = (SELECT n FROM audit_job);
  DELETE FROM audit_todo WHERE NEW.n < 1000 AND n = (SELECT n FROM audit_job);
END;
.read '|yes "INSERT INTO audit SELECT * FROM temp.audit_next; INSERT INTO audit_step SELECT changes();" | head -n 2000'

SELECT 'not finished: run it again, it goes on where it stopped'
 WHERE EXISTS(SELECT 1 FROM temp.audit_todo);

-- ---- what was found ---------------------------------------------------------

CREATE TEMP VIEW audit_found AS
SELECT a.*, CASE WHEN receipt_valid IS NULL THEN 'no receipt'
                 WHEN NOT receipt_valid THEN 'invalid'
                 WHEN verified THEN 'verified' ELSE content END AS finding
  FROM audit AS a
 WHERE a.ledger_id = (SELECT ledger_id FROM audit_now);

SELECT printf('ledger %s: %d entries audited, %d of them now (run %d, %s, key %s, %s)',
              n.ledger_id, count(f.run), count(*) FILTER (WHERE f.run = n.run),
              n.run, n.time_utc, n.key_sha256, n.anchor_source)
  FROM temp.audit_now AS n LEFT JOIN temp.audit_found AS f;
SELECT printf('%d of them were audited against another service key: %s',
              count(*), r.key_sha256)
  FROM temp.audit_found AS f JOIN audit_run AS r USING(run)
 WHERE r.key_sha256 <> (SELECT key_sha256 FROM temp.audit_now)
 GROUP BY r.key_sha256;
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
  LEFT JOIN temp.audit_found AS f ON f.finding = k.finding
 GROUP BY k.n ORDER BY k.n;
-- (A name with a line break in it must not pass for a line of this output.)
SELECT printf('%s: %s in %s: %s: %s', finding, transaction_id,
              iif(sub_ledger GLOB '*[' || char(1) || '-' || char(31) || ']*',
                  json_quote(sub_ledger), sub_ledger), code, reason)
  FROM temp.audit_found WHERE finding IN ('invalid', 'no receipt')
 ORDER BY seqno;
SELECT 'A receipt shows neither who appended an entry (a node signs, not a user), nor when,';
SELECT 'nor that none is missing, nor its tags, nor that the enclave is genuine.';
SELECT 'the ledger has no entry in sub-ledger ' || json_quote(:sub_ledger)
       || ': SELECT sub_ledger FROM ledger_sub_ledgers tells their names'
 WHERE :sub_ledger IS NOT NULL
   AND NOT EXISTS(SELECT 1 FROM audit WHERE ledger_id = (SELECT ledger_id FROM temp.audit_now) AND sub_ledger = :sub_ledger);

-- The exit status is 1 where something is not as it should be.
CREATE TEMP TABLE audit_outcome(n INTEGER
  CONSTRAINT [invalid, without a receipt, lost, not finished or not there: see above]
  CHECK(n = 0));
INSERT INTO audit_outcome
SELECT (SELECT count(*) FROM temp.audit_found WHERE finding IN ('invalid', 'no receipt'))
     + (SELECT count(*) FROM temp.audit_todo)
     + (SELECT count(*) FROM audit_lost WHERE ledger_id = (SELECT ledger_id FROM temp.audit_now))
     + (:sub_ledger IS NOT NULL AND NOT EXISTS(
          SELECT 1 FROM audit WHERE ledger_id = (SELECT ledger_id FROM temp.audit_now) AND sub_ledger = :sub_ledger));
