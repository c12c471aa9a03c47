import { Database } from 'bun:sqlite';

const db = new Database(':memory:');
db.loadExtension('./build/ledger');
console.log(db.query('SELECT sqlite_version() AS v').get().v);

db.transaction(() => { // sent when it ends
  db.query('INSERT INTO ledger_entries(contents, sub_ledger) VALUES(?, ?)')
    .run('hello', 'bun');
})();
const entries = db.query(
  'SELECT contents FROM ledger_entries WHERE sub_ledger = ?');
for (const { contents } of entries.all('bun')) console.log(contents);
const audit = db.query(
  'SELECT content FROM ledger_audit WHERE sub_ledger = ? AND verified');
for (const { content } of audit.all('bun')) console.log(content);
try {
  db.run('DELETE FROM ledger_entries');
} catch (error) {
  console.log(error.message);
}
