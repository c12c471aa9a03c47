/*
** A request as the rooms above see it: started, waited for, finished with one
** answer or one error. Behind it stand as many exchanges as it takes.
**
**                  +-------------- again, retry --------------+
**                  v                                          |
**   START --> identity, token --> RUN --> answer ---------> PAUSE
**     ^                            |         |
**     |                            |         +--> DONE
**     +-- redirect, version, 401 --+
**
** Invariants
**   - nothing here waits or sleeps: a pause is a time at which
**     ledgerCallStep() sends again;
**   - an append is sent again only where the one before it certainly was not
**     recorded (call/retry.c);
**   - the credential goes to the ledger's host, or one below it, only.
**
** Times are client time (LedgerClient.tNow), which stands while nobody waits:
** a reader that pauses between two pages doesn't run into a timeout.
*/
#include "client/clientInt.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- life -------------------------------------------------------------- */

/* Makes a call and puts it into the client's list. The caller fills what is to
** be sent and calls ledgerCallStart(). */
int ledgerCallNew(LedgerClient *pClient, const LedgerCallKind *pKind,
                  LedgerCall **ppCall, LedgerError *pErr) {
  LedgerCall *p = calloc(1, sizeof(*p));
  *ppCall = p;
  if( p == NULL ) return ledgerErrorNomem(pErr);
  p->pClient = pClient;
  p->pKind = pKind;
  p->eState = LEDGER_CALL_PAUSE;
  p->tAt = INT64_MAX; /* until it is started */
  p->eOutcome = LEDGER_UNSENT;
  if( pKind && !pKind->bPublic ) p->pSession = pClient->pUse;
  if( p->pSession ) p->bHere = 1;
  /* What a secondary says is not this ledger's word. */
  p->bCache = pKind && pKind->bCache && pClient->pConfig->cache &&
              pClient->pOwner == NULL && p->pSession == NULL;
  p->pNext = pClient->pCalls;
  if( p->pNext ) p->pNext->pPrev = p;
  pClient->pCalls = p;
  return LEDGER_OK;
}

/* Frees the exchange and what it carried. */
static void callEndExchange(LedgerCall *p) {
  if( p->pEx ) ledgerLogExchange(p, "given up");
  ledgerExchangeFree(p->pEx);
  p->pEx = NULL;
}

/* Takes the call out of its client: what runs is cancelled. */
void ledgerCallOrphan(LedgerCall *p) {
  LedgerClient *pClient = p->pClient;
  if( pClient == NULL ) return;
  callEndExchange(p);
  if( p->pPrev )
    p->pPrev->pNext = p->pNext;
  else
    pClient->pCalls = p->pNext;
  if( p->pNext ) p->pNext->pPrev = p->pPrev;
  p->pNext = p->pPrev = NULL;
  p->pSession = NULL;
  if( p->eState != LEDGER_CALL_DONE ) {
    p->eState = LEDGER_CALL_DONE;
    ledgerErrorSet(&p->err, LEDGER_INTERRUPT, "the ledger was detached");
  }
  p->pClient = NULL;
  ledgerAuthUnwanted(pClient);
}

void ledgerCallFree(LedgerCall *p) {
  if( p == NULL ) return;
  ledgerCallOrphan(p);
  free(p->zWhat);
  free(p->zPath);
  free(p->zLink);
  free(p->zBase);
  free(p->query.zSubLedger);
  free(p->query.zTag);
  free(p->query.zTags);
  free(p->query.zKey);
  free(p->zGiven);
  ledgerJsonFree(p->pDoc);
  if( p->pKind && p->pKind->bPublic ) {
    if( p->body.z ) OPENSSL_cleanse(p->body.z, p->body.n); /* a secret */
  }
  ledgerBufFree(&p->body);
  ledgerSecretFree(p->zTokenSent);
  free(p->zVersionSent);
  ledgerSecretFree(p->zSecret);
  ledgerSecretFree(p->azHeader[0]);
  ledgerSecretFree(p->azHeader[1]);
  ledgerErrorClear(&p->err);
  ledgerEntryListFree(&p->list);
  free(p->zNext);
  free(p->walk.zMark);
  free(p->zCacheKey);
  ledgerSecretFree(p->zValue);
  free(p->zOperation);
  free(p->zElsewhere);
  ledgerCallFree(p->pElse);
  free(p->azName);
  free(p);
}

