/*
** How a table that queues follows SQLite's transaction.
**
** SQLite tells a table of BEGIN at its first write, then of savepoints by
** index. A ROLLBACK TO names an index that may be older than the table's first
** write, then even -1: everything since xBegin goes.
*/
#include "sqlite/write/write.h"

#include <string.h>

/* A savepoint: how long the queue was when it was made. */
typedef struct LedgerMark LedgerMark;
struct LedgerMark {
  int iSavepoint; /* SQLite's index */
  i64 iRow;       /* LedgerQueue.iNext at that time */
};

int ledgerWriterInit(LedgerWriter *p, LedgerDb *pDb, const char *zSchema) {
  memset(p, 0, sizeof(*p));
  p->pDb = pDb;
  p->zSchema = sqlite3_mprintf("%s", zSchema);
  return p->zSchema ? SQLITE_OK : SQLITE_NOMEM;
}

void ledgerWriterClear(LedgerWriter *p) {
  if( p->bBegun ) ledgerWriterEnd(p);
  sqlite3_free(p->zSchema);
  sqlite3_free(p->aMark);
}

int ledgerWriterHasRows(const LedgerWriter *p) {
  const LedgerQueueRow *pRow;
  for( pRow = p->pDb->queue.pFirst; pRow; pRow = pRow->pNext ) {
    if( pRow->pOwner == p ) return 1;
  }
  return 0;
}

void ledgerWriterBegin(LedgerWriter *p) {
  if( p->bBegun ) return;
  p->bBegun = 1;
  p->iBegin = p->pDb->queue.iNext;
  if( p->pDb->queue.pWriter == NULL )
    p->pDb->history.iLastBatch = p->pDb->queue.iNext;
  p->pNext = p->pDb->queue.pWriter;
  p->pDb->queue.pWriter = p;
}

int ledgerWriterSavepoint(LedgerWriter *p, int iSavepoint) {
  if( p->nMark == p->nMarkAlloc ) {
    int nNew = p->nMarkAlloc ? p->nMarkAlloc * 2 : 8;
    LedgerMark *aNew =
        sqlite3_realloc64(p->aMark, sizeof(*aNew) * (sqlite3_uint64)nNew);
    if( aNew == NULL ) return SQLITE_NOMEM;
    p->aMark = aNew;
    p->nMarkAlloc = nNew;
  }
  p->aMark[p->nMark].iSavepoint = iSavepoint;
  p->aMark[p->nMark].iRow = p->pDb->queue.iNext;
  p->nMark++;
  return SQLITE_OK;
}

void ledgerWriterRelease(LedgerWriter *p, int iSavepoint) {
  while( p->nMark > 0 && p->aMark[p->nMark - 1].iSavepoint >= iSavepoint ) {
    p->nMark--;
  }
}

void ledgerWriterRollbackTo(LedgerWriter *p, int iSavepoint) {
  i64 iFrom = p->iBegin;
  int i;
  for( i = 0; i < p->nMark && p->aMark[i].iSavepoint < iSavepoint; i++ ) {
  }
  if( i < p->nMark ) {
    iFrom = p->aMark[i].iRow;
    p->nMark = p->aMark[i].iSavepoint == iSavepoint ? i + 1 : i;
  }
  ledgerQueueCut(p->pDb, p, iFrom);
}

void ledgerWriterEnd(LedgerWriter *p) {
  LedgerWriter **pp;
  ledgerQueueSettle(p->pDb, p);
  for( pp = &p->pDb->queue.pWriter; *pp; pp = &(*pp)->pNext ) {
    if( *pp == p ) {
      *pp = p->pNext;
      break;
    }
  }
  p->bBegun = 0;
  p->nMark = 0;
}
