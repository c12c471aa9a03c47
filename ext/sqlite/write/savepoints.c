/*
** How a table that queues follows SQLite's transaction.
**
** SQLite tells a table of BEGIN at its first write, then of savepoints by
** index. A ROLLBACK TO names an index that may be older than the table's first
** write, then even -1: everything since xBegin goes.
*/
#include "sqlite/write/write.h"

/* A savepoint: how long the queue was when it was made. */
typedef struct LedgerMark LedgerMark;
struct LedgerMark {
  int iSavepoint; /* SQLite's index */
  i64 iRow;       /* LedgerQueue.iNext at that time */
};

void ledgerSavepointsClear(LedgerSavepoints *p) {
  if( p->bBegun ) ledgerSavepointsEnd(p);
  sqlite3_free(p->aMark);
}

int ledgerSavepointsHasRows(const LedgerSavepoints *p) {
  const LedgerQueued *pRow;
  for( pRow = p->pConn->queue.pFirst; pRow; pRow = pRow->pNext ) {
    if( pRow->pOwner == p ) return 1;
  }
  return 0;
}

void ledgerSavepointsBegin(LedgerSavepoints *p) {
  if( p->bBegun ) return;
  p->bBegun = 1;
  p->iBegin = p->pConn->queue.iNext;
  if( p->pConn->queue.pTables == NULL )
    p->pConn->appended.iLastBatch = p->pConn->queue.iNext;
  p->pNext = p->pConn->queue.pTables;
  p->pConn->queue.pTables = p;
}

int ledgerSavepointsSet(LedgerSavepoints *p, int iSavepoint) {
  if( p->nMark == p->nMarkAlloc ) {
    int nNew = p->nMarkAlloc ? p->nMarkAlloc * 2 : 8;
    LedgerMark *aNew =
        sqlite3_realloc64(p->aMark, sizeof(*aNew) * (sqlite3_uint64)nNew);
    if( aNew == NULL ) return SQLITE_NOMEM;
    p->aMark = aNew;
    p->nMarkAlloc = nNew;
  }
  p->aMark[p->nMark].iSavepoint = iSavepoint;
  p->aMark[p->nMark].iRow = p->pConn->queue.iNext;
  p->nMark++;
  return SQLITE_OK;
}

void ledgerSavepointsRelease(LedgerSavepoints *p, int iSavepoint) {
  while( p->nMark > 0 && p->aMark[p->nMark - 1].iSavepoint >= iSavepoint ) {
    p->nMark--;
  }
}

void ledgerSavepointsRollbackTo(LedgerSavepoints *p, int iSavepoint) {
  i64 iFrom = p->iBegin;
  int i;
  for( i = 0; i < p->nMark && p->aMark[i].iSavepoint < iSavepoint; i++ ) {
  }
  if( i < p->nMark ) {
    iFrom = p->aMark[i].iRow;
    p->nMark = p->aMark[i].iSavepoint == iSavepoint ? i + 1 : i;
  }
  ledgerQueueCut(p->pConn, p, iFrom);
}

void ledgerSavepointsEnd(LedgerSavepoints *p) {
  LedgerSavepoints **pp;
  ledgerQueueCut(p->pConn, p, 0);
  for( pp = &p->pConn->queue.pTables; *pp; pp = &(*pp)->pNext ) {
    if( *pp == p ) {
      *pp = p->pNext;
      break;
    }
  }
  p->bBegun = 0;
  p->nMark = 0;
}
