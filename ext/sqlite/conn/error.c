/*
** Errors on their way to SQLite: here they get the prefix `ledger: `, which no
** text of the rooms below has. A LedgerError's code is an SQLite code; the
** assertions below keep it so.
*/
#include "sqlite/conn/conn.h"

_Static_assert(LEDGER_ERROR == SQLITE_ERROR, "codes are SQLite's");
_Static_assert(LEDGER_BUSY == SQLITE_BUSY, "codes are SQLite's");
_Static_assert(LEDGER_NOMEM == SQLITE_NOMEM, "codes are SQLite's");
_Static_assert(LEDGER_READONLY == SQLITE_READONLY, "codes are SQLite's");
_Static_assert(LEDGER_INTERRUPT == SQLITE_INTERRUPT, "codes are SQLite's");
_Static_assert(LEDGER_IOERR == SQLITE_IOERR, "codes are SQLite's");
_Static_assert(LEDGER_NOTFOUND == SQLITE_NOTFOUND, "codes are SQLite's");
_Static_assert(LEDGER_FULL == SQLITE_FULL, "codes are SQLite's");
_Static_assert(LEDGER_TOOBIG == SQLITE_TOOBIG, "codes are SQLite's");
_Static_assert(LEDGER_CONSTRAINT == SQLITE_CONSTRAINT, "codes are SQLite's");
_Static_assert(LEDGER_AUTH == SQLITE_AUTH, "codes are SQLite's");

void ledgerErrorSpare(sqlite3 *db, LedgerError *pErr) {
  if( pErr->rc == LEDGER_IOERR && !sqlite3_get_autocommit(db) ) {
    pErr->rc = LEDGER_BUSY;
  }
}

/* An interrupt about which there is nothing more to say is left to SQLite: a
** host tells its own time limit by the text "interrupted" alone. */
static int errorIsInterrupt(const LedgerError *p) {
  return p->rc == LEDGER_INTERRUPT && p->zMsg == NULL;
}

char *ledgerErrorMessage(const char *zFmt, ...) {
  va_list ap;
  char *zText, *zMsg;
  va_start(ap, zFmt);
  zText = sqlite3_vmprintf(zFmt, ap);
  va_end(ap);
  zMsg = zText ? sqlite3_mprintf("ledger: %s", zText) : NULL;
  sqlite3_free(zText);
  return zMsg;
}

int ledgerErrorVtab(sqlite3_vtab *pVtab, LedgerError *pErr) {
  int rc = pErr->rc;
  if( rc != SQLITE_OK ) {
    sqlite3_free(pVtab->zErrMsg);
    pVtab->zErrMsg = errorIsInterrupt(pErr)
                         ? NULL
                         : ledgerErrorMessage("%s", ledgerErrorText(pErr));
  }
  ledgerErrorClear(pErr);
  return rc;
}

void ledgerErrorFunction(sqlite3_context *pCtx, LedgerError *pErr) {
  char *zMsg = ledgerErrorMessage("%s", ledgerErrorText(pErr));
  if( pErr->rc == LEDGER_NOMEM || zMsg == NULL ) {
    sqlite3_result_error_nomem(pCtx);
  } else if( errorIsInterrupt(pErr) ) {
    sqlite3_result_error_code(pCtx, SQLITE_INTERRUPT);
  } else {
    sqlite3_result_error(pCtx, zMsg, -1);
    sqlite3_result_error_code(pCtx, pErr->rc);
  }
  sqlite3_free(zMsg);
  ledgerErrorClear(pErr);
}

void ledgerErrorFunctionRead(sqlite3_context *pCtx, LedgerError *pErr) {
  ledgerErrorSpare(sqlite3_context_db_handle(pCtx), pErr);
  ledgerErrorFunction(pCtx, pErr);
}
