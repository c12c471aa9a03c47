/*
** Appends and other changes that wait for COMMIT.
**
**     INSERT INTO ledger_entries(contents) VALUES('...');
**
** No request is made here. One queue serves all tables of a connection; each
** row names the table that queued it, so that a savepoint of one table never
** touches the rows of another. What is settled moves to conn/appended.c.
*/
#include "sqlite/write/write.h"
#include "sqlite/read/read.h"

#include <string.h>

/* Contents are text; anything else is refused with its remedy. */
static int queueContents(LedgerQueued *p, sqlite3_value *pVal,
                         LedgerError *pErr) {
  const char *z;
  switch( pVal ? sqlite3_value_type(pVal) : SQLITE_NULL ) {
    case SQLITE_TEXT: break;
    case SQLITE_NULL:
      return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                            "contents: NULL is not text; write '' for an empty "
                            "entry");
    case SQLITE_BLOB:
      return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                            "contents: a BLOB is not text; write hex(x)");
    default:
      return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                            "contents: a number is not text; write CAST(x AS "
                            "TEXT)");
  }
  z = (const char *)sqlite3_value_text(pVal);
  p->nContents = (size_t)sqlite3_value_bytes(pVal);
  if( z == NULL ) return ledgerErrorNomem(pErr);
  if( p->nContents > LEDGER_MAX_CONTENTS ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "contents: %lld bytes exceed the ledger's limit of "
                          "%d bytes",
                          (long long)p->nContents, LEDGER_MAX_CONTENTS);
  }
  if( !ledgerUtf8Valid(z, p->nContents) ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "contents: the text is not valid UTF-8; write "
                          "hex(x)");
  }
  p->zContents = sqlite3_malloc64(p->nContents + 1);
  if( p->zContents == NULL ) return ledgerErrorNomem(pErr);
  memcpy(p->zContents, z, p->nContents);
  p->zContents[p->nContents] = 0;
  return LEDGER_OK;
}

static int queueSubLedger(LedgerQueued *p, const char *z, int n,
                          LedgerError *pErr) {
  if( z == NULL ) {
    z = LEDGER_DEFAULT_SUB_LEDGER;
    n = (int)strlen(z);
  }
  if( n == 0 ) {
    return ledgerErrorSet(
        pErr, LEDGER_CONSTRAINT,
        "sub_ledger: '' is not a name; leave it out, or give NULL, for the "
        "default one");
  }
  if( n > LEDGER_MAX_SUB_LEDGER || strlen(z) != (size_t)n ||
      !ledgerUtf8Valid(z, (size_t)n) ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "sub_ledger: a name is valid UTF-8 of at most %d "
                          "bytes without a NUL; this one has %d",
                          LEDGER_MAX_SUB_LEDGER, n);
  }
  p->zSubLedger = sqlite3_mprintf("%s", z);
  return p->zSubLedger ? LEDGER_OK : ledgerErrorNomem(pErr);
}

int ledgerQueuedStart(LedgerConn *pConn, Ledger *pLedger, LedgerQueued **ppRow,
                      LedgerError *pErr) {
  LedgerQueued *p = sqlite3_malloc64(sizeof(*p));
  *ppRow = NULL;
  if( p == NULL ) return ledgerErrorNomem(pErr);
  memset(p, 0, sizeof(*p));
  p->eState = LEDGER_QUEUED;
  p->zLedger = sqlite3_mprintf("%s", pLedger->zName);
  if( p->zLedger == NULL ) {
    sqlite3_free(p);
    return ledgerErrorNomem(pErr);
  }
  ledgerRef(pLedger);
  p->pLedger = pLedger;
  p->iSlot = pLedger->iSlot;
  p->n = pConn->queue.iNext++;
  *ppRow = p;
  return LEDGER_OK;
}

int ledgerQueuedNew(LedgerConn *pConn, Ledger *pLedger,
                    sqlite3_value *pContents, const char *zSubLedger,
                    int nSubLedger, sqlite3_value *pTags, LedgerQueued **ppRow,
                    LedgerError *pErr) {
  LedgerQueued *p;
  int rc = ledgerQueuedStart(pConn, pLedger, &p, pErr);
  *ppRow = NULL;
  if( rc ) return rc;
  rc = queueContents(p, pContents, pErr);
  if( rc == LEDGER_OK ) rc = queueSubLedger(p, zSubLedger, nSubLedger, pErr);
  if( rc == LEDGER_OK && pTags && sqlite3_value_type(pTags) != SQLITE_NULL ) {
    const char *z = (const char *)sqlite3_value_text(pTags);
    rc = z == NULL ? ledgerErrorNomem(pErr)
                   : ledgerMatchTags(z, (size_t)sqlite3_value_bytes(pTags),
                                     &p->zTags, pErr);
  }
  if( rc ) {
    ledgerQueuedFree(p);
    return rc;
  }
  *ppRow = p;
  return LEDGER_OK;
}

int ledgerQueueAdd(LedgerConn *p, LedgerQueued *pRow, LedgerError *pErr) {
  i64 nMax = ledgerClientConfig(pRow->pLedger->pClient)->queueMaxBytes;
  i64 nByte = (i64)(pRow->nContents + sizeof(*pRow));
  if( p->queue.nByte + nByte > nMax ) {
    ledgerQueuedFree(pRow);
    return ledgerErrorSet(pErr, LEDGER_FULL,
                          "the rows of this transaction exceed "
                          "queue_max_bytes (%lld): COMMIT in smaller parts",
                          (long long)nMax);
  }
  p->queue.nByte += nByte;
  *p->queue.ppEnd = pRow;
  p->queue.ppEnd = &pRow->pNext;
  return LEDGER_OK;
}

void ledgerQueueCut(LedgerConn *p, const void *pOwner, i64 iFrom) {
  LedgerQueued **pp = &p->queue.pFirst;
  while( *pp ) {
    LedgerQueued *pRow = *pp;
    if( pRow->pOwner != pOwner || pRow->n < iFrom ) {
      pp = &pRow->pNext;
      continue;
    }
    *pp = pRow->pNext;
    pRow->pNext = NULL;
    p->queue.nByte -= (i64)(pRow->nContents + sizeof(*pRow));
    if( pRow->eState == LEDGER_QUEUED ) {
      ledgerQueuedFree(pRow);
    } else {
      ledgerAppendedAdd(p, pRow);
    }
  }
  p->queue.ppEnd = pp;
}
