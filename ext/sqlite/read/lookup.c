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
** for one id. What a statement has looked up it does not ask for again, nor
** what history has; where it asks for one id after the other read/ahead.c reads
** ahead.
*/
#include "sqlite/history/history.h"
#include "sqlite/read/read.h"

#include <stdlib.h>
#include <string.h>

/* What the window holds beside the call, which is NULL where the answer is
** known from the memo. */
typedef struct LookupItem LookupItem;
struct LookupItem {
  LedgerTxid id;
  Ledger *pLedger;   /* borrowed from the scan */
  const char *zMemo; /* the name under which the memo has it; NULL: any */
};

/* The sub-ledgers of one ledger that an id may stand in. */
typedef struct LookupCandidates LookupCandidates;
struct LookupCandidates {
  int bListed; /* azName is filled from the ledger's list */
  int nName;
  char **azName; /* one allocation of the client (free) */
};

struct LedgerLookup {
  LedgerSnapshot *pSnapshot; /* borrowed */
  LedgerConn *pConn;         /* borrowed */
  const LedgerQuery *pQuery; /* borrowed from the scan */
  Ledger *const *apLedger;   /* borrowed from the scan */
  int nLedger;
  LookupCandidates *aList; /* per ledger, where no sub-ledger is given */
  i64 iNext;               /* next item to start: id * nLedger + ledger */
  LedgerWindow window;     /* of LookupItem */
  LedgerCall *pRowCall;    /* owns the texts of row ... */
  LedgerBuf text;          /* ... or this, when it was known */
  LedgerPastPage past;     /* entries read before, as they are looked through */
  LedgerEntryRow row;      /* the row last returned */
};

int ledgerLookupOpen(LedgerSnapshot *pSnapshot, LedgerConn *pConn,
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
  p->pSnapshot = pSnapshot;
  p->pConn = pConn;
  p->apLedger = apLedger;
  p->nLedger = nLedger;
  p->pQuery = pQuery;
  p->aList = sqlite3_malloc64(sizeof(*p->aList) * (sqlite3_uint64)nLedger);
  if( p->aList == NULL ) ledgerErrorNomem(pErr);
  if( p->aList == NULL ||
      ledgerWindowOpen(&p->window, n, sizeof(LookupItem), pErr) ) {
    p->nLedger = 0;
    ledgerLookupClose(p);
    return pErr->rc;
  }
  memset(p->aList, 0, sizeof(*p->aList) * (size_t)nLedger);
  for( i = 0; i < nLedger && pQuery->nId > 1; i++ ) {
    if( ledgerPastAdmit(apLedger[i],
                        pQuery->nSubLedger ? pQuery->azSubLedger[0] : NULL,
                        pErr) ) {
      ledgerLookupClose(p);
      return pErr->rc;
    }
  }
  *ppLookup = p;
  return LEDGER_OK;
}

void ledgerLookupClose(LedgerLookup *p) {
  int i;
  if( p == NULL ) return;
  ledgerWindowClose(&p->window);
  for( i = 0; i < p->nLedger; i++ ) free(p->aList[i].azName);
  ledgerCallFree(p->pRowCall);
  ledgerBufFree(&p->text);
  ledgerPastEnd(&p->past);
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
  zHint = ledgerAppendedSubLedger(p->pConn, pLedger, id);
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
    int rc = ledgerCollectionsList(pLedger->pClient, &pList->azName,
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
      ledgerAppendedCommitted(pLedger->pConn, pLedger, id, zSubLedger) ) {
    ledgerEntryKnown(*ppCall);
  }
  return rc;
}

