/*
** Entries by their ids.
**
**     SELECT * FROM ledger_entries WHERE transaction_id = '2.15';
**     SELECT * FROM ledger_entries
**      WHERE sub_ledger = 'A' AND transaction_id IN ('2.15', '2.20');
**
** Requests: GET /app/transactions/{id}?collectionId=..., `concurrency` of them
** in flight. Without sub_ledger an id is looked for in the sub-ledger to which
** this connection appended it, in the default one, and then in all others; the
** first hit ends the search, since one transaction is one entry.
**
** Rows come in the order of the ids (backwards with desc), ledger by ledger
** for one id. What a statement has looked up it does not ask for again.
*/
#include "sqlite/read/read.h"

#include <stdlib.h>
#include <string.h>

/* One place of the window of requests. */
typedef struct LookupItem LookupItem;
struct LookupItem {
  int bUsed; /* holds an item */
  LedgerTxid id;
  Ledger *pLedger;   /* borrowed from the scan */
  int iSub;          /* candidate asked for by pCall */
  LedgerCall *pCall; /* under way, or NULL: known from the memo */
};

/* The sub-ledgers of one ledger that an id may stand in. */
typedef struct LookupCandidates LookupCandidates;
struct LookupCandidates {
  int bListed; /* azName is filled from the ledger's list */
  int nName;
  char **azName; /* one allocation of the client (free) */
};

struct LedgerLookup {
  LedgerScope *pScope;       /* borrowed */
  LedgerDb *pDb;             /* borrowed */
  const LedgerQuery *pQuery; /* borrowed from the scan */
  Ledger *const *apLedger;   /* borrowed from the scan */
  int nLedger;
  LookupCandidates *aList; /* per ledger, where no sub-ledger is given */
  i64 iNext;               /* next item to start: id * nLedger + ledger */
  LookupItem *aItem;       /* a ring of nItem places */
  int nItem;
  int iFirst, nUsed;
  LedgerCall **apWave; /* further candidates, nItem places */
  LedgerCall *pKept;   /* owns the texts of row ... */
  LedgerBuf text;      /* ... or this, when it was known */
  LedgerRow row;       /* the row last returned */
};

int ledgerLookupOpen(LedgerScope *pScope, LedgerDb *pDb,
                     Ledger *const *apLedger, int nLedger,
                     const LedgerQuery *pQuery, LedgerLookup **ppLookup,
                     LedgerError *pErr) {
  LedgerLookup *p = sqlite3_malloc64(sizeof(*p));
  int i, n = 1;
  *ppLookup = NULL;
  if( p == NULL ) return ledgerErrorNomem(pErr);
  memset(p, 0, sizeof(*p));
  for( i = 0; i < nLedger; i++ ) {
    int nAllowed = ledgerClientConfig(apLedger[i]->pClient)->concurrency;
    if( nAllowed > n ) n = nAllowed;
  }
  p->pScope = pScope;
  p->pDb = pDb;
  p->apLedger = apLedger;
  p->nLedger = nLedger;
  p->pQuery = pQuery;
  p->nItem = n;
  p->aItem = sqlite3_malloc64(sizeof(*p->aItem) * (sqlite3_uint64)n);
  p->apWave = sqlite3_malloc64(sizeof(*p->apWave) * (sqlite3_uint64)n);
  p->aList = sqlite3_malloc64(sizeof(*p->aList) * (sqlite3_uint64)nLedger);
  if( p->aItem == NULL || p->apWave == NULL || p->aList == NULL ) {
    p->nLedger = 0;
    p->nItem = 0;
    ledgerLookupClose(p);
    return ledgerErrorNomem(pErr);
  }
  memset(p->aItem, 0, sizeof(*p->aItem) * (size_t)n);
  memset(p->apWave, 0, sizeof(*p->apWave) * (size_t)n);
  memset(p->aList, 0, sizeof(*p->aList) * (size_t)nLedger);
  *ppLookup = p;
  return LEDGER_OK;
}

void ledgerLookupClose(LedgerLookup *p) {
  int i;
  if( p == NULL ) return;
  for( i = 0; i < p->nItem; i++ ) {
    ledgerCallFree(p->aItem[i].pCall);
    ledgerCallFree(p->apWave[i]);
  }
  for( i = 0; i < p->nLedger; i++ ) free(p->aList[i].azName);
  ledgerCallFree(p->pKept);
  ledgerBufFree(&p->text);
  sqlite3_free(p->aItem);
  sqlite3_free(p->apWave);
  sqlite3_free(p->aList);
  sqlite3_free(p);
}

