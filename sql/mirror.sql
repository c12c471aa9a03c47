-- A local copy of a ledger's entries, with indexes and a full text search over their
-- contents. Run again, it copies what is new.
--
--     sqlite3 -cmd '.load ./build/ledger' local.db < sql/mirror.sql
--
-- The ledger is that of LEDGER_URL and LEDGER_OPTIONS, or one attached before; another
-- than the one attached as main:
--     -cmd "SELECT ledger_attach('my-ledger', 'pay')"
--     -cmd ".parameter set :ledger \"'pay'\""
-- or `.read sql/mirror.sql` in a session. A file may hold copies of several ledgers.
--
-- It writes these tables, which need no module to be read:
--
--   mirror        a row for each entry: ledger_id, transaction_id, seqno, sub_ledger,
--                 contents, tags (a JSON array)
--   mirror_text   FTS5 over contents; its rowid is the id in mirror:
--                   SELECT m.transaction_id, m.contents
--                     FROM mirror_text AS t JOIN mirror AS m ON m.id = t.rowid
--                    WHERE mirror_text MATCH 'alice NOT bob';
--   mirror_run    a row for each run: when, which ledger, under which service key
--   mirror_lost   what had been copied and is no longer in the ledger
--
-- What is new is one snapshot of the ledger, copied by one statement: a run that is
-- interrupted or killed has copied all of it or nothing. (With option cache what it
-- had read is not asked for again.) Rows stream, whatever their number; meanwhile
-- nobody else can write to the file.
--
-- Only a recovery from an older state, or a ledger made anew under the name, takes
-- back what was committed. Where the service key is another than in the last run, or
-- the newest entry is not there any more, the whole copy is held against the ledger:
-- from the first entry on that differs all rows move to mirror_lost, ENTRIES LOST says
-- so, and what the ledger has in their place is copied. The exit status is 1 as long
-- as mirror_lost has rows of this ledger; delete them when you have seen to it.

.bail on
SELECT 1 WHERE NOT ledger_check(/* load the module first: .load ./build/ledger */);

SELECT 1 WHERE NOT ledger_require(
  (SELECT coalesce(max(name = 'ledger_id'), 1) FROM pragma_table_info('mirror', 'main')),
  'this file has a table named mirror that is another''s: give another file');
CREATE TABLE IF NOT EXISTS main.mirror(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  ledger_id TEXT NOT NULL,
  transaction_id TEXT NOT NULL,
  seqno INTEGER NOT NULL,           -- ids in their order
  sub_ledger TEXT NOT NULL,
  contents TEXT NOT NULL,
  tags TEXT
);
CREATE UNIQUE INDEX IF NOT EXISTS main.mirror_order ON mirror(ledger_id, seqno, sub_ledger);
CREATE INDEX IF NOT EXISTS main.mirror_sub_ledger ON mirror(sub_ledger, seqno);
CREATE INDEX IF NOT EXISTS main.mirror_transaction ON mirror(transaction_id);
CREATE VIRTUAL TABLE IF NOT EXISTS main.mirror_text
  USING fts5(contents, content='mirror', content_rowid='id');
CREATE TRIGGER IF NOT EXISTS main.mirror_insert AFTER INSERT ON mirror BEGIN
  INSERT INTO mirror_text(rowid, contents) VALUES(NEW.id, NEW.contents);
END;
CREATE TRIGGER IF NOT EXISTS main.mirror_delete AFTER DELETE ON mirror BEGIN
  INSERT INTO mirror_text(mirror_text, rowid, contents)
  VALUES('delete', OLD.id, OLD.contents);
END;
CREATE TRIGGER IF NOT EXISTS main.mirror_update AFTER UPDATE ON mirror BEGIN
  INSERT INTO mirror_text(mirror_text, rowid, contents)
  VALUES('delete', OLD.id, OLD.contents);
  INSERT INTO mirror_text(rowid, contents) VALUES(NEW.id, NEW.contents);
END;
CREATE TABLE IF NOT EXISTS main.mirror_run(
  run INTEGER PRIMARY KEY,
  time_utc TEXT NOT NULL,
  ledger_id TEXT NOT NULL,
  url TEXT NOT NULL,
  key_sha256 TEXT,                  -- of the service key trusted in this run
  copied INTEGER NOT NULL,          -- entries
  to_seqno INTEGER NOT NULL         -- no entry up to here is missing
);
CREATE TABLE IF NOT EXISTS main.mirror_lost(
  id INTEGER PRIMARY KEY,
  ledger_id TEXT NOT NULL,
  transaction_id TEXT NOT NULL,
  seqno INTEGER NOT NULL,
  sub_ledger TEXT NOT NULL,
  contents TEXT NOT NULL,
  tags TEXT,
  run INTEGER NOT NULL              -- which missed it
);
-- What a run left that was killed between copying lost rows and deleting them.
DELETE FROM main.mirror WHERE id IN (SELECT id FROM main.mirror_lost);

-- ---- which ledger it is, and whether it has lost something ---------------------