/* Is the item known from what was read before? Then it is remembered. */
static int lookupPast(LedgerLookup *p, LookupItem *pItem, int *pbKnown,
                      LedgerError *pErr) {
  const LedgerQuery *pQuery = p->pQuery;
  const LedgerEntry *pEntry = NULL;
  LedgerEntryRow row;
  int i, bAll = pQuery->nSubLedger > 0;
  if( pQuery->bAnySubLedger ) {
    ledgerPastFindAny(pItem->pLedger, pItem->id, &p->past, &pEntry);
    bAll = 0;
  }
  for( i = 0; i < pQuery->nSubLedger && pEntry == NULL; i++ ) {
    pItem->zMemo = pQuery->azSubLedger[i];
    if( !ledgerPastFind(pItem->pLedger, pItem->zMemo, pItem->id, &p->past,
                        &pEntry) ) {
      bAll = 0;
    }
  }
  *pbKnown = pEntry || bAll;
  if( !*pbKnown ) {
    pItem->zMemo = lookupMemoName(p);
    return LEDGER_OK;
  }
  row.pLedger = pItem->pLedger;
  if( pEntry ) row.entry = *pEntry;
  return ledgerSnapshotRemember(p->pSnapshot, pItem->pLedger, pItem->id,
                                pItem->zMemo, pEntry ? &row : NULL, pErr);
}

/* Is the item's answer at hand, remembered or read ahead? */
static int lookupKnown(LedgerLookup *p, LookupItem *pItem, int *pbKnown,
                       LedgerError *pErr) {
  *pbKnown =
      lookupUsesMemo(p) && ledgerSnapshotKnows(p->pSnapshot, pItem->pLedger,
                                               pItem->id, lookupMemoName(p));
  if( *pbKnown || lookupPast(p, pItem, pbKnown, pErr) || *pbKnown ||
      !lookupUsesMemo(p) || p->pQuery->nId > 1 ) {
    return pErr->rc;
  }
  return ledgerAheadKnows(p->pSnapshot, p->pConn, pItem->pLedger, pItem->id,
                          lookupMemoName(p), pbKnown, pErr);
}

/* Fills the window: starts the first request of the items that follow. */
static int lookupFill(LedgerLookup *p, LedgerError *pErr) {
  const i64 nAll = (i64)p->pQuery->nId * p->nLedger;
  LookupItem *pItem;
  int rc = LEDGER_OK;
  while( rc == LEDGER_OK && p->iNext < nAll &&
         (pItem = ledgerWindowAdd(&p->window)) != NULL ) {
    i64 iId = p->iNext / p->nLedger;
    const char *zSub;
    int bKnown;
    if( p->pQuery->bDesc ) iId = p->pQuery->nId - 1 - iId;
    pItem->pLedger = p->apLedger[p->iNext % p->nLedger];
    pItem->id = p->pQuery->aId[iId];
    pItem->zMemo = lookupMemoName(p);
    p->iNext++;
    rc = lookupKnown(p, pItem, &bKnown, pErr);
    if( rc || bKnown ) continue;
    rc = lookupCandidate(p, pItem->pLedger, pItem->id, 0, &zSub, pErr);
    if( rc == LEDGER_OK && zSub ) {
      rc = ledgerLookupGet(pItem->pLedger, pItem->id, zSub,
                           &p->window.apCall[p->window.nUsed - 1], pErr);
    }
  }
  return rc;
}

/* Waits for a call and reads its answer into p->row; takes the call over, which
** is kept where it is a hit. */
static int lookupHit(LedgerLookup *p, LedgerCall *pCall, Ledger *pLedger,
                     int *pbFound, LedgerError *pErr) {
  *pbFound = 0;
  p->row.pLedger = pLedger;
  if( ledgerCallWait(pCall, pErr) == LEDGER_OK ) {
    ledgerEntryResult(pCall, pbFound, &p->row.entry, pErr);
  }
  if( *pbFound ) {
    p->pRowCall = pCall;
  } else {
    ledgerCallFree(pCall);
  }
  return pErr->rc;
}

