/*
** One attempt: what goes over the wire for a call, and the step that moves a
** call on from state to state.
**
** Invariants
**   - nothing here waits or sleeps: a pause is a time at which
**     ledgerCallStep() sends again;
**   - a request goes out only once identity and credential are here; what the
**     cache has doesn't go out at all.
*/
#include "client/call/callInt.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

/* ---- spelling ----------------------------------------------------------- */

/* Appends &name=value. */
static void sendParam(LedgerBuf *pUrl, const char *zName, const char *zValue) {
  if( zValue == NULL ) return;
  ledgerBufPrintf(pUrl, "&%s=", zName);
  ledgerBufUrl(pUrl, zValue, strlen(zValue));
}

/* Appends &name=view.seqno, where the bound is set and its view is known. */
static void sendBound(LedgerCall *p, LedgerBuf *pUrl, const char *zName,
                      LedgerTxid id) {
  char zId[LEDGER_TXID_MAX];
  if( id.seqno == 0 ) return;
  if( id.view == 0 ) id.view = ledgerKnownView(p->pClient, id.seqno);
  if( id.view == 0 ) id.view = p->pClient->iViewMax;
  if( id.view == 0 ) return;
  sendParam(pUrl, zName, ledgerTxidFormat(id, zId));
  p->bBounds = 1;
}

/* The URL of this attempt, in the dialect in use. */
static void sendUrl(LedgerCall *p, LedgerBuf *pUrl) {
  const LedgerParams *pQuery = &p->query;
  const char *zVersion = ledgerKnownVersion(p->pClient);
  size_t n;

  ledgerBufText(pUrl, ledgerCallBase(p));
  p->bBounds = 0;
  if( p->zLink ) {
    ledgerBufText(pUrl, p->zLink);
    if( !p->pKind->bPublic &&
        ledgerUrlParam(p->zLink, "api-version", &n) == NULL ) {
      ledgerBufPrintf(pUrl, "%capi-version=%s",
                      strchr(p->zLink, '?') ? '&' : '?', zVersion);
    }
    return;
  }
  ledgerBufPrintf(pUrl, "%s?api-version=", p->zPath);
  ledgerBufUrl(pUrl, zVersion, strlen(zVersion));
  sendParam(pUrl, p->pClient->pDialect->zSubLedger, pQuery->zSubLedger);
  sendBound(p, pUrl, "fromTransactionId", pQuery->from);
  sendBound(p, pUrl, "toTransactionId", pQuery->to);
  sendParam(pUrl, "tag", pQuery->zTag);
  sendParam(pUrl, "tags", pQuery->zTags);
  if( pQuery->bWait && (p->pClient->pDialect->mHas & LEDGER_HAS_WAIT) ) {
    sendParam(pUrl, "waitForCommit", "true");
  }
  if( pQuery->zKeyName ) sendParam(pUrl, pQuery->zKeyName, pQuery->zKey);
}

/* Keeps what the exchange carries and who asks, to compare with later. */
static int sendRemember(LedgerCall *p, LedgerError *pErr) {
  LedgerClient *pClient = p->pClient;
  ledgerSecretFree(p->zTokenSent);
  free(p->zVersionSent);
  p->zTokenSent = NULL;
  p->zVersionSent = NULL;
  if( p->pKind->bPublic ) return LEDGER_OK;
  p->bOwner = ledgerCacheWanted(pClient->pConfig) &&
              pClient->pHooks->xOwner(pClient, p->aOwner);
  p->zVersionSent = ledgerStrdup(ledgerKnownVersion(pClient));
  if( pClient->auth.zToken ) {
    p->zTokenSent = ledgerStrdup(pClient->auth.zToken);
    if( p->zTokenSent == NULL ) return ledgerErrorNomem(pErr);
  }
  return p->zVersionSent ? LEDGER_OK : ledgerErrorNomem(pErr);
}

/* ---- what is known already ---------------------------------------------- */

/*
** Whether the answer to this attempt is known: then the call is done, by the
** same xRead that has read it when it came. The one place that asks the cache:
** identity and credential are here, as they would be for sending.
*/
static int sendKnown(LedgerCall *p, const LedgerBuf *pUrl) {
  const char *zRest;
  LedgerExchange ex;

  if( pUrl->bOom ) return 0;
  zRest = pUrl->z + strlen(ledgerCallBase(p));
  memset(&ex, 0, sizeof(ex));
  if( !ledgerCacheAsk(p, zRest, &ex.body) ) {
    ledgerBufFree(&ex.body);
    return 0;
  }
  memset(&p->server, 0, sizeof(p->server));
  memset(&p->head, 0, sizeof(p->head)); /* it tells no state of a node */
  p->bCached = 1;
  p->http = 200;
  p->nAttempt++;
  if( ex.body.bOom ) {
    ledgerErrorNomem(&p->err);
  } else {
    p->pKind->xRead(p, &ex, &p->err);
  }
  if( ex.body.z ) OPENSSL_cleanse(ex.body.z, ex.body.n);
  ledgerBufFree(&ex.body);
  if( p->err.rc && p->err.rc != LEDGER_NOMEM ) { /* then it is asked for */
    ledgerCacheForget(p, zRest);
    return 0;
  }
  ledgerNoteCached(p, ledgerCallBase(p), zRest);
  ledgerCallDone(p);
  return 1;
}

