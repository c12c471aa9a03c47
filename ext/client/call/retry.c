/*
** What the end of an exchange means for its call: an answer, once more, later,
** elsewhere, or an error. Issues no request of its own.
**
** Invariants
**   - an append is sent again only where the one before it certainly was not
**     recorded (outcomeCertain, outcomeFailed);
**   - the credential goes to the ledger's host, or one below it, only;
**   - a primary is remembered for writes and forgotten on any failure. Only a
**     write is sent to it: a read may be sent to any node.
*/
#include "client/clientInt.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define OUTCOME_MAX_REDIRECT 5

/* The node this went to is no primary any more. */
static void outcomeForgetPrimary(LedgerCall *p) {
  if( p->pKind->bPublic ) return;
  free(p->pClient->zPrimary);
  p->pClient->zPrimary = NULL;
  free(p->zBase);
  p->zBase = NULL;
  if( !ledgerSessionHolds(p) ) {
    ledgerSessionMove(p, p->pClient->pConfig->zUrl);
  }
}

/* The exchange ended without an answer. */
static void outcomeFailed(LedgerCall *p) {
  LedgerClient *pClient = p->pClient;
  LedgerExchange *pEx = p->pEx;
  int msBudget = pClient->pConfig->retryBudgetMs;

  ledgerErrorClear(&p->err);
  if( pEx->bStale && !ledgerSessionHolds(p) ) { /* on a new connection */
    p->nAttempt--;
    p->bNewConnection = 1;
    ledgerCallResend(p);
    return;
  }
  ledgerAnswerFailed(p, &p->err);
  outcomeForgetPrimary(p);
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
      !ledgerTrustIsName(pEx->iVerify) && ledgerTrustRenew(pClient) ) {
    p->bRenewed = 1;
    ledgerErrorClear(&p->err);
    ledgerCallResend(p);
    return;
  }
  /* No server has ever answered: the name may be wrong. */
  if( pEx->eFail == LEDGER_FAIL_CONNECT && !pClient->bAnswered &&
      msBudget > pClient->pConfig->firstContactMs ) {
    msBudget = pClient->pConfig->firstContactMs;
  }
  if( !pEx->bFinal && ledgerCallRetry(p, msBudget, -1) ) {
    ledgerErrorClear(&p->err);
    return;
  }
  ledgerCallDone(p);
}

/* No answer within timeout_ms. */
void ledgerOutcomeTimedOut(LedgerCall *p) {
  LedgerClient *pClient = p->pClient;
  const int bUnknown = p->pKind->bOnce && ledgerExchangeLeft(p->pEx);

  ledgerLogExchange(p, "no answer within timeout_ms");
  p->http = 0;
  if( bUnknown ) p->eOutcome = LEDGER_OUTCOME_UNKNOWN;
  ledgerErrorSet(&p->err, bUnknown ? LEDGER_IOERR : LEDGER_BUSY,
                 "%s: no answer within %d ms%s (%s %s)", p->zWhat,
                 ledgerCallTimeout(p),
                 bUnknown ? ", whether the ledger recorded it is unknown"
                          : " (try again, or raise timeout_ms)",
                 p->pKind->zMethod, p->zPath);
  outcomeForgetPrimary(p);
  if( bUnknown || ledgerSessionHolds(p) ) {
    ledgerSessionEnd(p, -1);
  } else if( ledgerCallRetry(p, pClient->pConfig->retryBudgetMs, -1) ) {
    ledgerErrorClear(&p->err);
    return;
  }
  ledgerCallDone(p);
}

