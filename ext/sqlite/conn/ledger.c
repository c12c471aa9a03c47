/*
** A ledger that is attached, as whoever reads it or writes to it holds it; and
** what waiting and locking ask of the SQLite connection.
**
** Invariant: a ledger lives as long as somebody holds a reference, attached or
** not.
*/
#include "sqlite/conn/conn.h"

#define LEDGER_WORK_MS 100 /* between two calls of a progress handler */

void ledgerRef(Ledger *p) {
  p->nRef++;
}

void ledgerUnref(Ledger *p) {
  if( p == NULL || --p->nRef > 0 ) return;
  ledgerSessionClose(p->pSession);
  ledgerClientFree(p->pClient);
  if( p->pPast ) p->xPastFree(p->pPast);
  sqlite3_free(p->zName);
  sqlite3_free(p);
}

LedgerReceiptMemo *ledgerConnMemo(LedgerConn *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  if( p->pMemo == NULL ) ledgerReceiptMemoNew(&p->pMemo, &err);
  ledgerErrorClear(&err);
  return p->pMemo;
}

/*
** Neither statement can be kept: an unfinalized one makes sqlite3_close() fail.
**
** SQLite looks for an interrupt before it reads a text, also an empty one, on
** which no authorizer is asked. Opcodes are counted per statement, so that a
** progress handler - a host's time limit - is called by one that is longer than
** its interval; waiting alone runs none. Where an authorizer denies SELECT the
** handler isn't called, and an interrupt is still seen.
*/
int ledgerConnInterrupted(void *pArg) {
  static const char zWork[] =
      "WITH RECURSIVE c(i) AS (VALUES(1) UNION ALL"
      " SELECT i + 1 FROM c WHERE i < 1000) SELECT i FROM c WHERE i = 1000";
  LedgerConn *p = pArg;
  sqlite3_stmt *pStmt = NULL;
  i64 tNow = ledgerClockMs();
  int bWork = tNow - p->tWork >= LEDGER_WORK_MS;
  int rc = sqlite3_prepare_v2(p->db, bWork ? zWork : "", -1, &pStmt, NULL);
  if( bWork ) p->tWork = tNow;
  if( rc == SQLITE_OK && pStmt ) rc = sqlite3_step(pStmt);
  sqlite3_finalize(pStmt);
  return rc == SQLITE_INTERRUPT;
}

/* Since SQLite 3.39 no authorizer is asked. */
int ledgerSchemaName(sqlite3 *db, int i, char **pz) {
  sqlite3_stmt *pStmt = NULL;
  const char *z = NULL;
  int rc = SQLITE_OK;
  *pz = NULL;
#if SQLITE_VERSION_NUMBER >= 3039000
  if( sqlite3_libversion_number() >= 3039000 ) {
    z = sqlite3_db_name(db, i);
    if( z && (*pz = sqlite3_mprintf("%s", z)) == NULL ) rc = SQLITE_NOMEM;
    return rc;
  }
#endif
  rc = sqlite3_prepare_v2(db, "PRAGMA database_list", -1, &pStmt, NULL);
  while( rc == SQLITE_OK && i >= 0 && sqlite3_step(pStmt) == SQLITE_ROW ) i--;
  if( rc == SQLITE_OK && i < 0 ) {
    z = (const char *)sqlite3_column_text(pStmt, 1);
    if( z == NULL || (*pz = sqlite3_mprintf("%s", z)) == NULL ) {
      rc = SQLITE_NOMEM;
    }
  }
  sqlite3_finalize(pStmt);
  return rc;
}