LedgerTxid ledgerCallHead(const LedgerCall *p) {
  return p->head;
}

/* Ends the call, with an error unless pErr is NULL. */
void ledgerCallFail(LedgerCall *p, const LedgerError *pErr) {
  if( p->eState == LEDGER_CALL_DONE ) return;
  if( pErr ) ledgerErrorCopy(&p->err, pErr);
  ledgerSecretsHide(p, p->err.zMsg);
  callEndExchange(p);
  p->eState = LEDGER_CALL_DONE;
}

/* Ends the call: p->err says how, in a text that a server may have had a part
** in: its code and message, an operation's id, a name. */
void ledgerCallDone(LedgerCall *p) {
  ledgerSecretsHide(p, p->err.zMsg);
  callEndExchange(p);
  if( p->err.rc && ledgerSecondaryTake(p) ) return;
  p->eState = LEDGER_CALL_DONE;
}

/* ---- sending ----------------------------------------------------------- */

/* https://host:port that this attempt goes to. */
const char *ledgerCallBase(const LedgerCall *p) {
  if( p->zBase ) return p->zBase;
  if( p->pSession ) return p->pSession->zBase;
  if( p->pKind->bOnce && p->pClient->zPrimary ) return p->pClient->zPrimary;
  return p->pClient->pConfig->zUrl;
}

/* Appends &name=value. */
static void callParam(LedgerBuf *pUrl, const char *zName, const char *zValue) {
  if( zValue == NULL ) return;
  ledgerBufPrintf(pUrl, "&%s=", zName);
  ledgerBufUrl(pUrl, zValue, strlen(zValue));
}

/* Appends &name=view.seqno, where the bound is set and its view is known. */
static void callBound(LedgerCall *p, LedgerBuf *pUrl, const char *zName,
                      LedgerTxid id) {
  char zId[LEDGER_TXID_MAX];
  if( id.seqno == 0 ) return;
  if( id.view == 0 ) id.view = p->pClient->iViewMax;
  if( id.view == 0 ) return;
  callParam(pUrl, zName, ledgerTxidFormat(id, zId));
  p->bBounds = 1;
}

/* The URL of this attempt, in the dialect in use. */
static void callUrl(LedgerCall *p, LedgerBuf *pUrl) {
  const LedgerParams *pQuery = &p->query;
  const char *zVersion = ledgerClientVersion(p->pClient);
  size_t n;

  ledgerBufText(pUrl, ledgerCallBase(p));
  p->bBounds = 0;
  if( p->zLink ) {
    ledgerBufText(pUrl, p->zLink);
    if( !p->pKind->bPublic &&
        ledgerLinkParam(p->zLink, "api-version", &n) == NULL ) {
      ledgerBufPrintf(pUrl, "%capi-version=%s",
                      strchr(p->zLink, '?') ? '&' : '?', zVersion);
    }
    return;
  }
  ledgerBufPrintf(pUrl, "%s?api-version=", p->zPath);
  ledgerBufUrl(pUrl, zVersion, strlen(zVersion));
  callParam(pUrl, p->pClient->pDialect->zSubLedger, pQuery->zSubLedger);
  callBound(p, pUrl, "fromTransactionId", pQuery->from);
  callBound(p, pUrl, "toTransactionId", pQuery->to);
  callParam(pUrl, "tag", pQuery->zTag);
  callParam(pUrl, "tags", pQuery->zTags);
  if( pQuery->bWait && (p->pClient->pDialect->mHas & LEDGER_HAS_WAIT) ) {
    callParam(pUrl, "waitForCommit", "true");
  }
  if( pQuery->zKeyName ) callParam(pUrl, pQuery->zKeyName, pQuery->zKey);
}

