/*
** Appends and other changes that wait for COMMIT, and what became of them all.
**
**     SELECT * FROM ledger_appends;
**
** No request is made here. One queue serves all tables of a connection; each
** row names the table that queued it, so that a savepoint of one table never
** touches the rows of another. What is settled moves to the history, which
** keeps the last transaction whole and HISTORY_MAX older rows.
*/
#include "sqlite/ledgerInt.h"

#include <stdlib.h>
#include <string.h>

#define HISTORY_MAX 10000

const char *ledgerStateName(int eState) {
  static const char *const azName[] = {"",        "queued",    "sending",
                                       "pending", "committed", "refused",
                                       "lost",    "unknown"};
  return azName[eState];
}

const char *ledgerKindName(int eKind) {
  static const char *const azName[] = {"append", "user", "role", "function",
                                       "endpoint"};
  return azName[eKind];
}

void ledgerQueueRowFree(LedgerQueueRow *p) {
  if( p == NULL ) return;
  ledgerUnref(p->pLedger);
  sqlite3_free(p->zLedger);
  sqlite3_free(p->zContents);
  sqlite3_free(p->zSubLedger);
  sqlite3_free(p->zKey);
  sqlite3_free(p->zHooks);
  free(p->zTags);
  sqlite3_free(p->zError);
  sqlite3_free(p);
}

/* Contents are text; anything else is refused with its remedy. */
static int queueContents(LedgerQueueRow *p, sqlite3_value *pVal,
                         LedgerError *pErr) {
  const char *z;
  switch( pVal ? sqlite3_value_type(pVal) : SQLITE_NULL ) {
    case SQLITE_TEXT: break;
    case SQLITE_NULL:
      return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                            "contents: NULL is no text; write '' for an empty "
                            "entry");
    case SQLITE_BLOB:
      return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                            "contents: a BLOB is no text; write hex(x)");
    default:
      return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                            "contents: a number is no text; write CAST(x AS "
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

