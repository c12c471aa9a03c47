-- Views over the entries and users of the attached ledgers: contents that are JSON as
-- columns, the newest entry of each sub-ledger, the users by role.
--
--     .read sql/views.sql                       in a session, or
--     sqlite3 -cmd '.load ./build/ledger' -cmd '.read sql/views.sql' local.db
--
-- It makes TEMP VIEWs (SQLite lets no other kind use these tables), which last as long
-- as the session; nothing is written elsewhere. Each of them has a column `ledger`:
-- ledger = 'pay' reads that one alone.
--
--   ledger_json          ledger_entries with the column `document`: the contents where
--                        they are JSON, else NULL. document ->> '$.name' is NULL
--                        where there is no such member, and never an error:
--
--                        SELECT transaction_id, document ->> '$.name'
--                          FROM ledger_json WHERE sub_ledger = 'payments';
--
--   ledger_json_member   a row for each member of contents that are an object: key,
--                        value, type. WHERE key = 'name' finds whose name it is.
--
--   ledger_json_view     for each sub-ledger the keys in use, and the statement that
--                        makes a view with a column for each of them, "json:payments",
--                        or "pay.json:payments" where the ledger is not main but pay.
--                        (Whoever may append names sub-ledgers: by its bare name a view
--                        could hide a table of yours.) It knows the keys of now:
--
--                        SELECT sql FROM ledger_json_view
--                         WHERE sub_ledger = 'payments';
--
--   ledger_latest        the newest entry of each sub-ledger: two requests for each.
--
--   ledger_user_role     a row for each role of each user:
--
--                        SELECT role, count(*), group_concat(user_id)
--                          FROM ledger_user_role GROUP BY role;
--
-- What WHERE says of ledger, sub_ledger, transaction_id, seqno and tags is pushed down
-- as for the table itself, in ledger_json and ledger_json_member.

SELECT 1 WHERE NOT ledger_check(/* load the module first: .load ./build/ledger */);

DROP VIEW IF EXISTS temp.ledger_json;
CREATE TEMP VIEW ledger_json AS
SELECT ledger, sub_ledger, transaction_id, seqno, tags, contents,
       CASE WHEN json_valid(contents) THEN contents END AS document
  FROM ledger_entries;

DROP VIEW IF EXISTS temp.ledger_json_member;
CREATE TEMP VIEW ledger_json_member AS
SELECT e.ledger, e.sub_ledger, e.transaction_id, e.seqno, e.tags,
       m.key, m.value, m.type
  FROM ledger_entries AS e
  JOIN json_each(CASE WHEN NOT json_valid(e.contents) THEN '{}'
                      WHEN json_type(e.contents) = 'object' THEN e.contents
                      ELSE '{}' END) AS m;

-- (By json_each(), which finds a key however it is written; a path doesn't.)
DROP VIEW IF EXISTS temp.ledger_json_view;
CREATE TEMP VIEW ledger_json_view AS
SELECT ledger, sub_ledger, keys,
       printf('CREATE TEMP VIEW "%wjson:%w" AS SELECT transaction_id%s '
              || 'FROM ledger_json WHERE ledger = %Q AND sub_ledger = %Q;',
              iif(ledger = 'main' COLLATE NOCASE, '', ledger || '.'), sub_ledger,
              (SELECT group_concat(printf(
                 ', (SELECT value FROM json_each(document) WHERE key = %Q) AS "%w"',
                 value, value), '')
                 FROM json_each(keys)),
              ledger, sub_ledger) AS sql
  FROM (SELECT ledger, sub_ledger, json_group_array(DISTINCT key) AS keys
          FROM ledger_json_member GROUP BY ledger, sub_ledger);

-- (DISTINCT, so that SQLite asks once, and for the sub-ledger alone that WHERE names.)
DROP VIEW IF EXISTS temp.ledger_latest;
CREATE TEMP VIEW ledger_latest AS
SELECT n.ledger, n.sub_ledger, e.transaction_id, e.seqno, e.tags, e.contents
  FROM (SELECT DISTINCT ledger, sub_ledger,
               ledger_current(sub_ledger, json_object('ledger', ledger))
               ->> '$.transaction_id' AS transaction_id
          FROM ledger_sub_ledgers) AS n
 CROSS JOIN ledger_entries AS e
    ON e.ledger = n.ledger AND e.sub_ledger = n.sub_ledger
   AND e.transaction_id = n.transaction_id;

DROP VIEW IF EXISTS temp.ledger_user_role;
CREATE TEMP VIEW ledger_user_role AS
SELECT u.ledger, r.value AS role, u.user_id
  FROM ledger_users AS u JOIN json_each(u.roles) AS r;