/* Keeps what the exchange carries, to compare with when it is refused. */
static int callRemember(LedgerCall *p, LedgerError *pErr) {
  LedgerClient *pClient = p->pClient;
  ledgerSecretFree(p->zTokenSent);
  free(p->zVersionSent);
  p->zTokenSent = NULL;
  p->zVersionSent = NULL;
  if( p->pKind->bPublic ) return LEDGER_OK;
  p->zVersionSent = ledgerStrdup(ledgerClientVersion(pClient));
  if( pClient->auth.zToken ) {
    p->zTokenSent = ledgerStrdup(pClient->auth.zToken);
    if( p->zTokenSent == NULL ) return ledgerErrorNomem(pErr);
  }
  return p->zVersionSent ? LEDGER_OK : ledgerErrorNomem(pErr);
}

/* ---- what is known already ---------------------------------------------- */

/* The cache, for the identity and the principal in force, or NULL where it may
** not be used. A token that doesn't say whose it is may be another's the next
** time it is fetched. */
static LedgerCache *callCache(LedgerCall *p, int64_t *piEra) {
  LedgerClient *pClient = p->pClient;
  const LedgerAuth *pAuth = &pClient->auth;
  if( !p->bCache || p->zLink ) return NULL;
  if( pAuth->zPrincipal == NULL && pAuth->bRefreshable ) return NULL;
  if( pClient->pCache == NULL ) pClient->pCache = ledgerCacheNew();
  if( pClient->pCache == NULL ) return NULL;
  *piEra =
      ledgerCacheOwner(pClient->pCache, pClient->trust.zKey, pAuth->zPrincipal);
  return pClient->pCache;
}

/*
** Whether the answer to this attempt is known: then the call is done, by the
** same xRead that has read it when it came. The one place that asks the cache:
** identity and credential are here, as they would be for sending.
*/
static int callKnown(LedgerCall *p, const LedgerBuf *pUrl) {
  LedgerCache *pCache;
  LedgerExchange ex;
  const char *zKey, *z;
  size_t n;

  free(p->zCacheKey);
  p->zCacheKey = NULL;
  if( pUrl->bOom || (pCache = callCache(p, &p->iCacheEra)) == NULL ) return 0;
  zKey = pUrl->z + strlen(ledgerCallBase(p));
  z = ledgerCacheGet(pCache, zKey, &n);
  if( z == NULL ) {
    p->zCacheKey = ledgerStrdup(zKey); /* no memory: not kept */
    return 0;
  }
  memset(&ex, 0, sizeof(ex));
  memset(&p->server, 0, sizeof(p->server));
  memset(&p->head, 0, sizeof(p->head)); /* it tells no state of a node */
  ledgerBufAppend(&ex.body, z, n);      /* a copy: xRead frees it */
  p->bCached = 1;
  p->http = 200;
  p->nAttempt++;
  if( ex.body.bOom ) {
    ledgerErrorNomem(&p->err);
  } else {
    ledgerLogCached(p, pUrl->z);
    p->pKind->xRead(p, &ex, &p->err);
  }
  if( ex.body.z ) OPENSSL_cleanse(ex.body.z, ex.body.n);
  ledgerBufFree(&ex.body);
  ledgerCallDone(p);
  return 1;
}

/* A copy of the answer that has come, before xRead takes it; empty where it is
** not to be kept. ledgerCallKeep() takes it back. */
LedgerBuf ledgerCallCopy(const LedgerCall *p) {
  LedgerBuf copy = {0};
  if( p->zCacheKey && p->pEx->body.z ) {
    ledgerBufAppend(&copy, p->pEx->body.z, p->pEx->body.n);
  }
  return copy;
}

/* Keeps the answer, if xRead found that it will never change, and it is still
** of the identity that it was asked of. Frees the copy. */
void ledgerCallKeep(LedgerCall *p, LedgerBuf *pCopy) {
  LedgerCache *pCache;
  int64_t iEra;
  if( p->zCacheKey && p->bFinal && p->err.rc == LEDGER_OK && !pCopy->bOom &&
      (pCache = callCache(p, &iEra)) != NULL && iEra == p->iCacheEra ) {
    ledgerCachePut(pCache, p->zCacheKey, pCopy->z, pCopy->n,
                   p->pClient->pConfig->cacheMaxBytes);
  }
  if( pCopy->z ) OPENSSL_cleanse(pCopy->z, pCopy->n);
  ledgerBufFree(pCopy);
}

