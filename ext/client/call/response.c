/*
** What a server says about a failure, and the messages made of it:
**
**   ledger: <what>: <server code>: <server message> (HTTP 503, GET /path,
**   attempt 4)
**
** Invariants
**   - server text is clipped and freed of control characters;
**   - a message names the path without its query, and no secret.
*/
#include "client/call/callInt.h"

#include <stdio.h>
#include <string.h>

/* Reads error.details, which tell why: [{"auth_policy":"jwt","code":...,
** "message":"The token has expired"}, ...], or texts. What the message says
** already is left out. */
static void responseDetails(LedgerJson *pDoc, cJSON *pError,
                            LedgerServerError *pOut) {
  cJSON *pItem = ledgerJsonMember(pError, "details");
  LedgerBuf all = {0};

  pItem = cJSON_IsArray(pItem) ? pItem->child : NULL;
  for( ; pItem && all.n < sizeof(pOut->zDetail); pItem = pItem->next ) {
    size_t n = 0, nPolicy = 0;
    const char *zPolicy =
        ledgerJsonMemberText(pDoc, pItem, "auth_policy", &nPolicy);
    const char *z = ledgerJsonMemberText(pDoc, pItem, "message", &n);
    char zText[256];
    if( z == NULL ) z = ledgerJsonMemberText(pDoc, pItem, "code", &n);
    if( z == NULL ) z = ledgerJsonText(pDoc, pItem, &n);
    if( z == NULL ) continue;
    ledgerTextClean(z, n, zText, sizeof(zText));
    if( zText[0] == 0 || strstr(pOut->zMessage, zText) ) continue;
    if( all.n ) ledgerBufText(&all, "; ");
    if( zPolicy ) {
      char zName[64];
      ledgerTextClean(zPolicy, nPolicy, zName, sizeof(zName));
      ledgerBufPrintf(&all, "%s: ", zName);
    }
    ledgerBufText(&all, zText);
  }
  if( all.z )
    ledgerTextClean(all.z, all.n, pOut->zDetail, sizeof(pOut->zDetail));
  ledgerBufFree(&all);
}

/* Reads {"error":{"code","message","details"}}, or an authority's
** {"error":"code","error_description":"..."}. */
void ledgerResponseError(LedgerExchange *pEx, LedgerServerError *pOut) {
  LedgerError err = LEDGER_ERROR_INIT;
  LedgerJson *pDoc = NULL;
  cJSON *pRoot, *pError;
  const char *z;
  size_t n = 0;

  memset(pOut, 0, sizeof(*pOut));
  if( pEx->body.n == 0 || ledgerJsonParse(pEx->body.z, pEx->body.n, "error",
                                          &pDoc, &err) != LEDGER_OK ) {
    goto out;
  }
  pRoot = ledgerJsonRoot(pDoc);
  pError = ledgerJsonMember(pRoot, "error");
  if( cJSON_IsObject(pError) ) {
    z = ledgerJsonMemberText(pDoc, pError, "code", &n);
    if( z ) ledgerTextClean(z, n, pOut->zCode, sizeof(pOut->zCode));
    pOut->bBody = z != NULL;
    z = ledgerJsonMemberText(pDoc, pError, "message", &n);
    if( z ) ledgerTextClean(z, n, pOut->zMessage, sizeof(pOut->zMessage));
    responseDetails(pDoc, pError, pOut);
    z = NULL;
  } else {
    z = ledgerJsonText(pDoc, pError, &n);
    if( z ) ledgerTextClean(z, n, pOut->zCode, sizeof(pOut->zCode));
    z = ledgerJsonMemberText(pDoc, pRoot, "error_description", &n);
  }
  if( z ) ledgerTextClean(z, n, pOut->zMessage, sizeof(pOut->zMessage));
out:
  pOut->bOom = pEx->body.bOom || err.rc == LEDGER_NOMEM;
  ledgerJsonFree(pDoc);
  ledgerErrorClear(&err);
}

/* "HTTP 503, GET /app/transactions, attempt 4" into zOut[LEDGER_PLACE_MAX],
** which is returned. */
const char *ledgerResponsePlace(const LedgerCall *p, char *zOut) {
  char zHttp[24] = "";
  char zAttempt[32] = "";
  const char *zMethod = p->pKind ? p->pKind->zMethod : "GET";

  if( p->http ) snprintf(zHttp, sizeof(zHttp), "HTTP %d, ", p->http);
  if( p->nAttempt > 1 ) {
    snprintf(zAttempt, sizeof(zAttempt), ", attempt %d", p->nAttempt);
  }
  snprintf(zOut, LEDGER_PLACE_MAX, "%s%s %s%s", zHttp, zMethod, p->zPath,
           zAttempt);
  return zOut;
}

