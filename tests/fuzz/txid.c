/*
** A fuzz target of transaction ids: what is read as one is written again as the
** same bytes, and nothing else is read as one.
**
** libFuzzer: -max_len=64
*/
#include "fuzz.h"

/* A decimal number without a needless zero, as the documentation has it. */
static int txidNumber(const char *z, size_t n) {
  size_t i;
  for( i = 0; i < n && ledgerIsDigit(z[i]); i++ ) {
  }
  return n > 0 && i == n && (n == 1 || z[0] != '0');
}

int LLVMFuzzerTestOneInput(const uint8_t *aData, size_t nData) {
  size_t n = nData, nView;
  char *z = ledgerStrndup((const char *)aData, nData);
  const char *zPoint = memchr(aData, '.', nData);
  LedgerTxid id = {-7, -7};
  char zId[LEDGER_TXID_MAX];
  fuzzCheck(z != NULL, "out of memory");
  if( ledgerTxidParse(z, n, &id) ) {
    ledgerTxidFormat(id, zId);
    fuzzCheck(strlen(zId) == n && memcmp(zId, z, n) == 0,
              "an id is written otherwise");
    fuzzCheck(id.view >= 0 && id.seqno > 0 && id.seqno < (int64_t)1 << 48,
              "an id is out of bounds");
    fuzzCheck(ledgerTxidCompare(id, id) == 0, "an id isn't itself");
  } else {
    fuzzCheck(id.view == -7 && id.seqno == -7, "what is no id was changed");
    nView = zPoint ? (size_t)(zPoint - (const char *)aData) : 0;
    if( zPoint && txidNumber(z, nView) && nView < 18 && n - nView - 1 < 15 ) {
      fuzzCheck(!txidNumber(z + nView + 1, n - nView - 1) ||
                    strcmp(z + nView + 1, "0") == 0,
                "an id is refused");
    }
  }
  free(z);
  return 0;
}
