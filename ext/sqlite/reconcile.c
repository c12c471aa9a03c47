/*
** Option reconcile: what became of an append whose answer never came is read in
** its sub-ledger.
**
**     SELECT ledger_option('reconcile', 'on');
**
** Requests: GET /app/transactions/current and .../{id}/status for a committed
** state that is younger than the append, then GET /app/transactions from the
** last id known to be committed before the append was sent up to that state.
**
** An entry there with the row's contents, and an id that no other row of this
** connection has, is the row: it is committed. Where there is none once
** reconcile_wait_ms are over, the row was not recorded and is queued again.
**
** Invariants
**   - rows of the same contents are interchangeable: k entries settle k rows,
**     in their order;
**   - more entries than rows prove nothing: then all of them stay unknown;
**   - a read that fails settles nothing.
**
** It is right as long as nobody else writes the same contents to the same
** sub-ledger meanwhile, and no request is carried out later than
** reconcile_wait_ms after its connection was given up. README.md says so.
*/
#include "ledgerInt.h"

#include <stdlib.h>
#include <string.h>

#define RECONCILE_MAX 10 /* times that a row is sent again */

/* A committed state of the ledger that is not older than this call; {0,0}
** when the sub-ledger has no entry at all. */
static int reconcileHorizon(Ledger *pLedger, const char *zSubLedger,
                            LedgerTxid *pBound, LedgerError *pErr) {
  LedgerClient *pClient = pLedger->pClient;
  LedgerFacts facts;
  int nTry, rc = LEDGER_OK;

  memset(pBound, 0, sizeof(*pBound));
  for( nTry = 0; nTry < 3 && rc == LEDGER_OK; nTry++ ) {
    LedgerCall *pCall = NULL;
    LedgerEntry entry;
    LedgerTxid head = {0, 0};
    int bFound = 0, eState = 0;
    rc = ledgerHeadGet(pClient, zSubLedger, &pCall, pErr);
    if( rc == LEDGER_OK ) rc = ledgerCallWait(pCall, pErr);
    if( rc == LEDGER_OK ) rc = ledgerEntryResult(pCall, &bFound, &entry, pErr);
    if( rc == LEDGER_OK ) head = ledgerCallHead(pCall);
    ledgerCallFree(pCall);
    if( rc || !bFound ) return rc;
    ledgerClientFacts(pClient, &facts);
    if( head.seqno <= facts.committed.seqno ) {
      *pBound = facts.committed;
      return LEDGER_OK;
    }
    rc = ledgerStatusWait(pClient, head, &eState, pErr);
    if( rc == LEDGER_OK && eState == LEDGER_TX_COMMITTED ) {
      *pBound = head;
      return LEDGER_OK;
    }
  }
  if( rc == LEDGER_OK ) {
    rc = ledgerErrorSet(pErr, LEDGER_BUSY,
                        "the ledger '%s' changes its view again and again",
                        pLedger->zName);
  }
  return rc;
}

/* Any state of the ledger, where it has no entry in this sub-ledger. */
static int reconcileAnyHead(Ledger *pLedger, const char *zSubLedger,
                            LedgerTxid *pHead, LedgerError *pErr) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerRange range;
  LedgerPager *pPager = NULL;
  const LedgerPage *pPage = NULL;
  char **azName = NULL;
  int nName = 0, rc;

  rc = ledgerSubLedgerList(pLedger->pClient, &azName, &nName, pHead, &err);
  free(azName);
  ledgerErrorClear(&err);
  if( rc == LEDGER_OK && pHead->seqno ) return rc;
  memset(&range, 0, sizeof(range)); /* 0.1-preview has no such list */
  range.zSubLedger = zSubLedger;
  rc = ledgerPagerOpen(pLedger->pClient, &range, &pPager, pErr);
  if( rc == LEDGER_OK ) rc = ledgerPagerNext(pPager, &pPage, pErr);
  if( rc == LEDGER_OK && pPage ) *pHead = pPage->head;
  ledgerPagerClose(pPager);
  return rc;
}

