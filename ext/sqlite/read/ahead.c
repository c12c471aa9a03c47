/*
** Reading ahead where a join asks for one id after the other.
**
**     SELECT e.contents FROM local
**       JOIN ledger_entries AS e
**         ON e.transaction_id = local.id AND e.sub_ledger = 'A';
**
** A nested loop asks for an entry, waits for it, and asks for the next one: a
** round trip each. Two habits save them, both as a file system has them:
**
**   - ids that ascend and lie close to each other: behind two hits a range is
**     read from there, and the neighbours are answered from it. The next range
**     is twice as long; one that served nobody makes the next one wait longer.
**   - ids in no order, of one sub-ledger: once as many were asked for as the
**     whole sub-ledger has pages (64 at most), all of it is read.
**
** Requests: GET /app/transactions?collectionId=&fromTransactionId=
** &toTransactionId=, as read/stream.c makes them.
**
** Invariants
**   - what is answered here is what GET /app/transactions/{id}?collectionId=
**     would answer: committed entries never change, and a range shows no other;
**   - that an entry is absent is told of a given sub-ledger only, and only
**     between entries of the range;
**   - what is read here bounds no snapshot and shows nothing by itself: it has
**     a snapshot of its own;
**   - a range that fails costs speed only: the id is asked for as ever.
*/
#include "sqlite/read/read.h"

#include <string.h>

#define AHEAD_RUNS 4      /* runs that are followed in one sub-ledger */
#define AHEAD_NEAR 1024   /* seqnos between ids that lie close, at most */
#define AHEAD_PART 32     /* ... and this part of the ledger */
#define AHEAD_STEPS 32    /* the first range, in steps of its run */
#define AHEAD_SPAN 65536  /* seqnos of the longest range */
#define AHEAD_PAGE 1000   /* entries of a page, where all are ours */
#define AHEAD_PAGES 64    /* of a sub-ledger that is read whole, at most */
#define AHEAD_ASKED 16    /* ids asked for before it is, at least */
#define AHEAD_PATIENCE 64 /* hits behind which a run is always believed */
#define AHEAD_RANGES 4    /* ranges that are kept at a time ... */
#define AHEAD_MEMORY (LEDGER_SPILL_MEMORY / 8) /* ... each in a file beyond */

typedef struct AheadRow AheadRow;
struct AheadRow {
  LedgerTxid id;
  i64 iPos; /* in AheadRun.pSpill */
};

/* Ids that ascend, and the range that was read for them. */
typedef struct AheadRun AheadRun;
struct AheadRun {
  LedgerTxid last; /* found last; seqno 0: the place is free */
  i64 nStep;       /* from the one before it */
  int nHit;        /* found, each close above the one before */
  int nNeeded;     /* hits before a range is read */
  i64 nSpan;       /* seqnos of the next range; 0: it is the first */
  i64 iUsed;       /* when, by LedgerAhead.iClock */
  i64 iLow;        /* all that stands from here ... */
  i64 iHigh;       /* ... up to here is in aRow; 0: there is no range */
  int nServed;     /* ids that it answered with an entry */
  int nRow, nRowAlloc;
  AheadRow *aRow; /* ascending */
  LedgerSpill *pSpill;
};

/* One sub-ledger of one ledger. */
typedef struct AheadPlace AheadPlace;
struct AheadPlace {
  AheadPlace *pNext;
  Ledger *pLedger;               /* counted reference */
  char *zSubLedger;              /* sqlite3_free */
  int nAsked;                    /* ids that no range answered */
  int bWhole;                    /* it was read whole, or is too long for it */
  int bFailed;                   /* a range failed: no other is asked for */
  AheadRun aRun[AHEAD_RUNS + 1]; /* the last one holds what was read whole */
};

struct LedgerAhead {
  AheadPlace *pPlace;
  i64 iClock;
};

