/*
** The rows of a query: which ledgers, which sub-ledgers, in what order.
**
** Requests: GET /app/collections where no sub-ledger is given; the rest is
** done by read/stream.c (ranges) and lookup.c (entries by id).
**
** With `order` there is one stream per ledger, of all the sub-ledgers that are
** read, and the streams are merged.
** Without, streams are read one behind the other while pages of the next ones
** are on their way: never more than range_concurrency at a time, however many
** sub-ledgers there are. Where these are few and large, the first page of each
** is asked for beside the status of the snapshot's bound.
*/
#include "sqlite/history/history.h"
#include "sqlite/read/read.h"

#include <stdlib.h>
#include <string.h>

#define SCAN_EARLY \
  2000 /* seqnos a sub-ledger: two pages, where they are even */

/* A stream that is to be read, opened when its turn comes near: of all the
** sub-ledgers of a ledger where rows are to be in order, else of one. */
typedef struct ScanSource ScanSource;
struct ScanSource {
  Ledger *pLedger;            /* borrowed from apLedger */
  LedgerLanes *pLanes;        /* its own, of aLanes */
  int nName;                  /* the sub-ledgers, borrowed ... */
  const char *const *azName;  /* ... from aazName */
  LedgerStream *pStream;      /* open, or NULL */
  const LedgerEntryRow *pRow; /* merging: its next row */
  int bEof;                   /* merging: no further row */
};

struct LedgerScan {
  LedgerSnapshot *pSnapshot; /* borrowed */
  LedgerQuery query;         /* owned */
  char *zTag;                /* the tag for the wire (sqlite3_free) */
  int bMatchHere;            /* query.zMatch is evaluated here */
  int nLedger;
  Ledger **apLedger;     /* counted references */
  LedgerLanes *aLanes;   /* per ledger: what its streams share */
  char ***apzList;       /* per ledger: its list of sub-ledgers (free) ... */
  int *anList;           /* ... their number (sqlite3_free) */
  const char ***aazName; /* ... those read, borrowed (sqlite3_free) */
  LedgerCall **apList;   /* ... and that list once more, or NULL */
  int bListed;           /* it is known that those are all */
  LedgerLookup *pLookup; /* rows by id, or NULL */
  int nSource, nSourceAlloc;
  ScanSource *aSource;
  int iSource; /* the one being read (not merging) */
  int nAhead;  /* streams opened ahead, at most */
  i64 nRow;    /* rows returned */
};

void ledgerScanClose(LedgerScan *p) {
  int i;
  if( p == NULL ) return;
  for( i = 0; i < p->nSource; i++ ) ledgerStreamClose(p->aSource[i].pStream);
  ledgerLookupClose(p->pLookup);
  for( i = 0; i < p->nLedger; i++ ) {
    if( p->apzList ) free(p->apzList[i]);
    if( p->aazName ) sqlite3_free((void *)p->aazName[i]);
    if( p->apList ) ledgerCallFree(p->apList[i]);
    ledgerUnref(p->apLedger[i]);
  }
  sqlite3_free(p->aSource);
  sqlite3_free(p->apLedger);
  sqlite3_free(p->aLanes);
  sqlite3_free(p->apzList);
  sqlite3_free(p->anList);
  sqlite3_free((void *)p->aazName);
  sqlite3_free((void *)p->apList);
  sqlite3_free(p->zTag);
  ledgerQueryClear(&p->query);
  sqlite3_free(p);
}

int ledgerQueryLedgers(const LedgerQuery *pQuery, LedgerConn *pConn,
                       Ledger ***papLedger, int *pnLedger, LedgerError *pErr) {
  int i, k, n = 0;
  Ledger **apLedger = sqlite3_malloc64(sizeof(*apLedger) *
                                       ((sqlite3_uint64)pConn->nLedger + 1));
  *papLedger = apLedger;
  *pnLedger = 0;
  if( apLedger == NULL ) return ledgerErrorNomem(pErr);
  for( i = 0; i < pConn->nLedger; i++ ) {
    int bRead = pQuery->bAnyLedger;
    for( k = 0; k < pQuery->nLedgerName && !bRead; k++ ) {
      bRead = strcmp(pConn->apLedger[i]->zName, pQuery->azLedger[k]) == 0;
    }
    if( !bRead ) continue;
    ledgerRef(pConn->apLedger[i]);
    apLedger[n++] = pConn->apLedger[i];
  }
  *pnLedger = n;
  return LEDGER_OK;
}

