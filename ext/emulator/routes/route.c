/*
** The table of routes, and what is common to them.
**
** Order of checks below /app: path and method, credential, session,
** api-version, the route's presence in that version, role. A path that no route
** has is 404 ResourceNotFound, a method that its path lacks 405
** UnsupportedHttpVerb, and OPTIONS 204.
*/
#include "emulator/emu.h"

#include <string.h>

typedef struct Route Route;
struct Route {
  const char *zMethod;
  const char *zPath; /* '*' stands for one segment */
  void (*xRun)(EmuReq *);
  int eAction;       /* needed; 0: an open route, no api-version */
  unsigned mVersion; /* EMU_V_* flag the version must have */
};

/* The first path that fits counts, so fixed ones stand before '*'. */
static const Route aRoute[] = {
    {"POST", "/app/transactions", emuRouteAppend, EMU_ENTRIES_WRITE, 0},
    {"GET", "/app/transactions", emuRouteRange, EMU_ENTRIES_READ, 0},
    {"GET", "/app/transactions/current", emuRouteCurrent, EMU_ENTRIES_READ, 0},
    {"GET", "/app/transactions/*", emuRouteEntry, EMU_ENTRIES_READ, 0},
    {"GET", "/app/transactions/*/status", emuRouteStatus, EMU_ENTRIES_READ, 0},
    {"GET", "/app/transactions/*/receipt", emuRouteReceipt, EMU_ENTRIES_READ,
     0},
    {"GET", "/app/operations/*", emuRouteOperation, EMU_ENTRIES_READ, 0},
    {"GET", "/app/queue/status", emuRouteQueueStatus, EMU_ENTRIES_READ, 0},
    {"GET", "/app/collections", emuRouteCollections, EMU_ENTRIES_READ,
     EMU_V_COLLECTIONS},
    {"GET", "/app/collections/tags", emuRouteTags, EMU_ENTRIES_READ,
     EMU_V_TAG_LIST},
    {"GET", "/app/users", emuRouteUserList, EMU_USERS_READ, EMU_V_USER_LIST},
    {"GET", "/app/users/*", emuRouteUserGet, EMU_USERS_READ, 0},
    {"PATCH", "/app/users/*", emuRouteUserPatch, EMU_USERS_WRITE, 0},
    {"DELETE", "/app/users/*", emuRouteUserDelete, EMU_USERS_WRITE, 0},
    {"GET", "/app/ledgerUsers", emuRouteUserList, EMU_USERS_READ,
     EMU_V_LEDGER_USERS},
    {"GET", "/app/ledgerUsers/*", emuRouteUserGet, EMU_USERS_READ,
     EMU_V_LEDGER_USERS},
    {"PATCH", "/app/ledgerUsers/*", emuRouteUserPatch, EMU_USERS_WRITE,
     EMU_V_LEDGER_USERS},
    {"DELETE", "/app/ledgerUsers/*", emuRouteUserDelete, EMU_USERS_WRITE,
     EMU_V_LEDGER_USERS},
    {"GET", "/ledgerUsers", emuRouteUserList, EMU_USERS_READ, EMU_V_NEVER},
    {"GET", "/app/governance/constitution", emuRouteConstitution,
     EMU_GOVERNANCE_READ, 0},
    {"GET", "/app/governance/members", emuRouteMembers, EMU_GOVERNANCE_READ, 0},
    {"GET", "/app/enclaveQuotes", emuRouteQuotes, EMU_GOVERNANCE_READ, 0},
    {"GET", "/app/roles", emuRouteRoleGet, EMU_ROLES_READ, EMU_V_ROLES},
    {"PUT", "/app/roles", emuRouteRolePut, EMU_ROLES_WRITE, EMU_V_ROLES},
    {"PATCH", "/app/roles", emuRouteRolePatch, EMU_ROLES_WRITE, EMU_V_ROLES},
    {"DELETE", "/app/roles", emuRouteRoleDelete, EMU_ROLES_WRITE, EMU_V_ROLES},
    {"GET", "/app/userDefinedFunctions", emuRouteFunctionList,
     EMU_FUNCTIONS_READ, EMU_V_PROGRAMS},
    {"GET", "/app/userDefinedFunctions/*", emuRouteFunctionGet,
     EMU_FUNCTIONS_READ, EMU_V_PROGRAMS},
    {"PUT", "/app/userDefinedFunctions/*", emuRouteFunctionPut,
     EMU_FUNCTIONS_WRITE, EMU_V_PROGRAMS},
    {"DELETE", "/app/userDefinedFunctions/*", emuRouteFunctionDelete,
     EMU_FUNCTIONS_WRITE, EMU_V_PROGRAMS},
    {"POST", "/app/userDefinedFunctions/*", emuRouteExecute,
     EMU_FUNCTIONS_EXECUTE, EMU_V_PROGRAMS},
    {"GET", "/app/userDefinedEndpoints", emuRouteEndpointsGet,
     EMU_ENDPOINTS_READ, EMU_V_ROLES},
    {"PUT", "/app/userDefinedEndpoints", emuRouteEndpointsPut,
     EMU_ENDPOINTS_WRITE, EMU_V_ROLES},
    {"GET", "/app/userDefinedEndpoints/modules", emuRouteModule,
     EMU_ENDPOINTS_READ, EMU_V_ROLES},
    {"GET", "/app/userDefinedEndpoints/runtimeOptions", emuRouteRuntimeGet,
     EMU_ENDPOINTS_READ, EMU_V_ROLES},
    {"PATCH", "/app/userDefinedEndpoints/runtimeOptions", emuRouteRuntimePatch,
     EMU_ENDPOINTS_WRITE, EMU_V_ROLES},
    {"GET", "/ledgerIdentity/*", emuRouteIdentity, 0, 0},
    {"GET", "/failover/*", emuRouteFailover, 0, 0},
    {"GET", "/common/discovery/instance", emuRouteInstance, 0, 0},
    {"GET", "/*/v2.0/.well-known/openid-configuration", emuRouteOpenid, 0, 0},
    {"POST", "/*/oauth2/v2.0/token", emuRouteToken, 0, 0},
    {"GET", "/*/discovery/v2.0/keys", emuRouteKeys, 0, 0},
    {"GET", "/control/*", emuRouteControl, 0, 0},
    {"POST", "/control/*", emuRouteControl, 0, 0},
    {"DELETE", "/control/*", emuRouteControl, 0, 0},
};
#define N_ROUTE ((int)(sizeof(aRoute) / sizeof(aRoute[0])))

