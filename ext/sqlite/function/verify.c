/*
** Functions on receipts that ask the ledger.
**
**     SELECT ledger_receipt('2.15');
**     SELECT ledger_verify('2.15');
**     SELECT ledger_verify('2.15', 'A') ->> '$.content';
**
** Requests: GET /app/transactions/{id}/receipt; for ledger_verify() with a
** sub-ledger GET /app/transactions/{id} of it at the same time, unless history
** has it.
**
** ledger_verify() answers a report, also when the receipt is not valid; that
** there is no receipt, or no such entry, is an error.
*/
#include "sqlite/function/function.h"
#include "sqlite/history/history.h"
#include "sqlite/read/read.h"

#include <string.h>

/* There is no receipt: all that a 404 may mean. */
static int verifyMissing(LedgerTxid id, LedgerError *pErr) {
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
static void verifyReceipt(sqlite3_context *pCtx, int argc,
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
  if( rc == LEDGER_OK && zAnswer == NULL ) rc = verifyMissing(id, &err);
  if( rc ) {
    ledgerErrorFunctionRead(pCtx, &err);
  } else {
    sqlite3_result_text64(pCtx, zAnswer, nAnswer, SQLITE_TRANSIENT,
                          SQLITE_UTF8);
    sqlite3_result_subtype(pCtx, 'J');
  }

out:
  ledgerCallFree(pCall);
  ledgerFunctionEnd(&call);
}

/*
** ledger_verify(id [, sub_ledger [, options]]): the receipt of id, verified
** against the ledger's service certificate or the one in the options. With a
** sub-ledger, the entry there is compared with what the receipt's claims say.
*/
static void verifyVerify(sqlite3_context *pCtx, int argc,
                         sqlite3_value **argv) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerReceiptReport report;
  LedgerCall *pReceipt = NULL, *pGet = NULL;
  LedgerFunctionCall call;
  LedgerPastPage past = {0};
  const LedgerEntry *pKnown = NULL;
  LedgerEntry entry;
  LedgerTxid id = {0, 0};
  LedgerBuf buf = {0};
  const char *zSub =
      argc > 1 ? (const char *)sqlite3_value_text(argv[1]) : NULL;
  const char *zAnswer = NULL;
  char zId[LEDGER_TXID_MAX];
  size_t nAnswer = 0;
  int bFound = 0;
  int rc = ledgerFunctionBegin(&call, pCtx, argc > 2 ? argv[2] : NULL,
                               LEDGER_CALL_VERIFY, &err);
  memset(&report, 0, sizeof(report));
  if( sqlite3_value_type(argv[0]) == SQLITE_NULL && rc == LEDGER_OK ) goto out;
  if( rc == LEDGER_OK ) rc = ledgerValueTxid(argv[0], &id, &err);
  if( rc == LEDGER_OK ) {
    rc = ledgerReceiptGet(call.pLedger->pClient, id, &pReceipt, &err);
  }
  if( rc == LEDGER_OK && zSub &&
      strlen(zSub) != (size_t)sqlite3_value_bytes(argv[1]) ) {
    rc = ledgerErrorSet(&err, LEDGER_NOTFOUND,
                        "no sub-ledger has a NUL in its name: there is nothing "
                        "to compare a receipt with");
  }
  if( rc == LEDGER_OK && zSub ) {
    ledgerPastFind(call.pLedger, zSub, id, &past, &pKnown);
    if( pKnown ) entry = *pKnown;
  }
  if( rc == LEDGER_OK && zSub && pKnown == NULL ) {
    rc = ledgerEntryGet(call.pLedger->pClient, id, zSub, &pGet, &err);
    if( rc == LEDGER_OK ) ledgerEntryNoSecondary(pGet); /* as its receipt is */
  }
  if( rc == LEDGER_OK && pGet ) {
    rc = ledgerCallWait(pGet, &err);
    if( rc == LEDGER_OK ) rc = ledgerEntryResult(pGet, &bFound, &entry, &err);
    if( rc == LEDGER_OK && !bFound ) {
      rc = ledgerErrorSet(&err, LEDGER_NOTFOUND,
                          "no entry %s in sub-ledger '%s': there is nothing to "
                          "compare its receipt with",
                          ledgerTxidFormat(id, zId), zSub);
    }
  }
  if( rc == LEDGER_OK ) rc = ledgerCallWait(pReceipt, &err);
  if( rc == LEDGER_OK ) {
    rc = ledgerReceiptResult(pReceipt, &zAnswer, &nAnswer, &err);
  }
  if( rc == LEDGER_OK && zAnswer == NULL ) rc = verifyMissing(id, &err);
  if( rc == LEDGER_OK ) {
    if( zSub ) entry.zSubLedger = zSub; /* what was asked for, not named */
    rc = ledgerReceiptsVerify(call.pLedger, id, zSub ? &entry : NULL, zAnswer,
                              nAnswer, call.zService, &report, &err);
  }
  if( rc == LEDGER_OK ) {
    ledgerReceiptReportJson(&report, &buf);
    if( buf.bOom ) rc = ledgerErrorNomem(&err);
  }
  if( rc ) {
    ledgerErrorFunctionRead(pCtx, &err);
  } else {
    sqlite3_result_text64(pCtx, buf.z, buf.n, SQLITE_TRANSIENT, SQLITE_UTF8);
    sqlite3_result_subtype(pCtx, 'J');
  }

out:
  ledgerReceiptReportClear(&report);
  ledgerBufFree(&buf);
  ledgerCallFree(pReceipt);
  ledgerCallFree(pGet);
  ledgerPastEnd(&past);
  ledgerFunctionEnd(&call);
}

const LedgerFunction aLedgerFunctionVerify[] = {
    {"ledger_receipt", 1, 2, LEDGER_FN_ACT | LEDGER_FN_JSON, verifyReceipt,
     "id [, options]",
     "a transaction's receipt: the whole answer, claims included",
     "1; while the ledger is loading the receipt, more",
     "SELECT ledger_receipt('2.5') ->> '$.state';",
     "SELECT ledger_receipt('2.999999');"},
    {"ledger_verify", 1, 3, LEDGER_FN_ACT | LEDGER_FN_JSON, verifyVerify,
     "id [, sub_ledger [, options]]",
     "fetches receipt and entry and verifies them: a report, JSON",
     "1 for the receipt, with a sub-ledger 1 for the entry",
     "SELECT ledger_verify('2.5', 'payments');",
     "SELECT ledger_verify('2.5', 'messages');"},
    {NULL, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL},
};
