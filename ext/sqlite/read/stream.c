/*
** A lane: the rows of one sub-ledger of one ledger, by transaction id, upwards
** or downwards.
**
** Requests: GET /app/transactions?collectionId=...[&fromTransactionId=...]
** [&toTransactionId=...][&tag=...], page by page.
**
** Upwards, pages are shown as they come; at most one more is fetched ahead.
** The service has no descending order, so downwards a lane reads windows of
** seqnos from the top, each upwards into a store (memory, then a file), and
** shows the store backwards. Windows grow while they bring few rows. Where the
** service refuses their bounds, one window holds the whole range.
*/
#include "sqlite/read/read.h"

#include <string.h>

#define LANE_WINDOW 1000          /* seqnos of the first window */
#define LANE_WINDOW_MAX (1 << 28) /* and of the largest */

struct LedgerLane {
  LedgerScope *pScope;     /* borrowed */
  Ledger *pLedger;         /* counted reference */
  LedgerRange range;       /* what to read; texts are owned (sqlite3_free) */
  int bDesc;               /* downwards */
  LedgerPager *pPager;     /* the pages being read, or NULL */
  const LedgerPage *pPage; /* the page at hand, or NULL */
  int iEntry;              /* its next entry */
  int bEof;                /* nothing follows */
  LedgerRow row;           /* the row last returned (upwards) */
  /* downwards */
  LedgerRows *pRows; /* the window's rows */
  i64 iPos;          /* behind the next one to show */
  i64 iHigh;         /* seqno of the next window's upper end */
  i64 nWindow;       /* its length */
  int bWhole;        /* bounds are refused: one window is all */
};

int ledgerLaneOpen(LedgerScope *pScope, Ledger *pLedger, const char *zSubLedger,
                   const LedgerQuery *pQuery, const char *zTag,
                   LedgerLane **ppLane, LedgerError *pErr) {
  LedgerLane *p = sqlite3_malloc64(sizeof(*p));
  *ppLane = NULL;
  if( p == NULL ) return ledgerErrorNomem(pErr);
  memset(p, 0, sizeof(*p));
  p->pScope = pScope;
  ledgerRef(pLedger);
  p->pLedger = pLedger;
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
    ledgerLaneClose(p);
    return ledgerErrorNomem(pErr);
  }
  *ppLane = p;
  return LEDGER_OK;
}

void ledgerLaneClose(LedgerLane *p) {
  if( p == NULL ) return;
  ledgerScopeForget(p->pScope, p->pLedger, p);
  ledgerPagerClose(p->pPager);
  ledgerRowsFree(p->pRows);
  sqlite3_free((char *)p->range.zSubLedger);
  sqlite3_free((char *)p->range.zTag);
  ledgerUnref(p->pLedger);
  sqlite3_free(p);
}

int ledgerLaneStart(LedgerLane *p, LedgerError *pErr) {
  int rc = LEDGER_OK;
  if( p->bDesc || p->bEof || p->pPage ) return LEDGER_OK;
  if( p->pPager == NULL ) {
    rc = ledgerPagerOpen(p->pLedger->pClient, &p->range, &p->pPager, pErr);
    if( rc == LEDGER_OK ) {
      ledgerPagerBound(p->pPager, ledgerScopeBound(p->pScope, p->pLedger));
    }
  }
  if( rc == LEDGER_OK ) rc = ledgerPagerPrefetch(p->pPager, pErr);
  return rc;
}

int ledgerLaneReady(const LedgerLane *p) {
  if( p->bEof ) return 0;
  if( p->pRows ) return p->iPos > 0 ? (int)ledgerRowsCount(p->pRows) : 0;
  return p->pPage ? p->pPage->nEntry - p->iEntry : 0;
}

/* Tells the scope what the page at hand has shown, and the pager the bound:
** what lies above it is not asked for. */
static int laneAnswered(LedgerLane *p, LedgerError *pErr) {
  const LedgerPage *pPage = p->pPage;
  LedgerTxid head = pPage->head;
  i64 iNext = p->range.from.seqno ? p->range.from.seqno : 1;
  /* Where the query has no upper bound, the service's next link names the
  ** state it reads at; not one that is still to come. */
  if( p->range.to.seqno == 0 && pPage->bound.seqno &&
      (head.seqno == 0 || pPage->bound.seqno <= head.seqno) ) {
    head = pPage->bound;
  }
  if( pPage->nEntry > 0 ) iNext = pPage->aEntry[pPage->nEntry - 1].id.seqno + 1;
  if( ledgerScopeAnswered(p->pScope, p->pLedger, p, &p->range, head, iNext,
                          pPage->isLast, pErr) ||
      pPage->isLast ) {
    return pErr->rc;
  }
  ledgerPagerBound(p->pPager, ledgerScopeBound(p->pScope, p->pLedger));
  if( !pPage->isLast ) return LEDGER_OK;
  return ledgerScopeAnswered(p->pScope, p->pLedger, p, &p->range, head, iNext,
                             1, pErr);
}

