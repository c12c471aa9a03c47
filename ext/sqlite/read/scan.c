/*
** The rows of a query: which ledgers, which sub-ledgers, in what order.
**
** Requests: GET /app/collections where no sub-ledger is given; the rest is
** done by read/stream.c (ranges) and lookup.c (entries by id).
**
** With `order` there is one stream per ledger, and the streams are merged.
** Without, streams are read one behind the other while pages of the next ones
** are on their way: never more than range_concurrency at a time, however many
** sub-ledgers there are.
*/
#include "sqlite/history/history.h"
#include "sqlite/read/read.h"

#include <stdlib.h>
#include <string.h>

/* A stream that is to be read, opened when its turn comes near. */
typedef struct ScanSource ScanSource;
struct ScanSource {
  Ledger *pLedger;            /* borrowed from apLedger */
  LedgerLanes *pLanes;        /* its own, of aLanes */
  const char *zSubLedger;     /* borrowed from the query or from apzList */
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
  char ***apzList;       /* per ledger: its list of sub-ledgers (free) */
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
    ledgerUnref(p->apLedger[i]);
  }
  sqlite3_free(p->aSource);
  sqlite3_free(p->apLedger);
  sqlite3_free(p->aLanes);
  sqlite3_free(p->apzList);
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

static int scanAddSource(LedgerScan *p, int iLedger, const char *zSubLedger,
                         LedgerError *pErr) {
  if( p->nSource == p->nSourceAlloc ) {
    int nNew = p->nSourceAlloc ? p->nSourceAlloc * 2 : 4;
    ScanSource *aNew =
        sqlite3_realloc64(p->aSource, sizeof(*aNew) * (sqlite3_uint64)nNew);
    if( aNew == NULL ) return ledgerErrorNomem(pErr);
    p->aSource = aNew;
    p->nSourceAlloc = nNew;
  }
  memset(&p->aSource[p->nSource], 0, sizeof(*p->aSource));
  p->aSource[p->nSource].pLedger = p->apLedger[iLedger];
  p->aSource[p->nSource].pLanes = &p->aLanes[iLedger];
  p->aSource[p->nSource].zSubLedger = zSubLedger;
  p->nSource++;
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
  return nStream > 1 || !ledgerSnapshotFresh(p->pSnapshot, pLedger);
}

/* The streams of one ledger. */
static int scanSources(LedgerScan *p, int iLedger, LedgerError *pErr) {
  Ledger *pLedger = p->apLedger[iLedger];
  const LedgerQuery *pQuery = &p->query;
  LedgerTxid head = {0, 0};
  int nBefore = p->nSource, nName = pQuery->nSubLedger, i, rc = LEDGER_OK;
  int bPast = 0;
  char **azName = pQuery->azSubLedger;

  if( pQuery->bAnySubLedger ) {
    rc = ledgerCollectionsList(pLedger->pClient, &p->apzList[iLedger], &nName,
                               &head, pErr);
    if( rc ) return rc;
    azName = p->apzList[iLedger];
    rc = scanAddSource(p, iLedger, LEDGER_DEFAULT_SUB_LEDGER, pErr);
  }
  for( i = 0; i < nName && rc == LEDGER_OK; i++ ) {
    if( pQuery->bAnySubLedger &&
        strcmp(azName[i], LEDGER_DEFAULT_SUB_LEDGER) == 0 ) {
      continue;
    }
    rc = scanAddSource(p, iLedger, azName[i], pErr);
  }
  if( rc == LEDGER_OK && p->nSource > nBefore ) {
    /* What was read before ends where the snapshot does. */
    rc = ledgerPastReady(pLedger, p->aSource[nBefore].zSubLedger, &bPast, pErr);
  }
  if( rc == LEDGER_OK && p->nSource > nBefore &&
      (bPast || scanNeedsFirm(p, pLedger, p->nSource - nBefore)) ) {
    rc = ledgerSnapshotFirm(p->pSnapshot, pLedger,
                            p->aSource[nBefore].zSubLedger, head, pErr);
  }
  return rc;
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
  p->apzList =
      sqlite3_malloc64(sizeof(*p->apzList) * (sqlite3_uint64)p->nLedger);
  p->aLanes = sqlite3_malloc64(sizeof(*p->aLanes) * (sqlite3_uint64)p->nLedger);
  if( p->apzList == NULL || p->aLanes == NULL ) {
    sqlite3_free(p->apzList);
    p->apzList = NULL;
    rc = ledgerErrorNomem(pErr);
    goto out;
  }
  for( i = 0; i < p->nLedger; i++ ) {
    ledgerLanesInit(&p->aLanes[i], p->apLedger[i]);
  }
  memset(p->apzList, 0, sizeof(*p->apzList) * (size_t)p->nLedger);
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

static int scanOpenStream(LedgerScan *p, ScanSource *pSource,
                          LedgerError *pErr) {
  if( pSource->pStream ) return LEDGER_OK;
  return ledgerStreamOpen(p->pSnapshot, pSource->pLedger, pSource->pLanes,
                          pSource->zSubLedger, &p->query, p->zTag,
                          &pSource->pStream, pErr);
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

/* The next row in order: the least (or greatest) of all streams' next ones. */
static int scanNextMerged(LedgerScan *p, const LedgerEntryRow **ppRow,
                          LedgerError *pErr) {
  ScanSource *pBest = NULL;
  int i, rc = LEDGER_OK;
  for( i = 0; i < p->nSource && rc == LEDGER_OK; i++ ) {
    if( p->aSource[i].pStream ) continue; /* start all before waiting for one */
    rc = scanOpenStream(p, &p->aSource[i], pErr);
    if( rc == LEDGER_OK ) {
      rc = ledgerStreamStart(p->aSource[i].pStream, 0, pErr);
    }
  }
  for( i = 0; i < p->nSource && rc == LEDGER_OK; i++ ) {
    ScanSource *pSource = &p->aSource[i];
    int iCmp;
    if( pSource->pRow == NULL && !pSource->bEof ) {
      rc = ledgerStreamNext(pSource->pStream, scanMore(p, pSource),
                            &pSource->pRow, pErr);
      if( rc ) break;
      pSource->bEof = pSource->pRow == NULL;
    }
    if( pSource->bEof ) continue;
    if( pBest ) {
      iCmp = ledgerTxidCompare(pSource->pRow->entry.id, pBest->pRow->entry.id);
      if( p->query.bDesc ? iCmp <= 0 : iCmp >= 0 ) continue;
    }
    pBest = pSource;
  }
  if( rc == LEDGER_OK && pBest ) {
    *ppRow = pBest->pRow;
    pBest->pRow = NULL; /* fetched anew at the next call */
  }
  return rc;
}

int ledgerScanNext(LedgerScan *p, const LedgerEntryRow **ppRow,
                   LedgerError *pErr) {
  int rc = LEDGER_OK, bMatch = 1;
  do {
    *ppRow = NULL;
    if( p->pLookup ) {
      rc = ledgerLookupNext(p->pLookup, ppRow, pErr);
    } else if( p->query.bOrder ) {
      rc = scanNextMerged(p, ppRow, pErr);
    } else {
      rc = scanNextLane(p, ppRow, pErr);
    }
    if( rc || *ppRow == NULL ) return rc;
    if( p->bMatchHere ) {
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
