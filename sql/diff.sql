-- What one ledger has and another has not. Nothing is written, to no ledger and no
-- database.
--
--     sqlite3 -cmd '.load ./build/ledger' \
--       -cmd "SELECT ledger_attach('my-ledger')" \
--       -cmd "SELECT ledger_attach('other-ledger', 'other')" \
--       -cmd ".parameter set :other \"'other'\"" < sql/diff.sql
--
-- The first is the ledger attached as main, or -cmd ".parameter set :ledger \"'pay'\"".
--
-- Each ledger gives ids of its own. So what they hold is compared: how often each
-- sub-ledger has an entry with these contents and tags, in whatever order. A line is
-- what one of them has more often, and how much more often: only_in, times,
-- sub_ledger, contents, tags, and the id of one such entry there.
--
-- The last line says how many entries were compared. The exit status is 1 where
-- something differs. Each ledger is read once, in one snapshot; what has to be sorted
-- goes to disk. (sql/diff-mirror.sql compares a ledger with its local copy.)

.bail on
SELECT 1 WHERE NOT ledger_check(/* load the module first: .load ./build/ledger */);

-- What an earlier run left that did not come to its end.
DROP TABLE IF EXISTS temp.ledger_diff;
CREATE TEMP TABLE ledger_diff(
  only_in TEXT, times INTEGER, sub_ledger TEXT, contents TEXT, tags TEXT,
  transaction_id TEXT, n_compared INTEGER);
INSERT INTO temp.ledger_diff
WITH both AS MATERIALIZED (
  SELECT 1 AS here, sub_ledger, contents, tags, transaction_id FROM ledger_entries
   WHERE ledger = coalesce(:ledger, 'main')
  UNION ALL
  SELECT 0, sub_ledger, contents, tags, transaction_id FROM ledger_entries
   WHERE ledger = coalesce(:other, ledger_require(0,
           'name the other ledger by .parameter set :other'))
)
SELECT iif(more > 0, coalesce(:ledger, 'main'), :other), abs(more), sub_ledger,
       contents, tags, iif(more > 0, its_id, other_id), NULL
  FROM (SELECT sub_ledger, contents, tags, sum(iif(here, 1, -1)) AS more,
               max(iif(here, transaction_id, NULL)) AS its_id,
               max(iif(here, NULL, transaction_id)) AS other_id
          FROM both GROUP BY sub_ledger, contents, tags)
 WHERE more <> 0
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, count(*) FROM both;

SELECT only_in, times, sub_ledger, contents, tags, transaction_id
  FROM temp.ledger_diff WHERE n_compared IS NULL
 ORDER BY sub_ledger, contents;
SELECT printf('%d entries compared, %d differences', sum(n_compared),
              count(*) FILTER (WHERE n_compared IS NULL)) AS diff
  FROM temp.ledger_diff HAVING count(n_compared);

-- What this run made in temp goes; that there are differences stays known, by changes().
DELETE FROM temp.ledger_diff WHERE n_compared IS NULL;
DROP TABLE temp.ledger_diff;
SELECT 1 WHERE NOT ledger_require(changes() = 0, 'the ledgers differ: see above');