static int scanAddSource(LedgerScan *p, int iLedger, int nName,
                         const char *const *azName, LedgerError *pErr) {
  ScanSource *pSource;
  if( p->nSource == p->nSourceAlloc ) {
    int nNew = p->nSourceAlloc ? p->nSourceAlloc * 2 : 4;
    ScanSource *aNew =
        sqlite3_realloc64(p->aSource, sizeof(*aNew) * (sqlite3_uint64)nNew);
    if( aNew == NULL ) return ledgerErrorNomem(pErr);
    p->aSource = aNew;
    p->nSourceAlloc = nNew;
  }
  pSource = &p->aSource[p->nSource++];
  memset(pSource, 0, sizeof(*pSource));
  pSource->pLedger = p->apLedger[iLedger];
  pSource->pLanes = &p->aLanes[iLedger];
  pSource->nName = nName;
  pSource->azName = azName;
  return LEDGER_OK;
}

/*
** Does the snapshot of this ledger have to be firm before its streams are read?
** Not where the query ends below what is known to be committed, nor for the
** statement's first range, read upwards.
*/
static int scanNeedsFirm(LedgerScan *p, Ledger *pLedger, int nStream) {
  const LedgerQuery *pQuery = &p->query;
  LedgerFacts facts;
  ledgerClientFacts(pLedger->pClient, &facts);
  if( pQuery->to.seqno && pQuery->to.seqno <= facts.committed.seqno ) return 0;
  if( facts.head.seqno == 0 && ((pQuery->from.seqno && !pQuery->from.view) ||
                                (pQuery->to.seqno && !pQuery->to.view)) ) {
    return 1; /* a seqno needs a view to go on the wire */
  }
  if( pQuery->bOrder && pQuery->bDesc ) return 1;
  return pQuery->bAnySubLedger || nStream > 1 ||
         !ledgerSnapshotFresh(p->pSnapshot, pLedger);
}

static int scanOpenStream(LedgerScan *p, ScanSource *pSource,
                          LedgerError *pErr) {
  if( pSource->pStream ) return LEDGER_OK;
  return ledgerStreamOpen(p->pSnapshot, pSource->pLedger, pSource->pLanes,
                          pSource->nName, pSource->azName, &p->query, p->zTag,
                          &pSource->pStream, pErr);
}

/* While the ledger is asked whether its state head is committed, the first
** pages of its streams are on their way. Not where they are many, or the ledger
** small: one that turns out to be the last has to be asked for again, behind
** its rows (read/flight.c). */
static int scanEarly(LedgerScan *p, int iFirst, LedgerTxid head,
                     LedgerError *pErr) {
  const LedgerQuery *pQuery = &p->query;
  const ScanSource *pFirst = &p->aSource[iFirst];
  const int n = p->nSource - iFirst;
  LedgerFacts facts;
  int i;
  ledgerClientFacts(pFirst->pLedger->pClient, &facts);
  if( pQuery->bOrder || pQuery->nWanted < INT64_MAX || pQuery->to.seqno ||
      (pQuery->from.seqno && pQuery->from.view == 0) || n < 2 ||
      n > pFirst->pLanes->nMost / 2 || head.seqno / n < SCAN_EARLY ||
      head.seqno <= facts.committed.seqno ||
      !ledgerSnapshotFresh(p->pSnapshot, pFirst->pLedger) ) {
    return LEDGER_OK;
  }
  for( i = iFirst; i < p->nSource && pErr->rc == LEDGER_OK; i++ ) {
    if( scanOpenStream(p, &p->aSource[i], pErr) == LEDGER_OK ) {
      ledgerStreamStart(p->aSource[i].pStream, 1, pErr);
    }
  }
  return pErr->rc;
}