/* Parses the body of an answer, and frees it. zWhat names it in messages. */
int ledgerResponseParse(LedgerCall *p, LedgerExchange *pEx, const char *zWhat,
                        LedgerJson **ppDoc, LedgerError *pErr) {
  LedgerError err = LEDGER_ERROR_INIT;
  char zPlace[LEDGER_PLACE_MAX];

  if( ledgerJsonParse(pEx->body.z ? pEx->body.z : "", pEx->body.n, zWhat, ppDoc,
                      &err) ) {
    ledgerResponsePlace(p, zPlace);
    if( err.rc == LEDGER_NOMEM ) {
      ledgerErrorNomem(pErr);
    } else {
      ledgerErrorWrap(pErr, &err, "%s (%s)", ledgerErrorText(&err), zPlace);
    }
  }
  ledgerErrorClear(&err);
  ledgerBufFree(&pEx->body);
  return pErr->rc;
}

/* "code: message (details)", or whichever there is, into zOut[nOut]. */
static void responseSaid(const LedgerServerError *p, char *zOut, size_t nOut) {
  const int bSaid = p->zCode[0] || p->zMessage[0];
  snprintf(zOut, nOut, "%s%s%s%s%s%s", p->zCode,
           p->zCode[0] && p->zMessage[0] ? ": " : "",
           bSaid ? p->zMessage : "the server gives no reason",
           p->zDetail[0] ? " [" : "", p->zDetail, p->zDetail[0] ? "]" : "");
}

/* The remedy behind a 403: SQL that works whether the user is there or not.
** It takes an Administrator to write what is not an entry. The ledger is named,
** unless it is "main" and alone, lest the user become one of another ledger.
** Whom the ledger saw is what a token says, so that only an id may stand in the
** SQL. */
static void responseRemedy(const LedgerCall *p, LedgerBuf *pBuf) {
  const char *zWho = p->pClient->auth.zPrincipal;
  const LedgerHooks *pUser = &p->pClient->user;
  const char *zRole;
  char zId[LEDGER_USER_ID_MAX];
  int bNamed;

  if( zWho == NULL || p->pKind == NULL ) return;
  zRole = strcmp(p->pKind->zMethod, "GET") == 0 ? "Reader"
          : p->pKind->bChange                   ? "Administrator"
                                                : "Contributor";
  if( !ledgerUserId(zWho, strlen(zWho), zId) ) {
    ledgerBufPrintf(pBuf,
                    "; the token names its owner by no object id: an "
                    "Administrator has to add that id to ledger_users as %s",
                    zRole);
    return;
  }
  if( p->pClient->pOwner ) { /* no table writes to a secondary */
    ledgerBufPrintf(pBuf,
                    "; the ledger saw you as '%s'; an Administrator of this "
                    "secondary has to add that id to ledger_users as %s",
                    zId, zRole);
    return;
  }
  bNamed = pUser->xNamed && pUser->xNamed(pUser->pArg, pUser->zName);
  ledgerBufPrintf(pBuf,
                  "; the ledger saw you as '%s'; an Administrator can run: "
                  "INSERT OR REPLACE INTO ledger_users(user_id, role%s) "
                  "VALUES('%s', '%s'%s%s%s)",
                  zId, bNamed ? ", ledger" : "", zId, zRole,
                  bNamed ? ", '" : "", bNamed ? pUser->zName : "",
                  bNamed ? "'" : "");
}

/* What ended the attempts to have it after all. */
static void responseBudget(const LedgerCall *p, LedgerBuf *pBuf) {
  const LedgerConfig *pConfig = p->pClient->pConfig;
  int ms = p->pEx ? p->pEx->msRetryAfter : -1;
  if( pConfig->retry.maxAttempts > 0 &&
      p->nAttempt >= pConfig->retry.maxAttempts ) {
    ledgerBufPrintf(pBuf, "; that was the last of retry_max_attempts");
  } else if( ms > 0 ) {
    ledgerBufPrintf(pBuf,
                    "; it asks to come back after %d ms, retry_budget_ms is %d",
                    ms, pConfig->retry.budgetMs);
  } else {
    ledgerBufPrintf(pBuf, "; try again later, or raise retry_budget_ms (%d)",
                    pConfig->retry.budgetMs);
  }
}

