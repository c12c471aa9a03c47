/*
** The rows of a query: which ledgers, which sub-ledgers, in what order.
**
** Requests: GET /app/collections where no sub-ledger is given; the rest is
** done by read/stream.c (ranges) and lookup.c (entries by id).
**
** With `order` there is one lane per ledger, and the lanes are merged. Without,
** lanes are read one behind the other while the first pages of the next ones
** are on their way. The pages held are never more than range_concurrency,
** however many sub-ledgers there are: one of them is kept for the page ahead
** in the lane being read.
*/
#include "sqlite/read/read.h"

#include <stdlib.h>
#include <string.h>

/* A lane that is to be read, opened when its turn comes near. */
typedef struct ScanSource ScanSource;
struct ScanSource {
  Ledger *pLedger;        /* borrowed from apLedger */
  const char *zSubLedger; /* borrowed from the query or from apzList */
  LedgerLane *pLane;      /* open, or NULL */
  const LedgerRow *pRow;  /* merging: its next row */
  int bEof;               /* merging: no further row */
};

struct LedgerScan {
  LedgerScope *pScope; /* borrowed */
  LedgerQuery query;   /* owned */
  char *zTag;          /* the tag for the wire (sqlite3_free) */
  int bMatchHere;      /* query.zMatch is evaluated here */
  int nLedger;
  Ledger **apLedger;     /* counted references */
  char ***apzList;       /* per ledger: its list of sub-ledgers (free) */
  LedgerLookup *pLookup; /* rows by id, or NULL */
  int nSource, nSourceAlloc;
  ScanSource *aSource;
  int iSource; /* the one being read (not merging) */
  int nAhead;  /* lanes opened ahead, at most */
  i64 nRow;    /* rows returned */
};

void ledgerScanClose(LedgerScan *p) {
  int i;
  if( p == NULL ) return;
  for( i = 0; i < p->nSource; i++ ) ledgerLaneClose(p->aSource[i].pLane);
  ledgerLookupClose(p->pLookup);
  for( i = 0; i < p->nLedger; i++ ) {
    if( p->apzList ) free(p->apzList[i]);
    ledgerUnref(p->apLedger[i]);
  }
  sqlite3_free(p->aSource);
  sqlite3_free(p->apLedger);
  sqlite3_free(p->apzList);
  sqlite3_free(p->zTag);
  ledgerQueryClear(&p->query);
  sqlite3_free(p);
}

int ledgerQueryLedgers(const LedgerQuery *pQuery, LedgerDb *pDb,
                       Ledger ***papLedger, int *pnLedger, LedgerError *pErr) {
  int i, k, n = 0;
  Ledger **apLedger =
      sqlite3_malloc64(sizeof(*apLedger) * ((sqlite3_uint64)pDb->nLedger + 1));
  *papLedger = apLedger;
  *pnLedger = 0;
  if( apLedger == NULL ) return ledgerErrorNomem(pErr);
  for( i = 0; i < pDb->nLedger; i++ ) {
    int bRead = pQuery->bAnyLedger;
    for( k = 0; k < pQuery->nLedgerName && !bRead; k++ ) {
      bRead = strcmp(pDb->apLedger[i]->zName, pQuery->azLedger[k]) == 0;
    }
    if( !bRead ) continue;
    ledgerRef(pDb->apLedger[i]);
    apLedger[n++] = pDb->apLedger[i];
  }
  *pnLedger = n;
  return LEDGER_OK;
}

static int scanAddSource(LedgerScan *p, Ledger *pLedger, const char *zSubLedger,
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
  p->aSource[p->nSource].pLedger = pLedger;
  p->aSource[p->nSource].zSubLedger = zSubLedger;
  p->nSource++;
  return LEDGER_OK;
}

