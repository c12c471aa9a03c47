/*
** Changes of the ledger by this connection, and what became of them.
**
**     SELECT * FROM ledger_appends;
**
** No request is made here. The history keeps the last transaction whole and
** HISTORY_MAX older rows. It tells a reader which ids are known to be
** committed, and the settler which are taken.
*/
#include "sqlite/conn/conn.h"

#include <stdlib.h>
#include <string.h>

#define HISTORY_MAX 10000

const char *ledgerHistoryStateName(int eState) {
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
static LedgerQueued **historyChain(LedgerConn *p, i64 iSeqno) {
  return &p->history.apById[(sqlite3_uint64)iSeqno &
                            (sqlite3_uint64)(p->history.nById - 1)];
}

/* Indexes a row of the history by its id. Where memory is short rows are not
** found: the index tells only where to look first. */
static void historyIndex(LedgerConn *p, LedgerQueued *pRow) {
  LedgerQueued **pp;
  if( pRow->id.seqno == 0 || pRow->zSubLedger == NULL ) return;
  if( p->history.nRow > p->history.nById ) {
    int nOld = p->history.nById, nNew = nOld ? nOld * 4 : 256, i;
    LedgerQueued **apOld = p->history.apById;
    LedgerQueued **apNew =
        sqlite3_malloc64(sizeof(*apNew) * (sqlite3_uint64)nNew);
    if( apNew ) {
      memset(apNew, 0, sizeof(*apNew) * (size_t)nNew);
      p->history.apById = apNew;
      p->history.nById = nNew;
      for( i = 0; i < nOld; i++ ) {
        while( apOld[i] ) {
          LedgerQueued *pMove = apOld[i];
          apOld[i] = pMove->pNextById;
          pp = historyChain(p, pMove->id.seqno);
          pMove->pNextById = *pp;
          *pp = pMove;
        }
      }
      sqlite3_free(apOld);
    }
  }
  if( p->history.nById == 0 ) return;
  pp = historyChain(p, pRow->id.seqno);
  pRow->pNextById = *pp;
  *pp = pRow;
}

/* Takes a row out of the index, if it is there. */
static void historyUnindex(LedgerConn *p, LedgerQueued *pRow) {
  LedgerQueued **pp;
  if( p->history.nById == 0 ) return;
  for( pp = historyChain(p, pRow->id.seqno); *pp; pp = &(*pp)->pNextById ) {
    if( *pp == pRow ) {
      *pp = pRow->pNextById;
      return;
    }
  }
}

void ledgerHistoryAdd(LedgerConn *p, LedgerQueued *pRow) {
  sqlite3_free(pRow->zContents);
  pRow->zContents = NULL;
  ledgerUnref(pRow->pLedger);
  pRow->pLedger = NULL;
  pRow->pOwner = NULL;
  *p->history.ppEnd = pRow;
  p->history.ppEnd = &pRow->pNext;
  p->history.nRow++;
  historyIndex(p, pRow);
  while( p->history.nRow - (p->queue.iNext - p->history.iLastBatch) >
             HISTORY_MAX &&
         p->history.pFirst->n < p->history.iLastBatch ) {
    LedgerQueued *pOld = p->history.pFirst;
    p->history.pFirst = pOld->pNext;
    historyUnindex(p, pOld);
    ledgerQueuedFree(pOld);
    p->history.nRow--;
  }
}

void ledgerHistorySettle(LedgerConn *p, const Ledger *pLedger, i64 iOutbox,
                         int eState, LedgerTxid id) {
  LedgerQueued *pRow;
  for( pRow = p->history.pFirst; pRow; pRow = pRow->pNext ) {
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

int ledgerHistoryTaken(LedgerConn *p, const Ledger *pLedger, LedgerTxid id,
                       const LedgerQueued *pFor) {
  const LedgerQueued *pRow;
  if( p->history.nById == 0 ) return 0;
  for( pRow = *historyChain(p, id.seqno); pRow; pRow = pRow->pNextById ) {
    if( pRow->iSlot == pLedger->iSlot && pRow->id.seqno == id.seqno &&
        (pRow->eState == LEDGER_COMMITTED || pRow->id.view == id.view) &&
        (pFor->iOutbox == 0 || pRow->iOutbox != pFor->iOutbox) ) {
      return 1;
    }
  }
  return 0;
}

const char *ledgerHistorySubLedger(LedgerConn *p, const Ledger *pLedger,
                                   LedgerTxid id) {
  const LedgerQueued *pRow;
  if( p->history.nById == 0 ) return NULL;
  for( pRow = *historyChain(p, id.seqno); pRow; pRow = pRow->pNextById ) {
    if( pRow->iSlot == pLedger->iSlot &&
        ledgerTxidCompare(pRow->id, id) == 0 ) {
      return pRow->zSubLedger;
    }
  }
  return NULL;
}

int ledgerHistoryCommitted(LedgerConn *p, const Ledger *pLedger, LedgerTxid id,
                           const char *zSubLedger) {
  const LedgerQueued *pRow;
  if( p->history.nById == 0 ) return 0;
  for( pRow = *historyChain(p, id.seqno); pRow; pRow = pRow->pNextById ) {
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

void ledgerHistoryFree(LedgerConn *p) {
  LedgerQueued *apList[2];
  int i;
  apList[0] = p->queue.pFirst;
  apList[1] = p->history.pFirst;
  p->queue.pFirst = p->history.pFirst = NULL;
  sqlite3_free(p->history.apById);
  p->history.apById = NULL;
  p->history.nById = 0;
  for( i = 0; i < 2; i++ ) {
    while( apList[i] ) {
      LedgerQueued *pNext = apList[i]->pNext;
      ledgerQueuedFree(apList[i]);
      apList[i] = pNext;
    }
  }
}
