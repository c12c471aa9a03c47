-- Appends the rows of a CSV file to a ledger, each once: through a staging table and
-- the outbox.
--
--     sqlite3 -cmd '.load ./build/ledger' -cmd '.read sql/outbox.sql' \
--       -cmd '.import --csv --schema temp payments.csv csv_staging' \
--       local.db < sql/csv.sql
--
-- The first line of the file names its columns: `contents`, and, if you like,
-- `sub_ledger` (where it is missing or empty: `subledger:0`), `tags` ('a,b' or a JSON
-- array) and `ledger` (the name of an attached one). Others are left out. To make
-- contents of several columns, import into another table first:
--
--       -cmd '.import --csv --schema temp people.csv people' \
--       -cmd "CREATE TEMP TABLE csv_staging AS SELECT 'people' AS sub_ledger,
--               json_object('name', name, 'city', city) AS contents FROM people" \
--
-- Import alone first, and read what the shell says: of a line with too many fields it
-- ignores the rest, and goes on. What has reached the ledger stays there.
--
-- All rows go into the table ledger_outbox of the file by one statement, or none does:
-- a row that the ledger would refuse (more than 8192 bytes, six tags) is named by the
-- error. Then they are sent, in their order. If that is interrupted or fails, run
--     SELECT ledger_flush();
-- or the same command again: the table csv_import keeps a hash of each import, so that
-- the same rows are not imported twice (to have that, delete its row). What became of
-- each row: SELECT id, state, transaction_id, error FROM ledger_outbox.
--
-- The ledger is that of LEDGER_URL and LEDGER_OPTIONS, or one attached before:
--     -cmd "SELECT ledger_attach('my-ledger')"
-- The other way: sql/csv-export.sql.

.bail on
SELECT 1 WHERE NOT ledger_check(/* load the module first: .load ./build/ledger */);
SELECT 1 WHERE NOT ledger_require(
  EXISTS(SELECT 1 FROM main.sqlite_schema WHERE name = 'ledger_outbox'),
  'no outbox in this file: .read sql/outbox.sql first');
SELECT 1 WHERE NOT ledger_require(
  EXISTS(SELECT 1 FROM temp.sqlite_schema WHERE name = 'csv_staging'),
  'no rows: .import --csv --schema temp FILE csv_staging first');
SELECT 1 WHERE NOT ledger_require(
  EXISTS(SELECT 1 FROM pragma_table_info('csv_staging', 'temp')
          WHERE name = 'contents' COLLATE NOCASE),
  'no column contents: the first line of FILE names its columns');

CREATE TABLE IF NOT EXISTS main.csv_import(
  id INTEGER PRIMARY KEY,
  time_utc TEXT NOT NULL,
  rows INTEGER NOT NULL,
  sha3 BLOB NOT NULL UNIQUE         -- of the staged rows and their columns' names
);
-- What an earlier run left that did not come to its end.
DROP TRIGGER IF EXISTS temp.csv_import_rows;
-- A name that an inner SELECT doesn't find is that of d: a file without a column `tags`
-- has NULL there. (And a file may have a column `rowid`, which is not the row's.)
CREATE TEMP TRIGGER csv_import_rows AFTER INSERT ON main.csv_import BEGIN
  SELECT RAISE(ABORT, 'csv_staging holds the line of the names, too: DROP TABLE temp.csv_staging, and import again')
   WHERE 'contents' = (SELECT s.contents FROM csv_staging AS s ORDER BY s._rowid_ LIMIT 1);
  INSERT INTO ledger_outbox(contents, sub_ledger, tags, ledger)
  SELECT s.contents,
         coalesce(nullif((SELECT sub_ledger FROM csv_staging AS c
                           WHERE c._rowid_ = s._rowid_), ''), 'subledger:0'),
         nullif((SELECT tags FROM csv_staging AS c WHERE c._rowid_ = s._rowid_), ''),
         nullif((SELECT ledger FROM csv_staging AS c WHERE c._rowid_ = s._rowid_), '')
    FROM (SELECT NULL AS sub_ledger, NULL AS tags, NULL AS ledger) AS d
   CROSS JOIN csv_staging AS s
   ORDER BY s._rowid_;
END;
INSERT INTO main.csv_import(time_utc, rows, sha3)
SELECT strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), (SELECT count(*) FROM temp.csv_staging), h
  FROM (SELECT sha3_query('PRAGMA temp.table_info(csv_staging);' ||
           ' SELECT * FROM temp.csv_staging ORDER BY _rowid_') AS h)
 WHERE h NOT IN (SELECT sha3 FROM main.csv_import);
SELECT iif(changes() = 0, 'nothing is imported: the same rows were, ' || time_utc,
           printf('%d rows are in the outbox', rows)) AS csv
  FROM main.csv_import
 WHERE sha3 = sha3_query('PRAGMA temp.table_info(csv_staging);' ||
           ' SELECT * FROM temp.csv_staging ORDER BY _rowid_');
DROP TRIGGER temp.csv_import_rows;
DROP TABLE temp.csv_staging;

SELECT printf('%d rows of the outbox were committed', ledger_flush()) AS csv;
