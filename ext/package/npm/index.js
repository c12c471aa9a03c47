'use strict';
const path = require('node:path');

/* The module's path, for any library that loads extensions. */
function getLoadablePath() {
  return path.join(__dirname, 'ledger.so');
}

/* The path of a script in SQL: getScriptPath('audit') is that of audit.sql. */
function getScriptPath(name) {
  return path.join(__dirname, 'sql', name + '.sql');
}

/* Loads the module into a database of better-sqlite3, or of node:sqlite, made
** with { allowExtension: true }. */
function load(db) {
  db.loadExtension(getLoadablePath());
}

module.exports = { getLoadablePath, getScriptPath, load };
