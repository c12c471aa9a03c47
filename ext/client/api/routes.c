/*
** The small routes: users, governance, roles, functions, endpoints, tags. One
** table says where each stands; reading and writing are the same for all.
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
** Reference: api/CONTRACT.md 2.2 to 2.4 and "Corrections from recordings".
*/
#include "client/api/apiInt.h"

#include <stdlib.h>
#include <string.h>

/* Where a route stands. A key goes behind the path, or into a parameter. */
static const struct {
  const char *zWhat;  /* in messages; a key follows */
  const char *zPath;  /* NULL: the dialect's path of users */
  const char *zParam; /* the key is this parameter, if not bKey */
  const char *zTail;  /* behind a key */
  int eRoute;
  int bKey;       /* the key is a part of the path */
  unsigned mNeed; /* LEDGER_HAS_* */
} aRoute[] = {
    {"list of users", NULL, NULL, "", LEDGER_ROUTE_USERS, 0,
     LEDGER_HAS_USER_LIST},
    {"user", NULL, NULL, "", LEDGER_ROUTE_USER, 1, 0},
    {"tags of", "/app/collections/tags", "collectionId", "", LEDGER_ROUTE_TAGS,
     0, LEDGER_HAS_TAG_LIST},
    {"members", "/app/governance/members", NULL, "", LEDGER_ROUTE_MEMBERS, 0,
     0},
    {"constitution", "/app/governance/constitution", NULL, "",
     LEDGER_ROUTE_CONSTITUTION, 0, 0},
    {"enclave quotes", "/app/enclaveQuotes", NULL, "", LEDGER_ROUTE_QUOTES, 0,
     0},
    {"role", "/app/roles", "roleName", "", LEDGER_ROUTE_ROLE, 0,
     LEDGER_HAS_ROLES},
    {"roles", "/app/roles", NULL, "", LEDGER_ROUTE_ROLES, 0, LEDGER_HAS_ROLES},
    {"list of functions", "/app/userDefinedFunctions", NULL, "",
     LEDGER_ROUTE_FUNCTIONS, 0, LEDGER_HAS_PROGRAMS},
    {"function", "/app/userDefinedFunctions", NULL, "", LEDGER_ROUTE_FUNCTION,
     1, LEDGER_HAS_PROGRAMS},
    {"function", "/app/userDefinedFunctions", NULL, ":execute",
     LEDGER_ROUTE_EXECUTE, 1, LEDGER_HAS_PROGRAMS},
    {"endpoints", "/app/userDefinedEndpoints", NULL, "", LEDGER_ROUTE_ENDPOINTS,
     0, LEDGER_HAS_ROLES},
    {"module", "/app/userDefinedEndpoints/modules", "module_name", "",
     LEDGER_ROUTE_MODULE, 0, LEDGER_HAS_ROLES},
    {"runtime options", "/app/userDefinedEndpoints/runtimeOptions", NULL, "",
     LEDGER_ROUTE_RUNTIME, 0, LEDGER_HAS_ROLES},
};

