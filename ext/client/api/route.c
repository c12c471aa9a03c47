/*
** The small routes: users, governance, roles, functions, endpoints, tags. A
** LedgerRoute says where one stands (in the file of its table, or here in
** users.c and roles.c); reading and writing are the same for all.
**
**   GET    each of them, page by page       ledgerRouteGet
**   PUT, PATCH, DELETE, POST where offered  ledgerWriteStart
**
** Invariants
**   - what a route is called in the version in use is spelled when it is sent,
**     since the version may be chosen by the first answer;
**   - a 404 is an answer of a read by key: there is no such thing. Of a list it
**     is an error;
**   - a write is sent again only where an append would be (call/retry.c).
**     libcurl may repeat a DELETE on a connection that died: to delete twice is
**     to delete once;
**   - the answer is handed on parsed and whole: the room above knows its table.
**
** Reference: api/CONTRACT.md 2.2 to 2.4.
*/
#include "client/api/apiInt.h"

#include <stdlib.h>
#include <string.h>

/* What is asked for, and its answer: LedgerCall.pAnswer. */
typedef struct RouteAnswer RouteAnswer;
struct RouteAnswer {
  const LedgerRoute *pRoute;
  char *zGiven;     /* write: what the body is spelled from */
  LedgerTxid after; /* a state before this one is asked again */
  LedgerJson *pDoc; /* the answer, or NULL */
  LedgerList list;  /* its pages */
};

static RouteAnswer *routeAnswer(const LedgerCall *p) {
  return p->pAnswer;
}

static void routeFree(LedgerCall *p) {
  RouteAnswer *pAnswer = p->pAnswer;
  free(pAnswer->zGiven);
  ledgerJsonFree(pAnswer->pDoc);
  ledgerListClear(&pAnswer->list);
}

const char *ledgerRouteVersion(const LedgerRoute *pRoute) {
  return ledgerDialectFirst(pRoute->mNeed);
}

int ledgerRouteOffered(const LedgerClient *p, const LedgerRoute *pRoute) {
  return (p->pDialect->mHas & pRoute->mNeed) == pRoute->mNeed;
}

int ledgerRouteCheck(const LedgerClient *p, const LedgerRoute *pRoute,
                     LedgerError *pErr) {
  return ledgerKnownNeeds(p, pRoute->mNeed, pErr);
}

/* ---- spelling ----------------------------------------------------------- */

/* The path in the dialect in use. */
static int routeSpell(LedgerCall *p, LedgerError *pErr) {
  const LedgerRoute *pRoute = routeAnswer(p)->pRoute;
  const char *zKey = pRoute->bKey ? p->query.zKey : NULL;
  LedgerBuf path = {0};

  p->mNeed = pRoute->mNeed;
  if( pRoute->pForm && pRoute->pForm->xPath ) {
    pRoute->pForm->xPath(p->pClient->pDialect, zKey, &path);
  } else {
    ledgerBufText(&path, pRoute->zPath);
    if( zKey ) {
      ledgerBufText(&path, "/");
      ledgerBufUrl(&path, zKey, strlen(zKey));
    }
  }
  if( zKey && pRoute->zTail ) ledgerBufText(&path, pRoute->zTail);
  free(p->zPath);
  p->zPath = ledgerBufTake(&path);
  return p->zPath ? LEDGER_OK : ledgerErrorNomem(pErr);
}

/* Path, body and content type of a write. */
static int routeSpellWrite(LedgerCall *p, LedgerError *pErr) {
  const LedgerDialect *pDialect = p->pClient->pDialect;
  const LedgerRouteForm *pForm = routeAnswer(p)->pRoute->pForm;
  const char *zGiven = routeAnswer(p)->zGiven;
  int bMerge = strcmp(p->pKind->zMethod, "PATCH") == 0 &&
               (pDialect->mHas & LEDGER_HAS_MERGE_PATCH) != 0;

  if( routeSpell(p, pErr) ) return pErr->rc;
  ledgerBufReset(&p->body);
  p->zType = NULL;
  if( zGiven == NULL ) return LEDGER_OK;
  if( pForm && pForm->xPlain && pForm->xPlain(pDialect) ) bMerge = 0;
  p->zType = bMerge ? "application/merge-patch+json" : "application/json";
  if( pForm && pForm->xBody ) return pForm->xBody(p, zGiven, pErr);
  ledgerBufText(&p->body, zGiven);
  return LEDGER_OK;
}