/* ---- one attempt -------------------------------------------------------- */

/* Starts an exchange: identity and token are here. */
static void callSend(LedgerCall *p) {
  LedgerClient *pClient = p->pClient;
  LedgerConfig *pConfig = pClient->pConfig;
  LedgerHttp *pHttp = pClient->pHttp;
  LedgerBuf url = {0};
  LedgerWire w;

  memset(&w, 0, sizeof(w));
  if( p->pSession && p->pSession->bEnded ) {
    ledgerErrorSet(&p->err, LEDGER_BUSY,
                   "%s: not sent: the connection that it belongs to is lost",
                   p->zWhat);
    ledgerCallDone(p);
    return;
  }
  if( p->pSession ) {
    pHttp = p->pSession->pHttp;
    w.pbHeld = &p->pSession->bOpen;
    /* libcurl would keep the one before, too, and take it for what follows. */
    if( p->bNewConnection && ledgerHttpReset(pHttp, &p->err) && p->err.rc ) {
      ledgerCallDone(p);
      return;
    }
  }
  if( !p->pKind->bPublic ) {
    if( (p->pKind->xSpell && p->pKind->xSpell(p, &p->err)) ||
        ledgerDialectNeed(pClient->pDialect, ledgerClientVersion(pClient),
                          p->mNeed, &p->err) ||
        callRemember(p, &p->err) ) {
      ledgerCallDone(p);
      return;
    }
    w.pTrust = pConfig->tlsPublic ? NULL : &pClient->trust;
    w.zToken = pClient->auth.zToken;
    w.zCertificate = pClient->auth.zCertificate;
    w.zKey = pClient->auth.zKey;
  }
  callUrl(p, &url);
  if( callKnown(p, &url) ) {
    ledgerBufFree(&url);
    return;
  }
  w.zMethod = p->pKind->zMethod;
  w.zUrl = url.z;
  w.zType = p->zType;
  w.zBody = p->body.z;
  w.nBody = p->body.n;
  w.bOnce = p->pKind->bOnce;
  if( w.bOnce ) p->floor = pClient->committed;
  w.bFresh = p->bNewConnection;
  w.azHeader = (const char *const *)p->azHeader;
  w.bPlain = p->pKind->bPlain;
  w.msConnect =
      p->pKind->msConnect ? p->pKind->msConnect : pConfig->connectTimeoutMs;
  w.zCaFile = pConfig->zCaFile;
  w.nMax = pConfig->maxResponseBytes;
  w.bKeepHeaders = ledgerLogDetailed(pClient);
  if( url.bOom || p->body.bOom ) ledgerErrorNomem(&p->err);
  if( p->err.rc == 0 &&
      ledgerHttpStart(pHttp, &w, &p->pEx, &p->err) == LEDGER_OK ) {
    p->bFreshSent = p->bNewConnection;
    p->bNewConnection = 0;
    p->nAttempt++;
    p->eState = LEDGER_CALL_RUN;
    p->tStart = pClient->tNow;
  } else {
    ledgerCallDone(p);
  }
  ledgerBufFree(&url);
}

/* Sends at once, as soon as identity and token are there. */
void ledgerCallResend(LedgerCall *p) {
  callEndExchange(p);
  p->eState = LEDGER_CALL_START;
}

/* Sends again after ms milliseconds. */
static void callPause(LedgerCall *p, int ms) {
  callEndExchange(p);
  p->eState = LEDGER_CALL_PAUSE;
  p->tAt = p->pClient->tNow + ms;
}

/* ---- again and again --------------------------------------------------- */

