-- Has every change of a local table recorded in a ledger: prints the triggers that
-- write each INSERT, UPDATE and DELETE into the outbox, in the transaction of the
-- change. Nothing is written by this script.
--
--     sqlite3 local.db < sql/outbox.sql                           -- once per file
--     sqlite3 -readonly -list -noheader \
--       -cmd ".parameter set :table \"'account'\"" \
--       local.db < sql/audit_trigger.sql > account.sql
--     sqlite3 -bail local.db < account.sql
--     ...
--     SELECT ledger_flush();                         -- needs the module; at any time
--
-- Look at account.sql before you run it, and take out the columns that no ledger should
-- hold: an entry can't be removed. Run all three again when the table has got another
-- column. The entries go into a sub-ledger of the table's name, another one is
--     -cmd ".parameter set :sub_ledger \"'audit'\""
--
-- An entry is JSON: {"table":"account","change":"update","was":{...},"is":{...}}, a BLOB
-- in it {"hex":"..."}, an infinite number {"real":"Inf"}; another one has the digits that
-- SQLite's JSON gives it, which may be 15 (0.1 + 0.2 is 0.3). A change whose JSON is
-- longer than 8192 bytes fails: a ledger takes no more. INSERT OR REPLACE tells of the
-- row it removes only after PRAGMA recursive_triggers = ON. Changes made while no
-- trigger was there are not recorded, nor who made one: put that into a column.
--
-- To take them away: DROP TRIGGER account_ledger_insert, and so on.

WITH asked(tab) AS MATERIALIZED (
  SELECT (SELECT name FROM main.sqlite_schema
           WHERE type = 'table' AND name = :table COLLATE NOCASE)
), row(version, json) AS MATERIALIZED (
  -- A row of the table as JSON, by its columns.
  SELECT v.version, (SELECT group_concat(printf(
           '%Q, CASE WHEN typeof(%s."%w") = ''blob'' THEN json_object(''hex'', hex(%s."%w"))
        WHEN +%s."%w" IN (9e999, -9e999) THEN json_object(''real'', CAST(%s."%w" AS TEXT)) ELSE %s."%w" END',
           c.name, v.version, c.name, v.version, c.name, v.version, c.name, v.version, c.name,
           v.version, c.name),
           ',' || char(10) || '      ')
             FROM asked, pragma_table_info(tab) AS c)
    FROM (SELECT 'OLD' AS version UNION ALL SELECT 'NEW') AS v
)
SELECT printf('DROP TRIGGER IF EXISTS main."%w_ledger_%s";
CREATE TRIGGER main."%w_ledger_%s" AFTER %s ON "%w" BEGIN
  INSERT INTO ledger_outbox(sub_ledger, contents) VALUES(%Q, json_object(
    ''table'', %Q, ''change'', %Q%s%s));
END;', tab, k.change, tab, k.change, upper(k.change), tab, coalesce(:sub_ledger, tab),
       tab, k.change,
       (SELECT printf(',%s    ''was'', json_object(%s      %s)', char(10), char(10), json)
          FROM row WHERE version = 'OLD' AND k.change <> 'insert'),
       (SELECT printf(',%s    ''is'', json_object(%s      %s)', char(10), char(10), json)
          FROM row WHERE version = 'NEW' AND k.change <> 'delete'))
  FROM (SELECT CASE
                 WHEN NOT EXISTS(SELECT 1 FROM main.sqlite_schema WHERE name = 'ledger_outbox')
                 THEN json_extract('{}', 'no outbox in this file: .read sql/outbox.sql first')
                 WHEN :table IS NULL
                 THEN json_extract('{}', 'name a table by .parameter set :table')
                 WHEN (SELECT count(*) FROM pragma_table_info(tab)) > 63
                 THEN json_extract('{}', 'json_object() takes no more than 63 columns')
                 ELSE coalesce(tab, json_extract('{}', 'there is no table ' || :table))
               END AS tab
          FROM asked),
       (SELECT 1 AS n, 'insert' AS change UNION ALL SELECT 2, 'update'
        UNION ALL SELECT 3, 'delete') AS k
 ORDER BY k.n;