/*
** Does the snapshot of this ledger have to be firm before its lanes are read?
** Not where the query ends below what is known to be committed, nor for the
** statement's first range, read upwards.
*/
static int scanNeedsFirm(LedgerScan *p, Ledger *pLedger, int nLane) {
  const LedgerQuery *pQuery = &p->query;
  LedgerFacts facts;
  ledgerClientFacts(pLedger->pClient, &facts);
  if( pQuery->to.seqno && pQuery->to.seqno <= facts.committed.seqno ) return 0;
  if( facts.head.seqno == 0 && ((pQuery->from.seqno && !pQuery->from.view) ||
                                (pQuery->to.seqno && !pQuery->to.view)) ) {
    return 1; /* a seqno needs a view to go on the wire */
  }
  if( pQuery->bOrder && pQuery->bDesc ) return 1;
  return nLane > 1 || !ledgerScopeFresh(p->pScope, pLedger);
}

/* The lanes of one ledger. */
static int scanSources(LedgerScan *p, int iLedger, LedgerError *pErr) {
  Ledger *pLedger = p->apLedger[iLedger];
  const LedgerQuery *pQuery = &p->query;
  LedgerTxid head = {0, 0};
  int nBefore = p->nSource, nName = pQuery->nSubLedger, i, rc = LEDGER_OK;
  char **azName = pQuery->azSubLedger;

  if( pQuery->bAnySubLedger ) {
    rc = ledgerSubLedgerList(pLedger->pClient, &p->apzList[iLedger], &nName,
                             &head, pErr);
    if( rc ) return rc;
    azName = p->apzList[iLedger];
    rc = scanAddSource(p, pLedger, LEDGER_DEFAULT_SUB_LEDGER, pErr);
  }
  for( i = 0; i < nName && rc == LEDGER_OK; i++ ) {
    if( pQuery->bAnySubLedger &&
        strcmp(azName[i], LEDGER_DEFAULT_SUB_LEDGER) == 0 ) {
      continue;
    }
    rc = scanAddSource(p, pLedger, azName[i], pErr);
  }
  if( rc == LEDGER_OK && p->nSource > nBefore &&
      scanNeedsFirm(p, pLedger, p->nSource - nBefore) ) {
    rc = ledgerScopeFirm(p->pScope, pLedger, p->aSource[nBefore].zSubLedger,
                         head, pErr);
  }
  return rc;
}