/* The answer is "not yet": asks again after a pause that grows, until
** timeout_ms are over. */
void ledgerCallAgain(LedgerCall *p) {
  const LedgerClient *pClient = p->pClient;
  const int msTimeout = pClient->pConfig->timeoutMs;

  p->bAgain = 0;
  p->nAttempt = 0;
  p->nRedirect = 0;
  p->tFailed = 0;
  if( p->tAgain == 0 ) {
    p->tAgain = pClient->tNow ? pClient->tNow : 1;
    p->msPause = pClient->pConfig->pollFirstMs;
  } else {
    p->msPause += p->msPause / 2 + 1;
  }
  if( p->msPause > pClient->pConfig->pollMaxMs ) {
    p->msPause = pClient->pConfig->pollMaxMs;
  }
  if( pClient->tNow + p->msPause - p->tAgain > msTimeout ) {
    if( p->pKind->bFresh && p->head.seqno > 0 &&
        p->head.seqno < pClient->appended.seqno ) {
      char zHas[LEDGER_TXID_MAX], zOwn[LEDGER_TXID_MAX];
      ledgerErrorSet(&p->err, LEDGER_BUSY,
                     "%s: after %d ms the ledger's node still has %s only, and "
                     "lags behind %s, appended here (%s %s)",
                     p->zWhat, msTimeout, ledgerTxidFormat(p->head, zHas),
                     ledgerTxidFormat(pClient->appended, zOwn),
                     p->pKind->zMethod, p->zPath);
    } else if( p->pKind->xOver ) {
      p->pKind->xOver(p, &p->err);
    } else {
      ledgerErrorSet(&p->err, LEDGER_BUSY,
                     "%s: still not ready after %d ms (%s %s)", p->zWhat,
                     msTimeout, p->pKind->zMethod, p->zPath);
    }
    ledgerCallDone(p);
    return;
  }
  callPause(p, p->msPause);
}

/* A number from 50 to 100, another each time. */
static int callJitter(LedgerClient *p) {
  p->iJitter = p->iJitter * 1664525u + 1013904223u;
  return 50 + (int)((p->iJitter >> 16) % 51);
}

/*
** Sends again after a failure, where the budget allows: msBudget from the first
** one on. msAfter is the server's Retry-After, or -1. Returns 0 when the budget
** or the number of attempts is spent.
*/
int ledgerCallRetry(LedgerCall *p, int msBudget, int msAfter) {
  LedgerClient *pClient = p->pClient;
  const LedgerConfig *pConfig = pClient->pConfig;
  int64_t ms = pConfig->retryFirstMs;
  int i;

  if( p->pKind->bNoRetry ) return 0;
  p->nRedirect = 0;
  if( p->tFailed == 0 ) p->tFailed = pClient->tNow ? pClient->tNow : 1;
  if( msAfter >= 0 ) {
    ms = msAfter;
  } else {
    for( i = 1; i < p->nAttempt && ms < pConfig->retryMaxMs; i++ ) ms *= 2;
    if( ms > pConfig->retryMaxMs ) ms = pConfig->retryMaxMs;
    ms = ms * callJitter(pClient) / 100;
  }
  if( pClient->tNow + ms - p->tFailed > msBudget ) return 0;
  if( pConfig->retryMaxAttempts > 0 &&
      p->nAttempt >= pConfig->retryMaxAttempts ) {
    return 0;
  }
  callPause(p, (int)ms);
  return 1;
}

/* ---- driving ----------------------------------------------------------- */

/* The limit of one attempt, in milliseconds. */
int ledgerCallTimeout(const LedgerCall *p) {
  return p->pKind->msTimeout ? p->pKind->msTimeout
                             : p->pClient->pConfig->timeoutMs;
}

/* Identity or credential can't be had: all calls that wait for it end. */
static void callFailWaiting(LedgerClient *pClient, const LedgerError *pErr) {
  LedgerCall *p;
  for( p = pClient->pCalls; p; p = p->pNext ) {
    if( p->eState != LEDGER_CALL_START ) continue;
    if( p->pKind == NULL || !p->pKind->bPublic ) ledgerCallFail(p, pErr);
  }
}

