/*
** Errors that travel by address. See base.h: the first one set wins.
*/
#include "base/base.h"

#undef ledgerErrorSet
#undef ledgerErrorNomem

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int ledgerErrorSet(LedgerError *pErr, int rc, const char *zFmt, ...) {
  static const char zPrefix[] = "ledger: ";
  const size_t nPrefix = sizeof(zPrefix) - 1;
  va_list ap;
  int n;

  if( pErr->rc ) return pErr->rc;
  pErr->rc = rc;
  va_start(ap, zFmt);
  n = vsnprintf(NULL, 0, zFmt, ap);
  va_end(ap);
  if( n < 0 ) return rc;
  pErr->zMsg = malloc(nPrefix + (size_t)n + 1);
  if( pErr->zMsg == NULL ) return rc;
  memcpy(pErr->zMsg, zPrefix, nPrefix);
  va_start(ap, zFmt);
  vsnprintf(pErr->zMsg + nPrefix, (size_t)n + 1, zFmt, ap);
  va_end(ap);
  return rc;
}

int ledgerErrorNomem(LedgerError *pErr) {
  if( pErr->rc == LEDGER_OK ) {
    pErr->rc = LEDGER_NOMEM;
    pErr->zMsg = NULL; /* ledgerErrorText() has the words */
  }
  return pErr->rc;
}

const char *ledgerErrorText(const LedgerError *pErr) {
  if( pErr->zMsg ) return pErr->zMsg;
  if( pErr->rc == LEDGER_OK ) return "ledger: no error";
  return "ledger: out of memory";
}

void ledgerErrorClear(LedgerError *pErr) {
  free(pErr->zMsg);
  pErr->rc = LEDGER_OK;
  pErr->http = 0;
  pErr->zMsg = NULL;
}