/*
** The k-th sub-ledger to look in, or NULL behind the last one. Without given
** names: where this connection appended the id, the default one, then the
** ledger's list, which is asked for when it is first needed.
*/
static int lookupCandidate(LedgerLookup *p, Ledger *pLedger, LedgerTxid id,
                           int k, const char **pz, LedgerError *pErr) {
  const LedgerQuery *pQuery = p->pQuery;
  const char *zHint;
  LookupCandidates *pList;
  int i;
  *pz = NULL;
  if( !pQuery->bAnySubLedger ) {
    if( k < pQuery->nSubLedger ) *pz = pQuery->azSubLedger[k];
    return LEDGER_OK;
  }
  zHint = ledgerHistorySubLedger(p->pDb, pLedger, id);
  if( zHint == NULL ) zHint = LEDGER_DEFAULT_SUB_LEDGER;
  if( k == 0 ) {
    *pz = zHint;
    return LEDGER_OK;
  }
  if( strcmp(zHint, LEDGER_DEFAULT_SUB_LEDGER) == 0 ) k++;
  if( k == 1 ) {
    *pz = LEDGER_DEFAULT_SUB_LEDGER;
    return LEDGER_OK;
  }
  for( i = 0; p->apLedger[i] != pLedger; i++ ) {
  }
  pList = &p->aList[i];
  if( !pList->bListed ) {
    LedgerTxid head;
    int rc = ledgerSubLedgerList(pLedger->pClient, &pList->azName,
                                 &pList->nName, &head, pErr);
    if( rc ) return rc;
    pList->bListed = 1;
  }
  for( i = 0, k -= 2; i < pList->nName; i++ ) {
    if( strcmp(pList->azName[i], zHint) == 0 ) continue;
    if( strcmp(pList->azName[i], LEDGER_DEFAULT_SUB_LEDGER) == 0 ) continue;
    if( k-- == 0 ) {
      *pz = pList->azName[i];
      break;
    }
  }
  return LEDGER_OK;
}

/* The name under which the memo keeps an answer: NULL for "any". */
static const char *lookupMemoName(const LedgerLookup *p) {
  const LedgerQuery *pQuery = p->pQuery;
  if( pQuery->bAnySubLedger ) return NULL;
  return pQuery->nSubLedger == 1 ? pQuery->azSubLedger[0] : NULL;
}

/* Several given names are neither one nor any: they are not remembered. */
static int lookupUsesMemo(const LedgerLookup *p) {
  return p->pQuery->bAnySubLedger || p->pQuery->nSubLedger == 1;
}

int ledgerLookupGet(Ledger *pLedger, LedgerTxid id, const char *zSubLedger,
                    LedgerCall **ppCall, LedgerError *pErr) {
  int rc = ledgerEntryGet(pLedger->pClient, id, zSubLedger, ppCall, pErr);
  if( rc == LEDGER_OK &&
      ledgerHistoryCommitted(pLedger->pDb, pLedger, id, zSubLedger) ) {
    ledgerEntryKnown(*ppCall);
  }
  return rc;
}

/* Fills the window: starts the first request of the items that follow. */
static int lookupFill(LedgerLookup *p, LedgerError *pErr) {
  i64 nAll = (i64)p->pQuery->nId * p->nLedger;
  int rc = LEDGER_OK;
  while( rc == LEDGER_OK && p->nUsed < p->nItem && p->iNext < nAll ) {
    LookupItem *pItem = &p->aItem[(p->iFirst + p->nUsed) % p->nItem];
    i64 iId = p->iNext / p->nLedger;
    const char *zSub;
    if( p->pQuery->bDesc ) iId = p->pQuery->nId - 1 - iId;
    pItem->pLedger = p->apLedger[p->iNext % p->nLedger];
    pItem->id = p->pQuery->aId[iId];
    pItem->pCall = NULL;
    pItem->iSub = 0;
    p->iNext++;
    p->nUsed++;
    if( lookupUsesMemo(p) && ledgerScopeKnows(p->pScope, pItem->pLedger,
                                              pItem->id, lookupMemoName(p)) ) {
      continue;
    }
    rc = lookupCandidate(p, pItem->pLedger, pItem->id, 0, &zSub, pErr);
    if( rc == LEDGER_OK && zSub ) {
      rc =
          ledgerLookupGet(pItem->pLedger, pItem->id, zSub, &pItem->pCall, pErr);
    }
  }
  return rc;
}