-- What a run left that did not come to its end.
DROP TABLE IF EXISTS temp.mirror_now;
CREATE TEMP TABLE mirror_now(
  ledger TEXT, ledger_id TEXT, url TEXT, key_sha256 TEXT, key_was TEXT,
  run INTEGER,
  had INTEGER,                      -- the newest id in mirror
  after INTEGER,                    -- seqnos up to this one are copied
  first_lost INTEGER,               -- seqno
  loss TEXT                         -- none, certain or unknown
);
INSERT INTO temp.mirror_now
WITH asked AS MATERIALIZED (
  SELECT ledger_ping(coalesce(:ledger, 'main')) AS answer
), now AS MATERIALIZED (
  SELECT i.ledger, i.ledger_id, p.answer ->> '$.url' AS url, i.key_sha256
    FROM asked AS p CROSS JOIN ledger_identity AS i ON i.ledger = p.answer ->> '$.ledger'
), newest AS MATERIALIZED (
  SELECT m.* FROM now AS n CROSS JOIN main.mirror AS m ON m.ledger_id = n.ledger_id
   ORDER BY m.seqno DESC LIMIT 1
), was AS (
  SELECT r.run, r.key_sha256 FROM now AS n JOIN main.mirror_run AS r USING(ledger_id)
   ORDER BY r.run DESC LIMIT 1
), suspected AS MATERIALIZED (
  SELECT n.ledger, n.ledger_id, w.seqno AS to_seqno
    FROM now AS n, newest AS w
   WHERE (SELECT key_sha256 FROM was) IS NOT n.key_sha256
      OR NOT EXISTS(SELECT 1 FROM ledger_entries AS e
                     WHERE e.ledger = n.ledger AND e.sub_ledger = w.sub_ledger
                       AND e.transaction_id = w.transaction_id
                       AND e.contents = w.contents AND e.tags IS w.tags)
), lost AS MATERIALIZED (
  -- The first row of which the ledger has no equal.
  SELECT m.transaction_id, m.seqno, m.sub_ledger, m.contents
    FROM suspected AS s CROSS JOIN main.mirror AS m ON m.ledger_id = s.ledger_id
   WHERE m.id NOT IN (
     SELECT h.id
       FROM suspected AS t
      CROSS JOIN ledger_entries AS e ON e.ledger = t.ledger AND e.seqno <= t.to_seqno
      CROSS JOIN main.mirror AS h ON h.ledger_id = t.ledger_id AND h.seqno = e.seqno
        AND h.sub_ledger = e.sub_ledger
      WHERE h.transaction_id = e.transaction_id AND h.contents = e.contents
        AND h.tags IS e.tags)
   ORDER BY m.seqno LIMIT 1
)
SELECT n.ledger, n.ledger_id, n.url, n.key_sha256, (SELECT key_sha256 FROM was),
       (SELECT coalesce(max(run), 0) + 1 FROM main.mirror_run),
       (SELECT coalesce(max(id), 0) FROM main.mirror), NULL, l.seqno,
       -- A node that lags must not make a loss: the id has to be void, or another's.
       CASE WHEN l.seqno IS NULL THEN 'none'
            ELSE CASE (SELECT t.state FROM ledger_transactions AS t
                        WHERE t.ledger = n.ledger AND t.transaction_id = l.transaction_id)
         WHEN 'Invalid' THEN 'certain'
         WHEN 'Committed' THEN iif(
           EXISTS(SELECT 1 FROM ledger_entries AS e
                   WHERE e.ledger = n.ledger AND e.sub_ledger = l.sub_ledger
                     AND e.transaction_id = l.transaction_id
                     AND e.contents = l.contents), 'unknown', 'certain')
         ELSE 'unknown' END END
  FROM now AS n LEFT JOIN lost AS l;
SELECT 1 WHERE NOT ledger_require((SELECT loss IN ('none', 'certain') FROM temp.mirror_now),
  'the ledger does not know (yet) what was copied before: run it again');

SELECT 'SERVICE KEY CHANGED ' || key_was || ' -> ' || key_sha256 AS mirror
  FROM temp.mirror_now WHERE key_was <> key_sha256;

INSERT INTO main.mirror_lost
SELECT m.*, n.run
  FROM temp.mirror_now AS n CROSS JOIN main.mirror AS m ON m.ledger_id = n.ledger_id
 WHERE m.seqno >= n.first_lost;
DELETE FROM main.mirror WHERE id IN (SELECT id FROM main.mirror_lost);

-- ---- what is new ---------------------------------------------------------------

UPDATE temp.mirror_now
   SET after = (SELECT coalesce(max(m.seqno), 0) FROM main.mirror AS m
                 WHERE m.ledger_id = mirror_now.ledger_id);
INSERT INTO main.mirror(ledger_id, transaction_id, seqno, sub_ledger, contents, tags)
SELECT n.ledger_id, e.transaction_id, e.seqno, e.sub_ledger, e.contents, e.tags
  FROM temp.mirror_now AS n
 CROSS JOIN ledger_entries AS e ON e.ledger = n.ledger AND e.seqno > n.after;
INSERT INTO main.mirror_run
SELECT n.run, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), n.ledger_id, n.url, n.key_sha256,
       (SELECT count(*) FROM main.mirror WHERE id > n.had),
       (SELECT coalesce(max(seqno), 0) FROM main.mirror AS m
         WHERE m.ledger_id = n.ledger_id)
  FROM temp.mirror_now AS n;

-- ---- what came of it -----------------------------------------------------------

SELECT printf('ledger %s: %d entries, %d of them new (run %d, %s)', n.ledger_id,
              (SELECT count(*) FROM main.mirror AS m WHERE m.ledger_id = n.ledger_id),
              r.copied, r.run, r.time_utc) AS mirror
  FROM temp.mirror_now AS n
  JOIN main.mirror_run AS r USING(run);
SELECT printf('ENTRIES LOST: the ledger no longer has %d entries that were copied, seqno %d to %d (first missed in run %d): see the table mirror_lost',
              count(*), min(l.seqno), max(l.seqno), l.run) AS mirror
  FROM temp.mirror_now AS n JOIN main.mirror_lost AS l USING(ledger_id)
 GROUP BY l.run;

-- What this run made in temp goes; that entries were lost stays known, by changes().
DELETE FROM temp.mirror_now WHERE ledger_id IN (SELECT ledger_id FROM main.mirror_lost);
DROP TABLE temp.mirror_now;
SELECT 1 WHERE NOT ledger_require(changes() = 0, 'entries were lost: see above');
