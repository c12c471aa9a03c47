/*
** One queued change of a small table, sent to the ledger at COMMIT. How one is
** sent stands in the file of its table (LedgerChangeKind.xSend).
**
** Invariant: once something of a row was sent, the row is never "not sent":
** when a later step fails, the row is refused or unknown, and the message says
** what the ledger holds now.
*/
#include "sqlite/write/write.h"

int ledgerChangeSendWrite(LedgerChangeSend *p, const char *zMethod,
                          const LedgerRoute *pRoute, const char *zKey,
                          const char *zBody, LedgerCall **ppCall,
                          LedgerError *pErr) {
  LedgerQueued *pRow = p->pRow;
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerTxid id = {0, 0};
  LedgerWrite w;
  int eOutcome = LEDGER_UNSENT, rc;

  *ppCall = NULL;
  w.pRoute = pRoute;
  w.zMethod = zMethod;
  w.zKey = zKey;
  w.zBody = zBody;
  rc = ledgerWriteStart(p->pClient, &w, ppCall, &err);
  if( rc == LEDGER_OK ) {
    ledgerCallWait(*ppCall, &err); /* the result says it more exactly */
    ledgerErrorClear(&err);
    rc = ledgerAppendResult(*ppCall, &eOutcome, &id, &err);
  }
  switch( eOutcome ) {
    case LEDGER_SENT:
      pRow->eState = LEDGER_PENDING;
      pRow->id = id;
      p->bSent = 1;
      p->after = id;
      break;
    case LEDGER_UNSENT:
      pRow->eState = LEDGER_QUEUED;
      if( rc == LEDGER_IOERR ) rc = LEDGER_BUSY; /* it may pass later */
      ledgerErrorSet(pErr, rc, "not sent: %s", ledgerErrorText(&err));
      break;
    case LEDGER_REFUSED:
      pRow->eState = LEDGER_ROW_REFUSED;
      ledgerErrorSet(pErr, rc, "%s", ledgerErrorText(&err));
      break;
    default:
      pRow->eState = LEDGER_UNKNOWN;
      ledgerErrorSet(pErr, LEDGER_IOERR,
                     "it was sent and no answer came: the ledger may or may "
                     "not have done it: %s",
                     ledgerErrorText(&err));
      break;
  }
  pErr->http = err.http;
  ledgerErrorClear(&err);
  return pErr->rc;
}

int ledgerChangeSendRead(LedgerChangeSend *p, const LedgerRoute *pRoute,
                         const char *zKey, LedgerCall **ppCall,
                         LedgerJson **ppDoc, LedgerError *pErr) {
  *ppDoc = NULL;
  *ppCall = NULL;
  if( ledgerRouteGet(p->pClient, pRoute, zKey, p->after, ppCall, pErr) ==
          LEDGER_OK &&
      ledgerCallWait(*ppCall, pErr) == LEDGER_OK ) {
    ledgerRouteResult(*ppCall, ppDoc, pErr);
  }
  return pErr->rc;
}

int ledgerChangeSendCommitted(LedgerChangeSend *p, LedgerTxid gone, int *pbLost,
                              LedgerError *pErr) {
  LedgerQueued *pRow = p->pRow;
  int eState = LEDGER_TX_PENDING;
  if( ledgerStatusWait(p->pClient, pRow->id, &eState, pErr) ) return pErr->rc;
  if( eState == LEDGER_TX_COMMITTED && gone.seqno &&
      gone.view != pRow->id.view &&
      ledgerStatusWait(p->pClient, gone, &eState, pErr) ) {
    return pErr->rc;
  }
  *pbLost = eState == LEDGER_TX_INVALID;
  pRow->eState = *pbLost ? LEDGER_SENDING : LEDGER_COMMITTED;
  return LEDGER_OK;
}

int ledgerChangeSendRow(LedgerQueued *pRow, LedgerError *pErr) {
  LedgerChangeSend send = {.pRow = pRow, .pClient = pRow->pLedger->pClient};
  LedgerError err = LEDGER_ERROR_INIT;
  int rc;

  rc = pRow->pKind->xSend(&send, &err);
  if( rc == LEDGER_OK ) {
    ledgerProgressCount(pRow->pLedger->pConn->pProgress, LEDGER_PROGRESS_SENT,
                        1);
    return LEDGER_OK;
  }
  if( send.bSent ) {
    /* Something of it is done: nobody may take the row for not sent. Where the
    ** last write was accepted, only reading back failed. */
    const int bUnread =
        pRow->eState == LEDGER_PENDING || pRow->eState == LEDGER_COMMITTED;
    if( bUnread ) pRow->eState = LEDGER_UNKNOWN;
    if( pRow->eState != LEDGER_UNKNOWN ) pRow->eState = LEDGER_ROW_REFUSED;
    ledgerErrorSet(pErr, rc == LEDGER_BUSY ? LEDGER_IOERR : rc,
                   "%s %s: %s: %s (SELECT it to see what the ledger holds, "
                   "then INSERT OR REPLACE)",
                   pRow->pKind->zName, pRow->zKey,
                   bUnread ? "the change was sent and could not be read back"
                           : "the change was made in part",
                   ledgerErrorText(&err));
  } else if( pRow->eState == LEDGER_UNKNOWN ) {
    ledgerErrorSet(pErr, rc,
                   "%s (SELECT * FROM ledger_%ss shows what the ledger holds)",
                   ledgerErrorText(&err), pRow->pKind->zName);
  } else {
    ledgerErrorSet(pErr, rc, "%s", ledgerErrorText(&err));
  }
  pErr->http = err.http;
  if( pRow->eState != LEDGER_QUEUED ) {
    sqlite3_free(pRow->zError);
    pRow->zError = sqlite3_mprintf("%s", ledgerErrorText(&err));
  }
  ledgerErrorClear(&err);
  return pErr->rc;
}