static void aheadRunClear(AheadRun *p) {
  sqlite3_free(p->aRow);
  ledgerSpillFree(p->pSpill);
  p->aRow = NULL;
  p->pSpill = NULL;
  p->nRow = p->nRowAlloc = 0;
  p->iHigh = 0;
  p->nServed = 0;
}

static void aheadFree(LedgerAhead *p) {
  while( p && p->pPlace ) {
    AheadPlace *pPlace = p->pPlace;
    int i;
    p->pPlace = pPlace->pNext;
    for( i = 0; i <= AHEAD_RUNS; i++ ) aheadRunClear(&pPlace->aRun[i]);
    ledgerUnref(pPlace->pLedger);
    sqlite3_free(pPlace->zSubLedger);
    sqlite3_free(pPlace);
  }
  sqlite3_free(p);
}

/* Is the place of this ledger, and (not NULL) of this sub-ledger? */
static int aheadIsOf(const AheadPlace *p, const Ledger *pLedger,
                     const char *zSubLedger) {
  return p->pLedger == pLedger &&
         (zSubLedger == NULL || strcmp(p->zSubLedger, zSubLedger) == 0);
}

/* Finds the place of a sub-ledger, or makes it. */
static AheadPlace *aheadPlace(LedgerAhead *p, Ledger *pLedger,
                              const char *zSubLedger, LedgerError *pErr) {
  AheadPlace *pPlace;
  for( pPlace = p->pPlace; pPlace; pPlace = pPlace->pNext ) {
    if( aheadIsOf(pPlace, pLedger, zSubLedger) ) return pPlace;
  }
  pPlace = sqlite3_malloc64(sizeof(*pPlace));
  if( pPlace ) {
    memset(pPlace, 0, sizeof(*pPlace));
    pPlace->zSubLedger = sqlite3_mprintf("%s", zSubLedger);
  }
  if( pPlace == NULL || pPlace->zSubLedger == NULL ) {
    sqlite3_free(pPlace);
    ledgerErrorNomem(pErr);
    return NULL;
  }
  ledgerRef(pLedger);
  pPlace->pLedger = pLedger;
  pPlace->pNext = p->pPlace;
  p->pPlace = pPlace;
  return pPlace;
}

/* The row of a run with this seqno, or NULL. */
static const AheadRow *aheadFind(const AheadRun *p, i64 iSeqno) {
  int iLow = 0, iHigh = p->nRow - 1;
  while( iLow <= iHigh ) {
    int i = (iLow + iHigh) / 2;
    if( p->aRow[i].id.seqno == iSeqno ) return &p->aRow[i];
    if( p->aRow[i].id.seqno < iSeqno ) {
      iLow = i + 1;
    } else {
      iHigh = i - 1;
    }
  }
  return NULL;
}

static int aheadCovers(const AheadRun *p, i64 iSeqno) {
  return p->iHigh > 0 && p->iLow <= iSeqno && iSeqno <= p->iHigh;
}

/* The run in which the id follows closely, or NULL. In a small ledger ids in
** no order lie close to each other by chance. */
static AheadRun *aheadFollows(AheadPlace *p, LedgerTxid id) {
  LedgerFacts facts;
  i64 nNear;
  int i;
  ledgerClientFacts(p->pLedger->pClient, &facts);
  nNear = facts.head.seqno / AHEAD_PART;
  if( nNear < AHEAD_NEAR / 16 ) nNear = AHEAD_NEAR / 16;
  if( nNear > AHEAD_NEAR ) nNear = AHEAD_NEAR;
  for( i = 0; i < AHEAD_RUNS; i++ ) {
    const i64 n = id.seqno - p->aRun[i].last.seqno;
    if( p->aRun[i].last.seqno > 0 && n > 0 && n <= nNear ) return &p->aRun[i];
  }
  return NULL;
}

/* The least recently used run. */
static AheadRun *aheadOldest(AheadPlace *p) {
  AheadRun *pOldest = &p->aRun[0];
  int i;
  for( i = 1; i < AHEAD_RUNS; i++ ) {
    if( p->aRun[i].iUsed < pOldest->iUsed ) pOldest = &p->aRun[i];
  }
  return pOldest;
}