/* ---- sending ------------------------------------------------------------ */

/* Starts an exchange: identity and token are here. */
static void sendStart(LedgerCall *p) {
  LedgerClient *pClient = p->pClient;
  LedgerConfig *pConfig = pClient->pConfig;
  LedgerHttp *pHttp = pClient->pHttp;
  LedgerBuf url = {0};
  LedgerWire w;

  memset(&w, 0, sizeof(w));
  if( p->bOom ) {
    ledgerErrorNomem(&p->err);
    ledgerCallDone(p);
    return;
  }
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
        ledgerDialectNeed(pClient->pDialect, ledgerKnownVersion(pClient),
                          p->mNeed, &p->err) ||
        sendRemember(p, &p->err) ) {
      ledgerCallDone(p);
      return;
    }
    w.zToken = pClient->auth.zToken;
    w.zCertificate = pClient->auth.zCertificate;
    w.zKey = pClient->auth.zKey;
  }
  sendUrl(p, &url);
  if( sendKnown(p, &url) ) {
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
  if( p->pKind->bPublic || pConfig->tlsPublic ) {
    w.zCaFile = pConfig->zCaFile;
  } else {
    w.zCaFile = pClient->trust.zPem;
    w.xVerify = ledgerTrustVerify;
    w.pVerifyArg = &pClient->trust;
  }
  w.nMax = pConfig->maxResponseBytes - p->nList;
  w.bCanWait = !p->pKind->bPublic && !p->pKind->bOnce;
  w.bKeepHeaders = ledgerLogDetailed(pConfig->zLog);
  if( url.bOom || p->body.bOom ) ledgerErrorNomem(&p->err);
  if( p->err.rc == 0 &&
      ledgerHttpStart(pHttp, &w, &p->pEx, &p->err) == LEDGER_OK ) {
    p->bFreshSent = p->bNewConnection;
    p->bNewConnection = 0;
    p->nAttempt++;
    p->eState = LEDGER_CALL_RUN;
    p->tStart = pClient->tNow;
    p->tPaused = 0;
    p->pEx->bWanted = p->bWanted;
  } else {
    ledgerCallDone(p);
  }
  ledgerBufFree(&url);
}

/* ---- driving ------------------------------------------------------------ */

/* Identity or credential can't be had: all calls that wait for it end. */
static void sendFailWaiting(LedgerClient *pClient, const LedgerError *pErr) {
  LedgerCall *p;
  for( p = pClient->pCalls; p; p = p->pNext ) {
    if( p->eState != LEDGER_CALL_START ) continue;
    if( p->pKind && p->pKind->bPublic ) continue;
    ledgerErrorCopy(&p->err, pErr);
    ledgerCallHide(p, p->err.zMsg);
    p->eState = LEDGER_CALL_DONE;
  }
}

/* The time that an answer waits for room is not the server's. */
static void sendPaused(LedgerCall *p) {
  const int64_t tNow = p->pClient->tNow;
  const int64_t ms = p->tPaused ? tNow - p->tPaused : 0;
  p->tStart += ms;
  if( p->tAgain ) p->tAgain += ms;
  if( p->tFailed ) p->tFailed += ms;
  p->tPaused = p->pEx->bPaused ? tNow : 0;
}

/* Moves one call on without waiting. */
void ledgerCallStep(LedgerCall *p) {
  LedgerClient *pClient = p->pClient;

  if( p->eState == LEDGER_CALL_RUN ) {
    sendPaused(p);
    if( ledgerExchangeEnded(p->pEx) ) {
      ledgerRetryRead(p);
    } else if( pClient->tNow - p->tStart > ledgerCallTimeout(p) ) {
      ledgerRetryTimedOut(p);
    }
  }
  if( p->eState == LEDGER_CALL_SECONDARY )
    pClient->pConfig->pFailover->xStep(p);
  if( p->eState == LEDGER_CALL_PAUSE && pClient->tNow >= p->tAt ) {
    p->eState = LEDGER_CALL_START;
  }
  if( p->eState == LEDGER_CALL_START ) {
    LedgerError err = LEDGER_ERROR_INIT;
    int bReady = 1;
    if( p->pKind == NULL || !p->pKind->bPublic ) {
      pClient->pHooks->xReady(pClient, &bReady, &err);
    }
    if( err.rc )
      sendFailWaiting(pClient, &err);
    else if( bReady && p->pKind )
      sendStart(p);
    else if( bReady )
      ledgerCallDone(p);
    ledgerErrorClear(&err);
  }
}
