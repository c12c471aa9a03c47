/*
** A range in pieces: what was read before comes from history, the gaps between
** and the tail from the ledger, and are history then.
**
** Requests: those of read/flight.c, for what isn't known.
**
** What is known is used where the snapshot's bound is known to be committed;
** scan.c sees to that where there is anything. Pages come in order and leave
** nothing out between their rows: so up to the last row of each all is known,
** and at the end of a flight that is sound all of the range. Rows at a bound
** with a view that may not be theirs may have been dropped: they aren't known.
** Where a tag is asked for history tells what it has, but learns nothing.
**
** Invariant: the rows are those that a flight over the whole range would show.
*/
#include "sqlite/history/history.h"
#include "sqlite/read/read.h"

#include <string.h>

struct LedgerPieces {
  LedgerSnapshot *pSnapshot; /* borrowed */
  Ledger *pLedger;           /* borrowed */
  LedgerLanes *pLanes;       /* borrowed from the scan */
  LedgerRange range;         /* texts are borrowed from the stream */
  int bLimit;                /* as in ledgerFlightOpen() */
  i64 iMost;                 /* no row above it is wanted */
  int bPast;                 /* history may have some of it */
  int bKeep;                 /* what comes is to be history ... */
  unsigned char aOwner[32];  /* ... of this reader, who got the last page; */
  int bOwner;                /* else of nobody */
  LedgerFlight *pFlight;     /* through the gap at hand, or NULL */
  i64 iGap;                  /* ... which ends here */
  i64 iAt;                   /* the next seqno to be shown */
  i64 iKnown;                /* from here on all rows are seen */
  LedgerTxid last;           /* the last row of history */
  LedgerTxid told; /* the first one behind the last gap, not noted yet */
  int bHave;       /* past is to be shown */
  int bEnd;        /* nothing follows */
  LedgerPastPage past;
  LedgerPage page; /* what is shown of it */
};

/* Whether a bound drops no row for its view. */
static int piecesIsSure(const LedgerPieces *p, LedgerTxid id) {
  return id.view == 0 ||
         ledgerClientView(p->pLedger->pClient, id.seqno) == id.view;
}

int ledgerPiecesOpen(LedgerSnapshot *pSnapshot, Ledger *pLedger,
                     LedgerLanes *pLanes, const LedgerRange *pRange, int bLimit,
                     LedgerPieces **ppPieces, LedgerError *pErr) {
  LedgerPieces *p = sqlite3_malloc64(sizeof(*p));
  *ppPieces = p;
  if( p == NULL ) return ledgerErrorNomem(pErr);
  memset(p, 0, sizeof(*p));
  p->pSnapshot = pSnapshot;
  p->pLedger = pLedger;
  p->pLanes = pLanes;
  p->range = *pRange;
  p->bLimit = bLimit;
  p->iMost = INT64_MAX;
  p->bPast = pRange->zSubLedger &&
             (pRange->zTag == NULL || ledgerClientTags(pLedger->pClient)) &&
             ledgerCacheWanted(ledgerClientConfig(pLedger->pClient));
  p->bKeep = p->bPast && pRange->zTag == NULL;
  p->iAt = pRange->from.seqno ? pRange->from.seqno : 1;
  p->iKnown = piecesIsSure(p, pRange->from) ? p->iAt : p->iAt + 1;
  return LEDGER_OK;
}

/* Rows of history end here: they are noted, in place of a request. */
static void piecesTold(LedgerPieces *p) {
  if( p->told.seqno == 0 ) return;
  ledgerPastTold(p->pLedger, p->range.zSubLedger, p->range.zTag, p->told,
                 p->last);
  p->told.seqno = 0;
}

void ledgerPiecesClose(LedgerPieces *p) {
  if( p == NULL ) return;
  piecesTold(p);
  ledgerFlightClose(p->pFlight);
  ledgerPastEnd(&p->past);
  sqlite3_free(p);
}

/* Where the range ends, as far as that is known. */
static i64 piecesTo(const LedgerPieces *p) {
  i64 iTo = ledgerSnapshotBound(p->pSnapshot, p->pLedger);
  if( p->range.to.seqno && p->range.to.seqno < iTo ) iTo = p->range.to.seqno;
  return p->iMost < iTo ? p->iMost : iTo;
}

void ledgerPiecesBound(LedgerPieces *p, i64 iSeqno) {
  p->iMost = iSeqno;
}

/* Finds what comes next: rows of history, a gap, or the end. */
static int piecesNext(LedgerPieces *p, LedgerError *pErr) {
  const int bPast =
      p->bPast && ledgerSnapshotCommitted(p->pSnapshot, p->pLedger);
  LedgerClient *pClient = p->pLedger->pClient;
  const i64 iTo = piecesTo(p);
  i64 iMost = p->iMost;
  LedgerRange range = p->range;
  LedgerTxid id;
  p->iGap = INT64_MAX;
  if( p->iAt > iTo ) {
    p->bEnd = 1;
    return LEDGER_OK;
  }
  if( bPast ) {
    p->bHave =
        ledgerPastRead(p->pLedger, p->range.zSubLedger, p->iAt, &p->past);
    if( p->bHave ) return LEDGER_OK;
    piecesTold(p);
    if( p->past.iHigh < iTo ) p->iGap = p->past.iHigh;
  }
  if( p->iAt != (range.from.seqno ? range.from.seqno : 1) ) {
    range.from.seqno = p->iAt;
    range.from.view = ledgerClientView(pClient, p->iAt);
    if( range.from.view == 0 ) { /* an id that the service knows */
      range.from = p->last.seqno ? p->last : ledgerClientBelow(pClient, p->iAt);
    }
    if( range.from.seqno == 0 ) range.from.seqno = p->iAt;
  }
  /* On the wire it takes an id; without one, what is behind is dropped. */
  if( p->iGap < iMost ) {
    iMost = p->iGap;
    id.seqno = p->iGap;
    id.view = ledgerClientView(pClient, p->iGap);
    if( id.view ) range.to = id;
  }
  if( ledgerFlightOpen(p->pSnapshot, p->pLedger, p->pLanes, &range, p->bLimit,
                       &p->pFlight, pErr) == LEDGER_OK ) {
    ledgerFlightBound(p->pFlight, iMost);
  }
  return pErr->rc;
}