/* Moves one call on without waiting. */
void ledgerCallStep(LedgerCall *p) {
  LedgerClient *pClient = p->pClient;

  if( p->eState == LEDGER_CALL_RUN ) {
    if( p->pEx->bDone ) {
      ledgerOutcomeRead(p);
    } else if( pClient->tNow - p->tStart > ledgerCallTimeout(p) ) {
      ledgerOutcomeTimedOut(p);
    }
  }
  if( p->eState == LEDGER_CALL_ELSE ) ledgerSecondaryStep(p);
  if( p->eState == LEDGER_CALL_PAUSE && pClient->tNow >= p->tAt ) {
    p->eState = LEDGER_CALL_START;
  }
  if( p->eState == LEDGER_CALL_START ) {
    LedgerError err = LEDGER_ERROR_INIT;
    int bTrust = 1, bAuth = 1;
    if( p->pKind == NULL || !p->pKind->bPublic ) {
      /* Both start at once; each is done when both are there. */
      if( ledgerAuthReady(pClient, &bAuth, &err) == LEDGER_OK ) {
        ledgerTrustReady(pClient, &bTrust, &err);
      }
    }
    if( err.rc )
      callFailWaiting(pClient, &err);
    else if( bTrust && bAuth && p->pKind )
      callSend(p);
    else if( bTrust && bAuth )
      ledgerCallDone(p);
    ledgerErrorClear(&err);
  }
}

/* Starts the call, and lets its first bytes out where nothing is missing. */
void ledgerCallStart(LedgerCall *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  p->eState = LEDGER_CALL_START;
  p->tAt = 0;
  ledgerClientPump(p->pClient, &err);
  ledgerErrorClear(&err); /* it stays with the calls concerned */
}

/* Moves all calls on while somebody waits for one. */
static int callStepWaiting(LedgerClient *p, int *pmsNext, LedgerError *pErr) {
  p->bWaiting = 1;
  ledgerClientStep(p, pmsNext, pErr);
  p->bWaiting = 0;
  return pErr->rc;
}

/* A wait is over: a tool that was started meanwhile for other calls is waited
** for too, since nobody may look at it for a long time now. */
static int callSettle(LedgerClient *p, LedgerError *pErr) {
  int msNext = 0;
  if( p ) ledgerAuthUnwanted(p);
  while( p && ledgerAuthHasChild(&p->auth) ) {
    if( ledgerClientInterrupted(p, pErr) ||
        callStepWaiting(p, &msNext, pErr) ) {
      break;
    }
    ledgerAuthUnwanted(p);
    if( ledgerAuthHasChild(&p->auth) && ledgerClientPoll(p, msNext, pErr) ) {
      break;
    }
  }
  return pErr->rc;
}

int ledgerCallWaitAny(LedgerCall *const *apCall, int n, int *pi,
                      LedgerError *pErr) {
  LedgerClient *pClient = NULL;
  int i;

  *pi = -1;
  for( ;; ) {
    int msNext = 0;
    for( i = 0; i < n; i++ ) {
      if( apCall[i] == NULL ) continue;
      if( apCall[i]->eState == LEDGER_CALL_DONE ) {
        *pi = i;
        /* Nothing was waited for: many of them in a row are a wait too. */
        if( apCall[i]->bCached && apCall[i]->pClient &&
            ledgerClientInterrupted(apCall[i]->pClient, pErr) ) {
          return pErr->rc;
        }
        return callSettle(apCall[i]->pClient, pErr);
      }
      pClient = apCall[i]->pClient;
    }
    if( pClient == NULL ) {
      return ledgerErrorSet(pErr, LEDGER_ERROR, "nothing to wait for");
    }
    if( ledgerClientInterrupted(pClient, pErr) ) return pErr->rc;
    if( callStepWaiting(pClient, &msNext, pErr) ) return pErr->rc;
    for( i = 0; i < n; i++ ) {
      if( apCall[i] && apCall[i]->eState == LEDGER_CALL_DONE ) break;
    }
    if( i < n ) continue;
    if( ledgerClientPoll(pClient, msNext, pErr) ) return pErr->rc;
  }
}

int ledgerCallWait(LedgerCall *p, LedgerError *pErr) {
  int i;
  if( ledgerCallWaitAny(&p, 1, &i, pErr) ) return pErr->rc;
  ledgerErrorCopy(pErr, &p->err);
  return pErr->rc;
}