/* Follows a redirect within the ledger, or fails. */
static void outcomeRedirect(LedgerCall *p) {
  LedgerClient *pClient = p->pClient;
  const int iHttp = p->http;
  const char *zWhy = NULL;
  const char *zTo = p->pEx->location.z;
  CURLU *pUrl = curl_url();
  char *zWhole = NULL;
  char *zPathQuery = NULL;

  if( strcmp(p->server.zCode, "ApiVersionRedirect") == 0 ||
      !(iHttp == 307 || iHttp == 308 ||
        ((iHttp == 301 || iHttp == 302) &&
         strcmp(p->pKind->zMethod, "GET") == 0)) ) {
    ledgerAnswerRefused(p, &p->err);
    goto fail;
  }
  if( p->pKind->bPublic )
    zWhy = "this service may not redirect";
  else if( ++p->nRedirect > OUTCOME_MAX_REDIRECT ||
           ledgerSessionMoves(p) > OUTCOME_MAX_REDIRECT )
    zWhy = "too many of them";
  else if( zTo == NULL )
    zWhy = "it names no place";
  else if( pUrl == NULL ||
           curl_url_set(pUrl, CURLUPART_URL, ledgerCallBase(p), 0) !=
               CURLUE_OK ||
           curl_url_set(pUrl, CURLUPART_URL, zTo, 0) != CURLUE_OK ||
           curl_url_get(pUrl, CURLUPART_URL, &zWhole, 0) != CURLUE_OK ||
           !ledgerUrlWithin(pClient->pConfig->zUrl, zWhole) ) {
    zWhy = "it leads away from the ledger's host and port";
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
      pClient->zPrimary = ledgerStrndup(zWhole, 8 + strcspn(zWhole + 8, "/?#"));
    }
    ledgerSessionEnd(p, -1);
    ledgerAnswerRefused(p, &p->err);
    p->err.rc = LEDGER_BUSY;
    p->eOutcome = LEDGER_UNSENT;
    ledgerCallDone(p);
    goto out;
  }
  free(p->zBase);
  p->zBase = ledgerStrndup(zWhole, 8 + strcspn(zWhole + 8, "/?#"));
  zPathQuery = ledgerStrdup(zWhole + 8 + strcspn(zWhole + 8, "/?#"));
  if( p->zBase == NULL || zPathQuery == NULL ||
      !ledgerSessionMove(p, p->zBase) ) {
    ledgerErrorNomem(&p->err);
    goto fail;
  }
  /* The same path: our own query is kept, a redirect may have lost it. */
  if( strcspn(zPathQuery, "?") != strlen(p->zPath) ||
      strncmp(zPathQuery, p->zPath, strlen(p->zPath)) ) {
    free(p->zLink);
    p->zLink = zPathQuery;
    zPathQuery = NULL;
  }
  p->nAttempt--;
  p->bNewConnection = p->bFreshSent; /* the other node's may be as stale */
  ledgerCallResend(p);
  goto out;
fail:
  pClient->nMoved = 0; /* they are counted anew by whoever tries again */
  p->eOutcome = LEDGER_REFUSED;
  outcomeForgetPrimary(p);
  ledgerCallDone(p);
out:
  free(zPathQuery);
  curl_free(zWhole);
  curl_url_cleanup(pUrl);
}

/* 400 QueryParameterError about the version: chooses another one, once.
** Returns 0 when the refusal is about something else. */
static int outcomeNegotiate(LedgerCall *p) {
  LedgerClient *pClient = p->pClient;
  const LedgerDialect *pChoice;
  const char *zList = NULL;

  if( p->http != 400 || strcmp(p->server.zCode, "QueryParameterError") ||
      strstr(p->server.zMessage, "api-version") == NULL ) {
    return 0;
  }
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
  if( strcmp(ledgerClientVersion(pClient), p->zVersionSent) == 0 &&
      ledgerClientSetVersion(pClient, pChoice->zVersion, &p->err) ) {
    ledgerCallDone(p);
    return 1;
  }
  p->nAttempt--;
  ledgerCallResend(p);
  return 1;
}

/* Whether a refusal says for certain that nothing was recorded, and that the
** same request may pass later. */
static int outcomeCertain(const LedgerCall *p) {
  const char *zCode = p->server.zCode;
  if( p->http == 429 ) return 1;
  if( p->http == 500 && strcmp(zCode, "SessionConsistencyLost") == 0 ) return 1;
  if( p->http == 404 && strcmp(zCode, "FrontendNotOpen") == 0 ) return 1;
  if( strcmp(zCode, "TransactionRolledBack") == 0 ) return 1;
  return p->http == 503 && p->server.bBody && p->head.seqno == 0;
}

/* Whether an idempotent request may be repeated after this status. */
static int outcomeRetriable(const LedgerCallKind *pKind, int iHttp) {
  if( pKind->xRetriable ) return pKind->xRetriable(iHttp);
  return iHttp == 408 || iHttp == 429 || iHttp == 500 || iHttp == 502 ||
         iHttp == 503 || iHttp == 504;
}