/* Drops the ranges used least recently, until one more may be kept. */
static void aheadTrim(LedgerAhead *p) {
  int nRange;
  do {
    AheadPlace *pPlace;
    AheadRun *pOldest = NULL;
    int i;
    nRange = 0;
    for( pPlace = p->pPlace; pPlace; pPlace = pPlace->pNext ) {
      for( i = 0; i <= AHEAD_RUNS; i++ ) {
        AheadRun *pRun = &pPlace->aRun[i];
        if( pRun->pSpill == NULL ) continue;
        nRange++;
        if( pOldest == NULL || pRun->iUsed < pOldest->iUsed ) pOldest = pRun;
      }
    }
    if( nRange >= AHEAD_RANGES ) aheadRunClear(pOldest);
  } while( nRange > AHEAD_RANGES );
}

static int aheadAdd(AheadRun *p, const LedgerEntryRow *pRow,
                    LedgerError *pErr) {
  if( p->nRow == p->nRowAlloc ) {
    int nNew = p->nRowAlloc ? p->nRowAlloc * 2 : 256;
    AheadRow *aNew =
        sqlite3_realloc64(p->aRow, sizeof(*aNew) * (sqlite3_uint64)nNew);
    if( aNew == NULL ) return ledgerErrorNomem(pErr);
    p->aRow = aNew;
    p->nRowAlloc = nNew;
  }
  p->aRow[p->nRow].id = pRow->entry.id;
  p->aRow[p->nRow].iPos = ledgerSpillEnd(p->pSpill);
  p->nRow++;
  return ledgerSpillAdd(p->pSpill, pRow, pErr);
}

/*
** Reads the entries from `from` on, up to seqno iTo, into the run. The upper
** bound goes on the wire where its view is sure: where the ledger was in the
** view of `from` to its head.
*/
static int aheadRead(LedgerAhead *p, LedgerConn *pConn, AheadPlace *pPlace,
                     AheadRun *pRun, LedgerTxid from, i64 iTo,
                     LedgerError *pErr) {
  LedgerSnapshot *pOwn = NULL;
  LedgerStream *pStream = NULL;
  const char *zSubLedger = pPlace->zSubLedger;
  LedgerLanes lanes;
  const LedgerEntryRow *pRow = NULL;
  LedgerQuery query;
  LedgerFacts facts;
  i64 iEnd = 0;

  aheadRunClear(pRun);
  aheadTrim(p);
  pRun->iUsed = ++p->iClock;
  ledgerClientFacts(pPlace->pLedger->pClient, &facts);
  memset(&query, 0, sizeof(query));
  query.from = from;
  if( from.seqno && facts.head.view == from.view ) {
    query.to.view = from.view;
    query.to.seqno = iTo < facts.head.seqno ? iTo : facts.head.seqno;
  }
  query.nWanted = INT64_MAX;
  if( ledgerSnapshotJoin(pConn, NULL, &pOwn) ) return ledgerErrorNomem(pErr);
  ledgerLanesInit(&lanes, pPlace->pLedger);
  if( ledgerSpillNew(AHEAD_MEMORY, 1, &pRun->pSpill, pErr) == LEDGER_OK ) {
    ledgerStreamOpen(pOwn, pPlace->pLedger, &lanes, 1, &zSubLedger, &query,
                     NULL, &pStream, pErr);
  }
  while( pErr->rc == LEDGER_OK ) {
    if( ledgerStreamNext(pStream, INT64_MAX, &pRow, pErr) || pRow == NULL )
      break;
    if( pRow->entry.id.seqno > iTo ) {
      iEnd = iTo;
      break;
    }
    /* Nothing is concluded beyond the last entry: a node may lag. */
    iEnd = pRow->entry.id.seqno;
    aheadAdd(pRun, pRow, pErr);
    if( lanes.nPage > AHEAD_PAGES ) break; /* they are short: that is enough */
  }
  ledgerStreamClose(pStream);
  ledgerSnapshotUnref(pConn, pOwn);
  if( pErr->rc ) {
    aheadRunClear(pRun);
    if( pErr->rc != LEDGER_INTERRUPT && pErr->rc != LEDGER_NOMEM ) {
      ledgerErrorClear(pErr);
      pPlace->bFailed = 1;
    }
    return pErr->rc;
  }
  pRun->iLow = from.seqno ? from.seqno : 1;
  pRun->iHigh = iEnd;
  return LEDGER_OK;
}