/* What is asked for, and its answer: LedgerCall.pAnswer. */
typedef struct RouteAnswer RouteAnswer;
struct RouteAnswer {
  int eRoute;       /* LEDGER_ROUTE_* */
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

/* The row of a route; every LEDGER_ROUTE_* has one. */
static size_t routeIndex(int eRoute) {
  size_t i = 0;
  while( aRoute[i].eRoute != eRoute ) i++;
  return i;
}

const char *ledgerRoutePath(int eRoute) {
  size_t i = routeIndex(eRoute);
  return aRoute[i].zPath ? aRoute[i].zPath : "/app/ledgerUsers";
}

const char *ledgerRouteVersion(int eRoute) {
  return ledgerDialectFirst(aRoute[routeIndex(eRoute)].mNeed);
}

int ledgerRouteOffered(const LedgerClient *p, int eRoute) {
  const unsigned mNeed = aRoute[routeIndex(eRoute)].mNeed;
  return (p->pDialect->mHas & mNeed) == mNeed;
}

int ledgerRouteCheck(const LedgerClient *p, int eRoute, LedgerError *pErr) {
  return ledgerKnownNeeds(p, aRoute[routeIndex(eRoute)].mNeed, pErr);
}

/* ---- spelling ----------------------------------------------------------- */

static int routeIsUser(const LedgerCall *p) {
  const int eRoute = routeAnswer(p)->eRoute;
  return eRoute == LEDGER_ROUTE_USERS || eRoute == LEDGER_ROUTE_USER;
}

/* The path in the dialect in use. Of a user's id no character needs escaping,
** and the service wants its colons as they are. */
static int routeSpell(LedgerCall *p, LedgerError *pErr) {
  const size_t i = routeIndex(routeAnswer(p)->eRoute);
  const LedgerDialect *pDialect = p->pClient->pDialect;
  LedgerBuf path = {0};

  p->mNeed = aRoute[i].mNeed;
  if( aRoute[i].zPath )
    ledgerBufText(&path, aRoute[i].zPath);
  else if( pDialect->mHas & LEDGER_HAS_MANY_ROLES )
    ledgerBufText(&path, "/app/ledgerUsers");
  else
    ledgerBufText(&path, "/app/users");
  if( aRoute[i].bKey ) {
    ledgerBufText(&path, "/");
    if( routeIsUser(p) )
      ledgerBufText(&path, p->query.zKey);
    else
      ledgerBufUrl(&path, p->query.zKey, strlen(p->query.zKey));
    ledgerBufText(&path, aRoute[i].zTail);
  }
  free(p->zPath);
  p->zPath = ledgerBufTake(&path);
  return p->zPath ? LEDGER_OK : ledgerErrorNomem(pErr);
}

/* The role of a version that knows one per user. *pzRole is NULL where it needs
** another version: several roles. */
static int routeOneRole(LedgerClient *p, LedgerJson *pDoc, const char **pzRole,
                        LedgerError *pErr) {
  static const char *const azRole[] = {"Administrator", "Contributor",
                                       "Reader"};
  cJSON *pRole = ledgerJsonRoot(pDoc)->child;
  const char *z = ledgerJsonText(pDoc, pRole, NULL);
  size_t i;

  *pzRole = NULL;
  if( z == NULL || pRole->next ) return LEDGER_OK;
  for( i = 0; i < 3 && strcmp(z, azRole[i]) != 0; i++ ) {
  }
  if( i == 3 ) {
    return ledgerErrorSet(pErr, LEDGER_CONSTRAINT,
                          "role: '%.64s' is none of Administrator, "
                          "Contributor, Reader, which API version %s knows",
                          z, ledgerKnownVersion(p));
  }
  *pzRole = azRole[i];
  return LEDGER_OK;
}

int ledgerRolesCheck(LedgerClient *p, const char *zRoles, LedgerError *pErr) {
  LedgerJson *pDoc = NULL;
  const char *zRole = NULL;

  if( !ledgerClientAnswered(p) || ledgerClientManyRoles(p) ) return LEDGER_OK;
  if( ledgerJsonParse(zRoles, strlen(zRoles), "roles", &pDoc, pErr) ==
          LEDGER_OK &&
      routeOneRole(p, pDoc, &zRole, pErr) == LEDGER_OK && zRole == NULL ) {
    ledgerDialectNeed(p->pDialect, ledgerKnownVersion(p), LEDGER_HAS_MANY_ROLES,
                      pErr);
    if( pErr->rc ) pErr->rc = LEDGER_CONSTRAINT;
  }
  ledgerJsonFree(pDoc);
  return pErr->rc;
}

static int routeIsRole(const LedgerCall *p) {
  const int eRoute = routeAnswer(p)->eRoute;
  return eRoute == LEDGER_ROUTE_ROLE || eRoute == LEDGER_ROUTE_ROLES;
}

/* The names of members that are spelled in two ways; the room above knows the
** newer one. */
static const struct {
  const char *zNew, *zOld;
} aRoleName[] = {{"roleName", "role_name"}, {"roleActions", "role_actions"}};
#define ROUTE_ROLE_NAMES (sizeof(aRoleName) / sizeof(aRoleName[0]))

/* Gives a member another name. */
static int routeRename(cJSON *pObj, const char *zFrom, const char *zTo) {
  cJSON *p;
  if( !cJSON_IsObject(pObj) || ledgerJsonMember(pObj, zTo) ) return 1;
  p = cJSON_DetachItemFromObjectCaseSensitive(pObj, zFrom);
  if( p == NULL ) return 1;
  if( cJSON_AddItemToObject(pObj, zTo, p) ) return 1;
  cJSON_Delete(p);
  return 0;
}

/* An answer about roles, whichever way it is spelled, as
** {"role":[{"roleName","roleActions"}]}. */
static int routeRoleRead(cJSON *pRoot, LedgerError *pErr) {
  cJSON *pItem;
  size_t i;
  int bOk = routeRename(pRoot, "roles", "role");
  pItem = ledgerJsonMember(pRoot, "role");
  for( pItem = pItem ? pItem->child : NULL; pItem && bOk;
       pItem = pItem->next ) {
    for( i = 0; i < ROUTE_ROLE_NAMES && bOk; i++ ) {
      bOk = routeRename(pItem, aRoleName[i].zOld, aRoleName[i].zNew);
    }
  }
  return bOk ? LEDGER_OK : ledgerErrorNomem(pErr);
}

/* The body of a write of roles, {"roles":[{"roleName","roleActions"}]}, in the
** spelling of before 2026. */
static int routeRoleSpell(LedgerCall *p, LedgerError *pErr) {
  LedgerJson *pDoc = NULL;
  cJSON *pItem, *pWord;
  const char *z;
  size_t n;

  z = routeAnswer(p)->zGiven;
  if( ledgerJsonParse(z, strlen(z), "roles", &pDoc, pErr) ) {
    return pErr->rc;
  }
  ledgerBufText(&p->body, "{\"roles\":[");
  pItem = ledgerJsonMember(ledgerJsonRoot(pDoc), "roles");
  for( pItem = pItem ? pItem->child : NULL; pItem; pItem = pItem->next ) {
    ledgerBufText(&p->body, "{\"role_name\":");
    z = ledgerJsonMemberText(pDoc, pItem, "roleName", &n);
    ledgerBufJson(&p->body, z ? z : "", z ? n : 0);
    ledgerBufText(&p->body, ",\"role_actions\":[");
    pWord = ledgerJsonMember(pItem, "roleActions");
    for( pWord = pWord ? pWord->child : NULL; pWord; pWord = pWord->next ) {
      z = ledgerJsonText(pDoc, pWord, &n);
      ledgerBufJson(&p->body, z ? z : "", z ? n : 0);
      if( pWord->next ) ledgerBufText(&p->body, ",");
    }
    ledgerBufText(&p->body, pItem->next ? "]}," : "]}");
  }
  ledgerBufText(&p->body, "]}");
  ledgerJsonFree(pDoc);
  return LEDGER_OK;
}

/* Path, body and content type of a write. */
static int routeSpellWrite(LedgerCall *p, LedgerError *pErr) {
  const LedgerDialect *pDialect = p->pClient->pDialect;
  const int bPatch = strcmp(p->pKind->zMethod, "PATCH") == 0;
  const int bOldRole =
      routeIsRole(p) && (pDialect->mHas & LEDGER_HAS_ROLE_TEXT) != 0;
  const char *zGiven = routeAnswer(p)->zGiven;
  LedgerJson *pDoc = NULL;

  if( routeSpell(p, pErr) ) return pErr->rc;
  ledgerBufReset(&p->body);
  if( zGiven == NULL ) {
    p->zType = NULL;
  } else {
    p->zType = bPatch && !bOldRole && (pDialect->mHas & LEDGER_HAS_MERGE_PATCH)
                   ? "application/merge-patch+json"
                   : "application/json";
    if( bOldRole ) {
      routeRoleSpell(p, pErr);
    } else if( !routeIsUser(p) ) {
      ledgerBufText(&p->body, zGiven);
    } else if( pDialect->mHas & LEDGER_HAS_MANY_ROLES ) {
      ledgerBufPrintf(&p->body, "{\"assignedRoles\":%s}", zGiven);
    } else if( ledgerJsonParse(zGiven, strlen(zGiven), "roles", &pDoc, pErr) ==
               LEDGER_OK ) {
      const char *zRole = NULL;
      routeOneRole(p->pClient, pDoc, &zRole, pErr);
      if( zRole )
        ledgerBufPrintf(&p->body, "{\"assignedRole\":\"%s\"}", zRole);
      else
        p->mNeed |= LEDGER_HAS_MANY_ROLES; /* the error that names it */
    }
  }
  ledgerJsonFree(pDoc);
  return pErr->rc;
}

/* ---- reading ------------------------------------------------------------ */

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
  if( routeIsRole(p) && routeRoleRead(pRoot, pErr) ) return pErr->rc;
  if( cJSON_IsObject(pRoot) ) {
    ledgerNextLinkRead(p, pAnswer->pDoc, pRoot, &pAnswer->list.zNext, pErr);
  } else if( !cJSON_IsArray(pRoot) ) {
    ledgerResponseNonsense(p, "it is no object", pErr);
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
  cJSON *pRoot;
  if( ledgerResponseWritten(p, pEx, p->head, pErr) ) return pErr->rc;
  ledgerJsonFree(pAnswer->pDoc);
  pAnswer->pDoc = NULL;
  if( pEx->body.n == 0 ) return LEDGER_OK;
  if( ledgerResponseParse(p, pEx, p->zWhat, &pAnswer->pDoc, pErr) )
    return pErr->rc;
  pRoot = ledgerJsonRoot(pAnswer->pDoc);
  if( cJSON_IsObject(pRoot) ) {
    if( routeIsRole(p) ) routeRoleRead(pRoot, pErr);
    return pErr->rc;
  }
  if( !routeIsRole(p) || !cJSON_IsString(pRoot) ) {
    ledgerResponseNonsense(p, "it is no object", pErr);
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
                            int eRoute, const char *zKey, LedgerError *pErr) {
  const size_t i = routeIndex(eRoute);
  LedgerCall *pCall = NULL;

  if( ledgerCallNew(p, pKind, &pCall, pErr) ) return NULL;
  routeAnswer(pCall)->eRoute = eRoute;
  pCall->query.zKeyName = aRoute[i].zParam;
  pCall->zWhat = zKey ? ledgerMprintf("%s %s", aRoute[i].zWhat, zKey)
                      : ledgerStrdup(aRoute[i].zWhat);
  pCall->zPath = ledgerStrdup(ledgerRoutePath(eRoute)); /* until spelled */
  if( zKey ) pCall->query.zKey = ledgerStrdup(zKey);
  if( !pCall->zWhat || !pCall->zPath || (zKey && !pCall->query.zKey) ) {
    ledgerCallFree(pCall);
    ledgerErrorNomem(pErr);
    return NULL;
  }
  return pCall;
}

int ledgerRouteGet(LedgerClient *p, int eRoute, const char *zKey,
                   LedgerTxid after, LedgerCall **ppCall, LedgerError *pErr) {
  LedgerCall *pCall = routeNew(p, &routeGetKind, eRoute, zKey, pErr);
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
      routeNew(p->pClient, &routeGetKind, pAnswer->eRoute, p->query.zKey, pErr);
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
  pCall = routeNew(p, &aWriteKind[i], pWrite->eRoute, pWrite->zKey, pErr);
  if( pCall && pWrite->zBody ) {
    routeAnswer(pCall)->zGiven = ledgerStrdup(pWrite->zBody);
    if( routeAnswer(pCall)->zGiven == NULL ) {
      ledgerCallFree(pCall);
      pCall = NULL;
      ledgerErrorNomem(pErr);
    }
  }
  *ppCall = pCall;
  if( pCall == NULL ) return pErr->rc;
  ledgerLoopStart(pCall);
  return LEDGER_OK;
}

LedgerJson *ledgerWriteAnswer(LedgerCall *p) {
  return routeAnswer(p)->pDoc;
}
