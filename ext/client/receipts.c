/*
** Receipts:
**
**   GET /app/transactions/{id}/receipt    ledgerReceiptGet
**
** Invariants
**   - the answer is handed on whole and as it came, application claims
**     included: what is verified, and kept, is what the ledger said;
**   - `state` says whether it is there, not the presence of a receipt.
*/
#include "clientInt.h"

#include <string.h>

static int receiptRead(LedgerCall *p, LedgerExchange *pEx, LedgerError *pErr) {
  LedgerJson *pDoc = NULL;
  const char *zState;

  if( ledgerAnswerParse(p, pEx, "receipt", &pDoc, pErr) ) goto out;
  zState = ledgerJsonMemberText(pDoc, ledgerJsonRoot(pDoc), "state", NULL);
  if( zState && strcmp(zState, "Loading") == 0 ) {
    p->bAgain = 1;
  } else if( zState && strcmp(zState, "Ready") == 0 ) {
    p->zValue = ledgerStrndup(pEx->body.z, pEx->body.n);
    p->nValue = (int64_t)pEx->body.n;
    p->bFound = 1;
    if( p->zValue == NULL ) ledgerErrorNomem(pErr);
  } else {
    ledgerAnswerNonsense(p, "neither Loading nor Ready", pErr);
  }
out:
  ledgerJsonFree(pDoc);
  return pErr->rc;
}

/* 404: no such transaction, or none that has a receipt. */
static int receiptRefused(LedgerCall *p) {
  return p->http == 404;
}

static const LedgerCallKind receiptKind = {
    .zMethod = "GET", .xRead = receiptRead, .xRefused = receiptRefused};

int ledgerReceiptGet(LedgerClient *p, LedgerTxid id, LedgerCall **ppCall,
                     LedgerError *pErr) {
  char zId[LEDGER_TXID_MAX];
  ledgerTxidFormat(id, zId);
  return ledgerEntriesStart(p, &receiptKind,
                            ledgerMprintf("receipt of %s", zId),
                            ledgerMprintf("/app/transactions/%s/receipt", zId),
                            id, NULL, ppCall, pErr);
}

int ledgerReceiptResult(LedgerCall *p, const char **pzAnswer, size_t *pnAnswer,
                        LedgerError *pErr) {
  *pzAnswer = NULL;
  *pnAnswer = 0;
  if( p->err.rc == LEDGER_OK && p->bFound ) {
    *pzAnswer = p->zValue;
    *pnAnswer = (size_t)p->nValue;
  }
  ledgerErrorCopy(pErr, &p->err);
  return pErr->rc;
}