/* Reads the next range of a run, whose next id stands behind what it has. */
static int aheadContinue(LedgerAhead *p, LedgerConn *pConn, AheadPlace *pPlace,
                         AheadRun *pRun, LedgerError *pErr) {
  if( pRun->iHigh > 0 && pRun->nServed < 2 ) {
    /* It was read for nothing: wait for more hits the next time. */
    pRun->nNeeded *= 4;
    if( pRun->nNeeded > AHEAD_PATIENCE ) pRun->nNeeded = AHEAD_PATIENCE;
    pRun->nHit = 1;
    pRun->nSpan = 0;
    aheadRunClear(pRun);
    return LEDGER_OK;
  }
  if( pRun->nHit < pRun->nNeeded ) return LEDGER_OK;
  pRun->nSpan = pRun->nSpan ? pRun->nSpan * 2 : pRun->nStep * AHEAD_STEPS;
  if( pRun->nSpan < AHEAD_NEAR ) pRun->nSpan = AHEAD_NEAR;
  if( pRun->nSpan > AHEAD_SPAN ) pRun->nSpan = AHEAD_SPAN;
  return aheadRead(p, pConn, pPlace, pRun, pRun->last,
                   pRun->last.seqno + pRun->nSpan, pErr);
}

/* Reads a whole sub-ledger that is asked for this and that. */
static int aheadWhole(LedgerAhead *p, LedgerConn *pConn, AheadPlace *pPlace,
                      LedgerError *pErr) {
  static const LedgerTxid start = {0, 0};
  LedgerFacts facts;
  i64 nPage;
  ledgerClientFacts(pPlace->pLedger->pClient, &facts);
  nPage = facts.head.seqno / AHEAD_PAGE + 1;
  if( pPlace->nAsked < AHEAD_ASKED || pPlace->nAsked < nPage ) return LEDGER_OK;
  pPlace->bWhole = 1;
  if( nPage > AHEAD_PAGES ) return LEDGER_OK;
  return aheadRead(p, pConn, pPlace, &pPlace->aRun[AHEAD_RUNS], start,
                   INT64_MAX, pErr);
}

/* The run that knows the id, or NULL; *ppRow is its row, or NULL. */
static AheadRun *aheadKnown(AheadPlace *p, LedgerTxid id,
                            const AheadRow **ppRow) {
  int i;
  for( i = 0; i <= AHEAD_RUNS; i++ ) {
    if( !aheadCovers(&p->aRun[i], id.seqno) ) continue;
    *ppRow = aheadFind(&p->aRun[i], id.seqno);
    if( *ppRow && ledgerTxidCompare((*ppRow)->id, id) != 0 ) *ppRow = NULL;
    return &p->aRun[i];
  }
  return NULL;
}

/* Finds where the id is known: 1 with *ppRun and *ppRow, NULL when it is known
** that there is no such entry. */
static int aheadLook(LedgerAhead *p, const Ledger *pLedger, LedgerTxid id,
                     const char *zSubLedger, AheadRun **ppRun,
                     const AheadRow **ppRow) {
  AheadPlace *pPlace;
  for( pPlace = p->pPlace; pPlace; pPlace = pPlace->pNext ) {
    if( !aheadIsOf(pPlace, pLedger, zSubLedger) ) continue;
    *ppRow = NULL;
    *ppRun = aheadKnown(pPlace, id, ppRow);
    if( *ppRow || (*ppRun && zSubLedger) ) return 1;
  }
  return 0;
}

