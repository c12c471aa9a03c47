/*
** A fuzz target of quotes, SGX and SNP: read in bounds, and told as JSON.
**
** libFuzzer: -max_len=3000
*/
#include "fuzz.h"

#include "receipt/receipt.h"

int LLVMFuzzerTestOneInput(const uint8_t *aData, size_t nData) {
  static const char zNode[] =
      "0000000000000000000000000000000000000000000000000000000000000000";
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerJson *pDoc = NULL;
  LedgerBuf json = {0};
  LedgerQuote quote;
  unsigned char *a = malloc(nData + !nData); /* without a byte behind it */
  int bBinds;
  fuzzCheck(a != NULL, "out of memory");
  if( nData ) memcpy(a, aData, nData);
  if( ledgerQuoteRead(a, nData, &quote) ) {
    bBinds = ledgerQuoteBinds(&quote, zNode);
    fuzzCheck(bBinds >= -1 && bBinds <= 1, "it binds neither, nor unknown");
    ledgerQuoteJson(&quote, zNode, &json);
    fuzzCheck(ledgerJsonParse(json.z, json.n, "quote", &pDoc, &err) == 0,
              "what is told of a quote is not JSON");
    fuzzCheck(cJSON_IsFalse(
                  ledgerJsonMember(ledgerJsonRoot(pDoc), "signature_checked")),
              "it says that the signature was checked");
    fuzzCheck(quote.aMeasurement + quote.nMeasurement <= a + nData,
              "the measurement is out of bounds");
  } else {
    fuzzCheck(ledgerQuoteBinds(&quote, zNode) == -1,
              "what is no quote binds a node, or not");
  }
  ledgerJsonFree(pDoc);
  ledgerBufFree(&json);
  free(a);
  return 0;
}
