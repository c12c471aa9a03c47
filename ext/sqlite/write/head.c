/*
** A state of the ledger that is committed: what is sent later lies behind it.
**
** Requests: GET /app/transactions/current, and GET .../{id}/status of the id
** that its header names; where the sub-ledger is empty, GET /app/transactions.
**
** Invariant: a state is committed when it is given. The node that answers may
** lag behind it, unless bWitness: then that node itself has said that the state
** is committed, and what is read by the same session shows all up to there.
*/
#include "sqlite/write/write.h"

#include <string.h>

/* The state of the node that answers; it may lag. */
static int headAsk(Ledger *pLedger, const char *zSubLedger, LedgerTxid *pHead,
                   LedgerError *pErr) {
  LedgerClient *pClient = pLedger->pClient;
  LedgerCall *pCall = NULL;
  LedgerPager *pPager = NULL;
  const LedgerPage *pPage = NULL;
  LedgerRange range;
  LedgerEntry entry;
  int bFound = 0;

  memset(pHead, 0, sizeof(*pHead));
  if( ledgerEntryHeadGet(pClient, zSubLedger, &pCall, pErr) == LEDGER_OK &&
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

int ledgerHeadCommitted(Ledger *pLedger, const char *zSubLedger, int bWitness,
                        LedgerTxid *pState, LedgerError *pErr) {
  LedgerFacts facts;
  int nTry;
  for( nTry = 0; nTry < 4; nTry++ ) {
    int eState = LEDGER_TX_PENDING;
    if( headAsk(pLedger, zSubLedger, pState, pErr) ) return pErr->rc;
    ledgerClientFacts(pLedger->pClient, &facts);
    if( pState->seqno <= facts.committed.seqno ) {
      *pState = facts.committed;
      if( !bWitness ) return LEDGER_OK;
    }
    if( ledgerStatusWait(pLedger->pClient, *pState, &eState, pErr) ) {
      return pErr->rc;
    }
    if( eState == LEDGER_TX_COMMITTED ) return LEDGER_OK;
  }
  return ledgerErrorSet(pErr, LEDGER_BUSY,
                        "the ledger '%s' keeps changing its view",
                        pLedger->zName);
}
