/*
** A fuzz target of the options object of ledger_attach(): applied whole or not
** at all, and no secret shown by what shows options, nor by an error.
**
** libFuzzer: -max_len=1200
*/
#include "fuzz.h"

#include "client/optionInt.h"

#define OPTIONS_SECRET "s3cr3t-0f-s0meb0dy"

int LLVMFuzzerTestOneInput(const uint8_t *aData, size_t nData) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerConfig *p = NULL;
  LedgerBuf value = {0};
  unsigned char aBefore[32], aAfter[32];
  char *z = ledgerStrndup((const char *)aData, nData);
  int i, rc;
  fuzzCheck(z && ledgerConfigNew("fuzz.example", &p, &err) == 0, "no target");
  p->bNoPipe = 1;
  fuzzCheck(ledgerConfigSet(p, "client_secret", OPTIONS_SECRET, &err) == 0 &&
                ledgerConfigDigest(p, aBefore, &err) == 0,
            "no option can be set");
  rc = ledgerConfigApply(p, z, nData, &err);
  fuzzCheck(strstr(z, OPTIONS_SECRET) != NULL ||
                strstr(ledgerErrorText(&err), OPTIONS_SECRET) == NULL,
            "an error shows a secret");
  fuzzCheckError(rc, &err);
  fuzzCheck(ledgerConfigDigest(p, aAfter, &err) == 0, "no digest");
  fuzzCheck(rc == 0 || memcmp(aBefore, aAfter, 32) == 0,
            "an object that was refused has changed something");
  for( i = 0; i < nLedgerOption; i++ ) {
    const LedgerOptionRow *pRow = &aLedgerOption[i];
    fuzzCheck(ledgerConfigGet(p, pRow->zName, &value, &err) == 0,
              "an option can't be shown");
    fuzzCheck(!(pRow->mFlag & OPTION_SECRET) || value.n == 0 ||
                  strcmp(value.z, "(set)") == 0,
              "a secret is shown");
    ledgerBufFree(&value);
  }
  ledgerConfigFree(p);
  free(z);
  return 0;
}
