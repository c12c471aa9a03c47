/*
** Receipts:
**
**   GET /app/transactions/{id}/receipt    ledgerReceiptGet
**
** Invariants
**   - the answer is handed on whole and as it came, application claims
**     included: what is verified, and kept, is what the ledger said;
**   - a receipt of another transaction is not handed on;
**   - `state` says whether it is there, not the presence of a receipt; one that
**     is Ready and has none is an error;
**   - a receipt is said to be missing only after a node had time to catch up.
*/
#include "client/api/apiInt.h"

#include <string.h>

/* Times that a 404 on what is known to be committed is asked again. */
#define RECEIPT_LAG 4

/* The answer as it came: LedgerCall.pAnswer. */
typedef struct ReceiptAnswer ReceiptAnswer;
struct ReceiptAnswer {
  char *z; /* n bytes; claims carry a secret key */
  size_t n;
  int nLag; /* asked again after a 404 */
};

static void receiptFree(LedgerCall *p) {
  ReceiptAnswer *pAnswer = p->pAnswer;
  ledgerSecretFree(pAnswer->z);
}

static int receiptRead(LedgerCall *p, LedgerExchange *pEx, LedgerError *pErr) {
  ReceiptAnswer *pAnswer = p->pAnswer;
  LedgerJson *pDoc = NULL;
  const cJSON *pRoot;
  const char *zState;

  ledgerSecretFree(pAnswer->z);
  pAnswer->n = pEx->body.n;
  pAnswer->z = ledgerStrndup(pEx->body.z ? pEx->body.z : "",
                             pEx->body.n); /* parsing frees it */
  if( pAnswer->z == NULL ) return ledgerErrorNomem(pErr);
  if( ledgerResponseParse(p, pEx, "receipt", &pDoc, pErr) ) goto out;
  if( ledgerResponseAbout(p, pDoc, pErr) ) goto out;
  pRoot = ledgerJsonRoot(pDoc);
  zState = ledgerJsonMemberText(pDoc, pRoot, "state", NULL);
  if( zState && strcmp(zState, "Loading") == 0 ) {
    p->bAgain = 1;
  } else if( ledgerEntryStateRead(p, pRoot, zState, pErr) == LEDGER_OK ) {
    p->bFound = cJSON_IsObject(ledgerJsonMember(pRoot, "receipt"));
    p->bFinal = p->bFound && zState;
    ledgerProgressCount(p->pClient->user.pProgress, LEDGER_PROGRESS_RECEIPTS,
                        1);
    if( !p->bFound ) ledgerResponseNonsense(p, "it has no receipt", pErr);
  }
out:
  ledgerJsonFree(pDoc);
  return pErr->rc;
}

/* 404: no such transaction, or none that has a receipt. A node that lags says
** so too, of a transaction that others have shown to be committed. */
static int receiptRefused(LedgerCall *p) {
  ReceiptAnswer *pAnswer = p->pAnswer;
  if( !ledgerResponseMissing(p) ) return 0;
  if( strcmp(p->server.zCode, "InvalidTransactionId") != 0 &&
      p->id.seqno <= p->pClient->committed.seqno &&
      pAnswer->nLag < RECEIPT_LAG ) {
    pAnswer->nLag++;
    p->bAgain = 1;
  }
  return 1;
}

static const LedgerCallKind receiptKind = {.zMethod = "GET",
                                           .zNotYet = "Loading",
                                           .bEntries = 1,
                                           .bCache = 1,
                                           .nAnswer = sizeof(ReceiptAnswer),
                                           .xFree = receiptFree,
                                           .xRead = receiptRead,
                                           .xRefused = receiptRefused};

int ledgerReceiptGet(LedgerClient *p, LedgerTxid id, LedgerCall **ppCall,
                     LedgerError *pErr) {
  return ledgerEntryStart(p, &receiptKind, "receipt of", id, "/receipt", NULL,
                          ppCall, pErr);
}

int ledgerReceiptResult(LedgerCall *p, const char **pzAnswer, size_t *pnAnswer,
                        LedgerError *pErr) {
  const ReceiptAnswer *pAnswer = p->pAnswer;
  *pzAnswer = NULL;
  *pnAnswer = 0;
  if( p->err.rc == LEDGER_OK && p->bFound ) {
    *pzAnswer = pAnswer->z;
    *pnAnswer = pAnswer->n;
  }
  ledgerErrorCopy(pErr, &p->err);
  return pErr->rc;
}
