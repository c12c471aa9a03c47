/*
** Functions that verify receipts offline.
**
**     SELECT ledger_verify_receipt(receipt, service_certificate) FROM kept;
**     SELECT ledger_verify_receipt(receipt, service_certificate, json_object(
**              'transaction_id', '2.15',
**              'entry', json_object('sub_ledger','A', 'contents','hello')));
**     SELECT ledger_receipt_is_valid(receipt, service_certificate) FROM kept;
**     SELECT ledger_claims_digest(application_claims) FROM kept;
**
** Options: `application_claims` (in place of those beside the receipt),
** `transaction_id` (the one asked for), `entry` (the one in hand), `memo`
** (false: nothing remembered, the same result later).
**
** No request: all are DETERMINISTIC and INNOCUOUS, functions of their arguments
** alone. NULL in either of the first two arguments gives NULL; a receipt or
** certificate that is no good gives a report, not an error.
*/
#include "sqlite/function/function.h"

#include <string.h>

#define RECEIPT_OPTIONS_MAX (1 << 20) /* bytes of the options object */

/* A call's options. */
typedef struct ReceiptOptions ReceiptOptions;
struct ReceiptOptions {
  const char *z; /* the object's text (the argument's) */
  size_t n;
  LedgerJson *pDoc; /* texts of the input belong to it */
  int bNoMemo;
};

static int receiptOptionEntry(ReceiptOptions *p, const cJSON *pEntry,
                              LedgerReceiptInput *pInput, LedgerError *pErr) {
  const cJSON *pItem;
  pInput->zSubLedger =
      ledgerJsonMemberText(p->pDoc, pEntry, "sub_ledger", &pInput->nSubLedger);
  pInput->zContents =
      ledgerJsonMemberText(p->pDoc, pEntry, "contents", &pInput->nContents);
  if( pInput->zSubLedger == NULL || pInput->zContents == NULL ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "options: 'entry' is an object with the texts "
                          "'sub_ledger' and 'contents'");
  }
  /* What ledger_entry() returns may stand here whole. */
  cJSON_ArrayForEach(pItem, pEntry) {
    if( strcmp(pItem->string, "sub_ledger") != 0 &&
        strcmp(pItem->string, "contents") != 0 &&
        strcmp(pItem->string, "transaction_id") != 0 &&
        strcmp(pItem->string, "tags") != 0 ) {
      return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                            "options: '%.64s' is not known in 'entry' "
                            "(sub_ledger, contents)",
                            pItem->string);
    }
  }
  return LEDGER_OK;
}

static int receiptOption(ReceiptOptions *p, cJSON *pItem,
                         LedgerReceiptInput *pInput, LedgerError *pErr) {
  const char *zName = pItem->string;
  size_t n = 0;
  const char *z = ledgerJsonText(p->pDoc, pItem, &n);

  if( strcmp(zName, "application_claims") == 0 ) {
    if( cJSON_IsNull(pItem) ) return LEDGER_OK;
    if( z ) {
      pInput->zClaims = z;
      pInput->nClaims = n;
      return LEDGER_OK;
    }
    pInput->zClaims = ledgerJsonSlice(p->z, p->n, zName, &pInput->nClaims);
    if( pInput->zClaims ) return LEDGER_OK;
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "options: the name 'application_claims' must not be "
                          "written with escapes");
  }
  if( strcmp(zName, "transaction_id") == 0 ) {
    if( cJSON_IsNull(pItem) ) return LEDGER_OK;
    if( z && ledgerTxidParse(z, n, &pInput->id) ) return LEDGER_OK;
    return ledgerErrorSet(
        pErr, LEDGER_CONSTRAINT,
        "options: 'transaction_id' is not a transaction id: expected the text "
        "view.seqno, like '2.15'");
  }
  if( strcmp(zName, "entry") == 0 ) {
    if( cJSON_IsNull(pItem) ) return LEDGER_OK;
    return receiptOptionEntry(p, pItem, pInput, pErr);
  }
  if( strcmp(zName, "memo") == 0 ) {
    p->bNoMemo = cJSON_IsFalse(pItem);
    if( cJSON_IsBool(pItem) ) return LEDGER_OK;
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "options: 'memo' is true or false");
  }
  return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                        "options: '%.64s' is not known here "
                        "(application_claims, transaction_id, entry, memo)",
                        zName);
}

/* Reads the options object pVal into *p and *pInput; NULL is none. */
static int receiptOptions(sqlite3_value *pVal, ReceiptOptions *p,
                          LedgerReceiptInput *pInput, LedgerError *pErr) {
  cJSON *pItem;
  int rc;
  if( sqlite3_value_type(pVal) == SQLITE_NULL ) return LEDGER_OK;
  p->z = (const char *)sqlite3_value_text(pVal);
  p->n = (size_t)sqlite3_value_bytes(pVal);
  if( p->z == NULL ) return ledgerErrorNomem(pErr);
  if( p->n > RECEIPT_OPTIONS_MAX ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "options: they have more than %d bytes",
                          RECEIPT_OPTIONS_MAX);
  }
  rc = ledgerValueOptions(pVal, &p->pDoc, pErr);
  if( rc ) return rc;
  for( pItem = ledgerJsonRoot(p->pDoc)->child; pItem && rc == LEDGER_OK;
       pItem = pItem->next ) {
    rc = receiptOption(p, pItem, pInput, pErr);
  }
  return rc;
}