int ledgerScanOpen(LedgerScope *pScope, LedgerDb *pDb, int bEnv,
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
  p->pScope = pScope;
  p->query = *pQuery;
  memset(pQuery, 0, sizeof(*pQuery));
  rc = ledgerDbReady(pDb, bEnv, pErr);
  if( rc == LEDGER_OK ) {
    rc = ledgerDbNamed(pDb, p->query.nNamed, p->query.azNamed, pErr);
  }
  if( rc == LEDGER_OK && p->query.zMatch ) {
    rc = ledgerMatchCheck(p->query.zMatch, &p->zTag, pErr);
    p->bMatchHere = p->zTag == NULL;
  }
  if( rc || p->query.bEmpty ) goto out;
  rc = ledgerQueryLedgers(&p->query, pDb, &p->apLedger, &p->nLedger, pErr);
  if( rc || p->nLedger == 0 ) goto out;
  p->apzList =
      sqlite3_malloc64(sizeof(*p->apzList) * (sqlite3_uint64)p->nLedger);
  if( p->apzList == NULL ) {
    rc = ledgerErrorNomem(pErr);
    goto out;
  }
  memset(p->apzList, 0, sizeof(*p->apzList) * (size_t)p->nLedger);
  if( p->query.bIds && p->query.zMatch == NULL ) {
    rc = ledgerLookupOpen(pScope, pDb, p->apLedger, p->nLedger, &p->query,
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

static int scanOpenLane(LedgerScan *p, ScanSource *pSource, LedgerError *pErr) {
  if( pSource->pLane ) return LEDGER_OK;
  return ledgerLaneOpen(p->pScope, pSource->pLedger, pSource->zSubLedger,
                        &p->query, p->zTag, &pSource->pLane, pErr);
}

/* Pages that may be held for this ledger. */
static int scanConcurrency(const ScanSource *pSource) {
  return ledgerClientConfig(pSource->pLedger->pClient)->rangeConcurrency;
}

/* 1 when more rows will be wanted than stand ready in the lane. */
static int scanWantsMore(LedgerScan *p, ScanSource *pSource) {
  return p->query.nWanted - p->nRow > ledgerLaneReady(pSource->pLane);
}

/* The next row where the order is free: lane behind lane. */
static int scanNextLane(LedgerScan *p, const LedgerRow **ppRow,
                        LedgerError *pErr) {
  int rc = LEDGER_OK;
  while( rc == LEDGER_OK && p->iSource < p->nSource ) {
    ScanSource *pSource = &p->aSource[p->iSource];
    if( pSource->pLane == NULL || ledgerLaneReady(pSource->pLane) == 0 ) {
      /* A request is about to be made: let those of the next lanes go with it.
      */
      int nLane = scanConcurrency(pSource) - 1;
      int i, iEnd;
      if( nLane > p->nAhead ) nLane = p->nAhead;
      iEnd = p->iSource + (nLane > 1 ? nLane : 1);
      for( i = p->iSource; i < iEnd && i < p->nSource && rc == LEDGER_OK;
           i++ ) {
        if( i > p->iSource && p->aSource[i].pLane ) continue;
        rc = scanOpenLane(p, &p->aSource[i], pErr);
        if( rc == LEDGER_OK ) rc = ledgerLaneStart(p->aSource[i].pLane, pErr);
      }
      if( rc ) break;
    }
    rc = ledgerLaneNext(
        pSource->pLane,
        scanConcurrency(pSource) > 1 && scanWantsMore(p, pSource), ppRow, pErr);
    if( rc || *ppRow ) return rc;
    ledgerLaneClose(pSource->pLane);
    pSource->pLane = NULL;
    p->iSource++;
    if( p->nAhead < 1 << 20 ) p->nAhead *= 2;
  }
  return rc;
}

/* The next row in order: the least (or greatest) of all lanes' next ones. */
static int scanNextMerged(LedgerScan *p, const LedgerRow **ppRow,
                          LedgerError *pErr) {
  ScanSource *pBest = NULL;
  int i, rc = LEDGER_OK;
  for( i = 0; i < p->nSource && rc == LEDGER_OK; i++ ) {
    if( p->aSource[i].pLane ) continue; /* start all before waiting for one */
    rc = scanOpenLane(p, &p->aSource[i], pErr);
    if( rc == LEDGER_OK ) rc = ledgerLaneStart(p->aSource[i].pLane, pErr);
  }
  for( i = 0; i < p->nSource && rc == LEDGER_OK; i++ ) {
    ScanSource *pSource = &p->aSource[i];
    int iCmp;
    if( pSource->pRow == NULL && !pSource->bEof ) {
      rc = ledgerLaneNext(pSource->pLane, scanWantsMore(p, pSource),
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

int ledgerScanNext(LedgerScan *p, const LedgerRow **ppRow, LedgerError *pErr) {
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

static int scanSourceOpen(LedgerScope *pScope, LedgerDb *pDb, int bEnv,
                          LedgerQuery *pQuery, void **pp, LedgerError *pErr) {
  LedgerScan *p;
  int rc = ledgerScanOpen(pScope, pDb, bEnv, pQuery, &p, pErr);
  *pp = p;
  return rc;
}

static int scanSourceNext(void *p, const LedgerRow **ppRow, LedgerError *pErr) {
  return ledgerScanNext(p, ppRow, pErr);
}

static void scanSourceClose(void *p) {
  ledgerScanClose(p);
}

const LedgerRowSource ledgerScanRows = {0, scanSourceOpen, scanSourceNext,
                                        scanSourceClose};
