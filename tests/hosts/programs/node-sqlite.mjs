import { DatabaseSync } from 'node:sqlite';

const db = new DatabaseSync(':memory:', { allowExtension: true });
db.loadExtension('./build/ledger');
console.log(db.prepare('SELECT sqlite_version() AS v').get().v);

db.prepare('INSERT INTO ledger_entries(contents, sub_ledger) VALUES(?, ?)')
  .run('hello', 'node');
const entries = db.prepare(
  'SELECT contents FROM ledger_entries WHERE sub_ledger = ?');
for (const { contents } of entries.iterate('node')) console.log(contents);
const audit = db.prepare(
  'SELECT content FROM ledger_audit WHERE sub_ledger = ? AND verified');
for (const { content } of audit.iterate('node')) console.log(content);
try {
  db.exec('DELETE FROM ledger_entries');
} catch (error) {
  console.log(error.message);
}
