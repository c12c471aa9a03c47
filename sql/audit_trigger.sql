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
-- in it {"hex":"..."}, an infinite number {"real":"Inf"}; another one has 15 digits where
-- they give the same number back, else 17 (beyond 1e100, or below 1e-100, the last may be
-- off in a SQLite before 3.43). A change whose JSON is longer than 8192 bytes fails, for a
-- ledger takes no more, and so does one with text that is not UTF-8. INSERT OR REPLACE
-- tells of the row it removes only after PRAGMA recursive_triggers = ON. Changes made
-- while no trigger was there are not recorded, nor who made one: put that into a column.
--
-- To take them away: DROP TRIGGER account_ledger_insert, and so on.

.bail on
-- What is wrong is said by a trigger, so that SQLite puts no words of its own before it.
DROP VIEW IF EXISTS temp.audit_trigger_asked; -- an earlier run's that failed
CREATE TEMP VIEW audit_trigger_asked AS SELECT NULL AS tab;
CREATE TEMP TRIGGER audit_trigger_refused INSTEAD OF INSERT ON audit_trigger_asked BEGIN
  SELECT RAISE(ABORT, 'no outbox in this file: .read sql/outbox.sql first')
   WHERE NOT EXISTS(SELECT 1 FROM main.sqlite_schema WHERE name = 'ledger_outbox');
  SELECT RAISE(ABORT, 'name a table by .parameter set :table') WHERE NEW.tab IS NULL;
  SELECT RAISE(ABORT, 'there is no table of that name in this file')
   WHERE NOT EXISTS(SELECT 1 FROM main.sqlite_schema
                     WHERE type = 'table' AND name = NEW.tab COLLATE NOCASE);
  SELECT RAISE(ABORT, 'the outbox can''t record its own changes: name another table')
   WHERE NEW.tab = 'ledger_outbox' COLLATE NOCASE;
  SELECT RAISE(ABORT, 'json_object() takes no more than 63 columns')
   WHERE (SELECT count(*) FROM pragma_table_info(NEW.tab)) > 63;
END;
INSERT INTO temp.audit_trigger_asked VALUES(:table);
DROP VIEW temp.audit_trigger_asked;

WITH asked(tab) AS MATERIALIZED (
  SELECT name FROM main.sqlite_schema
   WHERE type = 'table' AND name = :table COLLATE NOCASE
), row(version, json) AS MATERIALIZED (
  -- A row of the table as JSON, by its columns; @ stands for one.
  SELECT v.version, (SELECT group_concat(printf('%Q, ', c.name) || replace(
           'CASE WHEN typeof(@) = ''blob'' THEN json_object(''hex'', hex(@))
        WHEN +@ IN (9e999, -9e999) THEN json_object(''real'', CAST(@ AS TEXT))
        WHEN typeof(@) = ''real'' AND CAST(printf(''%!.15g'', @) AS REAL) <> @
        THEN json(printf(''%!.17g'', @)) ELSE @ END',
           '@', printf('%s."%w"', v.version, c.name)),
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
  FROM asked,
       (SELECT 1 AS n, 'insert' AS change UNION ALL SELECT 2, 'update'
        UNION ALL SELECT 3, 'delete') AS k
 ORDER BY k.n;
