/*
** A stream: the rows of one sub-ledger of one ledger, by transaction id,
** upwards or downwards.
**
** Requests: GET /app/transactions?collectionId=...[&fromTransactionId=...]
** [&toTransactionId=...][&tag=...], page by page.
**
** Upwards, pages are shown as they come; at most one more is fetched ahead.
** The service has no descending order, so downwards a stream reads windows of
** seqnos from the top, each upwards into a store (memory, then a file), and
** shows the store backwards. Windows grow while they bring few rows. Where the
** service refuses their bounds, one window holds the whole range.
*/
#include "sqlite/read/read.h"

#include <string.h>

#define STREAM_WINDOW 1000          /* seqnos of the first window */
#define STREAM_WINDOW_MAX (1 << 28) /* and of the largest */

struct LedgerStream {
  LedgerSnapshot *pSnapshot; /* borrowed */
  Ledger *pLedger;           /* counted reference */
  LedgerRange range;         /* what to read; texts are owned (sqlite3_free) */
  int bDesc;                 /* downwards */
  LedgerLanes *pLanes;       /* borrowed from the scan */
  int bLimit;                /* not all rows may be wanted */
  LedgerPieces *pPieces;     /* upwards: the pages being read, or NULL */
  const LedgerPage *pPage;   /* the page at hand, or NULL */
  int iEntry;                /* its next entry */
  int bEof;                  /* nothing follows */
  LedgerEntryRow row;        /* the row last returned (upwards) */
  /* downwards */
  LedgerSpill *pSpill; /* the window's rows */
  i64 iPos;            /* behind the next one to show */
  i64 iHigh;           /* seqno of the next window's upper end */
  i64 nWindow;         /* its length */
  int bWhole;          /* bounds are refused: one window is all */
};

int ledgerStreamOpen(LedgerSnapshot *pSnapshot, Ledger *pLedger,
                     LedgerLanes *pLanes, const char *zSubLedger,
                     const LedgerQuery *pQuery, const char *zTag,
                     LedgerStream **ppStream, LedgerError *pErr) {
  LedgerStream *p = sqlite3_malloc64(sizeof(*p));
  *ppStream = NULL;
  if( p == NULL ) return ledgerErrorNomem(pErr);
  memset(p, 0, sizeof(*p));
  p->pSnapshot = pSnapshot;
  ledgerRef(pLedger);
  p->pLedger = pLedger;
  p->pLanes = pLanes;
  p->bLimit = pQuery->nWanted < INT64_MAX;
  p->bDesc = pQuery->bOrder && pQuery->bDesc;
  p->range.zSubLedger = sqlite3_mprintf("%s", zSubLedger);
  if( zTag ) p->range.zTag = sqlite3_mprintf("%s", zTag);
  p->range.from = pQuery->from;
  p->range.to = pQuery->to;
  if( pQuery->bIds ) { /* MATCH beside ids: the range that holds them */
    p->range.from = pQuery->aId[0];
    p->range.to = pQuery->aId[pQuery->nId - 1];
  }
  if( p->range.zSubLedger == NULL || (zTag && p->range.zTag == NULL) ) {
    ledgerStreamClose(p);
    return ledgerErrorNomem(pErr);
  }
  *ppStream = p;
  return LEDGER_OK;
}

void ledgerStreamClose(LedgerStream *p) {
  if( p == NULL ) return;
  ledgerPiecesClose(p->pPieces);
  ledgerSpillFree(p->pSpill);
  sqlite3_free((char *)p->range.zSubLedger);
  sqlite3_free((char *)p->range.zTag);
  ledgerUnref(p->pLedger);
  sqlite3_free(p);
}

int ledgerStreamStart(LedgerStream *p, i64 nMore, LedgerError *pErr) {
  if( p->bDesc || p->bEof ) return LEDGER_OK;
  if( p->pPieces == NULL &&
      ledgerPiecesOpen(p->pSnapshot, p->pLedger, p->pLanes, &p->range,
                       p->bLimit, &p->pPieces, pErr) ) {
    return pErr->rc;
  }
  return ledgerPiecesStart(p->pPieces, nMore, pErr);
}

int ledgerStreamReady(const LedgerStream *p) {
  if( p->bEof ) return 0;
  if( p->pSpill ) return p->iPos > 0 ? (int)ledgerSpillCount(p->pSpill) : 0;
  return p->pPage ? p->pPage->nEntry - p->iEntry : 0;
}

