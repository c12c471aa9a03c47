import Database from 'better-sqlite3';

const db = new Database(':memory:');
db.loadExtension('./build/ledger');
console.log(db.prepare('SELECT sqlite_version()').pluck().get());

db.transaction(() => { // sent when it ends
  db.prepare('INSERT INTO ledger_entries(contents, sub_ledger) VALUES(?, ?)')
    .run('hello', 'better');
})();
const entries = db.prepare(
  'SELECT contents FROM ledger_entries WHERE sub_ledger = ?');
for (const { contents } of entries.iterate('better')) console.log(contents);
const audit = db.prepare(
  'SELECT content FROM ledger_audit WHERE sub_ledger = ? AND verified');
for (const { content } of audit.iterate('better')) console.log(content);
try {
  db.exec('DELETE FROM ledger_entries');
} catch (error) {
  console.log(error.message);
}