int ledgerReconcileBegin(Ledger *pLedger, const char *zSubLedger,
                         LedgerError *pErr) {
  LedgerTxid head;
  LedgerFacts facts;
  int eState = 0, rc;

  ledgerClientFacts(pLedger->pClient, &facts);
  if( facts.committed.seqno && !pLedger->bUnsettled ) return LEDGER_OK;
  rc = reconcileHorizon(pLedger, zSubLedger, &head, pErr);
  if( rc ) return rc;
  ledgerClientFacts(pLedger->pClient, &facts);
  if( head.seqno == 0 ) {
    rc = reconcileAnyHead(pLedger, zSubLedger, &head, pErr);
    if( rc == LEDGER_OK && head.seqno == 0 ) {
      rc = ledgerErrorSet(pErr, LEDGER_IOERR,
                          "reconcile: the ledger '%s' tells no state to start "
                          "from",
                          pLedger->zName);
    }
    if( rc == LEDGER_OK && head.seqno > facts.committed.seqno ) {
      rc = ledgerStatusWait(pLedger->pClient, head, &eState, pErr);
      if( rc == LEDGER_OK && eState != LEDGER_TX_COMMITTED ) {
        rc = ledgerErrorSet(pErr, LEDGER_BUSY,
                            "reconcile: the ledger '%s' is changing its view",
                            pLedger->zName);
      }
    }
  }
  if( rc == LEDGER_OK ) pLedger->bUnsettled = 0;
  return rc;
}

/* Whether another row of this connection is known to have the id. */
static int reconcileTaken(LedgerDb *pDb, const Ledger *pLedger,
                          LedgerQueueRow *const *apRow, int nRow,
                          LedgerTxid id) {
  int i;
  for( i = 0; i < nRow; i++ ) {
    if( (apRow[i]->eState == LEDGER_PENDING ||
         apRow[i]->eState == LEDGER_COMMITTED) &&
        ledgerTxidCompare(apRow[i]->id, id) == 0 ) {
      return 1;
    }
  }
  return ledgerHistorySubLedger(pDb, pLedger, id) != NULL;
}

/* Is it an append in this state, to this sub-ledger? */
static int reconcileIsOpen(const LedgerQueueRow *pRow, int eState,
                           const char *zSubLedger) {
  return pRow->eKind == LEDGER_KIND_APPEND && pRow->eState == eState &&
         (zSubLedger == NULL || strcmp(pRow->zSubLedger, zSubLedger) == 0);
}

static int reconcileSame(const LedgerQueueRow *pRow, const char *z, size_t n) {
  return pRow->nContents == n && memcmp(pRow->zContents, z, n) == 0;
}

/* Takes the entry for the first open row that it may be. Where it is one too
** many for them, *pbAmbiguous is set. */
static void reconcileMatch(LedgerDb *pDb, const Ledger *pLedger,
                           LedgerQueueRow *const *apRow, int nRow, int eState,
                           const char *zSubLedger, const LedgerEntry *pEntry,
                           int *pbAmbiguous) {
  int i, bSettled = 0;
  for( i = 0; i < nRow; i++ ) {
    LedgerQueueRow *pRow = apRow[i];
    if( pRow->eKind != LEDGER_KIND_APPEND || pRow->zContents == NULL ||
        !reconcileSame(pRow, pEntry->zContents, pEntry->nContents) ||
        strcmp(pRow->zSubLedger, zSubLedger) != 0 ||
        pEntry->id.seqno <= pRow->before.seqno ) {
      continue;
    }
    bSettled |= pRow->bReconciled;
    if( pRow->eState != eState ) continue;
    if( reconcileTaken(pDb, pLedger, apRow, nRow, pEntry->id) ) return;
    pRow->eState = LEDGER_COMMITTED;
    pRow->id = pEntry->id;
    pRow->bReconciled = 1;
    return;
  }
  if( bSettled && !reconcileTaken(pDb, pLedger, apRow, nRow, pEntry->id) ) {
    *pbAmbiguous = 1;
  }
}

/* Reads the sub-ledger for its open rows. */
static int reconcileRead(LedgerDb *pDb, Ledger *pLedger,
                         LedgerQueueRow *const *apRow, int nRow, int eState,
                         const char *zSubLedger, int *pbAmbiguous,
                         LedgerError *pErr) {
  LedgerRange range;
  LedgerPager *pPager = NULL;
  const LedgerPage *pPage = NULL;
  LedgerTxid bound;
  int i, k, rc;

  rc = reconcileHorizon(pLedger, zSubLedger, &bound, pErr);
  if( rc || bound.seqno == 0 ) return rc;
  memset(&range, 0, sizeof(range));
  range.zSubLedger = zSubLedger;
  range.to = bound;
  for( i = 0; i < nRow; i++ ) {
    LedgerTxid from = apRow[i]->before;
    if( !reconcileIsOpen(apRow[i], eState, zSubLedger) ) continue;
    from.seqno++;
    if( range.from.seqno == 0 || from.seqno < range.from.seqno ) {
      range.from = from;
    }
  }
  if( range.from.seqno > range.to.seqno ) return LEDGER_OK;
  rc = ledgerPagerOpen(pLedger->pClient, &range, &pPager, pErr);
  while( rc == LEDGER_OK ) {
    rc = ledgerPagerNext(pPager, &pPage, pErr);
    if( rc || pPage == NULL ) break;
    for( k = 0; k < pPage->nEntry; k++ ) {
      reconcileMatch(pDb, pLedger, apRow, nRow, eState, zSubLedger,
                     &pPage->aEntry[k], pbAmbiguous);
    }
  }
  ledgerPagerClose(pPager);
  return rc;
}