/* Looks for the item in its candidates from the k-th on, several in flight. */
static int lookupFurther(LedgerLookup *p, const LookupItem *pItem, int k,
                         int *pbFound, LedgerError *pErr) {
  LedgerWindow window;
  int bEnd = 0;
  char cNone;
  ledgerWindowOpen(&window, p->window.nPlace, sizeof(cNone), pErr);
  while( pErr->rc == LEDGER_OK && !*pbFound ) {
    const char *zSub = NULL;
    if( !bEnd && window.nUsed < window.nPlace ) {
      if( lookupCandidate(p, pItem->pLedger, pItem->id, k++, &zSub, pErr) ) {
        break;
      }
      bEnd = zSub == NULL;
      if( zSub ) {
        ledgerWindowAdd(&window);
        ledgerLookupGet(pItem->pLedger, pItem->id, zSub,
                        &window.apCall[window.nUsed - 1], pErr);
      }
    } else if( window.nUsed > 0 ) {
      lookupHit(p, ledgerWindowTake(&window, 0, &cNone), pItem->pLedger,
                pbFound, pErr);
    } else {
      break;
    }
  }
  ledgerWindowClose(&window);
  return pErr->rc;
}

/* Notes what was found (pRow NULL: nothing) for the rest of the statement. */
static int lookupRemember(LedgerLookup *p, const LookupItem *pItem,
                          const LedgerEntryRow *pRow, LedgerError *pErr) {
  const char *zSub = pRow ? pRow->entry.zSubLedger : lookupMemoName(p);
  int rc = ledgerSnapshotRemember(p->pSnapshot, pItem->pLedger, pItem->id,
                                  lookupMemoName(p), pRow, pErr);
  if( rc || zSub == NULL || p->pQuery->nId > 1 ) return rc;
  return ledgerAheadNote(p->pSnapshot, pItem->pLedger, pItem->id, zSub,
                         pRow != NULL, pErr);
}

/* Resolves an item; takes its call over. */
static int lookupResolve(LedgerLookup *p, const LookupItem *pItem,
                         LedgerCall *pCall, const LedgerEntryRow **ppRow,
                         LedgerError *pErr) {
  const int iNext = pCall != NULL;
  int bFound = 0;
  ledgerCallFree(p->pRowCall);
  p->pRowCall = NULL;
  if( pCall == NULL ) {
    /* Known when its turn to be started came, and perhaps forgotten since:
    ** then it is looked for from its first candidate on. */
    int bKnown =
        ledgerSnapshotRecall(p->pSnapshot, pItem->pLedger, pItem->id,
                             pItem->zMemo, &p->text, &p->row, &bFound, pErr);
    if( !bKnown && pErr->rc == LEDGER_OK ) {
      bKnown =
          ledgerAheadRecall(p->pSnapshot, pItem->pLedger, pItem->id,
                            pItem->zMemo, &p->text, &p->row, &bFound, pErr);
    }
    if( bFound && pErr->rc == LEDGER_OK ) *ppRow = &p->row;
    if( bKnown || pErr->rc ) return pErr->rc;
  } else if( lookupHit(p, pCall, pItem->pLedger, &bFound, pErr) ) {
    return pErr->rc;
  }
  if( !bFound && lookupFurther(p, pItem, iNext, &bFound, pErr) ) {
    return pErr->rc;
  }
  if( lookupUsesMemo(p) &&
      lookupRemember(p, pItem, bFound ? &p->row : NULL, pErr) ) {
    return pErr->rc;
  }
  if( bFound ) *ppRow = &p->row;
  return LEDGER_OK;
}

int ledgerLookupNext(LedgerLookup *p, const LedgerEntryRow **ppRow,
                     LedgerError *pErr) {
  int rc;
  *ppRow = NULL;
  for( ;; ) {
    LookupItem item;
    LedgerCall *pCall;
    rc = lookupFill(p, pErr);
    if( rc || p->window.nUsed == 0 ) return rc;
    pCall = ledgerWindowTake(&p->window, 0, &item);
    rc = lookupResolve(p, &item, pCall, ppRow, pErr);
    if( rc ) return rc;
    if( *ppRow && (*ppRow)->entry.id.seqno >
                      ledgerSnapshotBound(p->pSnapshot, item.pLedger) ) {
      *ppRow = NULL; /* newer than the snapshot that this statement reads */
    }
    if( *ppRow ) return LEDGER_OK;
  }
}
