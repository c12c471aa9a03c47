/*
** What the end of an exchange means for its call: an answer, once more, later,
** elsewhere, or an error. Issues no request of its own.
**
** Invariants
**   - an append is sent again only where the one before it certainly was not
**     recorded (retryCertain, retryFailed);
**   - a primary is remembered for writes and forgotten on any failure. Only a
**     write is sent to it: a read may be sent to any node.
*/
#include "client/call/callInt.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The exchange ended without an answer. */
static void retryFailed(LedgerCall *p) {
  LedgerClient *pClient = p->pClient;
  LedgerExchange *pEx = p->pEx;
  int msBudget = pClient->pConfig->retry.budgetMs;

  ledgerErrorClear(&p->err);
  if( pEx->bStale && !ledgerSessionHolds(p) ) { /* on a new connection */
    p->nAttempt--;
    p->bNewConnection = 1;
    ledgerCallResend(p);
    return;
  }
  ledgerResponseFailed(p, &p->err);
  ledgerRedirectForget(p);
  if( pEx->eFail == LEDGER_FAIL_REFUSED ) {
    p->eOutcome = LEDGER_REFUSED; /* nobody took the request */
    ledgerSessionEnd(p, -1);
    ledgerCallDone(p);
    return;
  }
  if( p->pKind->bOnce && pEx->bSent ) p->eOutcome = LEDGER_OUTCOME_UNKNOWN;
  if( ledgerSessionHolds(p) || (p->pKind->bOnce && pEx->bSent) ) {
    ledgerSessionEnd(p, -1);
    ledgerCallDone(p);
    return;
  }
  if( pEx->eFail == LEDGER_FAIL_TRUST && !p->pKind->bPublic && !p->bRenewed &&
      !ledgerFailureIsName(pEx->iVerify) && pClient->pHooks->xRenew(pClient) ) {
    p->bRenewed = 1;
    ledgerErrorClear(&p->err);
    ledgerCallResend(p);
    return;
  }
  /* No server has ever answered: the name may be wrong. */
  if( pEx->eFail == LEDGER_FAIL_CONNECT && !pClient->bAnswered &&
      msBudget > pClient->pConfig->retry.firstContactMs ) {
    msBudget = pClient->pConfig->retry.firstContactMs;
  }
  if( !pEx->bFinal && ledgerCallRetry(p, msBudget, -1) ) {
    ledgerErrorClear(&p->err);
    return;
  }
  ledgerCallDone(p);
}

/* No answer within timeout_ms. */
void ledgerRetryTimedOut(LedgerCall *p) {
  LedgerClient *pClient = p->pClient;
  const int bUnknown = p->pKind->bOnce && ledgerExchangeLeft(p->pEx);

  ledgerNoteExchange(p, "no answer within timeout_ms");
  p->http = 0;
  if( bUnknown ) p->eOutcome = LEDGER_OUTCOME_UNKNOWN;
  ledgerErrorSet(&p->err, bUnknown ? LEDGER_IOERR : LEDGER_BUSY,
                 "%s: no answer within %d ms%s (%s %s)", p->zWhat,
                 ledgerCallTimeout(p),
                 bUnknown ? ", whether the ledger recorded it is unknown"
                          : " (try again, or raise timeout_ms)",
                 p->pKind->zMethod, p->zPath);
  ledgerRedirectForget(p);
  if( bUnknown || ledgerSessionHolds(p) ) {
    ledgerSessionEnd(p, -1);
  } else if( ledgerCallRetry(p, pClient->pConfig->retry.budgetMs, -1) ) {
    ledgerErrorClear(&p->err);
    return;
  }
  ledgerCallDone(p);
}

