/*
** Changes of the ledger by this connection, and what became of them.
**
**     SELECT * FROM ledger_appends;
**
** No request is made here. The record keeps the last transaction whole and
** HISTORY_MAX older rows; of those not committed also the contents, of the
** newest CONTENTS_MAX bytes. It tells a reader which ids are known to be
** committed, and the settler which are taken.
*/
#include "sqlite/conn/conn.h"

#include <stdlib.h>
#include <string.h>

#define HISTORY_MAX 10000
#define CONTENTS_MAX (4 * 1024 * 1024)

const char *ledgerAppendedStateName(int eState) {
  static const char *const azName[] = {"",        "queued",    "sending",
                                       "pending", "committed", "refused",
                                       "lost",    "unknown"};
  return azName[eState];
}

void ledgerQueuedFree(LedgerQueued *p) {
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

/* Where the chain of a seqno begins. */
static LedgerQueued **appendedChain(LedgerConn *p, i64 iSeqno) {
  return &p->appended.apById[(sqlite3_uint64)iSeqno &
                             (sqlite3_uint64)(p->appended.nById - 1)];
}

/* Indexes a settled row by its id. Where memory is short rows are not
** found: the index tells only where to look first. */
static void appendedIndex(LedgerConn *p, LedgerQueued *pRow) {
  LedgerQueued **pp;
  if( pRow->id.seqno == 0 || pRow->zSubLedger == NULL ) return;
  if( p->appended.nRow > p->appended.nById ) {
    int nOld = p->appended.nById, nNew = nOld ? nOld * 4 : 256, i;
    LedgerQueued **apOld = p->appended.apById;
    LedgerQueued **apNew =
        sqlite3_malloc64(sizeof(*apNew) * (sqlite3_uint64)nNew);
    if( apNew ) {
      memset(apNew, 0, sizeof(*apNew) * (size_t)nNew);
      p->appended.apById = apNew;
      p->appended.nById = nNew;
      for( i = 0; i < nOld; i++ ) {
        while( apOld[i] ) {
          LedgerQueued *pMove = apOld[i];
          apOld[i] = pMove->pNextById;
          pp = appendedChain(p, pMove->id.seqno);
          pMove->pNextById = *pp;
          *pp = pMove;
        }
      }
      sqlite3_free(apOld);
    }
  }
  if( p->appended.nById == 0 ) return;
  pp = appendedChain(p, pRow->id.seqno);
  pRow->pNextById = *pp;
  *pp = pRow;
}

/* Takes a row out of the index, if it is there. */
static void appendedUnindex(LedgerConn *p, LedgerQueued *pRow) {
  LedgerQueued **pp;
  if( p->appended.nById == 0 ) return;
  for( pp = appendedChain(p, pRow->id.seqno); *pp; pp = &(*pp)->pNextById ) {
    if( *pp == pRow ) {
      *pp = pRow->pNextById;
      return;
    }
  }
}

/* Forgets what a settled row says. */
static void appendedForget(LedgerConn *p, LedgerQueued *pRow) {
  if( pRow->zContents ) p->appended.nByte -= pRow->nContents;
  sqlite3_free(pRow->zContents);
  pRow->zContents = NULL;
}

void ledgerAppendedAdd(LedgerConn *p, LedgerQueued *pRow) {
  LedgerAppended *pAll = &p->appended;
  if( pRow->zContents ) pAll->nByte += pRow->nContents;
  if( pRow->pKind || pRow->eState == LEDGER_COMMITTED ) {
    appendedForget(p, pRow);
  }
  ledgerUnref(pRow->pLedger);
  pRow->pLedger = NULL;
  pRow->pOwner = NULL;
  *p->appended.ppEnd = pRow;
  p->appended.ppEnd = &pRow->pNext;
  p->appended.nRow++;
  appendedIndex(p, pRow);
  if( pAll->pTold == NULL ) pAll->pTold = pRow;
  for( ; pAll->nByte > CONTENTS_MAX; pAll->pTold = pAll->pTold->pNext ) {
    appendedForget(p, pAll->pTold);
  }
  while( p->appended.nRow - (p->queue.iNext - p->appended.iLastBatch) >
             HISTORY_MAX &&
         p->appended.pFirst->n < p->appended.iLastBatch ) {
    LedgerQueued *pOld = p->appended.pFirst;
    p->appended.pFirst = pOld->pNext;
    if( pAll->pTold == pOld ) pAll->pTold = pOld->pNext;
    appendedForget(p, pOld);
    appendedUnindex(p, pOld);
    ledgerQueuedFree(pOld);
    p->appended.nRow--;
  }
}

void ledgerAppendedSettle(LedgerConn *p, const Ledger *pLedger, i64 iOutbox,
                          int eState, LedgerTxid id) {
  LedgerQueued *pRow;
  for( pRow = p->appended.pFirst; pRow; pRow = pRow->pNext ) {
    if( pRow->iOutbox != iOutbox || pRow->iSlot != pLedger->iSlot ||
        (pRow->eState != LEDGER_PENDING && pRow->eState != LEDGER_UNKNOWN) ) {
      continue;
    }
    pRow->eState = eState;
    if( eState == LEDGER_COMMITTED ) appendedForget(p, pRow);
    if( id.seqno == 0 ) continue; /* lost: it keeps the id that it had */
    appendedUnindex(p, pRow);
    pRow->id = id;
    appendedIndex(p, pRow);
    sqlite3_free(pRow->zError);
    pRow->zError = NULL;
  }
}

int ledgerAppendedTaken(LedgerConn *p, const Ledger *pLedger, LedgerTxid id,
                        const LedgerQueued *pFor) {
  const LedgerQueued *pRow;
  if( p->appended.nById == 0 ) return 0;
  for( pRow = *appendedChain(p, id.seqno); pRow; pRow = pRow->pNextById ) {
    if( pRow->iSlot == pLedger->iSlot && pRow->id.seqno == id.seqno &&
        (pRow->eState == LEDGER_COMMITTED || pRow->id.view == id.view) &&
        (pFor->iOutbox == 0 || pRow->iOutbox != pFor->iOutbox) ) {
      return 1;
    }
  }
  return 0;
}

const char *ledgerAppendedSubLedger(LedgerConn *p, const Ledger *pLedger,
                                    LedgerTxid id) {
  const LedgerQueued *pRow;
  if( p->appended.nById == 0 ) return NULL;
  for( pRow = *appendedChain(p, id.seqno); pRow; pRow = pRow->pNextById ) {
    if( pRow->iSlot == pLedger->iSlot &&
        ledgerTxidCompare(pRow->id, id) == 0 ) {
      return pRow->zSubLedger;
    }
  }
  return NULL;
}

int ledgerAppendedCommitted(LedgerConn *p, const Ledger *pLedger, LedgerTxid id,
                            const char *zSubLedger) {
  const LedgerQueued *pRow;
  if( p->appended.nById == 0 ) return 0;
  for( pRow = *appendedChain(p, id.seqno); pRow; pRow = pRow->pNextById ) {
    if( pRow->iSlot == pLedger->iSlot && pRow->eState == LEDGER_COMMITTED &&
        ledgerTxidCompare(pRow->id, id) == 0 &&
        strcmp(pRow->zSubLedger, zSubLedger) == 0 ) {
      return 1;
    }
  }
  return 0;
}

int ledgerQueueHasRows(const LedgerConn *p, const Ledger *pLedger) {
  const LedgerQueued *pRow;
  for( pRow = p->queue.pFirst; pRow; pRow = pRow->pNext ) {
    if( pRow->pLedger == pLedger ) return 1;
  }
  return 0;
}

void ledgerAppendedFree(LedgerConn *p) {
  LedgerQueued *apList[2];
  int i;
  apList[0] = p->queue.pFirst;
  apList[1] = p->appended.pFirst;
  p->queue.pFirst = p->appended.pFirst = NULL;
  sqlite3_free(p->appended.apById);
  p->appended.apById = NULL;
  p->appended.nById = 0;
  for( i = 0; i < 2; i++ ) {
    while( apList[i] ) {
      LedgerQueued *pNext = apList[i]->pNext;
      ledgerQueuedFree(apList[i]);
      apList[i] = pNext;
    }
  }
}