/* Verifies what the arguments say. Returns 1 with a report to clear, or 0 with
** the result set: NULL or an error. */
static int receiptVerify(sqlite3_context *pCtx, int argc, sqlite3_value **argv,
                         LedgerReceiptReport *pReport, int *pbEntry) {
  LedgerConn *pConn = ledgerFunctionConn(pCtx);
  LedgerError err = LEDGER_ERROR_INIT;
  ReceiptOptions options = {0};
  LedgerReceiptInput input = {0};
  int rc = LEDGER_OK;

  if( sqlite3_value_type(argv[0]) == SQLITE_NULL ||
      sqlite3_value_type(argv[1]) == SQLITE_NULL ) {
    return 0;
  }
  input.zReceipt = (const char *)sqlite3_value_text(argv[0]);
  input.nReceipt = (size_t)sqlite3_value_bytes(argv[0]);
  input.zService = (const char *)sqlite3_value_text(argv[1]);
  input.nService = (size_t)sqlite3_value_bytes(argv[1]);
  input.zSource = "argument";
  if( argc > 2 ) rc = receiptOptions(argv[2], &options, &input, &err);
  if( rc == LEDGER_OK ) {
    rc = ledgerReceiptVerify(
        &input, options.bNoMemo ? NULL : ledgerConnMemo(pConn), pReport, &err);
  }
  *pbEntry = input.zContents != NULL;
  ledgerJsonFree(options.pDoc);
  if( rc == LEDGER_OK ) return 1;
  ledgerErrorFunction(pCtx, &err);
  return 0;
}

static void receiptReport(sqlite3_context *pCtx, int argc,
                          sqlite3_value **argv) {
  LedgerReceiptReport report;
  LedgerBuf buf = {0};
  int bEntry;
  if( !receiptVerify(pCtx, argc, argv, &report, &bEntry) ) return;
  ledgerReceiptReportJson(&report, &buf);
  ledgerFunctionJson(pCtx, &buf);
  ledgerReceiptReportClear(&report);
}

/* 1 or 0: the receipt is valid and, where an entry was given, shows it. */
static void receiptIsValid(sqlite3_context *pCtx, int argc,
                           sqlite3_value **argv) {
  LedgerReceiptReport report;
  int bEntry;
  if( !receiptVerify(pCtx, argc, argv, &report, &bEntry) ) return;
  sqlite3_result_int(pCtx,
                     report.bValid &&
                         (!bEntry || report.eContent == LEDGER_CONTENT_BOUND));
  ledgerReceiptReportClear(&report);
}

static void receiptClaimsDigest(sqlite3_context *pCtx, int argc,
                                sqlite3_value **argv) {
  LedgerError err = LEDGER_ERROR_INIT;
  const char *z = (const char *)sqlite3_value_text(argv[0]);
  char zOut[65];
  (void)argc;
  if( sqlite3_value_type(argv[0]) == SQLITE_NULL ) return;
  if( ledgerReceiptClaimsDigest(z, (size_t)sqlite3_value_bytes(argv[0]), zOut,
                                &err) ) {
    ledgerErrorFunction(pCtx, &err);
  } else {
    sqlite3_result_text(pCtx, zOut, -1, SQLITE_TRANSIENT);
  }
}

const LedgerFunction aLedgerFunctionReceipt[] = {
    {"ledger_verify_receipt", 2, 3, LEDGER_FN_PURE | LEDGER_FN_JSON,
     receiptReport, "receipt, service_certificate [, options]",
     "verifies a receipt offline: a report, JSON", "none",
     "SELECT ledger_verify_receipt(receipt, service_certificate) ->> '$.code'\n"
     "  FROM ledger_receipts WHERE transaction_id = '2.5';",
     "SELECT ledger_verify_receipt('{}', '', '{\"nonce\":1}');"},
    {"ledger_receipt_is_valid", 2, 3, LEDGER_FN_PURE, receiptIsValid,
     "receipt, service_certificate [, options]",
     "whether a receipt is valid, offline: 1 or 0", "none",
     "SELECT ledger_receipt_is_valid(receipt, service_certificate)\n"
     "  FROM ledger_receipts WHERE transaction_id = '2.5';",
     "SELECT ledger_receipt_is_valid('{}', '', 'strict');"},
    {"ledger_claims_digest", 1, 1, LEDGER_FN_PURE, receiptClaimsDigest,
     "claims", "digest of application claims", "none",
     "SELECT ledger_claims_digest(application_claims)\n"
     "  FROM ledger_receipts WHERE transaction_id = '2.5';",
     "SELECT ledger_claims_digest('{}');"},
    {NULL, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL},
};
