/*
** States of the ledger between which an append is looked for whose answer never
** came: one from before it, one from after it.
**
**     SELECT ledger_option('reconcile', 'on');
**     SELECT ledger_flush();
**
** Requests: GET /app/transactions/current and .../{id}/status for a state that
** is committed. For a barrier: POST /app/transactions, twice, each followed by
** GET /app/transactions/{id}/status until it is committed.
**
** Why a read alone never shows that an entry is not there
**   A ledger is several nodes. Writes are carried out by one of them, the
**   primary, in the order of their ids; any node answers reads, from what has
**   reached it. Within one session CCF has a read come after the writes of that
**   session, but the session of an append whose answer was lost is gone, and so
**   is the id that would tell a node that lags. An idle ledger, and a node to
**   which the entry has not come yet, give the same answers.
**
** What does show it
**   - The primary gives an entry appended later a higher id than all that it
**     has carried out. The first entry of the barrier is sent when the append
**     is either carried out or never will be (reconcile_wait_ms, settle_ms): so
**     what was recorded of it lies below, in the same history. Where a change
**     of view took it away, or a primary that was cut off had it, it never
**     becomes committed, as the barrier is.
**   - The second entry is sent once the first is committed. Whatever node has
**     it was told of that commit with it, or before (Raft's AppendEntries says
**     how far the leader has committed). The client asks a node again whose
**     state is behind the last id of its own that it saw committed (bFresh): so
**     a page that it hands out is of a node that has all up to the first entry,
**     as committed.
**
** Invariants
**   - a state is committed when it is given; what is sent later lies behind it;
**   - a barrier that can't be had is an error: then nothing is concluded;
**   - the entries of a barrier stand in a sub-ledger of their own.
*/
#include "ledgerInt.h"

#include <string.h>
#include <time.h>

#define BARRIER_TRIES 10 /* appends that bring no committed id */
#define BARRIER_CONTENTS "{\"sqlite-ledger\":\"barrier\"}"

/* The state of the node that answers; it may lag. */
static int barrierHead(Ledger *pLedger, const char *zSubLedger,
                       LedgerTxid *pHead, LedgerError *pErr) {
  LedgerClient *pClient = pLedger->pClient;
  LedgerCall *pCall = NULL;
  LedgerPager *pPager = NULL;
  const LedgerPage *pPage = NULL;
  LedgerRange range;
  LedgerEntry entry;
  int bFound = 0;

  memset(pHead, 0, sizeof(*pHead));
  if( ledgerHeadGet(pClient, zSubLedger, &pCall, pErr) == LEDGER_OK &&
      ledgerCallWait(pCall, pErr) == LEDGER_OK &&
      ledgerEntryResult(pCall, &bFound, &entry, pErr) == LEDGER_OK && bFound ) {
    *pHead = ledgerCallHead(pCall);
  }
  ledgerCallFree(pCall);
  if( pErr->rc || pHead->seqno ) return pErr->rc;
  /* Nothing is there, and a refusal tells no state; an empty page does. */
  memset(&range, 0, sizeof(range));
  range.zSubLedger = zSubLedger;
  if( ledgerPagerOpen(pClient, &range, &pPager, pErr) == LEDGER_OK &&
      ledgerPagerNext(pPager, &pPage, pErr) == LEDGER_OK && pPage ) {
    *pHead = pPage->head;
  }
  ledgerPagerClose(pPager);
  if( pErr->rc == LEDGER_OK && pHead->seqno == 0 ) {
    ledgerErrorSet(pErr, LEDGER_IOERR,
                   "the ledger '%s' tells no transaction id of its state",
                   pLedger->zName);
  }
  return pErr->rc;
}

int ledgerStateGet(Ledger *pLedger, const char *zSubLedger, LedgerTxid *pState,
                   LedgerError *pErr) {
  LedgerFacts facts;
  int nTry;
  for( nTry = 0; nTry < 4; nTry++ ) {
    int eState = LEDGER_TX_PENDING;
    if( barrierHead(pLedger, zSubLedger, pState, pErr) ) return pErr->rc;
    ledgerClientFacts(pLedger->pClient, &facts);
    if( pState->seqno <= facts.committed.seqno ) {
      *pState = facts.committed;
      return LEDGER_OK;
    }
    if( ledgerStatusWait(pLedger->pClient, *pState, &eState, pErr) ) {
      return pErr->rc;
    }
    if( eState == LEDGER_TX_COMMITTED ) return LEDGER_OK;
  }
  return ledgerErrorSet(pErr, LEDGER_BUSY,
                        "the ledger '%s' changes its view again and again",
                        pLedger->zName);
}

static i64 barrierNow(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (i64)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Appends one entry of a barrier and waits until it is committed. One whose
** outcome is unknown does no harm: it is sent again, within timeout_ms. */
static int barrierAppend(Ledger *pLedger, LedgerTxid *pId, LedgerError *pErr) {
  LedgerClient *pClient = pLedger->pClient;
  const i64 tEnd = barrierNow() + ledgerClientConfig(pClient)->timeoutMs;
  LedgerAppend append;
  int nTry;

  memset(&append, 0, sizeof(append));
  append.zContents = BARRIER_CONTENTS;
  append.nContents = strlen(BARRIER_CONTENTS);
  append.zSubLedger = LEDGER_BARRIER_SUB_LEDGER;
  for( nTry = 1;; nTry++ ) {
    LedgerError err = LEDGER_ERROR_INIT;
    LedgerCall *pCall = NULL;
    int eOutcome = LEDGER_UNSENT, eState = LEDGER_TX_PENDING, bAgain = 0;
    if( ledgerAppendStart(pClient, &append, &pCall, &err) == LEDGER_OK ) {
      LedgerError wait = LEDGER_ERROR_INIT;
      ledgerCallWait(pCall, &wait); /* the result knows it too */
      ledgerErrorClear(&wait);
      ledgerAppendResult(pCall, &eOutcome, pId, &err);
    }
    ledgerCallFree(pCall);
    if( eOutcome == LEDGER_SENT && err.rc == LEDGER_OK ) {
      ledgerStatusWait(pClient, *pId, &eState, &err);
      if( err.rc == LEDGER_OK && eState == LEDGER_TX_COMMITTED ) {
        return LEDGER_OK;
      }
      bAgain = err.rc == LEDGER_OK; /* a change of view took it back */
    } else {
      bAgain = eOutcome == LEDGER_OUTCOME_UNKNOWN && err.rc != LEDGER_INTERRUPT;
    }
    if( bAgain && nTry < BARRIER_TRIES && barrierNow() < tEnd ) {
      ledgerErrorClear(&err);
      continue;
    }
    ledgerErrorSet(pErr, err.rc ? err.rc : LEDGER_BUSY,
                   "it is not seen, but a node that lags would not show it, "
                   "and the entry in sub-ledger '" LEDGER_BARRIER_SUB_LEDGER
                   "' that tells them apart failed: %s",
                   err.rc ? ledgerErrorText(&err) + strlen("ledger: ")
                          : "the ledger changes its view again and again");
    pErr->http = err.http;
    ledgerErrorClear(&err);
    return pErr->rc;
  }
}

int ledgerBarrier(Ledger *pLedger, LedgerTxid *pState, LedgerError *pErr) {
  LedgerTxid second;
  if( barrierAppend(pLedger, pState, pErr) == LEDGER_OK ) {
    barrierAppend(pLedger, &second, pErr);
  }
  return pErr->rc;
}