/* The streams of one ledger, of the sub-ledgers given, or listed. */
static int scanStreams(LedgerScan *p, int iLedger, char **azList, int nList,
                       LedgerError *pErr) {
  const LedgerQuery *pQuery = &p->query;
  const char **azName =
      sqlite3_malloc64(sizeof(*azName) * ((sqlite3_uint64)nList + 1));
  int nName = 0, i, rc = LEDGER_OK;
  sqlite3_free((void *)p->aazName[iLedger]);
  p->aazName[iLedger] = azName;
  if( azName == NULL ) return ledgerErrorNomem(pErr);
  if( pQuery->bAnySubLedger ) azName[nName++] = LEDGER_DEFAULT_SUB_LEDGER;
  for( i = 0; i < nList; i++ ) {
    if( pQuery->bAnySubLedger &&
        strcmp(azList[i], LEDGER_DEFAULT_SUB_LEDGER) == 0 ) {
      continue;
    }
    azName[nName++] = azList[i];
  }
  if( nName > 0 && pQuery->bOrder ) {
    return scanAddSource(p, iLedger, nName, azName, pErr);
  }
  for( i = 0; i < nName && rc == LEDGER_OK; i++ ) {
    rc = scanAddSource(p, iLedger, 1, &azName[i], pErr);
  }
  return rc;
}

/*
** Finds what is to be read of one ledger. The list of sub-ledgers may have
** those only that were committed when it was made, and shows the state of a
** node that knew of more: where the snapshot's bound wasn't known to be
** committed before, the list is asked for again behind it.
*/
static int scanSources(LedgerScan *p, int iLedger, LedgerError *pErr) {
  Ledger *pLedger = p->apLedger[iLedger];
  const LedgerQuery *pQuery = &p->query;
  LedgerTxid head = {0, 0};
  int nList = pQuery->nSubLedger, nName, rc = LEDGER_OK;
  char **azList = pQuery->azSubLedger;
  int bPast = 0;
  const int iFirst = p->nSource;
  const char *zFirst;
  LedgerFacts facts;

  ledgerClientFacts(pLedger->pClient, &facts);
  if( pQuery->bAnySubLedger ) {
    rc = ledgerCollectionsList(pLedger->pClient, &p->apzList[iLedger], &nList,
                               &head, pErr);
    if( rc ) return rc;
    azList = p->apzList[iLedger];
    p->anList[iLedger] = nList;
  }
  rc = scanStreams(p, iLedger, azList, nList, pErr);
  if( rc || p->nSource == iFirst ) return rc;
  zFirst = p->aSource[iFirst].azName[0];
  nName = pQuery->bOrder ? p->aSource[iFirst].nName : p->nSource - iFirst;
  /* What was read before ends where the snapshot does. */
  rc = ledgerPastReady(pLedger, zFirst, &bPast, pErr);
  if( rc == LEDGER_OK && (bPast || scanNeedsFirm(p, pLedger, nName)) ) {
    if( !bPast ) rc = scanEarly(p, iFirst, head, pErr);
    if( rc ) return rc;
    rc = ledgerSnapshotFirm(p->pSnapshot, pLedger, zFirst, head, pErr);
  }
  if( rc == LEDGER_OK && pQuery->bAnySubLedger ) {
    const LedgerTxid top = ledgerSnapshotTop(p->pSnapshot, pLedger);
    if( top.seqno > facts.committed.seqno ) {
      rc = ledgerCollectionsGet(pLedger->pClient, top, &p->apList[iLedger],
                                pErr);
    }
  }
  return rc;
}

/* Is a name among those that are read of a ledger? */
static int scanReads(const LedgerScan *p, int iLedger, const char *z) {
  int i, k;
  for( i = 0; i < p->nSource; i++ ) {
    const ScanSource *pSource = &p->aSource[i];
    if( pSource->pLedger != p->apLedger[iLedger] ) continue;
    for( k = 0; k < pSource->nName; k++ ) {
      if( strcmp(pSource->azName[k], z) == 0 ) return 1;
    }
  }
  return 0;
}

