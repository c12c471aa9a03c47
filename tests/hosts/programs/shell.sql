SELECT sqlite_version();
INSERT INTO ledger_entries(contents, sub_ledger) VALUES('hello', 'shell');
SELECT contents FROM ledger_entries WHERE sub_ledger = 'shell';
SELECT content FROM ledger_audit WHERE sub_ledger = 'shell' AND verified;
DELETE FROM ledger_entries;
