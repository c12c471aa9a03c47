/*
** A stream: the rows of sub-ledgers of one ledger, by transaction id, upwards
** or downwards.
**
** Requests: those of read/flight.c and read/views.c.
**
** One sub-ledger upwards is shown as its pages come. Otherwise a stream reads
** the range in windows of seqnos: what all its sub-ledgers have in one goes
** into a store (memory, then a file), each in its own part of it, and the parts
** are merged, forwards or backwards. So the newest rows are shown as soon as
** the uppermost window is read. Windows grow while they bring few rows: there
** may be as many as all lanes carry, and under LIMIT few at first. Where the
** service refuses their bounds, one window holds the whole range.
*/
#include "sqlite/read/read.h"

#include <string.h>

#define STREAM_WINDOW 1000 /* seqnos of a small window, rows of a page */
#define STREAM_WINDOW_MAX (1 << 28) /* seqnos of the largest */

/* What one sub-ledger has in the window: a part of the store. */
typedef struct StreamPart StreamPart;
struct StreamPart {
  i64 iPos;      /* before its next row */
  i64 iEnd;      /* behind its last row (downwards: before it) */
  LedgerTxid id; /* of its next row */
};

struct LedgerStream {
  LedgerSnapshot *pSnapshot; /* borrowed */
  Ledger *pLedger;           /* counted reference */
  LedgerLanes *pLanes;       /* borrowed from the scan */
  LedgerRange range;         /* what to read; texts are borrowed */
  int nName;                 /* the sub-ledgers ... */
  const char *const *azName; /* ... borrowed */
  int bDesc;                 /* downwards */
  int bLimit;                /* not all rows may be wanted */
  int bEof;                  /* nothing follows */
  /* one sub-ledger upwards */
  LedgerPieces *pPieces;   /* the pages being read, or NULL */
  const LedgerPage *pPage; /* the page at hand, or NULL */
  int iEntry;              /* its next entry */
  LedgerEntryRow row;      /* the row last returned */
  /* else: windows */
  i64 iLow, iHigh;     /* what is not yet read */
  i64 nWindow;         /* seqnos of the next window; 0: before the first */
  int bWhole;          /* bounds are refused: one window is all */
  LedgerSpill *pSpill; /* the window's rows, or NULL */
  int nPart;           /* a heap: the next row is the first one's */
  StreamPart *aPart;   /* nName of them (sqlite3_free) */
  int bTaken;          /* ... and was returned */
};

int ledgerStreamOpen(LedgerSnapshot *pSnapshot, Ledger *pLedger,
                     LedgerLanes *pLanes, int nName, const char *const *azName,
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
  p->nName = nName;
  p->azName = azName;
  p->bLimit = pQuery->nWanted < INT64_MAX;
  p->bDesc = pQuery->bOrder && pQuery->bDesc;
  p->range.zSubLedger = azName[0];
  p->range.zTag = zTag;
  p->range.from = pQuery->from;
  p->range.to = pQuery->to;
  if( pQuery->bIds ) { /* MATCH beside ids: the range that holds them */
    p->range.from = pQuery->aId[0];
    p->range.to = pQuery->aId[pQuery->nId - 1];
  }
  *ppStream = p;
  return LEDGER_OK;
}

void ledgerStreamClose(LedgerStream *p) {
  if( p == NULL ) return;
  ledgerPiecesClose(p->pPieces);
  ledgerSpillFree(p->pSpill);
  sqlite3_free(p->aPart);
  ledgerUnref(p->pLedger);
  sqlite3_free(p);
}

static int streamIsWindowed(const LedgerStream *p) {
  return p->bDesc || p->nName > 1;
}

int ledgerStreamStart(LedgerStream *p, i64 nMore, LedgerError *pErr) {
  if( streamIsWindowed(p) || p->bEof ) return LEDGER_OK;
  if( p->pPieces == NULL &&
      ledgerPiecesOpen(p->pSnapshot, p->pLedger, p->pLanes, &p->range,
                       p->bLimit, &p->pPieces, pErr) ) {
    return pErr->rc;
  }
  return ledgerPiecesStart(p->pPieces, nMore, pErr);
}