static int queueSubLedger(LedgerQueueRow *p, const char *z, int n,
                          LedgerError *pErr) {
  if( z == NULL ) {
    z = LEDGER_DEFAULT_SUB_LEDGER;
    n = (int)strlen(z);
  }
  if( n == 0 ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "sub_ledger: '' is no name; leave it out, or NULL, "
                          "for the default one");
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

int ledgerQueueRowStart(LedgerDb *pDb, Ledger *pLedger, LedgerQueueRow **ppRow,
                        LedgerError *pErr) {
  LedgerQueueRow *p = sqlite3_malloc64(sizeof(*p));
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
  p->n = pDb->iNextRow++;
  *ppRow = p;
  return LEDGER_OK;
}

int ledgerQueueRowNew(LedgerDb *pDb, Ledger *pLedger, sqlite3_value *pContents,
                      const char *zSubLedger, int nSubLedger,
                      sqlite3_value *pTags, LedgerQueueRow **ppRow,
                      LedgerError *pErr) {
  LedgerQueueRow *p;
  int rc = ledgerQueueRowStart(pDb, pLedger, &p, pErr);
  *ppRow = NULL;
  if( rc ) return rc;
  rc = queueContents(p, pContents, pErr);
  if( rc == LEDGER_OK ) rc = queueSubLedger(p, zSubLedger, nSubLedger, pErr);
  if( rc == LEDGER_OK && pTags && sqlite3_value_type(pTags) != SQLITE_NULL ) {
    const char *z = (const char *)sqlite3_value_text(pTags);
    rc = z == NULL ? ledgerErrorNomem(pErr)
                   : ledgerTagsParse(z, (size_t)sqlite3_value_bytes(pTags),
                                     &p->zTags, pErr);
  }
  if( rc ) {
    ledgerQueueRowFree(p);
    return rc;
  }
  *ppRow = p;
  return LEDGER_OK;
}

int ledgerQueueAdd(LedgerDb *p, LedgerQueueRow *pRow, LedgerError *pErr) {
  i64 nMax = ledgerClientConfig(pRow->pLedger->pClient)->queueMaxBytes;
  i64 nByte = (i64)(pRow->nContents + sizeof(*pRow));
  if( p->nQueueByte + nByte > nMax ) {
    ledgerQueueRowFree(pRow);
    return ledgerErrorSet(pErr, LEDGER_FULL,
                          "the rows of this transaction exceed "
                          "queue_max_bytes (%lld): COMMIT in smaller parts",
                          (long long)nMax);
  }
  p->nQueueByte += nByte;
  *p->ppQueueEnd = pRow;
  p->ppQueueEnd = &pRow->pNext;
  return LEDGER_OK;
}

/* Removes rows from the queue: those of pOwner from iFrom on that were not
** sent are freed; with bAll the others of pOwner become history. */
static void queueRemove(LedgerDb *p, const void *pOwner, i64 iFrom, int bAll) {
  LedgerQueueRow **pp = &p->pQueue;
  while( *pp ) {
    LedgerQueueRow *pRow = *pp;
    if( pRow->pOwner != pOwner || pRow->n < iFrom ||
        (pRow->eState != LEDGER_QUEUED && !bAll) ) {
      pp = &pRow->pNext;
      continue;
    }
    *pp = pRow->pNext;
    pRow->pNext = NULL;
    p->nQueueByte -= (i64)(pRow->nContents + sizeof(*pRow));
    if( pRow->eState == LEDGER_QUEUED ) {
      ledgerQueueRowFree(pRow);
    } else {
      ledgerHistoryAdd(p, pRow);
    }
  }
  p->ppQueueEnd = pp;
}

void ledgerQueueCut(LedgerDb *p, const void *pOwner, i64 iFrom) {
  queueRemove(p, pOwner, iFrom, 0);
}

void ledgerQueueSettle(LedgerDb *p, const void *pOwner) {
  queueRemove(p, pOwner, 0, 1);
}

/* Where the chain of a seqno begins. */
static LedgerQueueRow **historyChain(LedgerDb *p, i64 iSeqno) {
  return &p->apById[(sqlite3_uint64)iSeqno & (sqlite3_uint64)(p->nById - 1)];
}

/* Indexes a row of the history by its id. Where memory is short rows are not
** found: the index tells only where to look first. */
static void historyIndex(LedgerDb *p, LedgerQueueRow *pRow) {
  LedgerQueueRow **pp;
  if( pRow->id.seqno == 0 || pRow->zSubLedger == NULL ) return;
  if( p->nHistory > p->nById ) {
    int nOld = p->nById, nNew = nOld ? nOld * 4 : 256, i;
    LedgerQueueRow **apOld = p->apById;
    LedgerQueueRow **apNew =
        sqlite3_malloc64(sizeof(*apNew) * (sqlite3_uint64)nNew);
    if( apNew ) {
      memset(apNew, 0, sizeof(*apNew) * (size_t)nNew);
      p->apById = apNew;
      p->nById = nNew;
      for( i = 0; i < nOld; i++ ) {
        while( apOld[i] ) {
          LedgerQueueRow *pMove = apOld[i];
          apOld[i] = pMove->pNextById;
          pp = historyChain(p, pMove->id.seqno);
          pMove->pNextById = *pp;
          *pp = pMove;
        }
      }
      sqlite3_free(apOld);
    }
  }
  if( p->nById == 0 ) return;
  pp = historyChain(p, pRow->id.seqno);
  pRow->pNextById = *pp;
  *pp = pRow;
}

/* Takes a row out of the index, if it is there. */
static void historyUnindex(LedgerDb *p, LedgerQueueRow *pRow) {
  LedgerQueueRow **pp;
  if( p->nById == 0 ) return;
  for( pp = historyChain(p, pRow->id.seqno); *pp; pp = &(*pp)->pNextById ) {
    if( *pp == pRow ) {
      *pp = pRow->pNextById;
      return;
    }
  }
}

void ledgerHistoryAdd(LedgerDb *p, LedgerQueueRow *pRow) {
  sqlite3_free(pRow->zContents);
  pRow->zContents = NULL;
  ledgerUnref(pRow->pLedger);
  pRow->pLedger = NULL;
  pRow->pOwner = NULL;
  *p->ppHistoryEnd = pRow;
  p->ppHistoryEnd = &pRow->pNext;
  p->nHistory++;
  historyIndex(p, pRow);
  while( p->nHistory - (p->iNextRow - p->iLastBatch) > HISTORY_MAX &&
         p->pHistory->n < p->iLastBatch ) {
    LedgerQueueRow *pOld = p->pHistory;
    p->pHistory = pOld->pNext;
    historyUnindex(p, pOld);
    ledgerQueueRowFree(pOld);
    p->nHistory--;
  }
}

void ledgerHistorySettle(LedgerDb *p, const Ledger *pLedger, i64 iOutbox,
                         int eState, LedgerTxid id) {
  LedgerQueueRow *pRow;
  for( pRow = p->pHistory; pRow; pRow = pRow->pNext ) {
    if( pRow->iOutbox != iOutbox || pRow->iSlot != pLedger->iSlot ||
        (pRow->eState != LEDGER_PENDING && pRow->eState != LEDGER_UNKNOWN) ) {
      continue;
    }
    pRow->eState = eState;
    if( id.seqno == 0 ) continue; /* lost: it keeps the id that it had */
    historyUnindex(p, pRow);
    pRow->id = id;
    historyIndex(p, pRow);
    sqlite3_free(pRow->zError);
    pRow->zError = NULL;
  }
}

int ledgerHistoryTaken(LedgerDb *p, const Ledger *pLedger, LedgerTxid id,
                       const LedgerQueueRow *pFor) {
  const LedgerQueueRow *pRow;
  if( p->nById == 0 ) return 0;
  for( pRow = *historyChain(p, id.seqno); pRow; pRow = pRow->pNextById ) {
    if( pRow->iSlot == pLedger->iSlot && pRow->id.seqno == id.seqno &&
        (pRow->eState == LEDGER_COMMITTED || pRow->id.view == id.view) &&
        (pFor->iOutbox == 0 || pRow->iOutbox != pFor->iOutbox) ) {
      return 1;
    }
  }
  return 0;
}

const char *ledgerHistorySubLedger(LedgerDb *p, const Ledger *pLedger,
                                   LedgerTxid id) {
  const LedgerQueueRow *pRow;
  if( p->nById == 0 ) return NULL;
  for( pRow = *historyChain(p, id.seqno); pRow; pRow = pRow->pNextById ) {
    if( pRow->iSlot == pLedger->iSlot &&
        ledgerTxidCompare(pRow->id, id) == 0 ) {
      return pRow->zSubLedger;
    }
  }
  return NULL;
}

int ledgerHistoryCommitted(LedgerDb *p, const Ledger *pLedger, LedgerTxid id,
                           const char *zSubLedger) {
  const LedgerQueueRow *pRow;
  if( p->nById == 0 ) return 0;
  for( pRow = *historyChain(p, id.seqno); pRow; pRow = pRow->pNextById ) {
    if( pRow->iSlot == pLedger->iSlot && pRow->eState == LEDGER_COMMITTED &&
        ledgerTxidCompare(pRow->id, id) == 0 &&
        strcmp(pRow->zSubLedger, zSubLedger) == 0 ) {
      return 1;
    }
  }
  return 0;
}

int ledgerQueueHasRows(const LedgerDb *p, const Ledger *pLedger) {
  const LedgerQueueRow *pRow;
  for( pRow = p->pQueue; pRow; pRow = pRow->pNext ) {
    if( pRow->pLedger == pLedger ) return 1;
  }
  return 0;
}

void ledgerQueueFree(LedgerDb *p) {
  LedgerQueueRow *apList[2];
  int i;
  apList[0] = p->pQueue;
  apList[1] = p->pHistory;
  p->pQueue = p->pHistory = NULL;
  sqlite3_free(p->apById);
  p->apById = NULL;
  p->nById = 0;
  for( i = 0; i < 2; i++ ) {
    while( apList[i] ) {
      LedgerQueueRow *pNext = apList[i]->pNext;
      ledgerQueueRowFree(apList[i]);
      apList[i] = pNext;
    }
  }
}
