/*
** A fuzz target of the verifier.
**
** An input is a receipt, a service certificate and application claims with a
** NUL between them. Whatever they are, there is no fault of memory, the report
** agrees with itself, and the memo changes nothing in it.
**
** libFuzzer: -max_len=20000
*/
#include "fuzz.h"

#include "receipt/receipt.h"

/* The report as JSON, or the error's text. */
static void receiptVerify(const LedgerReceiptInput *pInput,
                          LedgerReceiptMemo *pMemo, LedgerBuf *pOut) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerReceiptReport report;
  if( ledgerReceiptVerify(pInput, pMemo, &report, &err) ) {
    ledgerBufText(pOut, ledgerErrorText(&err));
    ledgerErrorClear(&err);
    return;
  }
  fuzzCheck(report.bValid == (strcmp(report.zCode, "ok") == 0),
            "valid, and the code says otherwise");
  fuzzCheck(report.bValid == (report.zFailed == NULL) &&
                report.bValid == (report.zReason == NULL),
            "valid, and something failed; or nothing, and it isn't valid");
  fuzzCheck(report.bValid == (report.eContent != LEDGER_CONTENT_NONE),
            "contents are said of a receipt that isn't valid");
  ledgerReceiptReportJson(&report, pOut);
  ledgerReceiptReportClear(&report);
}

int LLVMFuzzerTestOneInput(const uint8_t *aData, size_t nData) {
  static LedgerReceiptMemo *pMemo;
  LedgerReceiptInput input = {0};
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerBuf with = {0}, without = {0};
  const char *z = (const char *)aData;
  const char *zEnd = z + nData;
  const char *zNul;
  char zDigest[65];

  if( pMemo == NULL ) ledgerReceiptMemoNew(&pMemo, &err);
  zNul = nData ? memchr(z, 0, nData) : NULL;
  input.zReceipt = z;
  input.nReceipt = (size_t)((zNul ? zNul : zEnd) - z);
  if( zNul ) {
    input.zService = z = zNul + 1;
    zNul = z < zEnd ? memchr(z, 0, (size_t)(zEnd - z)) : NULL;
    input.nService = (size_t)((zNul ? zNul : zEnd) - z);
    if( zNul && zNul + 1 < zEnd ) {
      input.zClaims = zNul + 1;
      input.nClaims = (size_t)(zEnd - input.zClaims);
      ledgerReceiptClaimsDigest(input.zClaims, input.nClaims, zDigest, &err);
    }
  }
  input.zSource = "argument";
  input.zSubLedger = "pay";
  input.nSubLedger = 3;
  input.zContents = "x";
  input.nContents = 1;
  receiptVerify(&input, pMemo, &with);
  receiptVerify(&input, NULL, &without);
  fuzzCheck(with.n == without.n && memcmp(with.z, without.z, with.n) == 0,
            "the memo changes the report");
  ledgerBufFree(&with);
  ledgerBufFree(&without);
  ledgerErrorClear(&err);
  return 0;
}