/* Before the first row is shown: are there sub-ledgers that the first list
** didn't have? Then all streams begin again (*pbAnew), of those there are. */
static int scanListed(LedgerScan *p, int *pbAnew, LedgerError *pErr) {
  int i, k;
  *pbAnew = 0;
  p->bListed = 1;
  for( i = 0; i < p->nLedger; i++ ) {
    LedgerCall *pCall = p->apList[i];
    LedgerTxid head;
    char **azList;
    int nList, bAnew = 0;
    if( pCall == NULL ) continue;
    p->apList[i] = NULL;
    if( ledgerCollectionsResult(pCall, &azList, &nList, &head, pErr) ) {
      return pErr->rc;
    }
    for( k = 0; k < nList && !bAnew; k++ ) {
      bAnew = !scanReads(p, i, azList[k]);
    }
    if( bAnew ) {
      free(p->apzList[i]);
      p->apzList[i] = azList;
      p->anList[i] = nList;
      *pbAnew = 1;
    } else {
      free(azList);
    }
  }
  if( !*pbAnew ) return LEDGER_OK;
  for( i = 0; i < p->nSource; i++ ) ledgerStreamClose(p->aSource[i].pStream);
  p->nSource = p->iSource = 0;
  for( i = 0; i < p->nLedger && pErr->rc == LEDGER_OK; i++ ) {
    scanStreams(p, i, p->apzList[i], p->anList[i], pErr);
  }
  return pErr->rc;
}

/* What is kept per ledger. */
static int scanLedgers(LedgerScan *p, LedgerError *pErr) {
  const sqlite3_uint64 n = (sqlite3_uint64)p->nLedger;
  int i;
  p->aLanes = sqlite3_malloc64(sizeof(*p->aLanes) * n);
  p->apzList = sqlite3_malloc64(sizeof(*p->apzList) * n);
  if( p->apzList ) memset(p->apzList, 0, sizeof(*p->apzList) * n);
  p->aazName = sqlite3_malloc64(sizeof(*p->aazName) * n);
  if( p->aazName ) memset((void *)p->aazName, 0, sizeof(*p->aazName) * n);
  p->anList = sqlite3_malloc64(sizeof(*p->anList) * n);
  p->apList = sqlite3_malloc64(sizeof(*p->apList) * n);
  if( p->apList ) memset((void *)p->apList, 0, sizeof(*p->apList) * n);
  if( p->aLanes == NULL || p->apzList == NULL || p->aazName == NULL ||
      p->anList == NULL || p->apList == NULL ) {
    return ledgerErrorNomem(pErr);
  }
  for( i = 0; i < p->nLedger; i++ ) {
    ledgerLanesInit(&p->aLanes[i], p->apLedger[i]);
  }
  return LEDGER_OK;
}

int ledgerScanOpen(LedgerSnapshot *pSnapshot, LedgerConn *pConn, int bEnv,
                   LedgerQuery *pQuery, LedgerScan **ppScan,
                   LedgerError *pErr) {
  LedgerScan *p = sqlite3_malloc64(sizeof(*p));
  int i, rc;
  *ppScan = NULL;
  if( p == NULL ) {
    ledgerQueryClear(pQuery);
    return ledgerErrorNomem(pErr);
  }
  memset(p, 0, sizeof(*p));
  p->pSnapshot = pSnapshot;
  p->query = *pQuery;
  memset(pQuery, 0, sizeof(*pQuery));
  rc = ledgerConnReady(pConn, bEnv, pErr);
  if( rc == LEDGER_OK ) {
    rc = ledgerConnNamed(pConn, p->query.nNamed, p->query.azNamed, pErr);
  }
  if( rc == LEDGER_OK && p->query.zMatch ) {
    rc = ledgerMatchCheck(p->query.zMatch, &p->zTag, pErr);
    p->bMatchHere = p->zTag == NULL;
  }
  if( rc || p->query.bEmpty ) goto out;
  rc = ledgerQueryLedgers(&p->query, pConn, &p->apLedger, &p->nLedger, pErr);
  if( rc || p->nLedger == 0 ) goto out;
  rc = scanLedgers(p, pErr);
  if( rc ) goto out;
  if( p->query.bIds && p->query.zMatch == NULL ) {
    rc = ledgerLookupOpen(pSnapshot, pConn, p->apLedger, p->nLedger, &p->query,
                          &p->pLookup, pErr);
    goto out;
  }
  for( i = 0; i < p->nLedger && rc == LEDGER_OK; i++ ) {
    rc = scanSources(p, i, pErr);
  }
  p->nAhead = p->query.nWanted < INT64_MAX ? 1 : 1 << 20;

out:
  if( rc ) {
    ledgerScanClose(p);
  } else {
    *ppScan = p;
  }
  return rc;
}

