CREATE TABLE seen(what TEXT);
INSERT INTO seen SELECT sqlite_version();
INSERT INTO ledger_entries(contents, sub_ledger) VALUES('hello', 'browser');
INSERT INTO seen SELECT contents FROM ledger_entries
 WHERE sub_ledger = 'browser';
INSERT INTO seen SELECT content FROM ledger_audit
 WHERE sub_ledger = 'browser' AND verified;
DELETE FROM ledger_entries;