/* 400 QueryParameterError about the version: chooses another one, once.
** Returns 0 when the refusal is about something else. */
static int retryNegotiate(LedgerCall *p) {
  LedgerClient *pClient = p->pClient;
  const LedgerDialect *pChoice;
  const char *zList = NULL;

  if( p->http != 400 || !ledgerDialectRefused(&p->server) ) return 0;
  pChoice = ledgerDialectChoose(p->server.zMessage, &zList);
  if( pClient->pConfig->zApiVersion || p->bNegotiated || pChoice == NULL ) {
    ledgerErrorSet(&p->err, LEDGER_ERROR,
                   "API version %s is refused%s%s: %s: %s (HTTP 400, %s %s)",
                   p->zVersionSent, zList ? ", the ledger offers " : "",
                   zList ? zList : "", p->server.zCode, p->server.zMessage,
                   p->pKind->zMethod, p->zPath);
    p->err.http = 400;
    p->eOutcome = LEDGER_REFUSED;
    ledgerCallDone(p);
    return 1;
  }
  p->bNegotiated = 1;
  /* Another call may have chosen meanwhile. */
  if( strcmp(ledgerKnownVersion(pClient), p->zVersionSent) == 0 &&
      ledgerKnownSetVersion(pClient, pChoice->zVersion, &p->err) ) {
    ledgerCallDone(p);
    return 1;
  }
  p->nAttempt--;
  ledgerCallResend(p);
  return 1;
}

/* Whether a refusal says for certain that nothing was recorded, and that the
** same request may pass later. */
static int retryCertain(const LedgerCall *p) {
  const char *zCode = p->server.zCode;
  if( p->http == 429 ) return 1;
  if( p->http == 500 && strcmp(zCode, "SessionConsistencyLost") == 0 ) return 1;
  if( p->http == 404 && strcmp(zCode, "FrontendNotOpen") == 0 ) return 1;
  if( strcmp(zCode, "TransactionRolledBack") == 0 ) return 1;
  return p->http == 503 && p->server.bBody && p->head.seqno == 0 &&
         !p->pEx->bTwoIds;
}

/* Whether it says so, and that it never will pass: the ledger itself doesn't
** know how, as one that runs no functions. */
static int retryNever(const LedgerCall *p) {
  return p->http == 501 && p->server.bBody && p->head.seqno == 0;
}

/* Whether an idempotent request may be repeated after this status. */
static int retryMay(const LedgerCallKind *pKind, int iHttp) {
  if( pKind->xRetriable ) return pKind->xRetriable(iHttp);
  return iHttp == 408 || iHttp == 429 || iHttp == 500 || iHttp == 502 ||
         iHttp == 503 || iHttp == 504;
}

/* An answer above 399. */
static void retryRefused(LedgerCall *p) {
  LedgerClient *pClient = p->pClient;
  const LedgerCallKind *pKind = p->pKind;
  const int bCertain = retryCertain(p);

  if( p->http == 401 && !pKind->bPublic && p->pClient->pHooks->xRefused(p) ) {
    ledgerCallResend(p);
    return;
  }
  if( pKind->bEntries && (p->http == 401 || p->http == 403) ) {
    pClient->bDenied = 1;
  }
  if( !pKind->bPublic && !pKind->bVersions && retryNegotiate(p) ) return;
  if( bCertain || (!pKind->bOnce && retryMay(pKind, p->http)) ) {
    /* What is sent again by a session keeps its place as long as that lasts. */
    const int bEnds = ledgerSessionHolds(p) && p->http != 429;
    if( p->http == 429 || p->http == 503 ) pClient->nPutOff++;
    p->bNewConnection =
        !ledgerSessionHolds(p) && (p->http == 404 || p->http == 500);
    if( p->http >= 500 ) ledgerRedirectForget(p);
    if( bEnds ) ledgerSessionEnd(p, p->pEx->msRetryAfter);
    if( !bEnds && ledgerCallRetry(p, pClient->pConfig->retry.budgetMs,
                                  p->pEx->msRetryAfter) ) {
      return;
    }
    p->eOutcome = LEDGER_UNSENT;
    ledgerResponseRefused(p, &p->err);
    if( bCertain ) p->err.rc = LEDGER_BUSY;
    ledgerCallDone(p);
    return;
  }
  if( pKind->xRefused && pKind->xRefused(p) ) {
    if( p->bAgain )
      ledgerCallAgain(p);
    else
      ledgerCallDone(p);
    return;
  }
  if( !retryNever(p) && (p->http >= 500 || p->http == 408) ) {
    p->eOutcome = LEDGER_OUTCOME_UNKNOWN;
    ledgerRedirectForget(p);
    ledgerSessionEnd(p, -1);
  } else {
    p->eOutcome = LEDGER_REFUSED;
  }
  ledgerResponseRefused(p, &p->err);
  ledgerCallDone(p);
}

