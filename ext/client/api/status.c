/*
** What became of a transaction:
**
**   GET /app/transactions/{id}/status    ledgerStatusGet, ledgerStatusWait
**
** Invariants
**   - Committed is final, and so is 404 InvalidTransactionId; any other 404
**     of the ledger's and a 406 mean "not yet";
**   - what an answer says about another transaction is not believed;
**   - an id is never called invalid because a node that lags says Pending.
*/
#include "client/api/apiInt.h"

#include <string.h>

/* What is known of the transaction: LedgerCall.pAnswer. */
typedef struct StatusAnswer StatusAnswer;
struct StatusAnswer {
  int bWait;    /* ask until it is final */
  int bSuspect; /* a later view may have passed it by */
  int eTx;      /* LEDGER_TX_* */
};

/* Whether a later view is known to have committed as much: then this id is
** committed, too, or never will be, and Pending may last for ever. */
static int statusPassedBy(const LedgerCall *p) {
  LedgerTxid committed = p->pClient->committed;
  return committed.view > p->id.view && committed.seqno >= p->id.seqno;
}

const char *ledgerStatusName(int eState) {
  static const char *const azName[] = {NULL, "Pending", "Committed", "Invalid"};
  return eState < LEDGER_TX_UNKNOWN ? azName[eState] : NULL;
}

static int statusRead(LedgerCall *p, LedgerExchange *pEx, LedgerError *pErr) {
  StatusAnswer *pAnswer = p->pAnswer;
  LedgerJson *pDoc = NULL;
  const char *zState;

  if( ledgerResponseParse(p, pEx, "transaction status", &pDoc, pErr) ) goto out;
  if( ledgerResponseAbout(p, pDoc, pErr) ) goto out;
  zState = ledgerJsonMemberText(pDoc, ledgerJsonRoot(pDoc), "state", NULL);
  if( zState && strcmp(zState, ledgerStatusName(LEDGER_TX_COMMITTED)) == 0 ) {
    pAnswer->eTx = LEDGER_TX_COMMITTED;
    p->bFinal = 1;
    ledgerKnownCommitted(p->pClient, p->id);
  } else if( zState &&
             strcmp(zState, ledgerStatusName(LEDGER_TX_PENDING)) == 0 ) {
    pAnswer->eTx = LEDGER_TX_PENDING;
    pAnswer->bSuspect = p->tAgain && statusPassedBy(p); /* after a pause */
    p->bAgain = pAnswer->bWait && !pAnswer->bSuspect;
  } else {
    ledgerResponseNonsense(p, "neither Pending nor Committed", pErr);
  }
out:
  ledgerJsonFree(pDoc);
  return pErr->rc;
}

/* 404 and 406 are answers here. A 404 that isn't the ledger's is none; who
** waits asks again all the same: the gateway may recover. */
static int statusRefused(LedgerCall *p) {
  StatusAnswer *pAnswer = p->pAnswer;
  if( p->http == 406 ) {
    pAnswer->eTx = LEDGER_TX_PENDING;
  } else if( p->http != 404 ||
             (!ledgerResponseMissing(p) && !pAnswer->bWait) ) {
    return 0;
  } else if( strcmp(p->server.zCode, "InvalidTransactionId") == 0 ) {
    pAnswer->eTx = LEDGER_TX_INVALID;
    return 1;
  } else {
    pAnswer->eTx = LEDGER_TX_UNKNOWN;
  }
  p->bAgain = pAnswer->bWait;
  return 1;
}

/* Its commit was not seen in time. */
static int statusPending(const LedgerClient *p, LedgerTxid id,
                         LedgerError *pErr) {
  char zId[LEDGER_TXID_MAX];
  ledgerErrorSet(pErr, LEDGER_BUSY,
                 "transaction %s was accepted and may still be recorded: still "
                 "Pending after %d ms",
                 ledgerTxidFormat(id, zId), p->pConfig->timeoutMs);
  pErr->eStage = LEDGER_STAGE_ACCEPTED;
  return pErr->rc;
}

static int statusOver(LedgerCall *p, LedgerError *pErr) {
  const StatusAnswer *pAnswer = p->pAnswer;
  char zId[LEDGER_TXID_MAX];
  int ms = p->pClient->pConfig->timeoutMs;
  ledgerTxidFormat(p->id, zId);
  if( p->http == 404 && !ledgerResponseMissing(p) ) {
    LedgerError err = LEDGER_ERROR_INIT;
    ledgerResponseRefused(p, &err);
    ledgerErrorWrap(pErr, &err, "%s; still so after %d ms",
                    ledgerErrorText(&err), ms);
    pErr->rc = LEDGER_BUSY;
    ledgerErrorClear(&err);
    return pErr->rc;
  }
  if( pAnswer->eTx == LEDGER_TX_UNKNOWN ) {
    return ledgerErrorSet(pErr, LEDGER_BUSY,
                          "transaction %s is not known to the ledger: still "
                          "HTTP 404 after %d ms",
                          zId, ms);
  }
  return statusPending(p->pClient, p->id, pErr);
}

