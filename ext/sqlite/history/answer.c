/*
** Answers that will never change, by the requests that they were given to: an
** entry by its id, a receipt, a final state.
**
**     SELECT ledger_verify('2.15', 'A');   -- the second time without a request
**
** The client asks here before it sends, and tells what has come
** (client/call/cache.c). Requests: none.
**
** An answer is a row: its reader, path and query, its body, and a checksum over
** these. What is verified isn't kept: that is done again.
*/
#include "sqlite/history/pastInt.h"

#include <string.h>

static i64 answerDigest(const char *zRequest, const void *z, size_t n) {
  const size_t nRequest = strlen(zRequest);
  return ledgerPastDigest((i64)nRequest,
                          ledgerPastDigest(0, 0, zRequest, nRequest), z, n);
}

/* LedgerMemory.xTell. */
static int answerTell(void *pArg, const char *zRequest, LedgerBuf *pAnswer) {
  unsigned char aOwner[32];
  LedgerPast *p = ledgerPastOpen(pArg, aOwner);
  sqlite3_stmt *pStmt = p ? ledgerPastStmt(p, PAST_ANSWER) : NULL;
  int bFound = 0, rc;
  i64 iBad = 0;
  if( pStmt == NULL ) return 0;
  sqlite3_bind_blob(pStmt, 1, aOwner, 32, SQLITE_STATIC);
  sqlite3_bind_text(pStmt, 2, zRequest, -1, SQLITE_STATIC);
  if( sqlite3_step(pStmt) == SQLITE_ROW ) {
    const void *z = sqlite3_column_blob(pStmt, 1);
    const size_t n = (size_t)sqlite3_column_bytes(pStmt, 1);
    bFound =
        z && answerDigest(zRequest, z, n) == sqlite3_column_int64(pStmt, 0);
    if( bFound ) {
      ledgerBufAppend(pAnswer, z, n);
    } else {
      iBad = sqlite3_column_int64(pStmt, 2);
    }
  }
  rc = sqlite3_reset(pStmt);
  sqlite3_clear_bindings(pStmt);
  if( rc ) {
    ledgerPastFailed(p, rc);
    bFound = 0;
  } else if( iBad ) {
    ledgerPastRun(p, PAST_ANSWER_DROP, iBad); /* it is asked for anew */
  }
  p->nAnswerHit += bFound;
  return bFound;
}

/* LedgerMemory.xKeep. */
static void answerKeep(void *pArg, const unsigned char aOwner[32],
                       const char *zRequest, const LedgerBuf *pAnswer) {
  LedgerPast *p;
  sqlite3_stmt *pStmt;
  int rc = SQLITE_ERROR;
  if( !ledgerPastWrite(pArg, aOwner, &p) ) return;
  pStmt = ledgerPastStmt(p, PAST_ANSWER_ADD);
  if( pStmt ) {
    sqlite3_bind_blob(pStmt, 1, aOwner, 32, SQLITE_STATIC);
    sqlite3_bind_text(pStmt, 2, zRequest, -1, SQLITE_STATIC);
    sqlite3_bind_int64(pStmt, 3,
                       answerDigest(zRequest, pAnswer->z, pAnswer->n));
    sqlite3_bind_blob64(pStmt, 4, pAnswer->z, pAnswer->n, SQLITE_STATIC);
    sqlite3_step(pStmt);
    rc = sqlite3_reset(pStmt);
    sqlite3_clear_bindings(pStmt);
  }
  ledgerPastWritten(pArg, p, rc);
}

void ledgerPastBegin(Ledger *pLedger) {
  static const LedgerMemory memory = {answerTell, answerKeep};
  ledgerClientRemember(pLedger->pClient, &memory, pLedger);
}
