-- Where a local copy of a ledger (sql/mirror.sql) is not as the ledger is. Nothing is
-- written, to no ledger and no database.
--
--     sqlite3 -cmd '.load ./build/ledger' local.db < sql/diff-mirror.sql
--
-- The ledger is that of LEDGER_URL and LEDGER_OPTIONS, or one attached before; another
-- than the one attached as main: -cmd ".parameter set :ledger \"'pay'\"".
--
-- A line is an entry that is `missing` in the copy, `extra` there (the ledger has no
-- such entry), or `changed`: difference, transaction_id, sub_ledger, contents and tags
-- in the ledger, contents and tags in the copy. What was appended after the last run of
-- sql/mirror.sql is no difference.
--
-- The last line says how many entries were compared. The exit status is 1 where
-- something differs. To mend a copy: delete its rows from the first difference on
-- (DELETE FROM mirror WHERE ledger_id = ... AND seqno >= ...), and run sql/mirror.sql.

.bail on
SELECT 1 WHERE NOT ledger_check(/* load the module first: .load ./build/ledger */);
SELECT 1 WHERE NOT ledger_require(
  EXISTS(SELECT 1 FROM main.sqlite_schema WHERE name = 'mirror_run'),
  'no copy in this file: run sql/mirror.sql first');

-- What an earlier run left that did not come to its end.
DROP TABLE IF EXISTS temp.ledger_diff;
CREATE TEMP TABLE ledger_diff(
  difference TEXT, seqno INTEGER, transaction_id TEXT, sub_ledger TEXT, contents TEXT,
  tags TEXT, copied_contents TEXT, copied_tags TEXT, n_compared INTEGER);
INSERT INTO temp.ledger_diff
WITH asked AS MATERIALIZED (
  SELECT ledger_ping(coalesce(:ledger, 'main')) AS answer
), now AS MATERIALIZED (
  SELECT i.ledger, i.ledger_id,
         coalesce((SELECT r.to_seqno FROM main.mirror_run AS r
                    WHERE r.ledger_id = i.ledger_id ORDER BY r.run DESC LIMIT 1),
                  ledger_require(0, 'no copy of this ledger: run sql/mirror.sql'))
         AS to_seqno
    FROM asked AS p CROSS JOIN ledger_identity AS i ON i.ledger = p.answer ->> '$.ledger'
), both AS MATERIALIZED (
  SELECT 1 AS here, e.seqno, e.transaction_id, e.sub_ledger, e.contents, e.tags
    FROM now AS n
   CROSS JOIN ledger_entries AS e ON e.ledger = n.ledger AND e.seqno <= n.to_seqno
  UNION ALL
  SELECT 0, m.seqno, m.transaction_id, m.sub_ledger, m.contents, m.tags
    FROM now AS n CROSS JOIN main.mirror AS m ON m.ledger_id = n.ledger_id
)
SELECT CASE sides WHEN 1 THEN 'missing' WHEN 0 THEN 'extra' ELSE 'changed' END,
       seqno, id, sub_ledger, contents, tags, copied_contents, copied_tags, NULL
  FROM (SELECT seqno, sub_ledger, max(transaction_id) AS id, min(transaction_id) AS id2,
               CASE count(*) WHEN 2 THEN 2 ELSE max(here) END AS sides,
               max(iif(here, contents, NULL)) AS contents,
               max(iif(here, tags, NULL)) AS tags,
               max(iif(here, NULL, contents)) AS copied_contents,
               max(iif(here, NULL, tags)) AS copied_tags
          FROM both GROUP BY seqno, sub_ledger)
 WHERE sides <> 2 OR id <> id2 OR contents <> copied_contents OR tags IS NOT copied_tags
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, count(*) FROM both WHERE here;

SELECT difference, transaction_id, sub_ledger, contents, tags, copied_contents,
       copied_tags
  FROM temp.ledger_diff WHERE n_compared IS NULL
 ORDER BY seqno, sub_ledger;
SELECT printf('%d entries compared, %d differences', sum(n_compared),
              count(*) FILTER (WHERE n_compared IS NULL)) AS diff
  FROM temp.ledger_diff HAVING count(n_compared);

-- What this run made in temp goes; that there are differences stays known, by changes().
DELETE FROM temp.ledger_diff WHERE n_compared IS NULL;
DROP TABLE temp.ledger_diff;
SELECT 1 WHERE NOT ledger_require(changes() = 0, 'the copy differs from the ledger: see above');