/* What a 501 means. */
static void responseNever(const LedgerCall *p, LedgerBuf *pBuf) {
  ledgerBufPrintf(pBuf, "; this ledger %s%s",
                  p->mNeed & LEDGER_HAS_PROGRAMS ? "runs no functions"
                                                 : "doesn't offer that",
                  p->pKind && p->pKind->bOnce ? ": nothing of it was recorded"
                                              : "");
}

/* The error of a final refusal, from p->http and p->server. */
int ledgerResponseRefused(LedgerCall *p, LedgerError *pErr) {
  LedgerBuf tail = {0};
  char zPlace[LEDGER_PLACE_MAX];
  char zSaid[1200];
  const int bPublic = p->pKind && p->pKind->bPublic;
  const int bOnce = p->pKind && p->pKind->bOnce;
  int rc = LEDGER_ERROR;

  if( p->server.bOom && !(bOnce && p->eOutcome == LEDGER_OUTCOME_UNKNOWN) ) {
    return ledgerErrorNomem(pErr);
  }
  ledgerResponsePlace(p, zPlace);
  responseSaid(&p->server, zSaid, sizeof(zSaid));
  if( p->http == 401 || p->http == 403 )
    rc = LEDGER_AUTH;
  else if( p->http == 400 && bOnce )
    rc = LEDGER_CONSTRAINT;
  else if( p->http == 413 && bOnce )
    rc = LEDGER_CONSTRAINT;
  else if( ledgerResponseMissing(p) )
    rc = LEDGER_NOTFOUND;
  else if( p->http == 501 && !bPublic && p->eOutcome != LEDGER_OUTCOME_UNKNOWN )
    responseNever(p, &tail);
  else if( p->http == 408 || p->http == 429 || p->http >= 500 ) {
    rc = bOnce && p->eOutcome == LEDGER_OUTCOME_UNKNOWN ? LEDGER_IOERR
                                                        : LEDGER_BUSY;
  }
  if( p->http == 401 && !bPublic ) {
    const char *zKind = p->pClient->auth.zKind;
    const char *zWho = p->pClient->auth.zPrincipal;
    const char *zPem = p->pClient->auth.zCertificate;
    char zDate[32];
    const int bEnded = zPem && ledgerCertificateEnded(zPem, zDate);
    ledgerErrorSet(
        pErr, rc, "the ledger refused the credential (%s): %s (%s)%s%s%s%s%s",
        zKind ? zKind : "?", zSaid, zPlace, zWho ? "; it is of '" : "",
        zWho ? zWho : "", zWho ? "'" : "",
        bEnded ? "; the certificate ended on " : "", bEnded ? zDate : "");
    pErr->eCause = LEDGER_CAUSE_REFUSED;
  } else {
    const int bRole = p->http == 403 && !bPublic;
    if( bRole ) responseRemedy(p, &tail);
    if( rc == LEDGER_BUSY ) responseBudget(p, &tail);
    ledgerErrorSet(pErr, rc, "%s: %s%s (%s)%s", p->zWhat,
                   bOnce && p->eOutcome == LEDGER_OUTCOME_UNKNOWN
                       ? "whether the ledger recorded it is unknown: "
                       : "",
                   zSaid, zPlace, tail.z ? tail.z : "");
    if( bRole ) pErr->eCause = LEDGER_CAUSE_NO_ROLE;
  }
  pErr->http = p->http;
  ledgerBufFree(&tail);
  return pErr->rc;
}