/* ---- reading ------------------------------------------------------------ */

/* Brings the answer into the form of the newest version. */
static int routeBring(LedgerCall *p, LedgerError *pErr) {
  const LedgerRouteForm *pForm = routeAnswer(p)->pRoute->pForm;
  if( pForm == NULL || pForm->xAnswer == NULL ) return LEDGER_OK;
  return pForm->xAnswer(p, routeAnswer(p)->pDoc, pErr);
}

/* The answer of a read: an object, or the bare array of older versions. */
static int routeRead(LedgerCall *p, LedgerExchange *pEx, LedgerError *pErr) {
  RouteAnswer *pAnswer = p->pAnswer;
  cJSON *pRoot;

  ledgerJsonFree(pAnswer->pDoc);
  pAnswer->pDoc = NULL;
  pAnswer->list.nBody = pEx->body.n;
  if( p->head.seqno > 0 && p->head.seqno < pAnswer->after.seqno ) {
    p->bAgain = 1;
    return LEDGER_OK;
  }
  if( ledgerResponseParse(p, pEx, p->zWhat, &pAnswer->pDoc, pErr) )
    return pErr->rc;
  pRoot = ledgerJsonRoot(pAnswer->pDoc);
  p->bFound = 1;
  if( routeBring(p, pErr) ) return pErr->rc;
  if( cJSON_IsObject(pRoot) ) {
    ledgerListNextRead(p, pAnswer->pDoc, pRoot, &pAnswer->list.zNext, pErr);
  } else if( !cJSON_IsArray(pRoot) ) {
    ledgerResponseNonsense(p, "it is not an object", pErr);
  }
  return pErr->rc;
}

/* 404: there is none; or not yet, on a node that lags behind our own write. */
static int routeNotFound(LedgerCall *p) {
  if( !ledgerResponseMissing(p) || p->query.zKey == NULL ) return 0;
  p->bAgain = routeAnswer(p)->after.seqno > 0;
  return 1;
}

/* The answer of a write: the id is in the header, a body may be there. */
static int routeWritten(LedgerCall *p, LedgerExchange *pEx, LedgerError *pErr) {
  RouteAnswer *pAnswer = p->pAnswer;
  const LedgerRouteForm *pForm;
  cJSON *pRoot;
  if( ledgerResponseWritten(p, pEx, p->head, pErr) ) return pErr->rc;
  ledgerJsonFree(pAnswer->pDoc);
  pAnswer->pDoc = NULL;
  if( pEx->body.n == 0 ) return LEDGER_OK;
  if( ledgerResponseParse(p, pEx, p->zWhat, &pAnswer->pDoc, pErr) )
    return pErr->rc;
  pRoot = ledgerJsonRoot(pAnswer->pDoc);
  if( cJSON_IsObject(pRoot) ) return routeBring(p, pErr);
  pForm = pAnswer->pRoute->pForm;
  if( pForm == NULL || !pForm->bTextAnswer || !cJSON_IsString(pRoot) ) {
    ledgerResponseNonsense(p, "it is not an object", pErr);
  }
  ledgerJsonFree(pAnswer->pDoc); /* what was done is to be asked for */
  pAnswer->pDoc = NULL;
  return pErr->rc;
}

static const LedgerCallKind routeGetKind = {.zMethod = "GET",
                                            .bFresh = 1,
                                            .nAnswer = sizeof(RouteAnswer),
                                            .xFree = routeFree,
                                            .xSpell = routeSpell,
                                            .xRead = routeRead,
                                            .xRefused = routeNotFound};

