/*
** Functions on receipts that ask the ledger.
**
**     SELECT ledger_receipt('2.15');
**
** Requests: GET /app/transactions/{id}/receipt, as often as it is Loading.
*/
#include "ledgerInt.h"

#include <string.h>

/* There is no receipt: all that a 404 may mean. */
static int proofMissing(LedgerTxid id, LedgerError *pErr) {
  char zId[LEDGER_TXID_MAX];
  ledgerTxidFormat(id, zId);
  return ledgerErrorSet(pErr, LEDGER_NOTFOUND,
                        "transaction %s has no receipt: the ledger doesn't "
                        "know it, it isn't committed yet, or it is one of the "
                        "ledger's own (HTTP 404, GET "
                        "/app/transactions/%s/receipt)",
                        zId, zId);
}

/* ledger_receipt(id [, options]): the service's whole answer. */
static void proofReceipt(sqlite3_context *pCtx, int argc,
                         sqlite3_value **argv) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerCall *pCall = NULL;
  LedgerFunctionCall call;
  LedgerTxid id = {0, 0};
  const char *zAnswer = NULL;
  size_t nAnswer = 0;
  int rc = ledgerFunctionBegin(&call, pCtx, argc > 1 ? argv[1] : NULL,
                               LEDGER_CALL_READ, &err);
  if( sqlite3_value_type(argv[0]) == SQLITE_NULL && rc == LEDGER_OK ) goto out;
  if( rc == LEDGER_OK ) rc = ledgerValueTxid(argv[0], &id, &err);
  if( rc == LEDGER_OK ) {
    rc = ledgerReceiptGet(call.pLedger->pClient, id, &pCall, &err);
  }
  if( rc == LEDGER_OK ) rc = ledgerCallWait(pCall, &err);
  if( rc == LEDGER_OK ) {
    rc = ledgerReceiptResult(pCall, &zAnswer, &nAnswer, &err);
  }
  if( rc == LEDGER_OK && zAnswer == NULL ) rc = proofMissing(id, &err);
  if( rc ) {
    ledgerFunctionError(pCtx, &err);
  } else {
    sqlite3_result_text64(pCtx, zAnswer, nAnswer, SQLITE_TRANSIENT,
                          SQLITE_UTF8);
    sqlite3_result_subtype(pCtx, 'J');
  }

out:
  ledgerCallFree(pCall);
  ledgerFunctionEnd(&call);
}

const LedgerFunction aLedgerFunctionProof[] = {
    {"ledger_receipt", 1, 2, LEDGER_FN_ACT, proofReceipt},
    {NULL, 0, 0, 0, NULL},
};
