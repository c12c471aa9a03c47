-- An outbox: what is to reach the ledger is written down locally first, in the
-- same transaction as your own data and without any request, and sent later.
--
--     .read sql/outbox.sql                                -- once per database
--     BEGIN;
--     UPDATE account SET balance = balance - 10 WHERE name = 'Alice';
--     INSERT INTO ledger_outbox(contents, sub_ledger)
--       VALUES('Alice pays Bob 10', 'payments');
--     COMMIT;
--     SELECT ledger_flush();               -- needs the module; at any time
--
-- The INSERT needs neither the module nor the ledger. ledger_flush() sends what
-- is queued, in order, and returns how many rows the ledger has committed. It
-- may be interrupted, killed or cut off at any moment: the next one finds out
-- what the ledger has recorded, and goes on. Nothing is sent twice.
--
--     SELECT id, state, transaction_id, error FROM ledger_outbox;
--
-- Rows are sent one after another, by id, even if the ledger's view changes. A
-- row that is refused is passed over. Behind a gateway that hides a change of
-- view, a row may come ahead of earlier ones: those follow, and its error says so.
-- With ledger_flush('{"order":"committed"}') each row waits for the commit of the one
-- before, so that this can't happen. A flush takes the rows that are waiting when
-- it begins.
--
-- state        queued     waits for ledger_flush()
--              sending    marked before it was sent; the next ledger_flush()
--                         finds out whether the ledger has it; until then
--                         don't change or delete it. transaction_id, if
--                         there: accepted, the commit was not confirmed
--              committed  recorded under transaction_id
--              refused    the ledger does not take it: error says why. Correct
--                         it and queue it again (UPDATE ledger_outbox SET
--                         contents = ..., state = 'queued' WHERE id = ...), or
--                         delete it
--
-- ledger       the name of an attached ledger. Without one it is `main`, as long
--              as no other is attached; otherwise the flush asks for a name
--
-- Committed rows may be deleted when you like. Rows of one sub-ledger are found
-- again by their contents: while they are being sent, nobody else should append
-- the very same text to it. Where a row is not found, it is sent again once it is
-- certain that it never will be there (ext/doc/transactions.md, option settle_ms):
-- after a kill the next flush may take 65 s.

CREATE TABLE IF NOT EXISTS main.ledger_outbox(
  id INTEGER PRIMARY KEY AUTOINCREMENT,           -- the order of sending
  contents -- without a type: a number must not become text by itself
    CONSTRAINT [contents: NULL is not text: write '' for an empty entry]
    CHECK(contents IS NOT NULL)
    CONSTRAINT [contents: a BLOB is not text: write hex(x)]
    CHECK(typeof(contents) <> 'blob')
    CONSTRAINT [contents: a number is not text: write CAST(x AS TEXT)]
    CHECK(typeof(contents) NOT IN ('integer', 'real'))
    CONSTRAINT [contents: more than 8192 bytes, the ledger's limit]
    CHECK(length(CAST(contents AS BLOB)) <= 8192),
  sub_ledger TEXT NOT NULL DEFAULT 'subledger:0'
    CONSTRAINT [sub_ledger: a name is text of 1 to 256 bytes]
    CHECK(typeof(sub_ledger) = 'text'
          AND length(CAST(sub_ledger AS BLOB)) BETWEEN 1 AND 256),
  tags TEXT
    CONSTRAINT [tags: 'a,b' or a JSON array of texts, at most five, none empty]
    CHECK(tags IS NULL OR tags = '' OR CASE WHEN substr(tags, 1, 1) <> '[' THEN
            length(tags) - length(replace(tags, ',', '')) < 5
            AND instr(',' || replace(tags, ' ', '') || ',', ',,') = 0
          WHEN json_valid(tags) THEN
            json_array_length(tags) <= 5
            AND coalesce(json_type(tags, '$[0]'), 'text') = 'text'
            AND coalesce(json_type(tags, '$[1]'), 'text') = 'text'
            AND coalesce(json_type(tags, '$[2]'), 'text') = 'text'
            AND coalesce(json_type(tags, '$[3]'), 'text') = 'text'
            AND coalesce(json_type(tags, '$[4]'), 'text') = 'text'
          ELSE 0 END),
  ledger TEXT
    CONSTRAINT [ledger: a name is text of 1 to 256 bytes, without a NUL]
    CHECK(ledger IS NULL OR typeof(ledger) = 'text'
          AND length(CAST(ledger AS BLOB)) BETWEEN 1 AND 256
          AND instr(CAST(ledger AS BLOB), x'00') = 0),
  state TEXT NOT NULL DEFAULT 'queued'
    CONSTRAINT [state: queued, sending, committed or refused]
    CHECK(state IN ('queued', 'sending', 'committed', 'refused')),
  transaction_id TEXT,
  error TEXT,
  head TEXT,          -- the row's entry, if there is one, is behind this id
  sent_at INTEGER,    -- when, or since when its answer is missing: milliseconds
                      -- since 1970
  sent_to TEXT,       -- the ledger's URL
  CONSTRAINT [state: committed takes a transaction_id; only the flush sets it]
  CHECK(state <> 'committed' OR transaction_id IS NOT NULL)
);
CREATE INDEX IF NOT EXISTS main.ledger_outbox_open
  ON ledger_outbox(state, ledger, id);
-- Text that is not UTF-8 is no ledger's; no CHECK can tell. char(unicode()) of the bytes
-- from a place on gives the character there if there is one; so all of them are as long
-- as the text, or it is not UTF-8. (unicode() takes U+FFFE and U+FFFF for U+FFFD.)
CREATE TRIGGER IF NOT EXISTS main.ledger_outbox_utf8 AFTER INSERT ON ledger_outbox
WHEN length(CAST('a' AS BLOB)) = 1 -- not UTF-16
 AND (NEW.contents GLOB '*[^' || char(1) || '-' || char(127) || ']*'
      OR instr(CAST(NEW.contents AS BLOB), x'00'))
BEGIN
  SELECT RAISE(ABORT, 'contents: the text is not valid UTF-8: write hex(x)')
   WHERE length(CAST(NEW.contents AS BLOB)) <> (
     SELECT total(length(c))
       FROM (SELECT n.key + 1 AS i, CAST(char(unicode(CAST(substr(
                      CAST(NEW.contents AS BLOB), n.key + 1, 4) AS TEXT))) AS BLOB) AS c
               FROM json_each('[0' || replace(hex(zeroblob(
                      length(CAST(NEW.contents AS BLOB)) - 1)), '00', ',0') || ']') AS n)
      WHERE substr(CAST(NEW.contents AS BLOB), i, length(c)) = c
         OR (c = x'EFBFBD'
             AND substr(CAST(NEW.contents AS BLOB), i, 3) IN (x'EFBFBE', x'EFBFBF')));
END;
