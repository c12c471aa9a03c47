/*
** A fuzz target of tags: an expression of MATCH, a NUL, the tags of an entry as
** a JSON array. The tags are read as INSERT takes them, too.
**
** What is well-formed can be evaluated, and nothing else; NOT (x) is the
** contrary of x; of one term the wire's tag says the same.
**
** libFuzzer: -max_len=400
*/
#include "fuzz.h"

#include "sqlite/read/read.h"

/* What NOT (expression) says, or the contrary where it is too deep. */
static int matchNot(const char *zExpr, const char *zTags, int b) {
  LedgerError err = LEDGER_ERROR_INIT;
  char *z = sqlite3_mprintf("NOT (%s)", zExpr);
  int bNot = !b;
  fuzzCheck(z != NULL, "out of memory");
  if( ledgerMatchEval(z, zTags, &bNot, &err) ) bNot = !b;
  ledgerErrorClear(&err);
  sqlite3_free(z);
  return bNot;
}

/* Tags as INSERT takes them: the wire has as many, and takes them again. */
static void matchTags(const char *z, size_t n) {
  LedgerError err = LEDGER_ERROR_INIT;
  char *zWire = NULL, *zAgain = NULL;
  int rc = ledgerMatchTags(z, n, &zWire, &err);
  fuzzCheckError(rc, &err);
  fuzzCheck(rc == 0 || zWire == NULL, "tags that are refused are there");
  if( zWire && zWire[0] != '[' ) {
    fuzzCheck(ledgerMatchTags(zWire, strlen(zWire), &zAgain, &err) == 0 &&
                  strcmp(zWire, zAgain) == 0,
              "the wire's tags are others when they are read again");
  }
  free(zWire);
  free(zAgain);
}

int LLVMFuzzerTestOneInput(const uint8_t *aData, size_t nData) {
  LedgerError err = LEDGER_ERROR_INIT;
  size_t nExpr = 0;
  char *zExpr = fuzzText(&aData, &nData, &nExpr);
  char *zTags = fuzzText(&aData, &nData, NULL);
  char *zTag = NULL;
  int b = 0, bHas = 0, rc, rcEval;
  if( zExpr == NULL ) return 0;
  matchTags(zExpr, nExpr);
  rc = ledgerMatchCheck(zExpr, &zTag, &err);
  fuzzCheckError(rc, &err);
  rcEval = ledgerMatchEval(zExpr, zTags, &b, &err);
  fuzzCheckError(rcEval, &err);
  fuzzCheck(rc == 0 || rcEval != 0, "what is refused is evaluated");
  if( rc == 0 && rcEval == 0 ) {
    fuzzCheck(matchNot(zExpr, zTags, b) == !b, "NOT is not the contrary");
    if( zTag && ledgerMatchHas(zTags, zTag, &bHas, &err) == 0 ) {
      fuzzCheck(b == bHas, "the tag on the wire says otherwise");
    }
    ledgerErrorClear(&err);
  }
  if( zTags == NULL ) fuzzCheck(rc == rcEval, "one is refused, one is not");
  sqlite3_free(zTag);
  free(zExpr);
  free(zTags);
  return 0;
}
