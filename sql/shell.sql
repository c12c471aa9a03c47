-- What `make shell` reads first: how results are shown, and a few lines that
-- say where you are. With a ledger of your own, after .load and ledger_attach():
--
--     .read sql/shell.sql
.headers off
.mode list
SELECT 'The ledger ' || url || ' is attached as ' || name || '. Try:'
  FROM ledger_attached;
.print
.print "  INSERT INTO ledger_entries(contents) VALUES('Hello world!');"
.print "  SELECT * FROM ledger_entries ORDER BY transaction_id DESC LIMIT 5;"
.print "  SELECT transaction_id, verified, reason FROM ledger_audit;"
.print
.print "SELECT * FROM ledger_help; has the rest."
.print
.headers on
.mode box