/* A 2xx answer. */
static void retryRead(LedgerCall *p) {
  LedgerClient *pClient = p->pClient;
  const LedgerCallKind *pKind = p->pKind;
  LedgerBuf copy;
  int64_t nBody;
  int rc;

  ledgerSessionAnswered(p);
  if( pKind->bOnce && p->zBase ) {
    free(pClient->zPrimary);
    pClient->zPrimary = p->zBase;
    p->zBase = NULL;
  }
  if( ledgerCallLags(p) ) {
    ledgerCallAgain(p);
    return;
  }
  copy = ledgerCacheCopy(p);
  nBody = (int64_t)p->pEx->body.n;
  rc = pKind->xRead ? pKind->xRead(p, p->pEx, &p->err) : LEDGER_OK;
  ledgerCacheKeep(p, &copy);
  if( rc && p->eOutcome == LEDGER_OUTCOME_UNKNOWN ) ledgerSessionEnd(p, -1);
  if( rc ) {
    p->bAgain = 0;
    ledgerCallDone(p);
  } else if( p->bAgain ) {
    ledgerCallAgain(p);
  } else {
    ledgerCallHold(p, nBody);
    ledgerCallDone(p);
  }
}

/* Compares the clocks, ours and the ledger's; until that has told its time, the
** identity service's. A Date is up to a second old when it is sent, and then it
** travels: a second of either sign counts as none. */
static void retryClock(LedgerCall *p, const LedgerExchange *pEx) {
  static const char zLedger[] = "ledger";
  LedgerClient *pClient = p->pClient;
  int64_t s;
  if( pEx->tDate < 0 ) return;
  if( p->pKind->bPublic &&
      (p != pClient->pIdentity || pClient->zSkewOf == zLedger) ) {
    return;
  }
  s = pEx->tDate - (int64_t)time(NULL);
  pClient->zSkewOf = p->pKind->bPublic ? "identity_service" : zLedger;
  pClient->sSkew = s >= -1 && s <= 1 ? 0 : s;
}

/* The ledger has let read who asked, if that is still who we are. */
static void retryAdmitted(LedgerCall *p) {
  LedgerClient *pClient = p->pClient;
  unsigned char aNow[32];
  if( !p->pKind->bEntries || !p->bOwner ||
      !pClient->pHooks->xOwner(pClient, aNow) ||
      memcmp(aNow, p->aOwner, sizeof(aNow)) != 0 ) {
    return;
  }
  memcpy(pClient->aAdmitted, aNow, sizeof(aNow));
  pClient->bAdmitted = 1;
}

/* Whether the ledger says that it has no such thing, which it says to nobody
** whom it doesn't let read: its first look is at who asks. */
static int retryHasNone(const LedgerCall *p) {
  static const char *const azCode[] = {
      "UnknownLedgerEntry", "TransactionNotFound", "InvalidTransactionId"};
  size_t i;
  if( !ledgerResponseMissing(p) ) return 0;
  for( i = 0; i < sizeof(azCode) / sizeof(azCode[0]); i++ ) {
    if( strcmp(p->server.zCode, azCode[i]) == 0 ) return 1;
  }
  return 0;
}

/* The exchange is over. */
void ledgerRetryRead(LedgerCall *p) {
  LedgerExchange *pEx = p->pEx;

  p->head = pEx->head;
  ledgerProgressCount(p->pClient->user.pProgress, LEDGER_PROGRESS_REQUESTS, 1);
  if( pEx->rc != CURLE_OK ) {
    ledgerNoteExchange(p, pEx->zError);
    retryFailed(p);
    return;
  }
  p->http = pEx->http;
  memset(&p->server, 0, sizeof(p->server));
  retryClock(p, pEx);
  if( !p->pKind->bPublic ) {
    p->pClient->bAnswered = 1;
    ledgerKnownHead(p->pClient, pEx->head);
  }
  if( p->http >= 200 && p->http < 300 ) {
    ledgerNoteExchange(p, NULL);
    retryAdmitted(p);
    retryRead(p);
    return;
  }
  ledgerResponseError(pEx, &p->server);
  ledgerCallHide(p, p->server.zCode);
  ledgerCallHide(p, p->server.zMessage);
  ledgerCallHide(p, p->server.zDetail);
  ledgerCallHide(p, pEx->location.z);
  ledgerNoteExchange(p, p->server.zCode[0] ? p->server.zCode : NULL);
  if( retryHasNone(p) ) retryAdmitted(p);
  if( p->http >= 300 && p->http < 400 )
    ledgerRedirectFollow(p);
  else
    retryRefused(p);
}