/* An answer above 399. */
static void outcomeRefused(LedgerCall *p) {
  LedgerClient *pClient = p->pClient;
  const LedgerCallKind *pKind = p->pKind;
  const int bCertain = outcomeCertain(p);

  if( p->http == 401 && !pKind->bPublic && ledgerAuthRefused(p) ) {
    ledgerCallResend(p);
    return;
  }
  if( !pKind->bPublic && !pKind->bVersions && outcomeNegotiate(p) ) return;
  if( bCertain || (!pKind->bOnce && outcomeRetriable(pKind, p->http)) ) {
    /* What is sent again by a session keeps its place as long as that lasts. */
    const int bEnds = ledgerSessionHolds(p) && p->http != 429;
    p->bNewConnection =
        !ledgerSessionHolds(p) && (p->http == 404 || p->http == 500);
    if( p->http >= 500 ) outcomeForgetPrimary(p);
    if( bEnds ) ledgerSessionEnd(p, p->pEx->msRetryAfter);
    if( !bEnds && ledgerCallRetry(p, pClient->pConfig->retryBudgetMs,
                                  p->pEx->msRetryAfter) ) {
      return;
    }
    p->eOutcome = LEDGER_UNSENT;
    ledgerAnswerRefused(p, &p->err);
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
  if( p->http >= 500 || p->http == 408 ) {
    p->eOutcome = LEDGER_OUTCOME_UNKNOWN;
    outcomeForgetPrimary(p);
    ledgerSessionEnd(p, -1);
  } else {
    p->eOutcome = LEDGER_REFUSED;
  }
  ledgerAnswerRefused(p, &p->err);
  ledgerCallDone(p);
}

/* A 2xx answer. */
static void outcomeRead(LedgerCall *p) {
  LedgerClient *pClient = p->pClient;
  const LedgerCallKind *pKind = p->pKind;
  LedgerBuf copy;
  int rc;

  ledgerSessionAnswered(p);
  if( pKind->bOnce && p->zBase ) {
    free(pClient->zPrimary);
    pClient->zPrimary = p->zBase;
    p->zBase = NULL;
  }
  if( pKind->bFresh && p->head.seqno > 0 &&
      p->head.seqno < pClient->appended.seqno ) {
    ledgerCallAgain(p); /* a node that lags behind our own appends */
    return;
  }
  copy = ledgerCallCopy(p);
  rc = pKind->xRead ? pKind->xRead(p, p->pEx, &p->err) : LEDGER_OK;
  ledgerCallKeep(p, &copy);
  if( rc && p->eOutcome == LEDGER_OUTCOME_UNKNOWN ) ledgerSessionEnd(p, -1);
  if( rc ) {
    p->bAgain = 0;
    ledgerCallDone(p);
  } else if( p->bAgain ) {
    ledgerCallAgain(p);
  } else {
    ledgerCallDone(p);
  }
}

/* Compares the clocks, ours and the ledger's; until that has told its time, the
** identity service's. A Date is up to a second old when it is sent, and then it
** travels: a second of either sign is no difference. */
static void outcomeClock(LedgerCall *p, const LedgerExchange *pEx) {
  static const char zLedger[] = "ledger";
  LedgerClient *pClient = p->pClient;
  int64_t s;
  if( pEx->tDate < 0 ) return;
  if( p->pKind->bPublic &&
      (p != pClient->trust.pCall || pClient->zSkewOf == zLedger) ) {
    return;
  }
  s = pEx->tDate - (int64_t)time(NULL);
  pClient->zSkewOf = p->pKind->bPublic ? "identity_service" : zLedger;
  pClient->sSkew = s >= -1 && s <= 1 ? 0 : s;
}

/* The exchange is over. */
void ledgerOutcomeRead(LedgerCall *p) {
  LedgerExchange *pEx = p->pEx;

  p->head = pEx->head;
  if( pEx->rc != CURLE_OK ) {
    ledgerLogExchange(p, pEx->zError);
    outcomeFailed(p);
    return;
  }
  p->http = pEx->http;
  memset(&p->server, 0, sizeof(p->server));
  outcomeClock(p, pEx);
  if( !p->pKind->bPublic ) {
    p->pClient->bAnswered = 1;
    ledgerClientSawHead(p->pClient, pEx->head);
  }
  if( p->http >= 200 && p->http < 300 ) {
    ledgerLogExchange(p, NULL);
    outcomeRead(p);
    return;
  }
  ledgerServerErrorRead(pEx, &p->server);
  ledgerSecretsHide(p, p->server.zCode);
  ledgerSecretsHide(p, p->server.zMessage);
  ledgerSecretsHide(p, p->server.zDetail);
  ledgerSecretsHide(p, pEx->location.z);
  ledgerLogExchange(p, p->server.zCode[0] ? p->server.zCode : NULL);
  if( p->http >= 300 && p->http < 400 )
    outcomeRedirect(p);
  else
    outcomeRefused(p);
}