int ledgerAheadKnows(LedgerSnapshot *pSnapshot, LedgerConn *pConn,
                     const Ledger *pLedger, LedgerTxid id,
                     const char *zSubLedger, int *pbKnown, LedgerError *pErr) {
  LedgerAhead *p = *ledgerSnapshotAhead(pSnapshot, aheadFree);
  AheadPlace *pPlace;
  AheadRun *pRun;
  const AheadRow *pRow;
  *pbKnown = 0;
  if( p == NULL ) return LEDGER_OK;
  *pbKnown = aheadLook(p, pLedger, id, zSubLedger, &pRun, &pRow);
  for( pPlace = p->pPlace; pPlace && !*pbKnown; pPlace = pPlace->pNext ) {
    if( !aheadIsOf(pPlace, pLedger, zSubLedger) || pPlace->bFailed ) continue;
    pRun = aheadFollows(pPlace, id);
    if( pRun ) {
      aheadContinue(p, pConn, pPlace, pRun, pErr);
    } else if( zSubLedger && !pPlace->bWhole ) {
      aheadWhole(p, pConn, pPlace, pErr);
    }
    if( pErr->rc ) return pErr->rc;
    *pbKnown = aheadLook(p, pLedger, id, zSubLedger, &pRun, &pRow);
  }
  return LEDGER_OK;
}

int ledgerAheadRecall(LedgerSnapshot *pSnapshot, const Ledger *pLedger,
                      LedgerTxid id, const char *zSubLedger, LedgerBuf *pText,
                      LedgerEntryRow *pRow, int *pbFound, LedgerError *pErr) {
  LedgerAhead *p = *ledgerSnapshotAhead(pSnapshot, aheadFree);
  const LedgerEntryRow *pKnown = NULL;
  const AheadRow *pAt;
  AheadRun *pRun;
  i64 iPos;
  *pbFound = 0;
  if( p == NULL || !aheadLook(p, pLedger, id, zSubLedger, &pRun, &pAt) ) {
    return 0;
  }
  pRun->iUsed = ++p->iClock;
  if( pAt == NULL ) return 1;
  pRun->nServed++;
  pRun->nHit++;
  if( id.seqno > pRun->last.seqno ) {
    pRun->nStep = id.seqno - pRun->last.seqno;
    pRun->last = id;
  }
  iPos = pAt->iPos;
  if( ledgerSpillRead(pRun->pSpill, &iPos, 0, &pKnown, pErr) ) return 0;
  *pbFound = 1;
  return ledgerSnapshotCopy(pKnown, pText, pRow, pErr) == LEDGER_OK;
}

int ledgerAheadNote(LedgerSnapshot *pSnapshot, Ledger *pLedger, LedgerTxid id,
                    const char *zSubLedger, int bFound, LedgerError *pErr) {
  LedgerAhead **pp = ledgerSnapshotAhead(pSnapshot, aheadFree);
  AheadPlace *pPlace;
  AheadRun *pRun;
  if( *pp == NULL ) {
    *pp = sqlite3_malloc64(sizeof(**pp));
    if( *pp == NULL ) return ledgerErrorNomem(pErr);
    memset(*pp, 0, sizeof(**pp));
  }
  pPlace = aheadPlace(*pp, pLedger, zSubLedger, pErr);
  if( pPlace == NULL ) return pErr->rc;
  pPlace->nAsked++;
  if( !bFound ) return LEDGER_OK;
  pRun = aheadFollows(pPlace, id);
  if( pRun == NULL ) {
    pRun = aheadOldest(pPlace);
    aheadRunClear(pRun);
    memset(pRun, 0, sizeof(*pRun));
    pRun->nNeeded = 2;
  }
  pRun->nStep = id.seqno - pRun->last.seqno;
  pRun->last = id;
  pRun->nHit++;
  pRun->iUsed = ++(*pp)->iClock;
  return LEDGER_OK;
}
