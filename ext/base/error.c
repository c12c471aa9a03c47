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

/* Takes out of a message what is no character of UTF-8: "%.64s" cuts some. */
static void errorWhole(char *z) {
  char *zTo = z;
  if( z == NULL || ledgerUtf8Valid(z, strlen(z)) ) return;
  while( *z ) {
    const size_t nMost = strnlen(z, 4);
    size_t n = 1;
    while( n <= nMost && !ledgerUtf8Valid(z, n) ) n++;
    if( n <= nMost ) {
      memmove(zTo, z, n);
      zTo += n;
      z += n;
    } else {
      z++;
    }
  }
  *zTo = 0;
}

int ledgerErrorSet(LedgerError *pErr, int rc, const char *zFmt, ...) {
  va_list ap;
  if( pErr->rc ) return pErr->rc;
  pErr->rc = rc;
  va_start(ap, zFmt);
  if( vasprintf(&pErr->zMsg, zFmt, ap) < 0 ) pErr->zMsg = NULL;
  va_end(ap);
  errorWhole(pErr->zMsg);
  return rc;
}

int ledgerErrorNomem(LedgerError *pErr) {
  if( pErr->rc == LEDGER_OK ) pErr->rc = LEDGER_NOMEM;
  return pErr->rc;
}

int ledgerErrorInterrupt(LedgerError *pErr) {
  if( pErr->rc == LEDGER_OK ) pErr->rc = LEDGER_INTERRUPT;
  return pErr->rc;
}

int ledgerErrorWrap(LedgerError *pErr, const LedgerError *pCause,
                    const char *zFmt, ...) {
  char *zMsg = NULL;
  va_list ap;
  if( pErr->rc && pErr != pCause ) return pErr->rc;
  va_start(ap, zFmt);
  if( vasprintf(&zMsg, zFmt, ap) < 0 ) zMsg = NULL;
  va_end(ap);
  errorWhole(zMsg);
  if( pErr == pCause ) free(pErr->zMsg);
  *pErr = *pCause;
  pErr->zMsg = zMsg;
  return pErr->rc;
}

int ledgerErrorCopy(LedgerError *pErr, const LedgerError *pFrom) {
  if( pErr->rc ) return pErr->rc;
  *pErr = *pFrom;
  pErr->zMsg = ledgerStrdup(pFrom->zMsg);
  return pErr->rc;
}

const char *ledgerErrorText(const LedgerError *pErr) {
  if( pErr->zMsg ) return pErr->zMsg;
  switch( pErr->rc ) {
    case LEDGER_OK: return "no error";
    case LEDGER_INTERRUPT: return "interrupted";
    default: return "out of memory";
  }
}

void ledgerErrorClear(LedgerError *pErr) {
  free(pErr->zMsg);
  *pErr = (LedgerError)LEDGER_ERROR_INIT;
}
