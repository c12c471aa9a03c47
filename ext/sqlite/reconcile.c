/*
** Option reconcile: what became of an append whose answer never came is read in
** its sub-ledger.
**
**     SELECT ledger_option('reconcile', 'on');
**
** Requests: GET /app/transactions from the last id known to be committed before
** the append was sent, up to a state that is committed; at once, and again when
** reconcile_wait_ms are over. Then, if it is still not there, once more up to a
** barrier: two entries in a sub-ledger of their own (barrier.c says why).
**
** An entry there with the row's contents, and an id that no other row of this
** connection has, is the row: it is committed. Where there is none up to the
** barrier, the row was not recorded and is queued again.
**
** Invariants
**   - rows of the same contents are interchangeable: k entries settle k rows,
**     in their order;
**   - more entries than rows prove nothing: then all of them stay unknown;
**   - a read that fails, or a barrier, settles nothing;
**   - a node that lags hides no entry: without a barrier, not to see one proves
**     nothing. What a change of view took back is not looked for: the ledger
**     has said that it is Invalid, which is final;
**   - what others wrote before the last id that this connection has seen
**     committed is not taken for the row; what they wrote since then may be. On
**     a connection that has seen nothing committed that id is one node's word,
**     which may lag.
**
** It is right as long as nobody else has written the same contents to the same
** sub-ledger since then, and no request is carried out later than
** reconcile_wait_ms after its connection was given up. README.md says so.
*/
#include "ledgerInt.h"

#include <stdlib.h>
#include <string.h>

#define RECONCILE_MAX 10 /* times that a row is sent again */

int ledgerReconcileBegin(Ledger *pLedger, const char *zSubLedger,
                         LedgerError *pErr) {
  LedgerTxid state;
  LedgerFacts facts;

  ledgerClientFacts(pLedger->pClient, &facts);
  if( facts.committed.seqno && !pLedger->bUnsettled ) return LEDGER_OK;
  if( ledgerStateGet(pLedger, zSubLedger, &state, pErr) == LEDGER_OK ) {
    pLedger->bUnsettled = 0;
  }
  return pErr->rc;
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

/* Reads the sub-ledger for its open rows, up to *pBarrier or (NULL) what some
** node has. */
static int reconcileRead(LedgerDb *pDb, Ledger *pLedger,
                         LedgerQueueRow *const *apRow, int nRow, int eState,
                         const char *zSubLedger, const LedgerTxid *pBarrier,
                         int *pbAmbiguous, LedgerError *pErr) {
  LedgerRange range;
  LedgerPager *pPager = NULL;
  const LedgerPage *pPage = NULL;
  int i, k, rc;

  memset(&range, 0, sizeof(range));
  range.zSubLedger = zSubLedger;
  if( pBarrier ) {
    range.to = *pBarrier;
  } else if( ledgerStateGet(pLedger, zSubLedger, &range.to, pErr) ) {
    return pErr->rc;
  }
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
                          const LedgerTxid *pBarrier, int *pnOpen,
                          int *pbAmbiguous, LedgerError *pErr) {
  int i, k, rc = LEDGER_OK;
  for( i = 0; i < nRow && rc == LEDGER_OK; i++ ) {
    const char *zSubLedger = apRow[i]->zSubLedger;
    if( !reconcileIsOpen(apRow[i], eState, NULL) ) continue;
    for( k = 0; k < i; k++ ) { /* read already, in this round */
      if( reconcileIsOpen(apRow[k], eState, zSubLedger) ) break;
    }
    if( k < i ) continue;
    rc = reconcileRead(pDb, pLedger, apRow, nRow, eState, zSubLedger, pBarrier,
                       pbAmbiguous, pErr);
  }
  *pnOpen = 0;
  for( i = 0; i < nRow; i++ ) {
    *pnOpen += reconcileIsOpen(apRow[i], eState, NULL);
  }
  return rc;
}

/* Whether a row is open that a barrier can settle: what a gateway has queued,
** or may have, comes when it comes. */
static int reconcileCanEnd(Ledger *pLedger, LedgerQueueRow *const *apRow,
                           int nRow, int eState) {
  int i;
  if( ledgerClientConfig(pLedger->pClient)->tlsPublic ) return 0;
  for( i = 0; i < nRow; i++ ) {
    if( reconcileIsOpen(apRow[i], eState, NULL) && !apRow[i]->bGateway ) {
      return 1;
    }
  }
  return 0;
}

/* A row that is not there: it is to be sent again, unless it may still come. */
static void reconcileAbsent(Ledger *pLedger, LedgerQueueRow *pRow, int i,
                            int nRow, LedgerError *pErr) {
  if( pRow->bGateway || ledgerClientConfig(pLedger->pClient)->tlsPublic ) {
    ledgerErrorSet(pErr, LEDGER_IOERR,
                   "row %d of %d is not there, but a gateway %s queued it and "
                   "may record it yet",
                   i + 1, nRow, pRow->bGateway ? "has" : "may have");
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
  LedgerTxid barrier;

  for( i = 0; i < nRow; i++ ) apRow[i]->bReconciled = 0;
  rc = reconcileRound(pDb, pLedger, apRow, nRow, eState, NULL, &nOpen,
                      &bAmbiguous, pErr);
  if( rc == LEDGER_OK && nOpen > 0 && eState == LEDGER_UNKNOWN ) {
    rc = ledgerClientSleep(pLedger->pClient, msWait, pErr);
    if( rc == LEDGER_OK ) {
      rc = reconcileRound(pDb, pLedger, apRow, nRow, eState, NULL, &nOpen,
                          &bAmbiguous, pErr);
    }
    if( rc == LEDGER_OK && reconcileCanEnd(pLedger, apRow, nRow, eState) ) {
      rc = ledgerBarrier(pLedger, &barrier, pErr);
      if( rc == LEDGER_OK ) {
        rc = reconcileRound(pDb, pLedger, apRow, nRow, eState, &barrier, &nOpen,
                            &bAmbiguous, pErr);
      }
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
      reconcileAbsent(pLedger, pRow, i, nRow, pErr);
    }
  }
  return pErr->rc;
}
