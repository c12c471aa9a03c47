/*
** What became of a write, read from its call. Issues no request.
*/
#include "client/api/apiInt.h"

#include <stdlib.h>

void ledgerAppendFree(LedgerCall *p) {
  LedgerAppendAnswer *pAnswer = p->pAnswer;
  free(pAnswer->zOtherSubLedger);
  free(pAnswer->zOperation);
}

/* What a gateway has queued, of an append; NULL: it isn't one, or nothing. */
static const LedgerAppendAnswer *appendQueued(const LedgerCall *p) {
  const LedgerAppendAnswer *pAnswer =
      p->pKind->xFree == ledgerAppendFree ? p->pAnswer : NULL;
  return pAnswer && pAnswer->bQueued ? pAnswer : NULL;
}

/* Of a call that is not finished (the wait was interrupted) the outcome is
** unknown when something of its request may have left, else it is unsent; the
** code is LEDGER_INTERRUPT. */
int ledgerAppendResult(LedgerCall *p, int *peOutcome, LedgerTxid *pId,
                       LedgerError *pErr) {
  const LedgerAppendAnswer *pQueued = appendQueued(p);
  pId->view = pId->seqno = 0;
  if( p->eState != LEDGER_CALL_DONE ) {
    *peOutcome = pQueued || ledgerExchangeLeft(p->pEx) ? LEDGER_OUTCOME_UNKNOWN
                                                       : LEDGER_UNSENT;
    return ledgerErrorSet(pErr, LEDGER_INTERRUPT, "%s: interrupted%s", p->zWhat,
                          *peOutcome == LEDGER_UNSENT
                              ? ""
                              : ", whether the ledger recorded it is unknown");
  }
  *peOutcome = p->eOutcome;
  if( pQueued && !pQueued->bSettled ) *peOutcome = LEDGER_OUTCOME_UNKNOWN;
  if( p->eOutcome == LEDGER_SENT ) *pId = p->id;
  return ledgerErrorCopy(pErr, &p->err);
}

const char *ledgerAppendOtherSubLedger(const LedgerCall *p) {
  const LedgerAppendAnswer *pAnswer = p->pAnswer;
  return pAnswer->zOtherSubLedger;
}

int ledgerAppendCommitted(const LedgerCall *p) {
  const LedgerAppendAnswer *pAnswer = p->pAnswer;
  return pAnswer->bCommitted;
}

int ledgerAppendQueued(const LedgerCall *p) {
  return appendQueued(p) != NULL;
}