/* Rows that will be wanted beyond those that stand ready in the stream. Where
** more were wanted than LIMIT says, SQLite drops some: then nobody knows. */
static i64 scanMore(const LedgerScan *p, const ScanSource *pSource) {
  i64 n;
  if( p->nRow >= p->query.nWanted ) return INT64_MAX;
  n = p->query.nWanted - p->nRow - ledgerStreamReady(pSource->pStream);
  return n > 0 ? n : 0;
}

/* A request is about to be made for the stream being read: the next streams'
** go with it, while there are lanes. Under LIMIT they are few at first. */
static int scanStartNext(LedgerScan *p, LedgerError *pErr) {
  const LedgerLanes *pLanes = p->aSource[p->iSource].pLanes;
  int i, rc = LEDGER_OK;
  for( i = p->iSource + 1; i < p->nSource && rc == LEDGER_OK; i++ ) {
    if( p->aSource[i].pStream == NULL ) break;
    rc = ledgerStreamStart(p->aSource[i].pStream, -1, pErr);
  }
  for( i = p->iSource; i < p->nSource && rc == LEDGER_OK; i++ ) {
    ScanSource *pSource = &p->aSource[i];
    if( i > p->iSource &&
        (i - p->iSource >= p->nAhead || pLanes->nMost < 2 ||
         pSource->pLanes != pLanes || pLanes->nUnder >= pLanes->nWide ||
         ledgerLanesFull(pLanes)) ) {
      break;
    }
    rc = scanOpenStream(p, pSource, pErr);
    if( rc == LEDGER_OK ) {
      rc = ledgerStreamStart(pSource->pStream, scanMore(p, pSource), pErr);
    }
  }
  return rc;
}

/* The next row where the order is free: stream behind stream. */
static int scanNextLane(LedgerScan *p, const LedgerEntryRow **ppRow,
                        LedgerError *pErr) {
  int rc = LEDGER_OK;
  while( rc == LEDGER_OK && p->iSource < p->nSource ) {
    ScanSource *pSource = &p->aSource[p->iSource];
    if( pSource->pStream == NULL || ledgerStreamReady(pSource->pStream) == 0 ) {
      rc = scanStartNext(p, pErr);
      if( rc ) break;
    }
    rc = ledgerStreamNext(pSource->pStream, scanMore(p, pSource), ppRow, pErr);
    if( rc || *ppRow ) return rc;
    ledgerStreamClose(pSource->pStream);
    pSource->pStream = NULL;
    p->iSource++;
    if( p->nAhead < 1 << 20 ) p->nAhead *= 2;
  }
  return rc;
}

/* Whether a row comes before another, in the order asked for. */
static int scanBefore(const LedgerScan *p, LedgerTxid a, LedgerTxid b) {
  const int iCmp = ledgerTxidCompare(a, b);
  return p->query.bDesc ? iCmp > 0 : iCmp < 0;
}

/* The source to be asked for its first row, since that may come before pBest's;
** NULL where there is none. Downwards over several ledgers, one that ends below
** the row to be shown isn't read yet, and the highest comes first. */
static ScanSource *scanUnread(LedgerScan *p, const ScanSource *pBest) {
  ScanSource *pFound = NULL;
  i64 iFound = 0;
  int i;
  for( i = 0; i < p->nSource; i++ ) {
    ScanSource *pSource = &p->aSource[i];
    i64 iTop = ledgerSnapshotBound(p->pSnapshot, pSource->pLedger);
    if( pSource->pStream || pSource->bEof ) continue;
    if( p->query.to.seqno && p->query.to.seqno < iTop ) {
      iTop = p->query.to.seqno;
    }
    if( p->query.bDesc && pBest && pBest->pRow &&
        iTop < pBest->pRow->entry.id.seqno ) {
      continue;
    }
    if( pFound && iTop <= iFound ) continue;
    pFound = pSource;
    iFound = iTop;
  }
  return pFound;
}