static int responseFailed(LedgerCall *p, LedgerError *pErr) {
  const LedgerExchange *pEx = p->pEx;
  const LedgerConfig *pConfig = p->pClient->pConfig;
  const int bUnknown = p->pKind->bOnce && pEx->bSent;
  const char *zUnknown =
      bUnknown ? ", whether the ledger recorded it is unknown" : "";
  char zPlace[LEDGER_PLACE_MAX];

  p->http = 0;
  ledgerResponsePlace(p, zPlace);
  if( pEx->bTooBig && p->nList ) {
    return ledgerErrorSet(pErr, LEDGER_TOOBIG,
                          "%s: the pages of the list have more than "
                          "max_response_bytes (%lld) (%s)",
                          p->zWhat, (long long)(pEx->nMax + p->nList), zPlace);
  }
  if( pEx->bTooBig ) {
    return ledgerErrorSet(pErr, LEDGER_TOOBIG,
                          "%s: the answer has more than max_response_bytes "
                          "(%lld)%s (%s)",
                          p->zWhat, (long long)pEx->nMax, zUnknown, zPlace);
  }
  if( pEx->bUnequal ) {
    return ledgerErrorSet(pErr, LEDGER_IOERR,
                          "%s: the answer has two Content-Length headers that "
                          "differ%s (%s)",
                          p->zWhat, zUnknown, zPlace);
  }
  if( pEx->eFail == LEDGER_FAIL_ANSWER ) {
    const int bLong = pEx->bLongHeaders;
    return ledgerErrorSet(
        pErr, bLong ? LEDGER_TOOBIG : LEDGER_IOERR, "%s: %s%s%s (%s)", p->zWhat,
        bLong ? "" : "the answer can't be used: ", pEx->zError, zUnknown,
        zPlace);
  }
  if( pEx->eFail == LEDGER_FAIL_MEMORY ) return ledgerErrorNomem(pErr);
  if( pEx->eFail == LEDGER_FAIL_TRUST && !p->pKind->bPublic &&
      !pConfig->tlsPublic ) {
    return p->pClient->pHooks->xDistrusted(p->pClient, pEx->iVerify,
                                           pEx->url.zBase, pErr);
  }
  if( pEx->eFail == LEDGER_FAIL_REFUSED ) {
    return ledgerErrorSet(pErr, LEDGER_AUTH, "%s: %s (%s)", p->zWhat,
                          pEx->zError, zPlace);
  }
  /* Also where it went out on a kept connection that was closed, and no other
  ** one could be made. */
  if( bUnknown ) {
    return ledgerErrorSet(pErr, LEDGER_IOERR,
                          "%s: the request went out and no answer came back, "
                          "whether the ledger recorded it is unknown: %s (%s)",
                          p->zWhat, pEx->zError, zPlace);
  }
  switch( pEx->eFail ) {
    case LEDGER_FAIL_CONNECT:
    case LEDGER_FAIL_TIME:
      if( pEx->bNoName ) {
        return ledgerErrorSet(pErr, LEDGER_IOERR,
                              "could not connect to %s: %s (is it written "
                              "right?) (%s)",
                              pEx->url.zBase, pEx->zError, zPlace);
      }
      return ledgerErrorSet(pErr, LEDGER_IOERR,
                            "could not connect to %s: %s (is the %s running?) "
                            "(%s)",
                            pEx->url.zBase, pEx->zError,
                            p->pKind->bPublic ? "service" : "ledger", zPlace);
    case LEDGER_FAIL_PROXY:
      if( !pEx->bFinal ) break;
      return ledgerErrorSet(pErr,
                            pEx->iProxyHttp == 407 || pEx->iProxyHttp == 403
                                ? LEDGER_AUTH
                                : LEDGER_ERROR,
                            "%s: %s (%s)", p->zWhat, pEx->zError, zPlace);
    case LEDGER_FAIL_CA_FILE:
      return ledgerErrorSet(pErr, LEDGER_IOERR, "%s (%s)",
                            pConfig->zCaFile
                                ? "option ca_file: none of its certificates "
                                  "can be used"
                                : "the system's CAs cannot be read: option "
                                  "ca_file names others",
                            zPlace);
    case LEDGER_FAIL_TRUST:
      return ledgerErrorSet(pErr, LEDGER_IOERR,
                            "the certificate of %s is refused: %s (%s) (%s)",
                            pEx->url.zBase, pEx->zError,
                            ledgerFailureIsDate(pEx->iVerify)
                                ? "check the clock too"
                                : "option ca_file names the CAs to trust",
                            zPlace);
    case LEDGER_FAIL_CERTIFICATE:
      return ledgerErrorSet(pErr, LEDGER_AUTH,
                            "user_certificate cannot be used: %s (%s)",
                            pEx->zError, zPlace);
    default: break;
  }
  return ledgerErrorSet(pErr, LEDGER_IOERR,
                        "%s: %s (try again; sql/doctor.sql looks for the "
                        "cause) (%s)",
                        p->zWhat, pEx->zError, zPlace);
}