int ledgerStreamReady(const LedgerStream *p) {
  return p->pPage ? p->pPage->nEntry - p->iEntry : 0;
}

/* The next row of one sub-ledger, upwards. */
static int streamPaged(LedgerStream *p, i64 nMore, const LedgerEntryRow **ppRow,
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

/* ---- windows: what is in one --------------------------------------------- */

/* The range to ask for, so that it holds the window. Its bounds are ids that
** are known to be committed, as far as there are; more rows than the window's
** that they let in are dropped. */
static int streamBounds(LedgerStream *p, i64 iLow, i64 iHigh,
                        LedgerRange *pRange, LedgerError *pErr) {
  LedgerClient *pClient = p->pLedger->pClient;
  const LedgerTxid top = ledgerSnapshotTop(p->pSnapshot, p->pLedger);
  *pRange = p->range;
  if( p->bWhole ) return LEDGER_OK;
  if( iLow > 1 && iLow != p->range.from.seqno ) {
    if( ledgerViewsFind(p->pLedger, iLow, p->bDesc ? -p->nWindow : p->nWindow,
                        top, pErr) ) {
      return pErr->rc;
    }
    pRange->from.seqno = iLow;
    pRange->from.view = ledgerClientView(pClient, iLow);
    if( pRange->from.view == 0 && !p->bDesc ) {
      pRange->from = ledgerClientBelow(pClient, iLow);
    }
  }
  if( iHigh != p->range.to.seqno ) {
    pRange->to.seqno = iHigh;
    pRange->to.view = ledgerClientView(pClient, iHigh);
    if( pRange->to.view == 0 && !p->bDesc ) pRange->to = p->range.to;
  }
  return LEDGER_OK;
}

/* Puts what the flight brings of the window into the store. */
static int streamDrain(LedgerStream *p, LedgerPieces *pPieces, i64 iLow,
                       i64 iHigh, int *pbRefused, LedgerError *pErr) {
  const LedgerPage *pPage = NULL;
  LedgerEntryRow row;
  int i;
  row.pLedger = p->pLedger;
  for( ;; ) {
    if( ledgerPiecesNext(pPieces, INT64_MAX, &pPage, &i, pErr) ) break;
    if( pPage == NULL ) break;
    *pbRefused = pPage->isUnbounded && !p->bWhole;
    if( *pbRefused ) break; /* then it is all read at once */
    for( ; i < pPage->nEntry; i++ ) {
      row.entry = pPage->aEntry[i];
      if( row.entry.id.seqno < iLow ) continue;
      if( row.entry.id.seqno > iHigh ) return LEDGER_OK;
      if( ledgerSpillAdd(p->pSpill, &row, pErr) ) return pErr->rc;
    }
  }
  return pErr->rc;
}

/* Starts flights from the i-th sub-ledger on, while there are lanes. */
static int streamLaunch(LedgerStream *p, LedgerRange *pRange, i64 iHigh, int i,
                        LedgerPieces **apPieces, LedgerError *pErr) {
  const LedgerLanes *pLanes = p->pLanes;
  const int iFirst = i;
  for( ; i < p->nName; i++ ) {
    if( i > iFirst && (pLanes->nMost < 2 || pLanes->nUnder >= pLanes->nWide ||
                       ledgerLanesFull(pLanes)) ) {
      break;
    }
    if( apPieces[i] == NULL ) {
      pRange->zSubLedger = p->azName[i];
      if( ledgerPiecesOpen(p->pSnapshot, p->pLedger, p->pLanes, pRange, 0,
                           &apPieces[i], pErr) ) {
        break;
      }
      ledgerPiecesBound(apPieces[i], iHigh);
    }
    if( ledgerPiecesStart(apPieces[i], INT64_MAX, pErr) ) break;
  }
  return pErr->rc;
}

/* Reads the window [iLow, iHigh] into the store. */
static int streamRead(LedgerStream *p, i64 iLow, i64 iHigh, LedgerError *pErr) {
  const size_t nByte = sizeof(LedgerPieces *) * (size_t)p->nName;
  LedgerPieces **apPieces = sqlite3_malloc64(nByte);
  LedgerRange range;
  int i, bRefused = 0;

  p->nPart = 0;
  p->bTaken = 0;
  ledgerSpillFree(p->pSpill);
  p->pSpill = NULL;
  if( apPieces == NULL ) return ledgerErrorNomem(pErr);
  memset(apPieces, 0, nByte);
  if( ledgerSpillNew(LEDGER_SPILL_MEMORY / 2, 1, &p->pSpill, pErr) ) goto out;
  if( streamBounds(p, iLow, iHigh, &range, pErr) ) goto out;
  for( i = 0; i < p->nName && !bRefused; i++ ) {
    StreamPart part;
    memset(&part, 0, sizeof(part));
    part.iPos = ledgerSpillEnd(p->pSpill);
    if( streamLaunch(p, &range, iHigh, i, apPieces, pErr) ||
        streamDrain(p, apPieces[i], iLow, iHigh, &bRefused, pErr) ) {
      goto out;
    }
    ledgerPiecesClose(apPieces[i]);
    apPieces[i] = NULL;
    part.iEnd = ledgerSpillEnd(p->pSpill);
    if( part.iPos == part.iEnd ) continue;
    if( p->bDesc ) {
      part.iEnd = part.iPos;
      part.iPos = ledgerSpillEnd(p->pSpill);
    }
    p->aPart[p->nPart++] = part;
  }
out:
  for( i = 0; i < p->nName; i++ ) ledgerPiecesClose(apPieces[i]);
  sqlite3_free(apPieces);
  if( pErr->rc == LEDGER_OK && bRefused ) {
    p->bWhole = 1;
    return streamRead(p, p->iLow, p->iHigh, pErr);
  }
  return pErr->rc;
}

/* ---- windows: their rows in order ---------------------------------------- */

/* Looks at the part's next row; *pbRow is 0 where there is none. */
static int streamPeek(LedgerStream *p, StreamPart *pPart, int *pbRow,
                      LedgerError *pErr) {
  const LedgerEntryRow *pRow = NULL;
  i64 iPos = pPart->iPos;
  *pbRow = iPos != pPart->iEnd;
  if( !*pbRow || p->nName == 1 ) return LEDGER_OK;
  if( ledgerSpillRead(p->pSpill, &iPos, p->bDesc, &pRow, pErr) )
    return pErr->rc;
  pPart->id = pRow->entry.id;
  return LEDGER_OK;
}

/* Puts the i-th part at its place in the heap: those below are in order. */
static void streamSift(LedgerStream *p, int i) {
  for( ;; ) {
    StreamPart part = p->aPart[i];
    int iChild = 2 * i + 1, k = i;
    for( ; iChild <= 2 * i + 2 && iChild < p->nPart; iChild++ ) {
      int iCmp = ledgerTxidCompare(p->aPart[iChild].id, p->aPart[k].id);
      if( p->bDesc ? iCmp > 0 : iCmp < 0 ) k = iChild;
    }
    if( k == i ) return;
    p->aPart[i] = p->aPart[k];
    p->aPart[k] = part;
    i = k;
  }
}

/* The window's next row, NULL behind the last. */
static int streamMerge(LedgerStream *p, const LedgerEntryRow **ppRow,
                       LedgerError *pErr) {
  int bRow = 1;
  if( p->bTaken ) {
    if( streamPeek(p, &p->aPart[0], &bRow, pErr) ) return pErr->rc;
    if( !bRow ) p->aPart[0] = p->aPart[--p->nPart];
    streamSift(p, 0);
  }
  p->bTaken = p->nPart > 0;
  if( !p->bTaken ) return LEDGER_OK;
  return ledgerSpillRead(p->pSpill, &p->aPart[0].iPos, p->bDesc, ppRow, pErr);
}

/* A new window is read. */
static int streamHeap(LedgerStream *p, LedgerError *pErr) {
  int i, bRow;
  for( i = 0; i < p->nPart; i++ ) {
    if( streamPeek(p, &p->aPart[i], &bRow, pErr) ) return pErr->rc;
  }
  for( i = p->nPart / 2 - 1; i >= 0; i-- ) streamSift(p, i);
  return LEDGER_OK;
}

/* ---- windows: one after another ------------------------------------------ */

/* How many rows a window may well have: a page for each lane, or sub-ledger. */
static i64 streamTarget(const LedgerStream *p) {
  const int n = p->pLanes->nMost > p->nName ? p->pLanes->nMost : p->nName;
  return (i64)STREAM_WINDOW * n;
}

static int streamBegin(LedgerStream *p, LedgerError *pErr) {
  p->aPart = sqlite3_malloc64(sizeof(*p->aPart) * (sqlite3_uint64)p->nName);
  if( p->aPart == NULL ) return ledgerErrorNomem(pErr);
  /* max() is ORDER BY ... DESC, of which one row is wanted. */
  p->nWindow = p->bLimit || p->bDesc ? STREAM_WINDOW : streamTarget(p);
  p->iLow = p->range.from.seqno ? p->range.from.seqno : 1;
  p->iHigh = ledgerSnapshotBound(p->pSnapshot, p->pLedger);
  if( p->range.to.seqno && p->range.to.seqno < p->iHigh ) {
    p->iHigh = p->range.to.seqno;
  }
  if( p->iHigh == INT64_MAX ) p->bWhole = 1; /* no state is known */
  return LEDGER_OK;
}

/* The window is read: the next one is as large, or larger. */
static void streamGrow(LedgerStream *p) {
  const i64 nRow = ledgerSpillCount(p->pSpill);
  if( nRow < STREAM_WINDOW / 10 ) {
    p->nWindow *= 4;
  } else if( nRow < streamTarget(p) / 2 ) {
    p->nWindow *= 2;
  }
  if( p->nWindow > STREAM_WINDOW_MAX ) p->nWindow = STREAM_WINDOW_MAX;
}

static int streamWindowed(LedgerStream *p, const LedgerEntryRow **ppRow,
                          LedgerError *pErr) {
  int rc = p->nWindow ? LEDGER_OK : streamBegin(p, pErr);
  while( rc == LEDGER_OK ) {
    i64 iLow, iHigh;
    if( p->pSpill ) {
      rc = streamMerge(p, ppRow, pErr);
      if( rc || *ppRow ) return rc;
      streamGrow(p);
      if( p->bWhole ) break;
    }
    if( p->iLow > p->iHigh ) break;
    iLow = p->iLow;
    iHigh = p->iHigh;
    if( !p->bWhole && iHigh - iLow >= p->nWindow ) {
      if( p->bDesc ) {
        iLow = iHigh - p->nWindow + 1;
      } else {
        iHigh = iLow + p->nWindow - 1;
      }
    }
    rc = streamRead(p, iLow, iHigh, pErr);
    if( rc == LEDGER_OK ) rc = streamHeap(p, pErr);
    if( p->bDesc ) {
      p->iHigh = iLow - 1;
    } else {
      p->iLow = iHigh + 1;
    }
  }
  p->bEof = 1;
  return rc;
}

int ledgerStreamNext(LedgerStream *p, i64 nMore, const LedgerEntryRow **ppRow,
                     LedgerError *pErr) {
  *ppRow = NULL;
  if( p->bEof ) return LEDGER_OK;
  return streamIsWindowed(p) ? streamWindowed(p, ppRow, pErr)
                             : streamPaged(p, nMore, ppRow, pErr);
}