/* The next row upwards. */
static int laneUp(LedgerLane *p, int bMore, const LedgerRow **ppRow,
                  LedgerError *pErr) {
  int rc = ledgerLaneStart(p, pErr);
  while( rc == LEDGER_OK && !p->bEof ) {
    if( p->pPage && p->iEntry < p->pPage->nEntry ) {
      p->row.pLedger = p->pLedger;
      p->row.entry = p->pPage->aEntry[p->iEntry++];
      if( p->row.entry.id.seqno > ledgerScopeBound(p->pScope, p->pLedger) ) {
        break;
      }
      *ppRow = &p->row;
      return LEDGER_OK;
    }
    rc = ledgerPagerNext(p->pPager, &p->pPage, pErr);
    p->iEntry = 0;
    if( rc || p->pPage == NULL ) break;
    rc = laneAnswered(p, pErr);
    if( rc == LEDGER_OK && bMore && !p->pPage->isLast ) {
      rc = ledgerPagerPrefetch(p->pPager, pErr);
    }
  }
  p->bEof = 1;
  p->pPage = NULL;
  ledgerPagerClose(p->pPager);
  p->pPager = NULL;
  return rc;
}

/* Reads one window, [iLow, p->iHigh], into the store. */
static int laneWindow(LedgerLane *p, i64 iLow, LedgerError *pErr) {
  LedgerRange range = p->range;
  LedgerPager *pPager = NULL;
  const LedgerPage *pPage = NULL;
  LedgerTxid bound = ledgerScopeBoundId(p->pScope, p->pLedger);
  LedgerRow row;
  int i, rc;

  ledgerRowsFree(p->pRows);
  p->pRows = NULL;
  rc = ledgerRowsNew(LEDGER_ROWS_MEMORY / 2, 1, &p->pRows, pErr);
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
  rc = ledgerPagerOpen(p->pLedger->pClient, &range, &pPager, pErr);
  if( rc == LEDGER_OK ) ledgerPagerBound(pPager, p->iHigh);
  while( rc == LEDGER_OK ) {
    rc = ledgerPagerNext(pPager, &pPage, pErr);
    if( rc || pPage == NULL ) break;
    if( pPage->isUnbounded && !p->bWhole ) { /* then read it only once */
      ledgerPagerClose(pPager);
      p->bWhole = 1;
      return laneWindow(p, iLow, pErr);
    }
    if( !pPage->isLast ) rc = ledgerPagerPrefetch(pPager, pErr);
    for( i = 0; i < pPage->nEntry && rc == LEDGER_OK; i++ ) {
      row.entry = pPage->aEntry[i];
      if( row.entry.id.seqno > p->iHigh ) break;
      rc = ledgerRowsAdd(p->pRows, &row, pErr);
    }
  }
  ledgerPagerClose(pPager);
  p->iPos = ledgerRowsEnd(p->pRows);
  return rc;
}

/* The next row downwards. */
static int laneDown(LedgerLane *p, const LedgerRow **ppRow, LedgerError *pErr) {
  i64 iBottom = p->range.from.seqno ? p->range.from.seqno : 1;
  int rc = LEDGER_OK;
  if( p->nWindow == 0 ) {
    p->nWindow = LANE_WINDOW;
    p->iHigh = ledgerScopeBound(p->pScope, p->pLedger);
    if( p->range.to.seqno && p->range.to.seqno < p->iHigh ) {
      p->iHigh = p->range.to.seqno;
    }
    if( p->iHigh == INT64_MAX ) p->bWhole = 1; /* no state is known */
  }
  while( rc == LEDGER_OK ) {
    i64 iLow;
    if( p->pRows ) {
      rc = ledgerRowsRead(p->pRows, &p->iPos, 1, ppRow, pErr);
      if( rc || *ppRow ) return rc;
      if( ledgerRowsCount(p->pRows) < 100 ) {
        p->nWindow *= 4;
      } else if( ledgerRowsCount(p->pRows) < 500 ) {
        p->nWindow *= 2;
      }
      if( p->nWindow > LANE_WINDOW_MAX ) p->nWindow = LANE_WINDOW_MAX;
      if( p->bWhole ) break;
    }
    if( p->iHigh < iBottom ) break;
    iLow = p->iHigh - p->nWindow + 1;
    if( iLow < iBottom ) iLow = iBottom;
    rc = laneWindow(p, iLow, pErr);
    p->iHigh = iLow - 1;
  }
  p->bEof = 1;
  return rc;
}

int ledgerLaneNext(LedgerLane *p, int bMore, const LedgerRow **ppRow,
                   LedgerError *pErr) {
  *ppRow = NULL;
  if( p->bEof ) return LEDGER_OK;
  return p->bDesc ? laneDown(p, ppRow, pErr) : laneUp(p, bMore, ppRow, pErr);
}
