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
**   - nothing here waits or sleeps (client/loop.c does): a pause is a time at
**     which ledgerCallStep() sends again;
**   - an append is sent again only where the one before it certainly was not
**     recorded (retry.c);
**   - the credential goes to the ledger's host, or one below it, only.
**
** Times are client time (LedgerClient.tNow), which stands while nobody waits:
** a reader that pauses between two pages doesn't run into a timeout.
*/
#include "client/call/callInt.h"

#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- life --------------------------------------------------------------- */

/* Makes a call and puts it into the client's list. The caller fills what is to
** be sent and calls ledgerLoopStart(), or within the loop ledgerCallBegin(). */
int ledgerCallNew(LedgerClient *pClient, const LedgerCallKind *pKind,
                  LedgerCall **ppCall, LedgerError *pErr) {
  LedgerCall *p = calloc(1, sizeof(*p));
  *ppCall = NULL;
  if( p && pKind && pKind->nAnswer ) p->pAnswer = calloc(1, pKind->nAnswer);
  if( p == NULL || (pKind && pKind->nAnswer && p->pAnswer == NULL) ) {
    free(p);
    return ledgerErrorNomem(pErr);
  }
  *ppCall = p;
  p->pClient = pClient;
  p->pKind = pKind;
  p->eState = LEDGER_CALL_PAUSE;
  p->tAt = INT64_MAX; /* until it is started */
  p->eOutcome = LEDGER_UNSENT;
  if( pKind && !pKind->bPublic ) p->pSession = pClient->pUse;
  if( p->pSession ) p->bNoSecondary = 1;
  /* What a secondary says is not this ledger's word. */
  p->bCache = pKind && pKind->bCache && ledgerCacheWanted(pClient->pConfig) &&
              pClient->pOwner == NULL && p->pSession == NULL;
  p->pNext = pClient->pCalls;
  if( p->pNext ) p->pNext->pPrev = p;
  pClient->pCalls = p;
  return LEDGER_OK;
}

/* Starts the call; what drives the client sends it. */
void ledgerCallBegin(LedgerCall *p) {
  p->eState = LEDGER_CALL_START;
  p->tAt = 0;
}

/* Frees the exchange and what it carried. */
static void callEndExchange(LedgerCall *p) {
  if( p->pEx ) ledgerNoteExchange(p, "given up");
  ledgerExchangeFree(p->pEx);
  p->pEx = NULL;
}

/* The answer keeps n bytes more, until it is freed. */
void ledgerCallHold(LedgerCall *p, int64_t n) {
  p->nHeld += n;
  ledgerHttpHold(p->pClient->pHttp, n);
}

/* Who takes the answer over has its bytes to tell from now on: so many. */
int64_t ledgerCallHandOver(LedgerCall *p) {
  const int64_t n = p->nHeld;
  p->nHeld = 0;
  return n;
}

/* Somebody waits for this call: it doesn't wait for room. */
void ledgerCallWant(LedgerCall *p) {
  p->bWanted = 1;
  if( p->pEx ) p->pEx->bWanted = 1;
  if( p->pSecondary ) ledgerCallWant(p->pSecondary);
}

/* Takes the call out of its client: what runs is cancelled. */
void ledgerCallOrphan(LedgerCall *p) {
  LedgerClient *pClient = p->pClient;
  if( pClient == NULL ) return;
  callEndExchange(p);
  ledgerCallHold(p, -p->nHeld);
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
  pClient->pHooks->xUnwanted(pClient);
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
  free(p->zCacheKey);
  ledgerCallFree(p->pSecondary);
  if( p->pKind && p->pKind->xFree ) p->pKind->xFree(p);
  free(p->pAnswer);
  free(p);
}

void ledgerCallText(LedgerCall *p, char **pz, const char *z) {
  *pz = z ? ledgerStrdup(z) : NULL;
  if( z && *pz == NULL ) p->bOom = 1;
}

void ledgerCallPrint(LedgerCall *p, char **pz, const char *zFormat, ...) {
  va_list ap;
  va_start(ap, zFormat);
  if( vasprintf(pz, zFormat, ap) < 0 ) {
    *pz = NULL;
    p->bOom = 1;
  }
  va_end(ap);
}

/* Makes, but does not start, the same read as p at another ledger. */
int ledgerCallTwin(const LedgerCall *p, LedgerClient *pAt, LedgerCall **ppTwin,
                   LedgerError *pErr) {
  LedgerCall *pTwin;
  if( ledgerCallNew(pAt, p->pKind, ppTwin, pErr) ) return pErr->rc;
  pTwin = *ppTwin;
  ledgerCallText(pTwin, &pTwin->zWhat, p->zWhat);
  ledgerCallText(pTwin, &pTwin->zPath, p->zPath);
  ledgerCallText(pTwin, &pTwin->query.zSubLedger, p->query.zSubLedger);
  pTwin->id = p->id;
  return LEDGER_OK;
}

LedgerTxid ledgerCallHead(const LedgerCall *p) {
  return p->head;
}

/* Ends the call: p->err says how, in a text that a server may have had a part
** in: its code and message, an operation's id, a name. */
void ledgerCallDone(LedgerCall *p) {
  ledgerCallHide(p, p->err.zMsg);
  callEndExchange(p);
  if( p->err.rc && p->pKind && p->pKind->bFailover && !p->pSecondary &&
      !p->bNoSecondary && p->pClient->pConfig->pFailover &&
      p->pClient->pConfig->pFailover->xTake(p) ) {
    return;
  }
  p->eState = LEDGER_CALL_DONE;
}