/* The next row upwards. */
static int streamUp(LedgerStream *p, i64 nMore, const LedgerEntryRow **ppRow,
                    LedgerError *pErr) {
  int rc = LEDGER_OK;
  if( p->pPieces == NULL ) rc = ledgerStreamStart(p, -1, pErr);
  while( rc == LEDGER_OK ) {
    if( p->pPage && p->iEntry < p->pPage->nEntry ) {
      p->row.pLedger = p->pLedger;
      p->row.entry = p->pPage->aEntry[p->iEntry++];
      if( p->row.entry.id.seqno >
          ledgerSnapshotBound(p->pSnapshot, p->pLedger) ) {
        break;
      }
      *ppRow = &p->row;
      return LEDGER_OK;
    }
    rc = ledgerPiecesNext(p->pPieces, nMore, &p->pPage, &p->iEntry, pErr);
    if( p->pPage == NULL ) break;
  }
  p->bEof = 1;
  p->pPage = NULL;
  ledgerPiecesClose(p->pPieces);
  p->pPieces = NULL;
  return rc;
}

/* Reads one window, [iLow, p->iHigh], into the store. */
static int streamWindow(LedgerStream *p, i64 iLow, LedgerError *pErr) {
  LedgerRange range = p->range;
  LedgerPieces *pPieces = NULL;
  const LedgerPage *pPage = NULL;
  LedgerTxid bound = ledgerSnapshotBoundId(p->pSnapshot, p->pLedger);
  LedgerEntryRow row;
  int i, rc;

  ledgerSpillFree(p->pSpill);
  p->pSpill = NULL;
  rc = ledgerSpillNew(LEDGER_SPILL_MEMORY / 2, 1, &p->pSpill, pErr);
  if( rc ) return rc;
  if( !p->bWhole ) {
    if( iLow > range.from.seqno ) {
      range.from.seqno = iLow;
      range.from.view = 0;
    }
    if( p->iHigh != range.to.seqno ) {
      range.to.seqno = p->iHigh;
      range.to.view = p->iHigh == bound.seqno ? bound.view : 0;
    }
  }
  row.pLedger = p->pLedger;
  rc = ledgerPiecesOpen(p->pSnapshot, p->pLedger, p->pLanes, &range, 0,
                        &pPieces, pErr);
  while( rc == LEDGER_OK ) {
    rc = ledgerPiecesNext(pPieces, INT64_MAX, &pPage, &i, pErr);
    if( rc || pPage == NULL ) break;
    if( pPage->isUnbounded && !p->bWhole ) { /* then read it only once */
      ledgerPiecesClose(pPieces);
      p->bWhole = 1;
      return streamWindow(p, iLow, pErr);
    }
    for( ; i < pPage->nEntry && rc == LEDGER_OK; i++ ) {
      row.entry = pPage->aEntry[i];
      if( row.entry.id.seqno > p->iHigh ) break;
      rc = ledgerSpillAdd(p->pSpill, &row, pErr);
    }
  }
  ledgerPiecesClose(pPieces);
  p->iPos = ledgerSpillEnd(p->pSpill);
  return rc;
}

/* The next row downwards. */
static int streamDown(LedgerStream *p, const LedgerEntryRow **ppRow,
                      LedgerError *pErr) {
  i64 iBottom = p->range.from.seqno ? p->range.from.seqno : 1;
  int rc = LEDGER_OK;
  if( p->nWindow == 0 ) {
    p->nWindow = STREAM_WINDOW;
    p->iHigh = ledgerSnapshotBound(p->pSnapshot, p->pLedger);
    if( p->range.to.seqno && p->range.to.seqno < p->iHigh ) {
      p->iHigh = p->range.to.seqno;
    }
    if( p->iHigh == INT64_MAX ) p->bWhole = 1; /* no state is known */
  }
  while( rc == LEDGER_OK ) {
    i64 iLow;
    if( p->pSpill ) {
      rc = ledgerSpillRead(p->pSpill, &p->iPos, 1, ppRow, pErr);
      if( rc || *ppRow ) return rc;
      if( ledgerSpillCount(p->pSpill) < 100 ) {
        p->nWindow *= 4;
      } else if( ledgerSpillCount(p->pSpill) < 500 ) {
        p->nWindow *= 2;
      }
      if( p->nWindow > STREAM_WINDOW_MAX ) p->nWindow = STREAM_WINDOW_MAX;
      if( p->bWhole ) break;
    }
    if( p->iHigh < iBottom ) break;
    iLow = p->iHigh - p->nWindow + 1;
    if( iLow < iBottom ) iLow = iBottom;
    rc = streamWindow(p, iLow, pErr);
    p->iHigh = iLow - 1;
  }
  p->bEof = 1;
  return rc;
}

int ledgerStreamNext(LedgerStream *p, i64 nMore, const LedgerEntryRow **ppRow,
                     LedgerError *pErr) {
  *ppRow = NULL;
  if( p->bEof ) return LEDGER_OK;
  return p->bDesc ? streamDown(p, ppRow, pErr)
                  : streamUp(p, nMore, ppRow, pErr);
}
