/*
** Does a CHECK constraint of a database file make a function act?
**
** SQLITE_DIRECTONLY keeps a function out of the views, triggers and defaults of
** a schema, but not out of its CHECK constraints: SQLite notes that a call
** comes from the schema only where the function is deterministic, and those
** that act can't be. So a user's own INSERT into a stranger's table called
** ledger_append(), and so did PRAGMA quick_check on the file.
**
** A function isn't told who calls it. But constraints are checked only while a
** statement writes, or is one of the two PRAGMAs that look for damage; the
** database is in a transaction by then, so that a look into its schema harms
** none; and the function's name stands in the text of the schema, where no
** escapes hide it. If it does, the code of quick_check tells whether it is
** called: that checks every constraint, and runs no trigger.
**
** No request is made here.
**
** Invariant: where the host lets nobody look, the function is refused.
*/
#include "sqlite/conn/guard.h"

#include <string.h>

/* Does a statement run that may be checking constraints? */
static int constraintMayRun(sqlite3 *db) {
  sqlite3_stmt *pStmt = NULL;
  while( (pStmt = sqlite3_next_stmt(db, pStmt)) != NULL ) {
    const char *zName;
    if( !sqlite3_stmt_busy(pStmt) ) continue;
    if( !sqlite3_stmt_readonly(pStmt) ) return 1;
    if( sqlite3_column_count(pStmt) != 1 ) continue;
    zName = sqlite3_column_name(pStmt, 0);
    if( zName == NULL || sqlite3_stricmp(zName, "quick_check") == 0 ||
        sqlite3_stricmp(zName, "integrity_check") == 0 ) {
      return 1;
    }
  }
  return 0;
}

static int constraintHas(const char *zText, const char *zFunction) {
  const int n = (int)strlen(zFunction);
  for( ; *zText; zText++ ) {
    if( sqlite3_strnicmp(zText, zFunction, n) == 0 ) return 1;
  }
  return 0;
}

/* Is a row of EXPLAIN a call of the function? */
static int constraintIsCall(sqlite3_stmt *pStmt, const char *zFunction) {
  const char *zOpcode = (const char *)sqlite3_column_text(pStmt, 1);
  const char *zP4 = (const char *)sqlite3_column_text(pStmt, 5);
  const size_t n = strlen(zFunction);
  return zOpcode && zP4 && strncmp(zOpcode, "Function", 8) == 0 &&
         sqlite3_strnicmp(zP4, zFunction, (int)n) == 0 && zP4[n] == '(';
}

/* *pb: is there a row of zSql, a format that takes the schema's name, for which
** this is so? bCode: a call of the function; else its name in the text. */
static int constraintAsk(sqlite3 *db, const char *zFormat, const char *zSchema,
                         const char *zFunction, int bCode, int *pb) {
  sqlite3_stmt *pStmt = NULL;
  char *zSql = sqlite3_mprintf(zFormat, zSchema);
  int rc = zSql ? sqlite3_prepare_v2(db, zSql, -1, &pStmt, NULL) : SQLITE_NOMEM;
  *pb = 0;
  while( rc == SQLITE_OK && !*pb && (rc = sqlite3_step(pStmt)) == SQLITE_ROW ) {
    const char *z = (const char *)sqlite3_column_text(pStmt, 0);
    *pb = bCode ? constraintIsCall(pStmt, zFunction)
                : z != NULL && constraintHas(z, zFunction);
    rc = SQLITE_OK;
  }
  sqlite3_finalize(pStmt);
  sqlite3_free(zSql);
  return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* One database. *pbCalls: a constraint of it calls the function. */
static int constraintLook(sqlite3 *db, const char *zSchema,
                          const char *zFunction, int *pbCalls) {
  int rc = constraintAsk(db, "SELECT sql FROM \"%w\".sqlite_schema", zSchema,
                         zFunction, 0, pbCalls);
  if( rc || !*pbCalls ) return rc;
  rc = constraintAsk(db, "EXPLAIN PRAGMA \"%w\".quick_check", zSchema,
                     zFunction, 1, pbCalls);
  if( rc == SQLITE_NOMEM || rc == SQLITE_INTERRUPT ) return rc;
  if( rc ) *pbCalls = 1; /* the code can't be had */
  return SQLITE_OK;
}

int ledgerCheckConstraint(LedgerConn *pConn, const char *zFunction,
                          LedgerError *pErr) {
  char *zSchema = NULL;
  int i = 0, bCalls = 0, rc = SQLITE_OK;
  if( !constraintMayRun(pConn->db) ) return LEDGER_OK;
  while( (rc = ledgerSchemaName(pConn->db, i++, &zSchema)) == SQLITE_OK &&
         zSchema ) {
    if( sqlite3_stricmp(zSchema, "temp") != 0 && /* this connection's own */
        sqlite3_txn_state(pConn->db, zSchema) > SQLITE_TXN_NONE ) {
      rc = constraintLook(pConn->db, zSchema, zFunction, &bCalls);
    }
    if( rc || bCalls ) break;
    sqlite3_free(zSchema);
  }
  if( rc == SQLITE_NOMEM ) {
    ledgerErrorNomem(pErr);
  } else if( rc == SQLITE_INTERRUPT ) {
    ledgerErrorSet(pErr, LEDGER_INTERRUPT, "%s: interrupted", zFunction);
  } else if( rc ) {
    ledgerErrorSet(pErr, LEDGER_AUTH,
                   "%s: whether a CHECK constraint of a database file calls it "
                   "can't be seen (%s)",
                   zFunction, sqlite3_errstr(rc));
  } else if( bCalls ) {
    ledgerErrorSet(pErr, LEDGER_AUTH,
                   "%s: a CHECK constraint in the database %.64s calls it, as "
                   "whoever wrote that file meant it to: a file makes nothing "
                   "act",
                   zFunction, zSchema);
  }
  sqlite3_free(zSchema);
  return pErr->rc;
}