/* Waits for a call and reads its answer into p->row. */
static int lookupAnswer(LedgerLookup *p, LedgerCall *pCall, Ledger *pLedger,
                        int *pbFound, LedgerError *pErr) {
  int rc = ledgerCallWait(pCall, pErr);
  *pbFound = 0;
  if( rc == LEDGER_OK ) {
    rc = ledgerEntryResult(pCall, pbFound, &p->row.entry, pErr);
  }
  p->row.pLedger = pLedger;
  return rc;
}

/* Looks for the item in its candidates from the k-th on, a wave at a time. The
** call of a hit is moved to p->pKept. */
static int lookupFurther(LedgerLookup *p, LookupItem *pItem, int k,
                         int *pbFound, LedgerError *pErr) {
  int rc = LEDGER_OK, bEnd = 0;
  while( rc == LEDGER_OK && !*pbFound && !bEnd ) {
    int i, n = 0;
    while( rc == LEDGER_OK && n < p->nItem ) {
      const char *zSub;
      rc = lookupCandidate(p, pItem->pLedger, pItem->id, k, &zSub, pErr);
      if( rc || zSub == NULL ) {
        bEnd = 1;
        break;
      }
      rc =
          ledgerLookupGet(pItem->pLedger, pItem->id, zSub, &p->apWave[n], pErr);
      k++;
      n++;
    }
    for( i = 0; i < n && rc == LEDGER_OK && !*pbFound; i++ ) {
      rc = lookupAnswer(p, p->apWave[i], pItem->pLedger, pbFound, pErr);
      if( *pbFound ) {
        p->pKept = p->apWave[i];
        p->apWave[i] = NULL;
      }
    }
    for( i = 0; i < n; i++ ) {
      ledgerCallFree(p->apWave[i]);
      p->apWave[i] = NULL;
    }
  }
  return rc;
}

/* Resolves the first item of the window. */
static int lookupResolve(LedgerLookup *p, LookupItem *pItem,
                         const LedgerRow **ppRow, LedgerError *pErr) {
  int bFound = 0, iNext = 0, rc;
  ledgerCallFree(p->pKept);
  p->pKept = NULL;
  if( pItem->pCall == NULL ) {
    /* Known when its turn to be started came, and perhaps forgotten since:
    ** then it is looked for from its first candidate on. */
    int bKnown =
        ledgerScopeRecall(p->pScope, pItem->pLedger, pItem->id,
                          lookupMemoName(p), &p->text, &p->row, &bFound, pErr);
    if( bFound && pErr->rc == LEDGER_OK ) *ppRow = &p->row;
    if( bKnown || pErr->rc ) return pErr->rc;
  }
  if( pItem->pCall ) {
    rc = lookupAnswer(p, pItem->pCall, pItem->pLedger, &bFound, pErr);
    if( rc ) return rc;
    if( bFound ) {
      p->pKept = pItem->pCall;
    } else {
      ledgerCallFree(pItem->pCall);
    }
    pItem->pCall = NULL;
    iNext = 1;
  }
  if( !bFound ) {
    rc = lookupFurther(p, pItem, iNext, &bFound, pErr);
    if( rc ) return rc;
  }
  if( lookupUsesMemo(p) ) {
    rc = ledgerScopeRemember(p->pScope, pItem->pLedger, pItem->id,
                             lookupMemoName(p), bFound ? &p->row : NULL, pErr);
    if( rc ) return rc;
  }
  if( bFound ) *ppRow = &p->row;
  return LEDGER_OK;
}

int ledgerLookupNext(LedgerLookup *p, const LedgerRow **ppRow,
                     LedgerError *pErr) {
  int rc;
  *ppRow = NULL;
  for( ;; ) {
    LookupItem *pItem;
    rc = lookupFill(p, pErr);
    if( rc || p->nUsed == 0 ) return rc;
    pItem = &p->aItem[p->iFirst];
    rc = lookupResolve(p, pItem, ppRow, pErr);
    if( rc ) return rc;
    p->iFirst = (p->iFirst + 1) % p->nItem;
    p->nUsed--;
    if( *ppRow && (*ppRow)->entry.id.seqno >
                      ledgerScopeBound(p->pScope, pItem->pLedger) ) {
      *ppRow = NULL; /* newer than the snapshot that this statement reads */
    }
    if( *ppRow ) return LEDGER_OK;
  }
}
