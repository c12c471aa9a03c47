/*
** A redirect: followed within the ledger, refused elsewhere.
**
** Invariants
**   - the credential goes to the ledger's host, or one below it, only;
**   - a write is redirected to the primary, which is remembered.
*/
#include "client/call/callInt.h"

#include <stdlib.h>
#include <string.h>

#define REDIRECT_MAX 5

/* The node this went to is not the primary any more. */
void ledgerRedirectForget(LedgerCall *p) {
  if( p->pKind->bPublic ) return;
  free(p->pClient->zPrimary);
  p->pClient->zPrimary = NULL;
  free(p->zBase);
  p->zBase = NULL;
  if( !ledgerSessionHolds(p) ) {
    ledgerSessionMove(p, p->pClient->pConfig->zUrl);
  }
}

/* Follows a redirect within the ledger, or fails. */
void ledgerRedirectFollow(LedgerCall *p) {
  LedgerClient *pClient = p->pClient;
  const int iHttp = p->http;
  const char *zWhy = NULL;
  const char *zTo = p->pEx->location.z;
  LedgerUrl to;
  int rc = LEDGER_OK;

  memset(&to, 0, sizeof(to));
  if( strcmp(p->server.zCode, "ApiVersionRedirect") == 0 ||
      !(iHttp == 307 || iHttp == 308 ||
        ((iHttp == 301 || iHttp == 302) &&
         strcmp(p->pKind->zMethod, "GET") == 0)) ) {
    ledgerResponseRefused(p, &p->err);
    goto fail;
  }
  if( p->pKind->bPublic ) {
    zWhy = "this service may not redirect";
  } else if( ++p->nRedirect > REDIRECT_MAX ||
             ledgerSessionMoves(p) > REDIRECT_MAX ) {
    zWhy = "too many of them";
  } else if( zTo == NULL ) {
    zWhy = "it names no place";
  } else {
    rc = ledgerUrlWithin(pClient->pConfig->zUrl, ledgerCallBase(p), zTo, &to);
    if( rc ) zWhy = "it leads away from the ledger's host and port";
  }
  if( rc == LEDGER_NOMEM ) {
    ledgerErrorNomem(&p->err);
    goto fail;
  }
  if( zWhy ) {
    ledgerErrorSet(&p->err, LEDGER_IOERR,
                   "%s: the redirect is refused: %s (HTTP %d, %s %s)", p->zWhat,
                   zWhy, iHttp, p->pKind->zMethod, p->zPath);
    p->err.http = iHttp;
    goto fail;
  }
  if( ledgerSessionHolds(p) ) { /* the next one goes there, if it is to write */
    if( p->pKind->bOnce ) {
      free(pClient->zPrimary);
      pClient->zPrimary = to.zBase;
      to.zBase = NULL;
    }
    ledgerSessionEnd(p, -1);
    ledgerResponseRefused(p, &p->err);
    p->err.rc = LEDGER_BUSY;
    p->eOutcome = LEDGER_UNSENT;
    ledgerCallDone(p);
    goto out;
  }
  free(p->zBase);
  p->zBase = to.zBase;
  to.zBase = NULL;
  if( !ledgerSessionMove(p, p->zBase) ) {
    ledgerErrorNomem(&p->err);
    goto fail;
  }
  /* The same path: our own query is kept, a redirect may have lost it. */
  if( to.nPath != strlen(p->zPath) ||
      memcmp(to.zRest, p->zPath, to.nPath) != 0 ) {
    free(p->zLink);
    p->zLink = to.zRest;
    to.zRest = NULL;
  }
  p->nAttempt--;
  p->bNewConnection = p->bFreshSent; /* the other node's may be as stale */
  ledgerCallResend(p);
  goto out;
fail:
  pClient->nMoved = 0; /* they are counted anew by whoever tries again */
  p->eOutcome = LEDGER_REFUSED;
  ledgerRedirectForget(p);
  ledgerCallDone(p);
out:
  ledgerUrlClear(&to);
}
