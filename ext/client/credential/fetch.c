/*
** One attempt to get one credential: what the credentials share. Its only
** request is the one that a credential asks for.
*/
#include "client/credential/credentialInt.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ledgerFetchFree(LedgerFetch *p) {
  if( p == NULL ) return;
  ledgerCallFree(p->pCall);
  ledgerProcessFree(p->pProcess);
  free(p->zBase);
  free(p->zPath);
  free(p->zQuery);
  ledgerSecretFree(p->zToken);
  ledgerSecretFree(p->zCertificate);
  ledgerSecretFree(p->zKey);
  free(p->zPrincipal);
  free(p);
}

/* Sets the error of a credential that is not set up here. */
int ledgerCredentialMissing(LedgerFetch *p, LedgerError *pErr, const char *zFmt,
                            ...) {
  char *zText = NULL;
  va_list ap;
  va_start(ap, zFmt);
  if( vasprintf(&zText, zFmt, ap) < 0 ) zText = NULL;
  va_end(ap);
  p->bMissing = 1;
  if( zText ) {
    ledgerErrorSet(pErr, LEDGER_AUTH, "%s", zText);
    pErr->eCause = LEDGER_CAUSE_NOT_SET_UP;
  } else {
    ledgerErrorNomem(pErr);
  }
  free(zText);
  return pErr->rc;
}

/* A call for a token has ended: takes over the token, or why there is none. */
int ledgerCredentialAdopt(LedgerFetch *p, LedgerCall *pCall,
                          LedgerError *pErr) {
  if( pCall->err.rc ) {
    ledgerErrorCopy(pErr, &pCall->err);
    if( pCall->http >= 400 && pCall->http < 500 ) pErr->rc = LEDGER_AUTH;
  } else {
    LedgerTokenAnswer *pAnswer = pCall->pAnswer;
    p->zToken = pAnswer->zToken;
    p->nSecond = pAnswer->nSecond;
    pAnswer->zToken = NULL;
  }
  return pErr->rc;
}

/* An option, else the environment's variable, else NULL. */
const char *ledgerCredentialFrom(const char *zOption, const char *zVariable) {
  const char *z = zOption ? zOption : getenv(zVariable);
  return z && z[0] ? z : NULL;
}

/* Starts a GET of the endpoint p->zBase, p->zPath, p->zQuery. */
int ledgerFetchGet(LedgerFetch *p, const LedgerCallKind *pKind,
                   const char *zWhat, const char *zHeader1,
                   const char *zHeader2, const char *zSecret,
                   LedgerError *pErr) {
  LedgerCall *pCall = NULL;

  if( ledgerCallNew(p->pClient, pKind, &pCall, pErr) ) return pErr->rc;
  ledgerCallText(pCall, &pCall->zWhat, zWhat);
  ledgerCallText(pCall, &pCall->zBase, p->zBase);
  ledgerCallText(pCall, &pCall->zPath, p->zPath);
  ledgerCallPrint(pCall, &pCall->zLink, "%s?%s", p->zPath, p->zQuery);
  ledgerCallText(pCall, &pCall->azHeader[0], zHeader1);
  ledgerCallText(pCall, &pCall->azHeader[1], zHeader2);
  ledgerCallText(pCall, &pCall->zSecret, zSecret);
  p->pCall = pCall;
  ledgerCallBegin(pCall);
  return LEDGER_OK;
}
