/*
** One ledger: its configuration, what is known of it, and the loop that moves
** all its requests on. Issues no request of its own.
**
** Invariants
**   - no wait is longer than CLIENT_SLICE_MS without asking xInterrupted;
**   - client time goes on only while somebody drives the client: a gap between
**     two steps counts CLIENT_GAP_MS at most.
*/
#include "client/clientInt.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define CLIENT_SLICE_MS 40 /* longest single wait */
#define CLIENT_HOOK_MS 20  /* least time between two calls of xInterrupted */
#define CLIENT_GAP_MS 200  /* longest gap that client time takes notice of */

/* Makes a client; a secondary shares its owner's handle and log. */
static int clientNew(LedgerConfig *pConfig, const LedgerHooks *pHooks,
                     LedgerClient *pOwner, LedgerClient **ppClient,
                     LedgerError *pErr) {
  LedgerClient *p = calloc(1, sizeof(*p));

  *ppClient = NULL;
  if( p == NULL ) {
    ledgerConfigFree(pConfig);
    return ledgerErrorNomem(pErr);
  }
  p->pConfig = pConfig;
  if( pHooks ) p->hooks = *pHooks;
  p->tReal = ledgerClockMs();
  p->tNow = 1;
  p->iJitter = (uint32_t)p->tReal ^ (uint32_t)(uintptr_t)p;
  p->pDialect = ledgerDialectFind(ledgerClientVersion(p));
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

int ledgerClientNew(LedgerConfig *pConfig, const LedgerHooks *pHooks,
                    LedgerClient **ppClient, LedgerError *pErr) {
  return clientNew(pConfig, pHooks, NULL, ppClient, pErr);
}

/* Makes a secondary of pOwner; takes pConfig over. */
int ledgerClientNewUnder(LedgerClient *pOwner, LedgerConfig *pConfig,
                         LedgerClient **ppClient, LedgerError *pErr) {
  return clientNew(pConfig, &pOwner->hooks, pOwner, ppClient, pErr);
}

void ledgerClientFree(LedgerClient *p) {
  if( p == NULL ) return;
  ledgerAuthReset(&p->auth);
  ledgerTrustReset(&p->trust);
  while( p->pCalls ) ledgerCallOrphan(p->pCalls);
  while( p->pSessions ) ledgerSessionOrphan(p->pSessions);
  ledgerSecondaryFree(p);
  ledgerCacheFree(p->pCache);
  if( p->pOwner == NULL ) {
    ledgerHttpFree(p->pHttp);
    ledgerLogFree(p->pLog);
  }
  ledgerConfigFree(p->pConfig);
  free(p->zVersion);
  free(p->zPrimary);
  free(p);
}

LedgerConfig *ledgerClientConfig(LedgerClient *p) {
  return p->pConfig;
}

void ledgerClientTrim(LedgerClient *p) {
  ledgerCacheFit(p->pCache, p->pConfig->cache ? p->pConfig->cacheMaxBytes : 0);
}

void ledgerClientReset(LedgerClient *p) {
  LedgerSession *pSession;
  ledgerAuthReset(&p->auth);
  ledgerTrustReset(&p->trust);
  free(p->zVersion);
  p->zVersion = NULL;
  p->pDialect = ledgerDialectFind(ledgerClientVersion(p));
  free(p->zPrimary);
  p->zPrimary = NULL;
  p->bAnswered = 0;
  p->bDropConnections = 1;
  for( pSession = p->pSessions; pSession; pSession = pSession->pNext ) {
    pSession->bEnded = 1;
  }
  p->bSecondaryStale = 1;
  ledgerCacheFit(p->pCache, 0);
}

int ledgerClientConnect(LedgerClient *p, LedgerError *pErr) {
  LedgerCall *pCall = NULL;

  if( ledgerCallNew(p, NULL, &pCall, pErr) ) return pErr->rc;
  ledgerCallStart(pCall);
  ledgerCallWait(pCall, pErr);
  ledgerCallFree(pCall);
  return pErr->rc;
}

int ledgerClientConfirm(LedgerClient *p, LedgerError *pErr) {
  return ledgerTrustRenew(p) ? ledgerClientConnect(p, pErr) : LEDGER_OK;
}

/* ---- what is known ----------------------------------------------------- */

/* The api-version that requests carry now. */
const char *ledgerClientVersion(const LedgerClient *p) {
  if( p->pConfig->zApiVersion ) return p->pConfig->zApiVersion;
  return p->zVersion ? p->zVersion : LEDGER_NEWEST_VERSION;
}

/* Whether the version in use has all of mNeed; LEDGER_OK until it is known. */
int ledgerClientNeeds(const LedgerClient *p, unsigned mNeed,
                      LedgerError *pErr) {
  if( !p->bAnswered && p->pConfig->zApiVersion == NULL ) return LEDGER_OK;
  return ledgerDialectNeed(p->pDialect, ledgerClientVersion(p), mNeed, pErr);
}

/* Keeps the version that was negotiated. */
int ledgerClientSetVersion(LedgerClient *p, const char *zVersion,
                           LedgerError *pErr) {
  char *z = ledgerStrdup(zVersion);
  if( z == NULL ) return ledgerErrorNomem(pErr);
  free(p->zVersion);
  p->zVersion = z;
  p->pDialect = ledgerDialectFind(z);
  return LEDGER_OK;
}

/* An answer showed this state of a node. A higher view outdoes any seqno. */
void ledgerClientSawHead(LedgerClient *p, LedgerTxid id) {
  if( id.seqno == 0 ) return;
  if( id.view > p->iViewMax ) p->iViewMax = id.view;
  if( id.view > p->head.view ||
      (id.view == p->head.view && id.seqno > p->head.seqno) ) {
    p->head = id;
  }
}

/* An answer showed that this id is committed, and with it all ids of its view
** before it. */
void ledgerClientSawCommitted(LedgerClient *p, LedgerTxid id) {
  LedgerTxid own = p->sent;
  if( id.seqno == 0 ) return;
  if( id.view > p->iViewMax ) p->iViewMax = id.view;
  if( id.seqno > p->committed.seqno ) p->committed = id;
  if( id.seqno <= own.seqno )
    own = id;
  else if( id.view != own.view )
    return;
  if( own.seqno > p->appended.seqno ) p->appended = own;
}

void ledgerClientFacts(LedgerClient *p, LedgerFacts *pFacts) {
  LedgerError err = LEDGER_ERROR_INIT;
  const LedgerTrust *pTrust = &p->trust;

  memset(pFacts, 0, sizeof(*pFacts));
  pFacts->zApiVersion =
      p->bAnswered || p->pConfig->zApiVersion ? ledgerClientVersion(p) : NULL;
  pFacts->zCredential = p->auth.zKind;
  if( pFacts->zCredential == NULL ) {
    ledgerCredentialKind(p->pConfig, &pFacts->zCredential, &err);
    ledgerErrorClear(&err);
  }
  pFacts->zPrincipal = p->auth.zPrincipal;
  if( p->pConfig->tlsPublic ) pFacts->zSource = "public_pki";
  if( pTrust->zPem ) {
    pFacts->zCertificate = pTrust->zPem;
    pFacts->zKeySha256 = pTrust->zKey;
    pFacts->zNotBefore = pTrust->zNotBefore;
    pFacts->zNotAfter = pTrust->zNotAfter;
    pFacts->zSource = pTrust->bPinned || p->pConfig->zServiceKey
                          ? "pinned"
                          : "identity_service";
    if( pTrust->bFetched ) pFacts->zIdentityUrl = p->pConfig->zIdentityUrl;
  }
  pFacts->head = p->head;
  pFacts->committed = p->committed;
  pFacts->appended = p->appended;
  pFacts->zSkewOf = p->zSkewOf;
  pFacts->sSkew = p->sSkew;
}

/* ---- the loop ---------------------------------------------------------- */

/* Moves client time on. */
static void clientTick(LedgerClient *p) {
  int64_t t = ledgerClockMs();
  int64_t ms = t - p->tReal;
  p->tReal = t;
  p->tNow += ms > CLIENT_GAP_MS ? CLIENT_GAP_MS : ms;
}

/* Asks the user's hook, not too often. */
int ledgerClientInterrupted(LedgerClient *p, LedgerError *pErr) {
  int64_t t;
  if( p->hooks.xInterrupted == NULL ) return LEDGER_OK;
  t = ledgerClockMs();
  if( t - p->tHook < CLIENT_HOOK_MS ) return LEDGER_OK;
  p->tHook = t;
  if( p->hooks.xInterrupted(p->hooks.pArg) == 0 ) return LEDGER_OK;
  ledgerAuthInterrupted(&p->auth);
  return ledgerErrorInterrupt(pErr);
}

/* Steps every call once. Only calls that are made meanwhile are put into the
** list, at its head; none is taken out but finished inner ones. */
static void clientStepCalls(LedgerClient *p) {
  LedgerCall *pCall, *pNext;
  for( pCall = p->pCalls; pCall; pCall = pNext ) {
    ledgerCallStep(pCall);
    pNext = pCall->pNext;
  }
}

/* Whether the identity or the token that calls wait for has come in. */
static int clientInnerDone(const LedgerClient *p) {
  const LedgerCall *pTrust = p->trust.pCall;
  return (pTrust && pTrust->eState == LEDGER_CALL_DONE) ||
         ledgerAuthDue(&p->auth);
}

/* Lets libcurl do what it can without waiting. */
static int clientPerform(LedgerClient *p, LedgerError *pErr) {
  LedgerSession *pSession;
  if( ledgerHttpPerform(p->pHttp, pErr) ) return pErr->rc;
  for( pSession = p->pSessions; pSession; pSession = pSession->pNext ) {
    if( ledgerHttpPerform(pSession->pHttp, pErr) ) break;
  }
  return pErr->rc;
}

/* Waits until something can be done, at most ms milliseconds. While a session
** is at work, it is the one that is waited for. */
int ledgerClientPoll(LedgerClient *p, int ms, LedgerError *pErr) {
  const LedgerSession *pSession = p->pSessions;
  while( pSession && ledgerHttpRunning(pSession->pHttp) == 0 ) {
    pSession = pSession->pNext;
  }
  return ledgerHttpPoll(pSession ? pSession->pHttp : p->pHttp, ms, pErr);
}

/* Milliseconds until the call has to be stepped again by itself. */
static int64_t clientDue(const LedgerClient *p, const LedgerCall *pCall) {
  switch( pCall->eState ) {
    case LEDGER_CALL_PAUSE: return pCall->tAt - p->tNow;
    case LEDGER_CALL_ELSE:
      return pCall->pElse->eState == LEDGER_CALL_DONE ? 0 : CLIENT_SLICE_MS;
    case LEDGER_CALL_RUN: return pCall->pEx->bDone ? 0 : CLIENT_SLICE_MS;
    case LEDGER_CALL_START:
      if( pCall->pKind && pCall->pKind->bPublic ) return 0;
      return clientInnerDone(p) ? 0 : CLIENT_SLICE_MS;
    default: return CLIENT_SLICE_MS;
  }
}

/*
** Moves all calls on without waiting. *pmsNext is how long the caller may wait
** before the next step is due, at most CLIENT_SLICE_MS.
*/
int ledgerClientStep(LedgerClient *p, int *pmsNext, LedgerError *pErr) {
  LedgerClient *pEach;
  LedgerCall *pCall;

  *pmsNext = 0;
  if( p->bPumping ) return LEDGER_OK;
  p->bPumping = 1;
  clientTick(p);
  if( p->bDropConnections && ledgerHttpReset(p->pHttp, pErr) == LEDGER_OK ) {
    p->bDropConnections = 0;
  }
  if( pErr->rc || clientPerform(p, pErr) ) goto out;
  clientStepCalls(p);
  if( clientPerform(p, pErr) ) goto out;
  *pmsNext = CLIENT_SLICE_MS;
  for( pEach = p->pSecondary; pEach; pEach = pEach->pNextSecondary ) {
    int ms;
    if( ledgerClientStep(pEach, &ms, pErr) ) goto out;
    if( ms < *pmsNext ) *pmsNext = ms;
  }
  for( pCall = p->pCalls; pCall; pCall = pCall->pNext ) {
    int64_t ms = clientDue(p, pCall);
    if( ms < *pmsNext ) *pmsNext = ms < 0 ? 0 : (int)ms;
  }
out:
  p->bPumping = 0;
  return pErr->rc;
}

int ledgerClientPump(LedgerClient *p, LedgerError *pErr) {
  int msNext;
  return ledgerClientStep(p, &msNext, pErr);
}

int ledgerClientSleep(LedgerClient *p, int ms, LedgerError *pErr) {
  const int64_t tEnd = ledgerClockMs() + ms;
  for( ;; ) {
    int64_t msLeft = tEnd - ledgerClockMs();
    int msNext = 0;
    if( msLeft <= 0 ) return LEDGER_OK;
    if( ledgerClientInterrupted(p, pErr) ) return pErr->rc;
    if( ledgerClientStep(p, &msNext, pErr) ) return pErr->rc;
    if( msLeft < msNext ) msNext = (int)msLeft;
    if( ledgerClientPoll(p, msNext, pErr) ) return pErr->rc;
  }
}

void ledgerClientVersions(LedgerBuf *pBuf) {
  const curl_version_info_data *pInfo = curl_version_info(CURLVERSION_NOW);
  ledgerBufPrintf(pBuf, "libcurl %s (%s)\n", pInfo->version,
                  pInfo->ssl_version ? pInfo->ssl_version : "no TLS");
  ledgerBufPrintf(pBuf, "%s\n", OpenSSL_version(OPENSSL_VERSION));
  ledgerBufPrintf(pBuf, "cJSON %s\n", cJSON_Version());
}
