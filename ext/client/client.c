/*
** One ledger: made, freed, its options in force, and what its requests ask of
** the files about credentials and identity. Issues no request of its own.
*/
#include "client/clientInt.h"

#include <stdlib.h>
#include <string.h>

/* LedgerCallHooks.xReady: both start at once; each is done when both are
** there. */
static int clientReady(LedgerClient *p, int *pbReady, LedgerError *pErr) {
  int bAuth = 0, bIdentity = 0;
  if( ledgerChainReady(p, &bAuth, pErr) == LEDGER_OK ) {
    ledgerIdentityReady(p, &bIdentity, pErr);
  }
  *pbReady = bAuth && bIdentity;
  return pErr->rc;
}

static const LedgerCallHooks clientHooks = {
    .xReady = clientReady,
    .xRefused = ledgerChainRefused,
    .xUnwanted = ledgerChainUnwanted,
    .xRenew = ledgerIdentityRenew,
    .xDistrusted = ledgerIdentityFailure,
    .xReread = ledgerConfigRenew,
    .xOwner = ledgerClientOwner,
    .xSecret = ledgerConfigSecret,
};

/* Makes a client; a secondary shares its owner's handle and log. */
static int clientNew(LedgerConfig *pConfig, const LedgerHooks *pUser,
                     LedgerClient *pOwner, LedgerClient **ppClient,
                     LedgerError *pErr) {
  LedgerClient *p = calloc(1, sizeof(*p));

  *ppClient = NULL;
  if( p == NULL ) {
    ledgerConfigFree(pConfig);
    return ledgerErrorNomem(pErr);
  }
  p->pConfig = pConfig;
  if( pUser ) p->user = *pUser;
  p->pHooks = &clientHooks;
  p->tReal = ledgerClockMs();
  p->tNow = 1;
  p->iJitter = (uint32_t)p->tReal ^ (uint32_t)(uintptr_t)p;
  p->pDialect = ledgerDialectFind(ledgerKnownVersion(p));
  p->pOwner = pOwner;
  if( pOwner ) {
    p->pLog = pOwner->pLog;
    p->pHttp = pOwner->pHttp;
    *ppClient = p;
    return LEDGER_OK;
  }
  p->pLog = ledgerLogNew();
  if( p->pLog == NULL ) ledgerErrorNomem(pErr);
  if( p->pLog == NULL || ledgerHttpNew(&p->pHttp, pErr) ) {
    ledgerClientFree(p);
    return pErr->rc;
  }
  *ppClient = p;
  return LEDGER_OK;
}

int ledgerClientNew(LedgerConfig *pConfig, const LedgerHooks *pUser,
                    LedgerClient **ppClient, LedgerError *pErr) {
  return clientNew(pConfig, pUser, NULL, ppClient, pErr);
}

/* Makes a secondary of pOwner; takes pConfig over. */
int ledgerClientNewUnder(LedgerClient *pOwner, LedgerConfig *pConfig,
                         LedgerClient **ppClient, LedgerError *pErr) {
  return clientNew(pConfig, &pOwner->user, pOwner, ppClient, pErr);
}

void ledgerClientFree(LedgerClient *p) {
  if( p == NULL ) return;
  ledgerChainReset(p);
  ledgerIdentityReset(p);
  while( p->pCalls ) ledgerCallOrphan(p->pCalls);
  while( p->pSessions ) ledgerSessionOrphan(p->pSessions);
  if( p->pConfig->pFailover ) p->pConfig->pFailover->xFree(p);
  if( p->pOwner == NULL ) {
    ledgerHttpFree(p->pHttp);
    ledgerLogFree(p->pLog);
  }
  ledgerKnownReset(p);
  ledgerConfigFree(p->pConfig);
  free(p);
}

LedgerConfig *ledgerClientConfig(LedgerClient *p) {
  return p->pConfig;
}

void ledgerClientRemember(LedgerClient *p, const LedgerMemory *pMemory,
                          void *pArg) {
  p->pMemory = pMemory;
  p->pMemoryArg = pArg;
}

void ledgerClientRemembered(LedgerClient *p, const char *zRest) {
  ledgerNoteRemembered(p, p->pConfig->zUrl, zRest);
}

void ledgerClientReset(LedgerClient *p) {
  LedgerSession *pSession;
  ledgerChainReset(p);
  ledgerIdentityReset(p);
  ledgerKnownReset(p);
  p->bDropConnections = 1;
  for( pSession = p->pSessions; pSession; pSession = pSession->pNext ) {
    pSession->bEnded = 1;
  }
  p->bSecondaryStale = 1;
  p->bAdmitted = p->bDenied = 0;
}

int ledgerClientConnect(LedgerClient *p, LedgerError *pErr) {
  LedgerCall *pCall = NULL;

  if( ledgerCallNew(p, NULL, &pCall, pErr) ) return pErr->rc;
  ledgerLoopStart(pCall);
  ledgerCallWait(pCall, pErr);
  ledgerCallFree(pCall);
  return pErr->rc;
}

int ledgerClientConfirm(LedgerClient *p, LedgerError *pErr) {
  return ledgerIdentityRenew(p) ? ledgerClientConnect(p, pErr) : LEDGER_OK;
}