#define WRITE_KIND(m)                                                         \
  {                                                                           \
    .zMethod = (m), .bOnce = 1, .bChange = 1, .nAnswer = sizeof(RouteAnswer), \
    .xFree = routeFree, .xSpell = routeSpellWrite, .xRead = routeWritten      \
  }
static const LedgerCallKind aWriteKind[] = {
    WRITE_KIND("PUT"), WRITE_KIND("PATCH"), WRITE_KIND("DELETE"),
    WRITE_KIND("POST")};
#undef WRITE_KIND

/* Makes a call for a route, not started; NULL on an error. */
static LedgerCall *routeNew(LedgerClient *p, const LedgerCallKind *pKind,
                            const LedgerRoute *pRoute, const char *zKey,
                            LedgerError *pErr) {
  LedgerCall *pCall = NULL;

  if( ledgerCallNew(p, pKind, &pCall, pErr) ) return NULL;
  routeAnswer(pCall)->pRoute = pRoute;
  pCall->query.zKeyName = pRoute->zParam;
  ledgerCallPrint(pCall, &pCall->zWhat, zKey ? "%s %s" : "%s", pRoute->zWhat,
                  zKey);
  ledgerCallText(pCall, &pCall->zPath, pRoute->zPath); /* until spelled */
  ledgerCallText(pCall, &pCall->query.zKey, zKey);
  return pCall;
}

int ledgerRouteGet(LedgerClient *p, const LedgerRoute *pRoute, const char *zKey,
                   LedgerTxid after, LedgerCall **ppCall, LedgerError *pErr) {
  LedgerCall *pCall = routeNew(p, &routeGetKind, pRoute, zKey, pErr);
  *ppCall = pCall;
  if( pCall == NULL ) return pErr->rc;
  routeAnswer(pCall)->after = after;
  ledgerLoopStart(pCall);
  return LEDGER_OK;
}

int ledgerRouteResult(LedgerCall *p, LedgerJson **ppDoc, LedgerError *pErr) {
  *ppDoc = p->err.rc == LEDGER_OK && p->bFound ? routeAnswer(p)->pDoc : NULL;
  ledgerErrorCopy(pErr, &p->err);
  return pErr->rc;
}

int ledgerRouteNext(LedgerCall *p, LedgerCall **ppNext, LedgerError *pErr) {
  RouteAnswer *pAnswer = p->pAnswer;
  LedgerCall *pNext;
  *ppNext = NULL;
  if( pAnswer->list.zNext == NULL ) return LEDGER_OK;
  pNext =
      routeNew(p->pClient, &routeGetKind, pAnswer->pRoute, p->query.zKey, pErr);
  if( pNext == NULL ) return pErr->rc;
  if( ledgerListFollow(p, &pAnswer->list, pNext, &routeAnswer(pNext)->list,
                       pErr) ) {
    ledgerCallFree(pNext);
    return pErr->rc;
  }
  ledgerLoopStart(pNext);
  *ppNext = pNext;
  return LEDGER_OK;
}

/* ---- writing ------------------------------------------------------------ */

int ledgerWriteStart(LedgerClient *p, const LedgerWrite *pWrite,
                     LedgerCall **ppCall, LedgerError *pErr) {
  const size_t nKind = sizeof(aWriteKind) / sizeof(aWriteKind[0]);
  LedgerCall *pCall;
  size_t i = 0;

  while( i + 1 < nKind && strcmp(aWriteKind[i].zMethod, pWrite->zMethod) ) i++;
  pCall = routeNew(p, &aWriteKind[i], pWrite->pRoute, pWrite->zKey, pErr);
  *ppCall = pCall;
  if( pCall == NULL ) return pErr->rc;
  ledgerCallText(pCall, &routeAnswer(pCall)->zGiven, pWrite->zBody);
  ledgerLoopStart(pCall);
  return LEDGER_OK;
}

LedgerJson *ledgerWriteAnswer(LedgerCall *p) {
  return routeAnswer(p)->pDoc;
}
