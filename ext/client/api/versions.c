/*
** The API versions that a ledger offers:
**
**   GET /app/transactions/current?api-version=none    ledgerVersionsOffered
**
** There is no route that tells them. A version that isn't offered is refused
** with a message that does.
*/
#include "client/api/apiInt.h"

static int offeredRefused(LedgerCall *p) {
  return p->http == 400 && ledgerDialectRefused(&p->server);
}

static const LedgerCallKind offeredKind = {
    .zMethod = "GET", .bVersions = 1, .xRefused = offeredRefused};

int ledgerVersionsOffered(LedgerClient *p, LedgerBuf *pList,
                          LedgerError *pErr) {
  LedgerCall *pCall = NULL;
  const char *zList = NULL;
  if( ledgerCallNew(p, &offeredKind, &pCall, pErr) ) return pErr->rc;
  ledgerCallText(pCall, &pCall->zWhat, "versions offered");
  ledgerCallText(pCall, &pCall->zPath, "/app/transactions/current");
  ledgerCallText(pCall, &pCall->zLink,
                 "/app/transactions/current?api-version=none");
  ledgerLoopStart(pCall);
  if( ledgerCallWait(pCall, pErr) ) goto out;
  ledgerDialectChoose(pCall->server.zMessage, &zList);
  if( zList ) ledgerBufText(pList, zList);
out:
  ledgerCallFree(pCall);
  return pErr->rc;
}
