-- Writes the entries of a ledger as CSV that sql/csv.sql takes back.
--
--     sqlite3 -csv -header -cmd '.load ./build/ledger' < sql/csv-export.sql > entries.csv
--
-- The ledger is that of LEDGER_URL and LEDGER_OPTIONS, or one attached before, without
-- a word in the file:
--     sqlite3 -csv -header -cmd '.load ./build/ledger' -cmd '.once /dev/null' \
--       -cmd "SELECT ledger_attach('my-ledger')" < sql/csv-export.sql > entries.csv
-- Only one sub-ledger, and another ledger than the one attached as main:
--     -cmd ".parameter set :sub_ledger \"'payments'\""
--     -cmd ".parameter set :ledger \"'pay'\""
--
-- One snapshot of the ledger, in its order; rows stream. The exit status is 1 where
-- the file is not complete: the ledger failed, or contents hold a NUL, which no CSV
-- can (the error names the entry). In a session: .mode csv, .headers on,
-- .output entries.csv, .read sql/csv-export.sql, and .output.

.bail on
SELECT 1 WHERE NOT ledger_check(/* load the module first: .load ./build/ledger */);

SELECT transaction_id, sub_ledger,
       -- The shell's CSV would end at the NUL.
       iif(instr(contents, char(0)), ledger_require(0,
             'the contents of ' || transaction_id || ' hold a NUL: not for CSV'),
           contents) AS contents,
       tags
  FROM (SELECT transaction_id, sub_ledger, contents, tags FROM ledger_entries
         WHERE :sub_ledger IS NULL AND ledger = coalesce(:ledger, 'main')
        UNION ALL
        SELECT transaction_id, sub_ledger, contents, tags FROM ledger_entries
         WHERE sub_ledger = :sub_ledger AND ledger = coalesce(:ledger, 'main')
        UNION ALL
        -- The shell writes the header with the first row. Where there is none, it is
        -- written here, and no row comes of that.
        SELECT NULL, NULL, NULL, NULL
         WHERE CASE WHEN NOT EXISTS(SELECT 1 FROM ledger_sub_ledgers
                           WHERE :sub_ledger IS NULL AND ledger = coalesce(:ledger, 'main'))
                     AND NOT EXISTS(SELECT 1 FROM ledger_entries
                           WHERE sub_ledger = :sub_ledger AND ledger = coalesce(:ledger, 'main'))
                    THEN shell_putsnl('transaction_id,sub_ledger,contents,tags')
                    ELSE '' END IS NULL)
 ORDER BY transaction_id;
