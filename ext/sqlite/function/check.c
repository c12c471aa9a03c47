/*
** What a script asks before it goes on: 1, or an error that says what to do.
**
**     SELECT ledger_check();
**     SELECT ledger_require(EXISTS(SELECT 1 FROM entry), 'no entries here');
**
** Are the tables that SQL names the ledger's? That is ledger_check().
** A real table or view hides the eponymous one of its name: data tools create a
** `ledger_entries` where sqlite_schema has none, and INSERTs stay local, for
** ever; a planted `ledger_audit` shows forged rows. ledger_attach(),
** ledger_ping() and the scripts in sql/ look for such names, and only they: a
** look into the schema of an attached WAL file within BEGIN can make a later
** write fail. So it is asked of the parser first, which opens no transaction:
** of a name that is ours it plans with us.
**
** No request is made here.
*/
#include "sqlite/function/function.h"
#include "sqlite/table/table.h"

#include <string.h>

/* Is the plan of a SELECT from the name made by the table that bears it? *prc
** is what the parser said. A view has no rowid, so that none passes for its
** table. */
static int namesIsOurs(LedgerConn *pConn, const LedgerTableSpec *pSpec,
                       int *prc) {
  char *zSql = sqlite3_mprintf("SELECT rowid FROM \"%w\"", pSpec->zName);
  sqlite3_stmt *pStmt = NULL;
  int rc = SQLITE_NOMEM;
  pConn->pPlanned = NULL;
  if( zSql ) rc = sqlite3_prepare_v2(pConn->db, zSql, -1, &pStmt, NULL);
  sqlite3_finalize(pStmt);
  sqlite3_free(zSql);
  *prc = rc;
  return pConn->pPlanned == pSpec;
}

/* The error that names what is found under the name, if anything is. */
static int namesHidden(LedgerConn *pConn, const char *zName,
                       LedgerError *pErr) {
  sqlite3_stmt *pStmt = NULL;
  int rc = sqlite3_prepare_v2(pConn->db,
                              "SELECT schema, type FROM pragma_table_list(?1)"
                              " ORDER BY schema <> 'temp', schema <> 'main'",
                              -1, &pStmt, NULL);
  if( rc == SQLITE_OK ) {
    rc = sqlite3_bind_text(pStmt, 1, zName, -1, SQLITE_STATIC);
  }
  if( rc == SQLITE_OK ) rc = sqlite3_step(pStmt);
  if( rc == SQLITE_ROW ) {
    const char *zSchema = (const char *)sqlite3_column_text(pStmt, 0);
    const char *zType = (const char *)sqlite3_column_text(pStmt, 1);
    const int bTemp = zSchema && strcmp(zSchema, "temp") == 0;
    const int bView = zType && strcmp(zType, "view") == 0;
    const char *zKind = bView ? "view" : "table";
    if( bTemp ) { /* nothing goes before temp */
      ledgerErrorSet(pErr, LEDGER_ERROR,
                     "temp.%s is a local %s and hides the ledger's: DROP %s "
                     "temp.%s",
                     zName, zKind, bView ? "VIEW" : "TABLE", zName);
    } else {
      ledgerErrorSet(pErr, LEDGER_ERROR,
                     "%.64s.%s is a local %s and hides the ledger's: CREATE "
                     "VIRTUAL TABLE temp.%s USING %s",
                     zSchema ? zSchema : "?", zName, zKind, zName, zName);
    }
  } else if( rc == SQLITE_NOMEM ) {
    ledgerErrorNomem(pErr);
  } else if( rc != SQLITE_DONE ) { /* the host denies the look */
    ledgerErrorSet(pErr, LEDGER_ERROR,
                   "a local table or view named %s hides the ledger's: CREATE "
                   "VIRTUAL TABLE temp.%s USING %s",
                   zName, zName, zName);
  }
  sqlite3_finalize(pStmt);
  return pErr->rc;
}

int ledgerCheckNames(LedgerConn *pConn, LedgerError *pErr) {
  int i, rc = SQLITE_OK;
  for( i = 0; pConn->apTable[i]; i++ ) {
    if( namesIsOurs(pConn, pConn->apTable[i], &rc) || rc == SQLITE_AUTH )
      continue;
    if( rc == SQLITE_NOMEM ) return ledgerErrorNomem(pErr);
    if( rc != SQLITE_OK && rc != SQLITE_ERROR ) break; /* locked, damaged */
    if( namesHidden(pConn, pConn->apTable[i]->zName, pErr) ) return pErr->rc;
  }
  return LEDGER_OK;
}

static void namesFunction(sqlite3_context *pCtx, int argc,
                          sqlite3_value **argv) {
  LedgerError err = LEDGER_ERROR_INIT;
  (void)argc;
  (void)argv;
  if( ledgerCheckNames(ledgerFunctionConn(pCtx), &err) ) {
    ledgerErrorFunction(pCtx, &err);
  } else {
    sqlite3_result_int(pCtx, 1);
  }
}

/* ledger_require(ok, why): SQL alone has no way to say in its own words why a
** script ends, but in a trigger. */
static void checkRequire(sqlite3_context *pCtx, int argc,
                         sqlite3_value **argv) {
  LedgerError err = LEDGER_ERROR_INIT;
  const int bWhy = sqlite3_value_type(argv[1]) != SQLITE_NULL;
  const char *zWhy;
  (void)argc;
  if( sqlite3_value_double(argv[0]) != 0.0 ) {
    sqlite3_result_int(pCtx, 1);
    return;
  }
  zWhy = bWhy ? (const char *)sqlite3_value_text(argv[1]) : "no reason given";
  if( zWhy == NULL ) {
    ledgerErrorNomem(&err);
  } else {
    ledgerErrorSet(&err, LEDGER_ERROR, "%s", zWhy);
  }
  ledgerErrorFunction(pCtx, &err);
}

const LedgerFunction aLedgerFunctionCheck[] = {
    {"ledger_check", 0, 0, LEDGER_FN_ACT, namesFunction, "",
     "1, or an error where a local table hides one of the ledger's", "none",
     "SELECT ledger_check();",
     "CREATE TABLE ledger_entries(contents);\n"
     "SELECT ledger_check();"},
    {"ledger_require", 2, 2, LEDGER_FN_ACT, checkRequire, "ok, why",
     "1, or the error `why` where `ok` is not true: it ends a script", "none",
     "SELECT ledger_require(1 + 1 = 2, 'no arithmetic here');",
     "SELECT ledger_require(EXISTS(SELECT 1 FROM ledger_entries\n"
     "  WHERE sub_ledger = 'nosuch'), 'no entry in nosuch');"},
    {NULL, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL},
};