/* ---- again and again ---------------------------------------------------- */

/* https://host:port that this attempt goes to. */
const char *ledgerCallBase(const LedgerCall *p) {
  if( p->zBase ) return p->zBase;
  if( p->pSession ) return p->pSession->zBase;
  if( p->pKind->bOnce && p->pClient->zPrimary ) return p->pClient->zPrimary;
  return p->pClient->pConfig->zUrl;
}

/* The limit of one attempt, in milliseconds. */
int ledgerCallTimeout(const LedgerCall *p) {
  return p->pKind->msTimeout ? p->pKind->msTimeout
                             : p->pClient->pConfig->timeoutMs;
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

/* Whether a node has answered that lags behind our own appends, or behind what
** the answer is to hold. */
int ledgerCallLags(const LedgerCall *p) {
  if( !p->pKind->bFresh || p->head.seqno == 0 ) return 0;
  return p->head.seqno < p->pClient->appended.seqno ||
         p->head.seqno < p->floor.seqno || p->head.view < p->floor.view;
}

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
    p->msPause = pClient->pConfig->poll.firstMs;
  } else {
    p->msPause += p->msPause / 2 + 1;
  }
  if( p->msPause > pClient->pConfig->poll.maxMs ) {
    p->msPause = pClient->pConfig->poll.maxMs;
  }
  if( pClient->tNow + p->msPause - p->tAgain > msTimeout ) {
    if( ledgerCallLags(p) ) {
      const int bOwn = p->head.seqno < pClient->appended.seqno;
      char zHas[LEDGER_TXID_MAX], zMore[LEDGER_TXID_MAX];
      ledgerErrorSet(
          &p->err, LEDGER_BUSY,
          "%s: after %d ms the ledger's node still has %s only, and "
          "lags behind %s, %s (%s %s)",
          p->zWhat, msTimeout, ledgerTxidFormat(p->head, zHas),
          ledgerTxidFormat(bOwn ? pClient->appended : p->floor, zMore),
          bOwn ? "appended here" : "which is committed", p->pKind->zMethod,
          p->zPath);
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
  /* Counted from its sending: who is far away has paused already. */
  callPause(p, 0);
  if( p->tStart + p->msPause > p->tAt ) p->tAt = p->tStart + p->msPause;
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
  int64_t ms = pConfig->retry.firstMs;
  int i;

  if( p->pKind->bNoRetry ) return 0;
  p->nRedirect = 0;
  if( p->tFailed == 0 ) p->tFailed = pClient->tNow ? pClient->tNow : 1;
  p->msBudget = msBudget;
  if( msAfter >= 0 ) {
    ms = msAfter;
  } else {
    for( i = 1; i < p->nAttempt && ms < pConfig->retry.maxMs; i++ ) ms *= 2;
    if( ms > pConfig->retry.maxMs ) ms = pConfig->retry.maxMs;
    ms = ms * callJitter(pClient) / 100;
  }
  if( pClient->tNow + ms - p->tFailed > msBudget ) return 0;
  if( pConfig->retry.maxAttempts > 0 &&
      p->nAttempt >= pConfig->retry.maxAttempts ) {
    return 0;
  }
  callPause(p, (int)ms);
  return 1;
}

/* ---- what it waits for --------------------------------------------------- */

/* The request that this one waits for: identity or token, or itself. */
static const LedgerCall *callInner(const LedgerCall *p) {
  const LedgerCall *pInner;
  if( p->eState != LEDGER_CALL_START ) return p;
  for( pInner = p->pClient->pCalls; pInner; pInner = pInner->pNext ) {
    if( pInner->pKind && pInner->pKind->bPublic &&
        pInner->eState != LEDGER_CALL_DONE ) {
      return pInner;
    }
  }
  return p;
}

void ledgerCallWaiting(const LedgerCall *p, LedgerWaiting *pWaiting) {
  const LedgerClient *pClient = p->pClient;
  p = callInner(p);
  memset(pWaiting, 0, sizeof(*pWaiting));
  pWaiting->zLedger = pClient->user.zName;
  pWaiting->zWhat = p->zWhat ? p->zWhat : "identity and credential";
  pWaiting->zName = p->query.zSubLedger;
  pWaiting->msLeft = -1;
  if( p->eState == LEDGER_CALL_SECONDARY ) {
    pWaiting->zState = "a secondary";
    return;
  }
  if( p->eState == LEDGER_CALL_PAUSE && p->tAt > pClient->tNow ) {
    pWaiting->msNext = p->tAt - pClient->tNow;
  }
  if( p->tFailed ) {
    pWaiting->nRetry = p->nAttempt - (p->eState == LEDGER_CALL_RUN);
    pWaiting->msLeft = p->msBudget - (pClient->tNow - p->tFailed);
  } else if( p->tAgain ) {
    pWaiting->zState = p->pKind && p->pKind->zNotYet && !ledgerCallLags(p)
                           ? p->pKind->zNotYet
                           : "an answer";
    pWaiting->msNext = 0; /* pauses of it are short */
    pWaiting->msLeft =
        pClient->pConfig->timeoutMs - (pClient->tNow - p->tAgain);
  } else if( p->eState == LEDGER_CALL_START ) {
    pWaiting->zState = "sign-in";
  }
  if( pWaiting->msLeft < -1 ) pWaiting->msLeft = 0;
}