/* The error of an exchange without an answer, from p->pEx. */
int ledgerResponseFailed(LedgerCall *p, LedgerError *pErr) {
  const LedgerExchange *pEx = p->pEx;
  responseFailed(p, pErr);
  if( pErr->eCause ) return pErr->rc;
  if( pEx->eFail == LEDGER_FAIL_CONNECT || pEx->eFail == LEDGER_FAIL_TIME ) {
    pErr->eCause = LEDGER_CAUSE_UNREACHABLE;
  } else if( pEx->eFail == LEDGER_FAIL_TRUST &&
             ledgerFailureIsDate(pEx->iVerify) ) {
    pErr->eCause = LEDGER_CAUSE_DATES;
  }
  return pErr->rc;
}

/*
** A write was answered with success: takes its id, and the outcome is
** LEDGER_SENT. What can't be its id leaves the outcome unknown: none at all,
** two headers that differ, or one that is not above what was committed when the
** write was sent (a head that is not committed may be rolled back, and its
** seqno given again). A write to another route may change nothing, and then
** carries the state that it met. pEx is NULL where the id is not from a header.
*/
int ledgerResponseWritten(LedgerCall *p, const LedgerExchange *pEx,
                          LedgerTxid id, LedgerError *pErr) {
  const int bChange = p->pKind->bChange;
  const char *zDone =
      bChange ? "done, but " : "recorded, but its id is unknown: ";
  char zId[LEDGER_TXID_MAX], zFloor[LEDGER_TXID_MAX];
  char zWhy[160];

  p->eOutcome = LEDGER_OUTCOME_UNKNOWN;
  if( pEx && pEx->bTwoIds ) {
    snprintf(zWhy, sizeof(zWhy), "%stwo x-ms-ccf-transaction-id headers differ",
             zDone);
  } else if( id.seqno == 0 ) {
    snprintf(zWhy, sizeof(zWhy), "%sno x-ms-ccf-transaction-id is there",
             zDone);
  } else if( id.seqno < p->floor.seqno + (!bChange) ) {
    snprintf(zWhy, sizeof(zWhy),
             "%sthe id %s is %s %s, which was committed before", zDone,
             ledgerTxidFormat(id, zId), bChange ? "below" : "not above",
             ledgerTxidFormat(p->floor, zFloor));
  } else {
    p->eOutcome = LEDGER_SENT;
    p->id = id;
    p->pClient->sent = id;
    ledgerSessionWrote(p, id);
    return LEDGER_OK;
  }
  return ledgerResponseNonsense(p, zWhy, pErr);
}

/* Holds the transactionId in an answer against the one that was asked for. One
** that is not there, or "" (while Loading), says nothing. */
int ledgerResponseAbout(LedgerCall *p, LedgerJson *pDoc, LedgerError *pErr) {
  const char *z;
  size_t n = 0;
  char zId[LEDGER_TXID_MAX], zOther[64], zWhy[160];

  z = ledgerJsonMemberText(pDoc, ledgerJsonRoot(pDoc), "transactionId", &n);
  if( z == NULL || n == 0 ) return LEDGER_OK;
  ledgerTxidFormat(p->id, zId);
  if( n == strlen(zId) && memcmp(z, zId, n) == 0 ) return LEDGER_OK;
  ledgerTextClean(z, n, zOther, sizeof(zOther));
  snprintf(zWhy, sizeof(zWhy), "it is about transaction '%s'", zOther);
  return ledgerResponseNonsense(p, zWhy, pErr);
}

/* Whether the ledger itself says that there is no such thing: a 404 with its
** error body. One without (a proxy's page), or about the path, says nothing of
** the kind. */
int ledgerResponseMissing(const LedgerCall *p) {
  return p->http == 404 && p->server.bBody && !ledgerDialectNoPath(&p->server);
}

/* The error of an answer that can't be. zWhy says what is wrong with it. */
int ledgerResponseNonsense(LedgerCall *p, const char *zWhy, LedgerError *pErr) {
  char zPlace[LEDGER_PLACE_MAX];
  ledgerResponsePlace(p, zPlace);
  return ledgerErrorSet(pErr, LEDGER_ERROR,
                        "%s: the ledger's answer makes no sense: %s (%s)",
                        p->zWhat, zWhy, zPlace);
}