/* All is known up to iHigh; these are the rows. */
static void piecesKeep(LedgerPieces *p, i64 iHigh, const LedgerEntry *aEntry,
                       int nEntry) {
  i64 iLow = p->iAt > p->iKnown ? p->iAt : p->iKnown;
  if( iHigh >= p->range.to.seqno && !piecesIsSure(p, p->range.to) ) {
    iHigh = p->range.to.seqno - 1;
  }
  if( p->bKeep && p->bOwner ) {
    ledgerPastAdd(p->pLedger, p->aOwner, p->range.zSubLedger, iLow, iHigh,
                  aEntry, nEntry);
  }
}

/* A page has come. What another reader has got before says nothing of what
** there is for this one. */
static void piecesOwner(LedgerPieces *p, const LedgerPage *pPage, i64 iFirst) {
  if( p->bOwner && (!pPage->bOwner || memcmp(p->aOwner, pPage->aOwner, 32)) ) {
    p->iKnown = iFirst;
  }
  p->bOwner = pPage->bOwner;
  memcpy(p->aOwner, pPage->aOwner, 32);
}

/* The rows of history at hand become the page, those with the tag. */
static int piecesPast(LedgerPieces *p, LedgerError *pErr) {
  const i64 iTo = piecesTo(p);
  LedgerEntry *aEntry = p->past.aEntry;
  int i, n = 0;
  memset(&p->page, 0, sizeof(p->page));
  for( i = 0; i < p->past.nEntry && aEntry[i].id.seqno <= iTo; i++ ) {
    int bHas = 1;
    if( aEntry[i].id.seqno < p->iAt ) continue;
    p->last = aEntry[i].id;
    if( p->told.seqno == 0 ) p->told = p->last;
    if( p->range.zTag &&
        ledgerMatchHas(aEntry[i].zTags, p->range.zTag, &bHas, pErr) ) {
      return pErr->rc;
    }
    if( bHas ) aEntry[n++] = aEntry[i];
  }
  p->page.aEntry = n ? aEntry : NULL;
  p->page.nEntry = n;
  p->iAt = p->past.iHigh + 1;
  p->bHave = 0;
  return LEDGER_OK;
}

int ledgerPiecesStart(LedgerPieces *p, i64 nMore, LedgerError *pErr) {
  if( p->bEnd ) return LEDGER_OK;
  if( p->pFlight == NULL && !p->bHave && piecesNext(p, pErr) ) return pErr->rc;
  return p->pFlight ? ledgerFlightStart(p->pFlight, nMore, pErr) : LEDGER_OK;
}

/* The flight through a gap has ended. */
static void piecesLanded(LedgerPieces *p) {
  const i64 iTo = piecesTo(p);
  const i64 iHigh = p->iGap < iTo ? p->iGap : iTo;
  const int bSound = ledgerFlightSound(p->pFlight);
  ledgerFlightClose(p->pFlight);
  p->pFlight = NULL;
  p->bEnd = p->iGap == INT64_MAX;
  if( iHigh == INT64_MAX ) return;
  if( bSound ) piecesKeep(p, iHigh, NULL, 0);
  if( iHigh >= p->iAt ) p->iAt = iHigh + 1;
}

int ledgerPiecesNext(LedgerPieces *p, i64 nMore, const LedgerPage **ppPage,
                     int *piEntry, LedgerError *pErr) {
  *ppPage = NULL;
  *piEntry = 0;
  while( !p->bEnd ) {
    const LedgerPage *pPage;
    int i, n;
    if( p->pFlight == NULL && !p->bHave && piecesNext(p, pErr) ) break;
    if( p->bHave ) {
      if( piecesPast(p, pErr) ) break;
      if( p->page.nEntry == 0 ) continue;
      *ppPage = &p->page;
      break;
    }
    if( p->pFlight == NULL ) continue; /* the end */
    if( ledgerFlightNext(p->pFlight, nMore, &pPage, &i, pErr) ) break;
    if( pPage == NULL ) {
      piecesLanded(p);
      continue;
    }
    while( i < pPage->nEntry && pPage->aEntry[i].id.seqno < p->iAt ) i++;
    n = pPage->nEntry - i;
    if( n > 0 ) {
      const i64 iLast = pPage->aEntry[pPage->nEntry - 1].id.seqno;
      piecesOwner(p, pPage, pPage->aEntry[i].id.seqno);
      piecesKeep(p, iLast, pPage->aEntry + i, n);
      p->iAt = iLast + 1;
    } else {
      piecesOwner(p, pPage, INT64_MAX);
    }
    *ppPage = pPage;
    *piEntry = i;
    break;
  }
  return pErr->rc;
}