/* All sub-ledgers with open rows. Returns how many rows are open still in
** *pnOpen. */
static int reconcileRound(LedgerDb *pDb, Ledger *pLedger,
                          LedgerQueueRow *const *apRow, int nRow, int eState,
                          int *pnOpen, int *pbAmbiguous, LedgerError *pErr) {
  int i, k, rc = LEDGER_OK;
  for( i = 0; i < nRow && rc == LEDGER_OK; i++ ) {
    const char *zSubLedger = apRow[i]->zSubLedger;
    if( !reconcileIsOpen(apRow[i], eState, NULL) ) continue;
    for( k = 0; k < i; k++ ) { /* read already, in this round */
      if( reconcileIsOpen(apRow[k], eState, zSubLedger) ) break;
    }
    if( k < i ) continue;
    rc = reconcileRead(pDb, pLedger, apRow, nRow, eState, zSubLedger,
                       pbAmbiguous, pErr);
  }
  *pnOpen = 0;
  for( i = 0; i < nRow; i++ ) {
    *pnOpen += reconcileIsOpen(apRow[i], eState, NULL);
  }
  return rc;
}

/* A row that is not there: it is to be sent again, unless it may still come. */
static void reconcileAbsent(LedgerQueueRow *pRow, int i, int nRow,
                            LedgerError *pErr) {
  if( pRow->bGateway ) {
    ledgerErrorSet(pErr, LEDGER_IOERR,
                   "row %d of %d is not there, but a gateway has queued it and "
                   "may record it yet",
                   i + 1, nRow);
    return;
  }
  sqlite3_free(pRow->zError);
  pRow->zError = NULL;
  pRow->eState = LEDGER_QUEUED;
  if( ++pRow->nReconcile > RECONCILE_MAX ) {
    ledgerErrorSet(pErr, LEDGER_BUSY,
                   "row %d of %d was sent %d times and is not recorded: a "
                   "second COMMIT goes on",
                   i + 1, nRow, pRow->nReconcile);
  }
}

int ledgerReconcile(LedgerDb *pDb, Ledger *pLedger,
                    LedgerQueueRow *const *apRow, int nRow, int eState,
                    LedgerError *pErr) {
  const int msWait = ledgerClientConfig(pLedger->pClient)->reconcileWaitMs;
  int i, nOpen = 0, bAmbiguous = 0, rc;

  for( i = 0; i < nRow; i++ ) apRow[i]->bReconciled = 0;
  rc = reconcileRound(pDb, pLedger, apRow, nRow, eState, &nOpen, &bAmbiguous,
                      pErr);
  if( rc == LEDGER_OK && nOpen > 0 && eState == LEDGER_UNKNOWN ) {
    rc = ledgerClientSleep(pLedger->pClient, msWait, pErr);
    if( rc == LEDGER_OK ) {
      rc = reconcileRound(pDb, pLedger, apRow, nRow, eState, &nOpen,
                          &bAmbiguous, pErr);
    }
  }
  if( rc == LEDGER_OK && bAmbiguous ) {
    rc = ledgerErrorSet(pErr, LEDGER_IOERR,
                        "several entries have the contents of one row: which "
                        "of them it is, and whether, can't be told");
  }
  for( i = 0; i < nRow; i++ ) {
    LedgerQueueRow *pRow = apRow[i];
    if( pRow->bReconciled && rc ) { /* not all has been read */
      memset(&pRow->id, 0, sizeof(pRow->id));
      pRow->eState = eState;
    } else if( pRow->bReconciled ) {
      sqlite3_free(pRow->zError);
      pRow->zError = NULL;
      pDb->last = pRow->id;
    } else if( rc == LEDGER_OK && eState == LEDGER_UNKNOWN &&
               reconcileIsOpen(pRow, eState, NULL) ) {
      reconcileAbsent(pRow, i, nRow, pErr);
    }
  }
  return pErr->rc;
}