/* 1 when the segments of the request are those of the path. */
static int routeFits(const char *zPath, const EmuReq *p) {
  int i;
  for( i = 0; *zPath == '/'; i++ ) {
    size_t n = strcspn(++zPath, "/");
    if( i >= p->nSegment ) return 0;
    if( n == 1 && *zPath == '*' ) {
      if( p->aSegment[i].n == 0 ) return 0;
    } else if( n != p->aSegment[i].n ||
               memcmp(zPath, p->aSegment[i].z, n) != 0 ) {
      return 0;
    }
    zPath += n;
  }
  return i == p->nSegment;
}

/* The route of the request; NULL after answering 404 or 405. */
static const Route *routeFind(EmuReq *p) {
  LedgerBuf allow = {0};
  const char *zPath = NULL;
  int i;
  for( i = 0; i < N_ROUTE; i++ ) {
    const Route *pRoute = &aRoute[i];
    if( zPath ? strcmp(zPath, pRoute->zPath) != 0
              : !routeFits(pRoute->zPath, p) ) {
      continue;
    }
    if( pRoute->xRun == emuRouteControl && !p->pEmu->args.bControl ) continue;
    if( (pRoute->xRun == emuRouteOperation ||
         pRoute->xRun == emuRouteQueueStatus) &&
        !emuGatewayAsked(p) ) {
      continue;
    }
    zPath = pRoute->zPath;
    if( strcmp(p->zMethod, pRoute->zMethod) == 0 ) {
      ledgerBufFree(&allow);
      return pRoute;
    }
    ledgerBufPrintf(&allow, "%s%s", allow.n ? ", " : "", pRoute->zMethod);
  }
  if( zPath && strcmp(p->zMethod, "OPTIONS") == 0 ) {
    p->iStatus = 204;
    if( allow.z ) emuReqAddHeader(p, "Allow", allow.z);
  } else if( zPath ) {
    emuReqError(p, 405, "UnsupportedHttpVerb",
                "Allowed methods for '%s' are: %s.", p->zPath,
                allow.z ? allow.z : "");
    if( allow.z ) emuReqAddHeader(p, "Allow", allow.z);
  } else {
    emuReqError(p, 404, "ResourceNotFound", "Unknown path: %s.", p->zPath);
  }
  ledgerBufFree(&allow);
  return NULL;
}

/* Settles the api-version; 0 after answering 400. */
static int routeVersion(EmuReq *p) {
  const EmuText *pText = emuReqParam(p, "api-version");
  LedgerBuf list = {0};
  if( pText == NULL ) {
    emuReqError(p, 400, "QueryParameterError",
                "Missing required query parameter 'api-version'.");
    return 0;
  }
  p->pVersion = emuVersionFind(p->pEmu->args.zVersions, pText->z, pText->n);
  if( p->pVersion ) return 1;
  emuVersionList(p->pEmu->args.zVersions, &list);
  emuReqError(p, 400, "QueryParameterError",
              "Parsed api-version %s is not available. Please use one of the "
              "following versions: %s",
              ledgerUtf8Valid(pText->z, pText->n) ? pText->z : "?",
              list.z ? list.z : "");
  ledgerBufFree(&list);
  return 0;
}

/* What stands between a request and its handler. */
static int routeAdmit(EmuReq *p, const Route *pRoute) {
  if( pRoute->eAction == 0 ) return 1;
  if( !p->bHeld && !emuAuthenticate(p) ) return 0;
  if( !emuSessionEnter(p) || !routeVersion(p) ) return 0;
  if( pRoute->mVersion && !(p->pVersion->flags & pRoute->mVersion) ) {
    emuReqError(p, 404, "ResourceNotFound", "Unknown path: %s.", p->zPath);
    return 0;
  }
  return emuAuthorise(p, pRoute->eAction);
}

void emuRouteEnd(EmuReq *p) {
  LedgerError err = LEDGER_ERROR_INIT;
  Emu *pEmu = p->pEmu;
  EmuFaultKeys keys = p->keys;
  int eFault = p->eFault;
  if( p->bRunning ) return;
  if( p->iStatus >= 200 && p->iStatus < 300 && p->pVersion &&
      p->id.seqno == 0 && !p->bGateway ) {
    p->id = pEmu->ledger.last;
  }
  if( !p->bWaiting ) emuReqSend(p);
  if( emuFaultAfter(pEmu, eFault, &keys, &err) ) {
    emuWarn("%s", ledgerErrorText(&err));
  }
  ledgerErrorClear(&err);
}

void emuRoute(EmuReq *p) {
  const Route *pRoute;
  EmuLedger now;
  if( emuFaultHold(p) ) return;
  if( !emuFaultInstead(p) ) {
    pRoute = routeFind(p);
    if( pRoute && routeAdmit(p, pRoute) && emuFaultStale(p, &now) ) {
      pRoute->xRun(p);
      emuFaultCaughtUp(p, &now);
    }
  }
  emuRouteEnd(p);
}