static const LedgerCallKind statusKind = {.zMethod = "GET",
                                          .zNotYet = "commit",
                                          .bEntries = 1,
                                          .bCache = 1,
                                          .nAnswer = sizeof(StatusAnswer),
                                          .xRead = statusRead,
                                          .xRefused = statusRefused,
                                          .xOver = statusOver};
/* Whoever waits wants to know what the ledger says now. */
static const LedgerCallKind waitKind = {.zMethod = "GET",
                                        .zNotYet = "commit",
                                        .bEntries = 1,
                                        .nAnswer = sizeof(StatusAnswer),
                                        .xRead = statusRead,
                                        .xRefused = statusRefused,
                                        .xOver = statusOver};

/* Starts the request for a status; bWait: until it is final. */
static int statusStart(LedgerClient *p, const LedgerCallKind *pKind,
                       LedgerTxid id, int bWait, LedgerCall **ppCall,
                       LedgerError *pErr) {
  if( ledgerEntryStart(p, pKind, "status of", id, "/status", NULL, ppCall,
                       pErr) == LEDGER_OK ) {
    ((StatusAnswer *)(*ppCall)->pAnswer)->bWait = bWait;
  }
  return pErr->rc;
}

int ledgerStatusGet(LedgerClient *p, LedgerTxid id, LedgerCall **ppCall,
                    LedgerError *pErr) {
  return statusStart(p, &statusKind, id, 0, ppCall, pErr);
}

int ledgerStatusResult(LedgerCall *p, int *peState, LedgerError *pErr) {
  const StatusAnswer *pAnswer = p->pAnswer;
  *peState = pAnswer->eTx;
  ledgerErrorCopy(pErr, &p->err);
  return pErr->rc;
}

/* One status, waited for: with bWait until it is final or suspect. */
static int statusAsk(LedgerClient *p, LedgerTxid id, int bWait, int *peState,
                     int *pbSuspect, LedgerError *pErr) {
  LedgerCall *pCall = NULL;

  if( statusStart(p, &waitKind, id, bWait, &pCall, pErr) == LEDGER_OK &&
      ledgerCallWait(pCall, pErr) == LEDGER_OK ) {
    const StatusAnswer *pAnswer = pCall->pAnswer;
    *peState = pAnswer->eTx;
    *pbSuspect = pAnswer->bSuspect;
  }
  ledgerCallFree(pCall);
  return pErr->rc;
}

/* Whether a transaction of a later view is committed at the id's seqno. Pending
** is no proof that it is lost, however often it is said: a node may not have
** heard yet what the others have committed. */
static int statusReplaced(LedgerClient *p, LedgerTxid id, int64_t tEnd,
                          int *pbReplaced, LedgerError *pErr) {
  LedgerTxid other = id;
  int eState = LEDGER_TX_PENDING, bIgnore = 0;

  while( eState != LEDGER_TX_COMMITTED && other.view < p->committed.view &&
         p->tNow < tEnd ) {
    other.view++;
    if( statusAsk(p, other, 0, &eState, &bIgnore, pErr) ) break;
  }
  *pbReplaced = eState == LEDGER_TX_COMMITTED;
  return pErr->rc;
}

int ledgerStatusWait(LedgerClient *p, LedgerTxid id, int *peState,
                     LedgerError *pErr) {
  const int64_t tEnd = p->tNow + p->pConfig->timeoutMs;
  int eState = LEDGER_TX_PENDING;
  int bSuspect = 0, bReplaced = 0;

  *peState = LEDGER_TX_PENDING;
  do {
    if( statusAsk(p, id, 1, &eState, &bSuspect, pErr) || !bSuspect ) break;
    if( statusReplaced(p, id, tEnd, &bReplaced, pErr) ) break;
    if( bReplaced ) eState = LEDGER_TX_INVALID;
  } while( eState != LEDGER_TX_INVALID && p->tNow < tEnd );
  if( pErr->rc == 0 && eState != LEDGER_TX_COMMITTED &&
      eState != LEDGER_TX_INVALID ) {
    statusPending(p, id, pErr);
  }
  *peState = eState;
  return pErr->rc;
}