/* The next row in order: the first of all streams' next ones. */
static int scanNextMerged(LedgerScan *p, const LedgerEntryRow **ppRow,
                          LedgerError *pErr) {
  ScanSource *pBest = NULL, *pSource = NULL;
  int i, rc = LEDGER_OK;
  for( i = 0; i < p->nSource && !p->query.bDesc && rc == LEDGER_OK; i++ ) {
    if( p->aSource[i].pStream || p->aSource[i].bEof ) continue;
    rc = scanOpenStream(p, &p->aSource[i], pErr); /* all before waiting */
    if( rc == LEDGER_OK )
      rc = ledgerStreamStart(p->aSource[i].pStream, 0, pErr);
  }
  for( i = 0; rc == LEDGER_OK; i++ ) {
    if( i < p->nSource ) {
      pSource = &p->aSource[i];
      if( pSource->pStream == NULL ) continue;
    } else {
      pSource = scanUnread(p, pBest);
      if( pSource == NULL ) break;
      rc = scanOpenStream(p, pSource, pErr);
      if( rc ) break;
    }
    if( pSource->pRow == NULL ) {
      rc = ledgerStreamNext(pSource->pStream, scanMore(p, pSource),
                            &pSource->pRow, pErr);
      if( rc ) break;
    }
    if( pSource->pRow == NULL ) {
      pSource->bEof = 1;
      ledgerStreamClose(pSource->pStream);
      pSource->pStream = NULL;
    } else if( pBest == NULL || pBest->pRow == NULL ||
               scanBefore(p, pSource->pRow->entry.id, pBest->pRow->entry.id) ) {
      pBest = pSource;
    }
  }
  if( rc == LEDGER_OK && pBest ) {
    *ppRow = pBest->pRow;
    pBest->pRow = NULL; /* fetched anew at the next call */
  }
  return rc;
}

int ledgerScanNext(LedgerScan *p, const LedgerEntryRow **ppRow,
                   LedgerError *pErr) {
  int rc = LEDGER_OK, bMatch = 1, bAnew;
  do {
    *ppRow = NULL;
    bMatch = 1;
    if( p->pLookup ) {
      rc = ledgerLookupNext(p->pLookup, ppRow, pErr);
    } else if( p->query.bOrder ) {
      rc = scanNextMerged(p, ppRow, pErr);
    } else {
      rc = scanNextLane(p, ppRow, pErr);
    }
    if( rc ) return rc;
    if( !p->bListed && p->apList ) {
      rc = scanListed(p, &bAnew, pErr);
      if( rc ) return rc;
      if( bAnew ) {
        bMatch = 0;
        continue;
      }
    }
    if( *ppRow == NULL ) return LEDGER_OK;
    if( p->bMatchHere ) {
      rc = ledgerClientNeedTags((*ppRow)->pLedger->pClient, pErr);
      if( rc ) return rc;
      rc = ledgerMatchEval(p->query.zMatch, (*ppRow)->entry.zTags, &bMatch,
                           pErr);
      if( rc ) return rc;
    }
  } while( !bMatch );
  p->nRow++;
  return LEDGER_OK;
}

static int scanSourceOpen(LedgerSnapshot *pSnapshot, LedgerConn *pConn,
                          int bEnv, LedgerQuery *pQuery, void **pp,
                          LedgerError *pErr) {
  LedgerScan *p;
  int rc = ledgerScanOpen(pSnapshot, pConn, bEnv, pQuery, &p, pErr);
  *pp = p;
  return rc;
}

static int scanSourceNext(void *p, const LedgerEntryRow **ppRow,
                          LedgerError *pErr) {
  return ledgerScanNext(p, ppRow, pErr);
}

static void scanSourceClose(void *p) {
  ledgerScanClose(p);
}

const LedgerEntrySource ledgerScanRows = {0, scanSourceOpen, scanSourceNext,
                                          scanSourceClose};
